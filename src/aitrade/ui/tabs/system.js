// The System tab's second view: how engine, feed and machine are and why, what happened, what is in force, and who may trade.

const LEVELS = ["info", "warning", "alert"];
const STAGES = { risk: "Risk checks", journal: "Journal written", venue: "Handed to the venue", total: "Submit to sent" };
const STATES = [
  ["ACTIVE", "resume", "Resume", "All orders pass.", "btn-go"],
  ["REDUCING", "reduce", "Reduce only", "Only exits and cancellations pass.", ""],
  ["HALTED", "halt", "Halt", "Working orders are cancelled; only cancellations and a person's exits pass.", "btn-danger"],
];
const DONE = { resume: "Trading is active.", reduce: "Only exits pass now.", halt: "Trading is halted." };
const LOG_ROWS = 300;

const say = (element, text) => aitrade.say(element, text);

function span(seconds) {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours ? `${hours} h ${minutes} min` : minutes ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${Math.floor(seconds)} s`;
}

const age = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
const micros = (value) => (value ? (value < 1000 ? value.toFixed(1) : aitrade.format.number(Math.round(value))) : "–");

const FACTS = [
  ["Feed: newest price", ({ feed_age_ms }) => `${age(feed_age_ms)} old (market time)`],
  ["Prices taken", ({ ticks_per_s }) => `${aitrade.format.number(Math.round(ticks_per_s))} /s`],
  ["Clock offset", ({ clock_offset_ms }) => (clock_offset_ms === null ? "unknown" : `${clock_offset_ms.toFixed(1)} ms`)],
  ["Engine up for", ({ uptime_s }) => span(uptime_s)],
  ["Engine memory", ({ engine_mb }) => `${engine_mb.toFixed(0)} MB`],
  ["Machine", ({ cpu, ram }) => `CPU ${cpu.toFixed(0)} %, memory ${ram.toFixed(0)} %`],
  ["Accelerator", ({ accelerator }) => accelerator],
  ["Journal", ({ journal, journal_records }) => `${aitrade.format.number(journal_records)} records, ${journal === "disk" ? "fsynced before send" : "written before send"}`],
  ["Journal head", ({ journal_head }) => journal_head.slice(0, 24), ({ journal_head }) => journal_head],
  ["Book folder", ({ data_path }) => data_path, ({ data_path }) => data_path],
];

function healthPanel() {
  const { node, panel, dress } = aitrade;
  const box = panel("Engine and feed", "sys-health");
  const lamp = node("b", "lamp");
  const reasons = node("ul", "reasons");
  const cells = FACTS.map(([name]) => [name, node("span", "num clip")]);
  const link = node("span", "num");
  const rows = [["Page", link], ...cells].map(([name, cell]) => node("label", "", name, cell));
  box.body.append(node("div", "sys-lamp", "", lamp), reasons, node("div", "facts", "", ...rows));
  return {
    element: box,
    draw(health, links) {
      say(lamp, health.ok ? "Healthy" : "Needs attention");
      dress(lamp, `lamp ${health.ok ? "up" : "warn"}`);
      const text = health.reasons.join("\n");
      if (reasons.dataset.text !== text) {
        reasons.dataset.text = text;
        reasons.replaceChildren(...health.reasons.map((reason) => node("li", "", reason)));
      }
      FACTS.forEach(([, words, hint], i) => {
        say(cells[i][1], words(health));
        if (hint) cells[i][1].title = hint(health);
      });
      say(link, `engine ${links.engine}, kernel ${links.kernel}, server ${links.server}`);
    },
  };
}

function tradingPanel() {
  const { node, panel, input, button, dress } = aitrade;
  const now = node("b", "badge state");
  const box = panel("Trading state", "sys-state", now);
  const why = input("", "Reason", "", { placeholder: "Reason, for the journal" });
  const fault = node("div", "drawer-why");
  fault.setAttribute("role", "alert");
  const change = async (verb, title, does, danger) => {
    fault.textContent = "";
    if (!why.value.trim()) {
      fault.textContent = "Say why: the reason stands in the journal.";
      return why.focus();
    }
    if (!(await aitrade.confirm(does, { title: `${title}?`, yes: title, danger }))) return;
    try {
      await aitrade.post(`/${verb}`, { reason: why.value.trim() });
      aitrade.toast(DONE[verb], "info");
      why.value = "";
    } catch (error) {
      fault.textContent = aitrade.sentences(error).map(({ text }) => text).join(" ");
    }
  };
  const buttons = STATES.map(([state, verb, title, does, cls]) => [state, button(title, cls, () => change(verb, title, does, state === "HALTED"), does)]);
  box.body.append(why, node("div", "sys-verbs", "", ...buttons.map(([, one]) => one)), fault);
  return {
    element: box,
    draw({ state }) {
      say(now, state);
      dress(now, `badge state ${state.toLowerCase()}`);
      for (const [name, one] of buttons) one.hidden = name === state;
    },
  };
}

function latencyPanel() {
  const { panel, table } = aitrade;
  const list = table([
    { title: "Stage", text: ({ stage }) => STAGES[stage] ?? stage },
    { title: "Orders", num: true, text: ({ count }) => aitrade.format.number(count), cls: () => "dim" },
    { title: "p50", num: true, text: ({ p50 }) => micros(p50), hint: "Microseconds" },
    { title: "p95", num: true, text: ({ p95 }) => micros(p95), hint: "Microseconds" },
    { title: "p99", num: true, text: ({ p99 }) => micros(p99), hint: "Microseconds" },
  ], { key: ({ stage }) => stage });
  const box = panel("Order latency, microseconds", "sys-latency");
  box.body.append(list.element);
  return { element: box, draw: ({ latency }) => list.show(Object.entries(latency).map(([stage, one]) => ({ stage, ...one }))) };
}

function ratePanel() {
  const { node, panel } = aitrade;
  const box = panel("Orders a second, peak of the last minute", "sys-rate");
  const made = new Map();
  const none = node("div", "table-empty");
  box.body.append(none);
  const row = (segment) => {
    const [ink, number] = [node("i"), node("span", "num")];
    const line = node("div", "bars-row", "", node("span", "bars-name", segment), node("span", "bars-track", "", ink), number);
    box.body.append(line);
    made.set(segment, { ink, number });
    return made.get(segment);
  };
  return {
    element: box,
    draw({ orders_per_s, order_rate_limit: limit }) {
      const rates = Object.entries(orders_per_s);
      none.hidden = rates.length > 0;
      say(none, `No order in the last minute; the limit is ${limit} a second and segment.`);
      for (const [segment, rate] of rates) {
        const { ink, number } = made.get(segment) ?? row(segment);
        ink.style.width = `${Math.min(100, (rate / limit) * 100)}%`;
        ink.className = rate >= limit ? "down" : "";
        say(number, `${rate} of ${limit}`);
      }
    },
  };
}

function venuePanel() {
  const { node, panel } = aitrade;
  const box = panel("Venues", "sys-venues");
  let drawn = "";
  return {
    element: box,
    draw({ venues }) {
      const text = JSON.stringify(venues);
      if (text === drawn) return;
      drawn = text;
      box.body.replaceChildren(...Object.entries(venues).map(([name, words]) => node("label", "fact", "", node("b", "", name), node("span", "", words))));
    },
  };
}

function worldPanel() {
  const { node, panel, state } = aitrade;
  const box = panel("What is assumed or modelled here", "sys-world");
  return {
    element: box,
    draw() {
      const { world } = state;
      if (!world) return;
      const about = `${world.mode}, book ${world.book}, session ${world.session}, prices: ${world.source}`;
      const lines = world.assumed.length ? world.assumed : ["Nothing: every price and rule of this day is as published."];
      box.body.replaceChildren(node("div", "dim", about), node("ul", "", "", ...lines.map((line) => node("li", "", line))));
    },
  };
}

function logPanel() {
  const { node, panel, table, input, state } = aitrade;
  let least = 0;
  const find = input("", "Find in the event log", "", { placeholder: "find …", type: "search" });
  const levels = LEVELS.map((level, i) => {
    const one = node("button", "btn btn-small", ["All", "Warnings", "Alerts"][i]);
    one.type = "button";
    one.addEventListener("click", () => {
      least = i;
      draw();
    });
    return one;
  });
  const box = panel("Event log", "sys-log", find, ...levels);
  const cls = ({ level }) => (level === "alert" ? "log-alert" : level === "warning" ? "warn" : "dim");
  const list = table([
    { title: "Market time", text: ({ ts }) => aitrade.format.time(ts), cls: () => "dim", width: "76px" },
    { title: "Level", text: ({ level }) => level, cls, width: "58px" },
    { title: "What", text: ({ text }) => text, cls: () => "log-text" },
    { title: "Source", text: ({ source }) => source, cls: () => "dim clip", width: "86px" },
  ], { key: ({ id }) => String(id), empty: "No event like that." });
  box.body.append(list.element);
  const draw = () => {
    const words = find.value.trim().toLowerCase();
    const fits = ({ level, text, source }) => LEVELS.indexOf(level) >= least && (!words || `${text} ${source}`.toLowerCase().includes(words));
    list.show([...state.events.values()].filter(fits).reverse().slice(0, LOG_ROWS));
    levels.forEach((one, i) => one.setAttribute("aria-pressed", i === least));
    say(box.head.firstChild, `Event log ${state.events.size}`);
  };
  find.addEventListener("input", draw);
  return { element: box, draw };
}

function shown(value) {
  if (value === true || value === false) return value ? "yes" : "no";
  if (Array.isArray(value)) return value.join(", ") || "none";
  return typeof value === "number" ? aitrade.format.number(value) : value === "" ? "–" : String(value);
}

// Money of the engine's settings is in paise; everything else is as it stands in its file.
const settingRows = ({ settings, limits, settings_file, limits_file }, says, byCommand) => [
  ...Object.entries(settings).filter(([name]) => says[name]).map(([name, value]) => ({
    name, value: name === "cash" ? aitrade.format.rupees(value) : shown(value), file: byCommand.includes(name) ? "aitrade up" : settings_file,
  })),
  ...Object.entries(limits).map(([name, value]) => ({ name, value: shown(value), file: limits_file })),
];

function settingPanel(says, byCommand) {
  const { panel, table } = aitrade;
  const box = panel("Settings and limits in force", "sys-settings");
  const base = (path) => path.split(/[\\/]/).at(-1);
  const list = table([
    { title: "Name", text: ({ name }) => name, cls: () => "strong", width: "176px" },
    { title: "Value", text: ({ value }) => value, cls: () => "clip", width: "150px", update: (cell, { value }) => (cell.title = value) },
    { title: "What it is", text: ({ name }) => says[name] ?? "", cls: () => "dim log-text" },
    { title: "Changed in", text: ({ file }) => base(file), cls: () => "dim", width: "92px", update: (cell, { file }) => (cell.title = file) },
  ], { key: ({ name, file }) => `${file}:${name}`, empty: "The engine has not told its settings." });
  box.body.append(list.element);
  const ask = async () => {
    const answer = await aitrade.get("/settings").catch(() => null); // the page already says when the engine is gone
    if (answer) list.show(settingRows(answer, says, byCommand));
  };
  return { element: box, ask };
}

function render({ model, el }) {
  const { node, painter, state } = aitrade;
  el.classList.add("sys-engine");
  const [health, trading, latency, rate, venues, world, log] = [healthPanel(), tradingPanel(), latencyPanel(), ratePanel(), venuePanel(), worldPanel(), logPanel()];
  const settings = settingPanel(model.get("says"), model.get("by_command"));
  const column = (...parts) => node("div", "sys-column", "", ...parts.map(({ element }) => element));
  el.append(column(health, trading, venues), column(log, settings), column(latency, rate, world));

  let logged = true;
  let told = true;
  const paint = painter(el, () => {
    if (state.health) {
      for (const part of [trading, latency, rate, venues]) part.draw(state.health);
      health.draw(state.health, state.link);
    }
    if (logged) log.draw();
    if (told) world.draw();
    logged = told = false;
  });
  const owe = (what) => () => {
    if (what === "events") logged = true;
    if (what === "world") told = true;
    paint();
  };
  settings.ask();
  const offs = [
    ...["health", "link"].map((type) => aitrade.on(type, paint)),
    ...["events", "world"].map((type) => aitrade.on(type, owe(type))),
    aitrade.on("snapshot", () => {
      logged = told = true;
      paint();
      settings.ask();
    }),
  ];
  return () => {
    offs.forEach((off) => off?.());
    paint.stop();
  };
}

export default { render };
