// The System tab's first view: how every part is and why, what stands, and when preflight, upkeep and backup were and come.

const VIEWS = [["operations", "Operations"], ["engine", "Engine and settings"]];
const STATES = { ok: "", degraded: "needs attention", down: "down", off: "off", unknown: "unknown" };
const VERDICTS = { fail: "Failed", not_provable_here: "Not provable here", pass: "Passed" };
const ENDED = { done: "up", failed: "log-alert", late: "warn", stopped: "warn", skipped: "dim" };
const SIX_DAYS_MS = 6 * 86400e3;
const india = (parts) => new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Kolkata", ...parts });
const [day, weekday, date, minute] = [
  india({ weekday: "short", day: "2-digit", month: "short" }), india({ weekday: "short" }), india({ day: "2-digit", month: "short" }),
  india({ hour: "2-digit", minute: "2-digit" }),
];

const when = (ns) => (ns ? `${day.format(ns / 1e6)} ${minute.format(ns / 1e6)}` : "–");

// As short as it can be told: the time today, the weekday within six days, else the date.
function soon(ns) {
  const [ms, now] = [ns / 1e6, Date.now()];
  if (date.format(ms) === date.format(now)) return minute.format(ms);
  return `${(Math.abs(ms - now) < SIX_DAYS_MS ? weekday : date).format(ms)} ${minute.format(ms)}`;
}
const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

function span(seconds) {
  const whole = Math.abs(seconds);
  if (whole < 90) return count(Math.round(whole), "second");
  if (whole < 5400) return count(Math.round(whole / 60), "minute");
  return whole < 172800 ? count(Math.round(whole / 3600), "hour") : count(Math.round(whole / 86400), "day");
}

const since = (ns) => (Date.now() - ns / 1e6) / 1000;
const ago = (ns) => `${span(since(ns))} ago`;

// Rows kept by key: made once, then drawn again, so that what has the focus keeps it.
function list(cls, key, make, empty = "") {
  const { node } = aitrade;
  const [rows, nothing] = [node("div", cls), node("div", "table-empty", empty)];
  rows.setAttribute("role", "list");
  const made = new Map();
  return {
    element: node("div", "ops-list", "", rows, nothing),
    show(found) {
      const wanted = new Set(found.map(key));
      for (const [id, row] of made) if (!wanted.has(id)) made.delete(id) && row.element.remove();
      found.forEach((one, place) => {
        if (!made.has(key(one))) made.set(key(one), make(one));
        const row = made.get(key(one));
        row.element.setAttribute("role", "listitem");
        row.draw(one);
        if (rows.children[place] !== row.element) rows.insertBefore(row.element, rows.children[place] ?? null);
      });
      nothing.hidden = found.length > 0 || !empty;
    },
  };
}

function verdict(run) {
  if (!run) return "has not run";
  return `${run.failed ? `failed: ${run.failed} of ${run.items.length}` : "passed"}${run.changed.length ? ", stale" : ""}`;
}

function bar() {
  const { node, say, dress } = aitrade;
  const buttons = VIEWS.map(([name, title]) => {
    const made = node("button", "btn btn-small", title);
    made.type = "button";
    made.addEventListener("click", () => choose(name));
    return [name, made];
  });
  const lamp = node("b", "lamp");
  const facts = list("ops-facts", ([text]) => text, ([text]) => {
    const element = node("span", "", text);
    return { element, draw: ([, well]) => dress(element, well ? "dim" : "warn") };
  });
  const element = node("div", "ops-bar", "", node("div", "ops-views", "", ...buttons.map(([, one]) => one)), lamp, facts.element);
  element.firstChild.setAttribute("role", "group");
  element.firstChild.setAttribute("aria-label", "View");
  const choose = (name) => {
    element.closest(".system").dataset.view = name;
    for (const [other, one] of buttons) one.setAttribute("aria-pressed", other === name);
  };
  return {
    element,
    choose,
    draw({ health, preflight, maintenance, backup, troubles }) {
      const wrong = health ? health.components.filter(({ state }) => state === "degraded" || state === "down").length : 0;
      const fine = health && !wrong && !troubles.length;
      say(lamp, !health ? "Not known" : wrong ? `${count(wrong, "part needs", "parts need")} attention` : "Every part that runs is well");
      dress(lamp, `lamp ${fine ? "up" : "warn"}`);
      const next = maintenance.find(({ next_run }) => next_run);
      facts.show([
        [`Preflight ${verdict(preflight)}`, preflight && !preflight.failed && !preflight.changed.length],
        next ? [`next upkeep ${soon(next.next_run)}`, true] : ["no upkeep is planned", false],
        backup ? [`backup ${ago(backup.at)}`, true] : ["no backup yet", false],
        ...troubles.map((text) => [text, false]),
      ]);
    },
  };
}

function healthPanel() {
  const { node, panel, say, dress } = aitrade;
  const box = panel("Health", "ops-health");
  const rows = list("ops-parts", ({ name }) => name, ({ name }) => {
    const [dot, why, state] = [node("i", ""), node("span", "ops-why"), node("span", "ops-state")];
    const element = node("div", "ops-part", "", dot, node("b", "", name), state, why);
    return {
      element,
      draw(part) {
        dress(dot, `ops-dot ${part.state}`);
        say(state, STATES[part.state]);
        dress(state, `ops-state ${part.state}`);
        say(why, part.reason);
      },
    };
  }, "Nothing is known yet.");
  box.body.append(rows.element);
  return { element: box, draw: ({ health }) => rows.show(health?.components ?? []) };
}

function sentTo({ sent, failed, escalations, count: times }) {
  const lost = Object.entries(failed).map(([name, why]) => `not by ${name}: ${why}`);
  return [
    times > 1 ? `${times} times` : "", sent.length ? `sent by ${sent.join(", ")}` : "", ...lost,
    escalations ? `escalated ${count(escalations, "time")}` : "",
  ].filter(Boolean);
}

function alertRow(alert) {
  const { node, button, attempt, say, dress } = aitrade;
  const [text, meta, seen] = [node("div", "ops-text"), node("div", "ops-meta"), node("span", "ops-seen")];
  const press = button("Acknowledge", "btn-small", async () => {
    await attempt(() => aitrade.operate("acknowledge", { alert: alert.id }), "Acknowledged, in your name.");
  }, "You have seen it and take care of it; it no longer escalates");
  press.setAttribute("aria-label", `Acknowledge ${alert.rule.replaceAll("-", " ")}`);
  const element = node("div", "", "", node("div", "ops-alert-body", "", text, meta), node("div", "ops-alert-act", "", press, seen));
  return {
    element,
    draw(row) {
      dress(element, `ops-alert ${row.severity}${row.acknowledged ? " seen" : ""}`);
      say(text, row.text);
      say(meta, [`${row.severity.toUpperCase()}  ${row.rule.replaceAll("-", " ")}`, `raised ${when(row.raised)}, ${ago(row.raised)}`, ...sentTo(row)].join("  ·  "));
      press.hidden = Boolean(row.acknowledged);
      say(seen, row.acknowledged ? `seen by ${row.acknowledged_by}` : "");
    },
  };
}

function channelLine() {
  const { node, input, button, attempt, say, dress } = aitrade;
  const code = input("tiny ops-code", "Code that arrived on a channel", "", { placeholder: "code" });
  const give = button("Confirm", "btn-small", async () => {
    if (!code.value.trim()) return code.focus();
    await attempt(async () => {
      await aitrade.operate("confirm", { code: code.value });
      code.value = "";
    }, "The channel is confirmed, in your name.");
  }, "aitrade alerts test sends a code to each channel; what arrives, is typed here");
  code.addEventListener("keydown", (event) => event.key === "Enter" && give.click());
  const words = node("span", "ops-channels");
  const proof = node("span", "ops-proof", "", code, give);
  return {
    element: node("div", "ops-foot", "", words, proof),
    draw({ channels }) {
      const there = channels.filter(({ state }) => state !== "not on this machine");
      const reached = there.some(({ external, state }) => external && state === "confirmed");
      const states = there.map(({ channel, state, until }) => `${channel} ${state}${state === "confirmed" ? ` until ${when(until)}` : ""}`);
      say(words, `${states.join(", ") || "No channel is set"}${reached ? "" : ". Nobody away from this machine is reached: name a channel in alerts.toml and confirm it"}`);
      dress(words, `ops-channels ${reached ? "dim" : "warn"}`);
      proof.hidden = !there.some(({ external }) => external);
    },
  };
}

function alertPanel() {
  const { panel, say } = aitrade;
  const box = panel("Alerts", "ops-alerts");
  const rows = list("ops-rows", ({ id }) => id, alertRow, "No alert stands. Rules watch the engine, its feed and orders, losses, disk, clock, journals and backups.");
  const channels = channelLine();
  box.body.append(rows.element);
  box.append(channels.element);
  return {
    element: box,
    draw(overview) {
      const open = overview.alerts.filter(({ acknowledged }) => !acknowledged).length;
      say(box.head.firstChild, ["Alerts", overview.alerts.length && `${overview.alerts.length} standing`, open && `${open} not acknowledged`].filter(Boolean).join("  ·  "));
      rows.show(overview.alerts);
      channels.draw(overview);
    },
  };
}

function incidentRow(one) {
  const { node, say, dress } = aitrade;
  const [text, meta, due] = [node("div", "ops-text"), node("div", "ops-meta"), node("div", "ops-due")];
  const element = node("div", "ops-incident", "", text, meta, due);
  return {
    element,
    draw(row) {
      const owed = row.deadlines.find(({ done }) => !done);
      const late = owed && since(owed.by) > 0;
      say(text, row.title);
      say(meta, [`no. ${row.id}`, row.kind.replaceAll("-", " "), `began ${when(row.began)}`, row.ended ? "over" : "lasts", row.owner ? `owner ${row.owner}` : "no owner", row.cause ? `cause: ${row.cause}` : "no cause yet"].join("  ·  "));
      say(due, owed ? `${owed.step} to ${owed.to}: ${late ? "overdue since" : "by"} ${when(owed.by)} (${late ? "" : "in "}${span(since(owed.by))})` : "");
      dress(due, `ops-due ${late ? "log-alert" : "warn"}`);
      element.title = `aitrade incident show ${one.id}`;
    },
  };
}

function incidentPanel() {
  const { panel, say } = aitrade;
  const box = panel("Incidents", "ops-incidents");
  const rows = list("ops-rows", ({ id }) => id, incidentRow, "No incident is open. An outage of five minutes in market hours opens one.");
  box.body.append(rows.element);
  return {
    element: box,
    draw({ incidents }) {
      say(box.head.firstChild, incidents.length ? `Incidents  ·  ${incidents.length} open` : "Incidents");
      rows.show(incidents);
    },
  };
}

function preflightPanel() {
  const { node, panel, say, dress } = aitrade;
  const box = panel("Last preflight", "ops-preflight");
  const [share, words, signed] = [node("div", "ops-share"), node("div", "ops-counts"), node("div", "ops-meta")];
  const parts = Object.keys(VERDICTS).reverse().map((status) => [status, share.appendChild(node("i", status))]);
  const rows = list("ops-verdicts", ({ id }) => id, ({ item }) => {
    const [verdict, why] = [node("span", ""), node("span", "ops-why")];
    const element = node("div", "", "", verdict, node("b", "", item), why);
    return {
      element,
      draw(row) {
        dress(element, `ops-verdict ${row.status}`);
        dress(verdict, `ops-mark ${row.status}`);
        say(verdict, { pass: "✓", fail: "✕" }[row.status] ?? "–");
        verdict.title = VERDICTS[row.status];
        verdict.setAttribute("aria-label", VERDICTS[row.status]);
        say(why, row.status === "pass" ? "" : row.evidence);
        element.title = row.evidence;
      },
    };
  }, "It has not run on this data folder: aitrade preflight");
  const top = node("div", "ops-top", "", share, words, signed);
  box.body.append(top, rows.element);
  const order = Object.keys(VERDICTS);
  return {
    element: box,
    draw({ preflight: run }) {
      top.hidden = !run;
      rows.show([...(run?.items ?? [])].sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status)));
      if (!run) return;
      const counts = { pass: run.passed, fail: run.failed, not_provable_here: run.not_provable };
      for (const [status, ink] of parts) ink.style.flexGrow = counts[status];
      say(words, `${run.passed} passed, ${run.failed} failed, ${run.not_provable} not provable here`);
      say(signed, [`${when(run.at)}, ${ago(run.at)}`, `by ${run.by} in ${run.seconds.toFixed(0)} s`, run.signed_by.length ? `signed by ${run.signed_by.join(", ")}` : "not signed", ...(run.changed.length ? [`stale: ${run.changed.join(", ")} changed since`] : [])].join("  ·  "));
      dress(signed, `ops-meta ${run.changed.length ? "warn" : ""}`);
    },
  };
}

function upkeepPanel() {
  const { panel, table } = aitrade;
  const box = panel("Maintenance", "ops-upkeep");
  const rows = table([
    { title: "Task", text: ({ words }) => words, cls: () => "rest", update: (cell, { name, says }) => (cell.title = [name, says].filter(Boolean).join(": ")) },
    { title: "Last", text: ({ last_run, status }) => (last_run || status ? `${last_run ? soon(last_run) : ""} ${status}`.trim() : "never"), cls: ({ status, last_run }) => ENDED[last_run || status ? status : "skipped"] ?? "dim" },
    { title: "Next", num: true, text: ({ next_run, cadence }) => (next_run ? soon(next_run) : cadence === "emergency" ? "when needed" : "–"), cls: ({ next_run }) => (next_run ? "" : "dim") },
  ], { key: ({ name }) => name, empty: "No task is planned." });
  box.body.append(rows.element);
  return { element: box, draw: ({ maintenance }) => rows.show(maintenance) };
}

function size(bytes) {
  const [unit, scale] = [["GB", 1e9], ["MB", 1e6], ["kB", 1e3], ["bytes", 1]].find(([, one]) => bytes >= one) ?? ["bytes", 1];
  return `${(bytes / scale).toFixed(scale > 1 ? 1 : 0)} ${unit}`;
}

function backupPanel() {
  const { node, panel, say, dress } = aitrade;
  const box = panel("Last backup", "ops-backup");
  const [words, place] = [node("div", "ops-text"), node("div", "ops-meta")];
  box.body.append(words, place);
  return {
    element: box,
    draw({ backup }) {
      say(words, backup ? `${ago(backup.at)}, ${backup.kind}, ${size(backup.size)} sealed in ${backup.seconds.toFixed(1)} s` : "None was made yet: aitrade backup run");
      say(place, !backup ? "" : `${when(backup.at)}  ·  ${backup.second_device ? "on a second device" : "on the same device as the data: name another folder"}`);
      dress(place, `ops-meta ${backup?.second_device === false ? "warn" : ""}`);
    },
  };
}

function render({ el }) {
  const { node, painter, say, state } = aitrade;
  el.classList.add("sys-operations");
  const [top, lost] = [bar(), node("div", "ops-lost")];
  const [health, alerts, incidents, preflight, upkeep, backup] = [healthPanel(), alertPanel(), incidentPanel(), preflightPanel(), upkeepPanel(), backupPanel()];
  const column = (...parts) => node("div", "sys-column", "", ...parts.map(({ element }) => element));
  const body = node("div", "ops-body", "", column(health), column(alerts, incidents), column(preflight, upkeep, backup));
  lost.hidden = true;
  lost.setAttribute("role", "status");
  el.append(top.element, lost, body);
  const parts = [top, health, alerts, incidents, preflight, upkeep, backup];
  const paint = painter(el, () => state.operations && parts.forEach((part) => part.draw(state.operations)));
  const start = requestAnimationFrame(() => top.choose(VIEWS[0][0]));
  const offs = [
    aitrade.on("operations", () => {
      lost.hidden = true;
      paint();
    }),
    aitrade.on("operations-lost", (error) => {
      say(lost, `What is below is old: ${error.message}`);
      lost.hidden = false;
    }),
  ];
  return () => {
    cancelAnimationFrame(start);
    offs.forEach((off) => off?.());
    paint.stop();
  };
}

export default { render };
