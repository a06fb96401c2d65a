// The right of the Dashboard: the day's P&L and funds, strategies that start and stop, price alerts.

const symbolOf = (key) => aitrade.label(key);
const direction = (number) => (number > 0 ? "up" : number < 0 ? "down" : "");
const signed = (paise) => aitrade.format.rupees(Math.round(paise), { sign: true });

const plain = (paise) => aitrade.format.rupees(Math.round(paise), { sign: true, dp: 0 });

const FUNDS = [
  ["Available", ({ available }) => aitrade.format.rupees(available)],
  ["Margin", ({ margin_used }) => aitrade.format.rupees(margin_used)],
  ["Cash", ({ cash }) => aitrade.format.rupees(cash)],
  ["Opening", ({ opening }) => aitrade.format.rupees(opening)],
  ["Realised", ({ realised }) => signed(realised), ({ realised }) => direction(realised)],
  ["Unrealised", ({ unrealised }) => signed(unrealised), ({ unrealised }) => direction(unrealised), "Since it was bought; the day's P&L counts what was held over night from yesterday's close"],
  ["Charges", ({ charges }) => aitrade.format.rupees(charges)],
  ["Unsettled", ({ unsettled }) => aitrade.format.rupees(unsettled)],
];

function fundsPanel() {
  const { node, panel, sparkline, say, dress } = aitrade;
  const big = node("div", "day-pnl num");
  const line = sparkline({ label: "P&L of the day" });
  const limit = node("div", "day-limit");
  const room = node("i");
  limit.append(room);
  const cells = FUNDS.map(([name]) => [name, node("span", "num")]);
  const rows = FUNDS.map(([, , , hint = ""], i) => Object.assign(node("label", "", cells[i][0], cells[i][1]), { title: hint }));
  const box = panel("Day's P&L", "funds");
  box.body.append(big, line.element, limit, node("div", "fund-rows", "", ...rows));
  let curve = [];

  // A frame brings the newest point only; a snapshot brings them all.
  const take = (funds) => {
    const points = funds.pnl_curve ?? [];
    if (points.length > 1 || !curve.length) curve = points.slice();
    else if (points.length && points[0][0] > curve.at(-1)[0]) curve.push(points[0]);
  };
  const draw = (funds) => {
    say(big, signed(funds.day_pnl));
    dress(big, `day-pnl num ${direction(funds.day_pnl)}`);
    line.draw([...curve, [0, funds.day_pnl]]);
    FUNDS.forEach(([, text, cls], i) => {
      say(cells[i][1], text(funds));
      if (cls) dress(cells[i][1], `num ${cls(funds)}`);
    });
    const used = funds.loss_limit ? Math.min(1, Math.max(0, -funds.day_pnl / funds.loss_limit)) : 0;
    limit.hidden = !funds.loss_limit;
    limit.title = `Day's loss limit ${aitrade.format.rupees(funds.loss_limit)}: ${Math.round(used * 100)} % used; from there on only exits pass.`;
    room.style.width = `${used * 100}%`;
  };
  return { element: box, take, draw };
}

function startForm(row, done) {
  const { node, input, button, state } = aitrade;
  const on = row.instruments.length ? row.instruments : [state.selected].filter(Boolean);
  const fields = {
    instruments: input("wide", "Instruments", on.join(", ")),
    quantity: input("num", "Quantity", row.quantity || 10, { inputMode: "numeric" }),
  };
  const parameters = Object.entries(row.parameters).map(([name, value]) => [name, input("num", name, value, { inputMode: "numeric" })]);
  const why = node("span", "drawer-why");
  why.setAttribute("role", "alert");
  const go = button("Start", "btn-go", async () => {
    why.textContent = "";
    try {
      await aitrade.post(`/strategies/${row.name}/start`, {
        instruments: fields.instruments.value.split(",").map((one) => one.trim()).filter(Boolean),
        quantity: aitrade.unitsTyped(fields.quantity.value, "quantity"),
        parameters: Object.fromEntries(parameters.map(([name, { value }]) => [name, aitrade.unitsTyped(value, name.replaceAll("_", " "))])),
      });
      done();
    } catch (error) {
      why.textContent = aitrade.sentences(error).map(({ text }) => text).join(" ");
    }
  });
  const labels = [["Instruments", fields.instruments], ["Quantity", fields.quantity], ...parameters].map(([name, field]) => node("label", "", name.replaceAll("_", " "), field));
  const box = node("div", "drawer-form", "", ...labels, go, why);
  box.addEventListener("keydown", (event) => event.key === "Enter" && event.target !== go && go.click());
  return box;
}

function strategyPanel() {
  const { panel, table, button, say, state } = aitrade;
  const box = panel("Strategies", "strategies");
  const current = (row) => state.strategies.get(row.name) ?? row;
  const press = (row) => {
    const now = current(row);
    if (now.state === "running") return aitrade.attempt(() => aitrade.post(`/strategies/${now.name}/stop`, {}));
    return list.open(now.name, startForm(now, list.close));
  };
  const result = ({ realised, unrealised, charges }) => realised + unrealised - charges;
  const columns = [
    { title: "Name", text: ({ name }) => name, cls: () => "strong", update: (cell, { describes, reason, instruments, quantity }) => (cell.title = [describes, instruments.join(", "), quantity ? `${quantity} units` : "", reason].filter(Boolean).join("\n")) },
    { title: "State", text: ({ state: is }) => is, cls: ({ state: is }) => `state state-${is}` },
    { title: "Trades", num: true, text: ({ trades }) => String(trades) },
    { title: "P&L", num: true, text: (row) => plain(result(row)), cls: (row) => direction(result(row)), hint: "Realised and unrealised less charges" },
    {
      title: "", width: "48px",
      make: (cell, row) => {
        cell.classList.add("acts");
        cell.append(button("Start", "btn-small", () => press(row)));
      },
      update: (cell, { state: is }) => say(cell.firstChild, is === "running" ? "Stop" : "Start"),
    },
  ];
  const list = table(columns, { key: (row) => row.name, empty: "No strategy ships with this version." });
  box.body.append(list.element);
  return { element: box, draw: () => list.show([...state.strategies.values()]) };
}

function alertPanel() {
  const { node, panel, table, button, input, state, format } = aitrade;
  const name = node("b");
  const price = input("num", "Alert price", "", { inputMode: "decimal", placeholder: "price" });
  const why = node("span", "drawer-why");
  why.setAttribute("role", "alert");
  let chosen = "";

  const add = async () => {
    why.textContent = "";
    const at = aitrade.paise(price.value);
    const last = state.quotes.get(chosen)?.last ?? 0;
    if (!(at > 0)) return (why.textContent = "Type a price in rupees, such as 1285.50.");
    try {
      await aitrade.post("/alerts", { instrument: chosen, above: at > last, price: at });
      price.value = "";
    } catch (error) {
      why.textContent = aitrade.sentences(error).map(({ text }) => text).join(" ");
    }
  };
  const go = button("Add", "btn-small btn-go", add);
  price.addEventListener("keydown", (event) => event.key === "Enter" && go.click());
  const columns = [
    { title: "Alert", text: ({ instrument, above, price: at }) => `${symbolOf(instrument)} ${above ? "≥" : "≤"} ${format.price(at)}`, cls: ({ fired }) => (fired ? "dim" : "strong") },
    { title: "", text: ({ fired, note }) => (fired ? `fired ${format.time(fired)}` : note || "waiting"), cls: ({ fired }) => (fired ? "warn" : "dim") },
    { title: "", width: "22px", make: (cell, { id }) => cell.append(button("×", "btn-bare", () => aitrade.attempt(() => aitrade.del(`/alerts/${id}`)), "Remove the alert")) },
  ];
  const list = table(columns, { key: (row) => String(row.id), press: ({ instrument }) => aitrade.select(instrument), empty: "No alert is set." });
  const box = panel("Price alerts", "alerts");
  box.body.append(node("div", "alert-form", "", name, price, go, why), list.element);
  return {
    element: box,
    choose(key) {
      chosen = key;
      name.textContent = symbolOf(key) || "Choose an instrument";
      go.disabled = !key;
    },
    draw: () => list.show([...state.alerts.values()].sort((one, other) => !!one.fired - !!other.fired || other.id - one.id)),
  };
}

function render({ el }) {
  const { painter, state } = aitrade;
  el.classList.add("dash-money");
  const [funds, strategies, alerts] = [fundsPanel(), strategyPanel(), alertPanel()];
  el.append(funds.element, strategies.element, alerts.element);
  const ask = painter(el, () => {
    if (state.funds) funds.draw(state.funds);
    strategies.draw();
    alerts.draw();
  });
  const offs = [
    aitrade.on("funds", (row) => {
      funds.take(row ?? state.funds);
      ask();
    }),
    aitrade.on("select", alerts.choose),
    ...["strategies", "alerts"].map((type) => aitrade.on(type, ask)),
    aitrade.on("snapshot", () => {
      if (state.funds) funds.take(state.funds);
      ask();
    }),
  ];
  return () => {
    offs.forEach((off) => off?.());
    ask.stop();
  };
}

export default { render };
