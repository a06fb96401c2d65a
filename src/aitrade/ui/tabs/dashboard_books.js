// The middle of the Dashboard: positions with Exit and Convert, the order book and the trade book.

const WORKING = new Set(["NEW", "PENDING", "IN_DOUBT", "OPEN", "PARTIALLY_FILLED"]);
const BAD = new Set(["REJECTED", "IN_DOUBT"]);
const MOST_NAMED = 6;
const wide = matchMedia("(min-width: 1600px)"); // there the owner has a column of its own
const STATES = { PARTIALLY_FILLED: "partial", IN_DOUBT: "in doubt" };
const DERIVATIVE = new Set(["FUTURE", "CALL", "PUT"]);

const symbolOf = (key) => aitrade.label(key);
const direction = (number) => (number > 0 ? "up" : number < 0 ? "down" : "");
const sideOf = ({ side }) => (side === "BUY" ? "up" : "down");
const priced = (paise) => (paise ? aitrade.format.price(Math.round(paise)) : "–");
const money = (paise) => aitrade.format.rupees(Math.round(paise), { sign: true });

const lastOf = ({ instrument, last }) => aitrade.state.quotes.get(instrument)?.last || last;
const unrealised = (row) => (row.quantity ? Math.round((lastOf(row) - row.average) * row.quantity) : 0);
const percentOf = (row) => (row.quantity && row.average ? aitrade.format.percent((100 * unrealised(row)) / Math.abs(row.average * row.quantity)) : "–");
const gain = (row) => row.realised + unrealised(row);

function lots(key, units) {
  const lot = aitrade.state.instruments.get(key)?.lot ?? 1;
  return lot > 1 && units % lot === 0 ? `${aitrade.format.number(units)} (${units / lot} lot${Math.abs(units) === lot ? "" : "s"})` : aitrade.format.number(units);
}

// Fields under a row: [[name, label, value]], what to do with what was typed, and the sentence when it was refused.
function form(fields, verb, send) {
  const { node, input, button } = aitrade;
  const made = Object.fromEntries(fields.map(([name, label, value]) => [name, input("drawer-input num", label, value, { inputMode: "decimal" })]));
  const why = node("span", "drawer-why");
  why.setAttribute("role", "alert");
  const go = button(verb, "btn-go", async () => {
    why.textContent = "";
    try {
      await send(Object.fromEntries(Object.entries(made).map(([name, { value }]) => [name, value])));
    } catch (error) {
      why.textContent = aitrade.sentences(error).map(({ text }) => text).join(" ");
    }
  });
  const labels = fields.map(([name, label]) => node("label", "", label, made[name]));
  const box = node("div", "drawer-form", "", ...labels, go, why);
  box.addEventListener("keydown", (event) => event.key === "Enter" && event.target !== go && go.click());
  return box;
}

// Orders that rest on the positions, which an exit cancels first: a line each, in a person's words.
function restingOn(positions) {
  const keys = new Set(positions.filter(({ quantity }) => quantity).map(({ key }) => key));
  const resting = [...aitrade.state.orders.values()].filter((order) => WORKING.has(order.state) && keys.has(`${order.instrument}|${order.product}`));
  if (!resting.length) return "";
  const words = (order) => `${order.side} ${lots(order.instrument, order.quantity - order.filled)} ${symbolOf(order.instrument)} ${order.type} ${asked(order)}`;
  const more = resting.length > MOST_NAMED ? [`… and ${resting.length - MOST_NAMED} more`] : [];
  return [`\n${resting.length === 1 ? "This resting order is" : `These ${resting.length} resting orders are`} cancelled first:`, ...resting.slice(0, MOST_NAMED).map(words), ...more].join("\n");
}

function exit(row) {
  const word = row.quantity > 0 ? "Sell" : "Buy back";
  const text = `${word} ${lots(row.instrument, Math.abs(row.quantity))} of ${symbolOf(row.instrument)} (${row.product}) at market?${restingOn([row])}`;
  return aitrade.confirm(text, { title: "Exit the position", yes: "Exit" }).then(
    (yes) => yes && aitrade.attempt(() => aitrade.post("/square_off", { instrument: row.instrument, product: row.product })),
  );
}

function positionTable() {
  const { table, button } = aitrade;
  const target = ({ instrument, product }) =>
    product === "MIS" ? (DERIVATIVE.has(aitrade.state.instruments.get(instrument)?.kind) ? "NRML" : "CNC") : "MIS";
  const convert = (row) => {
    const to = target(row);
    const fields = [["quantity", `Units of ${row.product} to make ${to}`, Math.abs(row.quantity)]];
    const send = async ({ quantity }) => {
      await aitrade.post("/convert", { instrument: row.instrument, product: row.product, to, quantity: aitrade.unitsTyped(quantity, "quantity") });
      list.close();
      aitrade.toast(`${quantity} ${symbolOf(row.instrument)} converted to ${to}.`, "info");
    };
    list.open(row.key, form(fields, "Convert", send));
  };
  const current = (row) => aitrade.state.positions.get(row.key) ?? row;
  const columns = [
    { title: "Instrument", text: ({ instrument }) => symbolOf(instrument), cls: ({ quantity }) => (quantity ? "strong name" : "dim name"), update: (cell, { instrument }) => titled(cell, instrument) },
    { title: "Product", text: ({ product }) => product, cls: () => "dim", width: "58px" },
    { title: "Qty", num: true, text: ({ instrument, quantity }) => lots(instrument, quantity), cls: ({ quantity }) => direction(quantity) },
    { title: "Average", num: true, text: ({ average, quantity }) => (quantity ? priced(average) : "–") },
    { title: "Last", num: true, text: (row) => priced(lastOf(row)) },
    { title: "P&L", num: true, text: (row) => money(gain(row)), cls: (row) => direction(gain(row)), hint: "Realised today and unrealised, before charges" },
    { title: "P&L %", num: true, wide: true, text: (row) => percentOf(row), cls: (row) => direction(unrealised(row)), hint: "Unrealised, of what was paid" },
    { title: "Charges", num: true, text: ({ charges }) => aitrade.format.rupees(charges), cls: () => "dim" },
    { title: "Value", num: true, wide: true, text: (row) => aitrade.format.rupees(Math.abs(row.quantity) * lastOf(row), { dp: 0 }) },
    { title: "Margin", num: true, wide: true, text: ({ margin }) => aitrade.format.rupees(margin, { dp: 0 }), cls: () => "dim", hint: "What the position ties by itself; together they tie less where one hedges another" },
    { title: "", text: ({ note, strategies }) => note || Object.keys(strategies).filter(Boolean).join(", "), cls: ({ note }) => (note ? "warn rest" : "dim rest"), hint: "Owner, or what to know" },
    {
      title: "", width: "118px",
      make: (cell, row) => {
        cell.classList.add("acts");
        const out = button("Exit", "btn-small btn-exit", () => exit(current(row)), "Close this position at market");
        const change = button("Convert", "btn-small", () => convert(current(row)), "Change between intraday and carried");
        cell.append(out, change);
      },
      update: (cell, { quantity }) => {
        for (const one of cell.children) one.hidden = !quantity;
      },
    },
  ];
  const list = table(columns, { key: (row) => row.key, press: ({ instrument }) => aitrade.select(instrument), empty: "No position today. B or S opens the order ticket." });
  return list;
}

function orderTable() {
  const { table, button, format } = aitrade;
  const current = (row) => aitrade.state.orders.get(row.id) ?? row;
  const modify = (row) => {
    const fields = [["quantity", "Quantity", row.quantity]];
    if (row.type === "LIMIT" || row.type === "SL") fields.push(["price", "Price", (row.price / 100).toFixed(2)]);
    if (row.type.startsWith("SL")) fields.push(["trigger", "Trigger", (row.trigger / 100).toFixed(2)]);
    const send = async ({ quantity, price, trigger }) => {
      const terms = { quantity: aitrade.unitsTyped(quantity, "quantity") };
      if (price !== undefined) terms.price = aitrade.rupeesTyped(price, "price");
      if (trigger !== undefined) terms.trigger = aitrade.rupeesTyped(trigger, "trigger");
      await aitrade.put(`/orders/${row.id}`, terms);
      list.close();
    };
    list.open(row.id, form(fields, "Send change", send));
  };
  const cancel = (row) => aitrade.attempt(() => aitrade.del(`/orders/${row.id}`));
  const columns = [
    { title: "Time", text: ({ created }) => format.time(created), cls: () => "dim", width: "62px" },
    { title: "Side", text: ({ side }) => side, cls: sideOf, width: "40px" },
    { title: "Instrument", text: ({ instrument }) => symbolOf(instrument), cls: () => "strong name", update: (cell, { instrument }) => titled(cell, instrument) },
    { title: "Type", text: ({ type, product, validity }) => [type, product, validity === "DAY" ? "" : validity].filter(Boolean).join(" "), cls: () => "dim" },
    { title: "Filled", num: true, text: ({ filled, quantity }) => `${format.number(filled)} / ${format.number(quantity)}` },
    { title: "Price", num: true, text: shownPrice, hint: "Average of what filled; while it works what is asked, a stop's trigger before the arrow", update: (cell, row) => titled(cell, `Asked: ${asked(row)}`) },
    { title: "State", text: ({ state }) => STATES[state] ?? state.toLowerCase(), cls: stateClass },
    { title: "Asked", num: true, wide: true, text: asked, cls: () => "dim", hint: "The limit or market; a stop's trigger before the arrow" },
    { title: "Value", num: true, wide: true, text: ({ average, filled }) => (filled ? format.rupees(Math.round(average * filled), { dp: 0 }) : "–"), cls: () => "dim", hint: "Of what filled" },
    { title: "Changed", wide: true, text: ({ updated }) => format.time(updated), cls: () => "dim" },
    { title: "Owner", wide: true, text: ({ strategy }) => strategy || "by hand", cls: () => "dim" },
    { title: "Reason", text: ({ reason, strategy }) => reason || (wide.matches ? "" : strategy), cls: () => "dim rest", update: reasoned },
    {
      title: "",
      make: (cell, row) => {
        cell.classList.add("acts");
        cell.append(button("Modify", "btn-small", () => modify(current(row))), button("Cancel", "btn-small btn-exit", () => cancel(row)));
      },
      update: (cell, { state }) => (cell.hidden = !WORKING.has(state)),
    },
  ];
  const list = table(columns, { key: (row) => row.id, press: ({ instrument }) => aitrade.select(instrument), empty: "No order today." });
  return list;
}

// A limit, or market; a stop as trigger → limit.
function asked({ price, trigger, type }) {
  const limit = price && type !== "MARKET" ? priced(price) : "market";
  return trigger ? `${priced(trigger)} → ${limit}` : limit;
}

const shownPrice = (row) => (row.average && !WORKING.has(row.state) ? priced(row.average) : asked(row));

function stateClass({ state }) {
  if (BAD.has(state)) return "state state-bad";
  return WORKING.has(state) ? "state state-working" : state === "FILLED" ? "state state-filled" : "state dim";
}

// A reason has the room of the buttons too where there are none.
function reasoned(cell, { reason, strategy, state }) {
  titled(cell, reason || strategy);
  const span = WORKING.has(state) ? 1 : 2;
  if (cell.colSpan !== span) cell.colSpan = span;
}

function titled(cell, text) {
  if (cell.title !== text) cell.title = text;
}

function tradeTable() {
  const { table, format } = aitrade;
  const columns = [
    { title: "Time", text: ({ ts }) => format.time(ts), cls: () => "dim", width: "62px" },
    { title: "Side", text: ({ side }) => side, cls: sideOf, width: "40px" },
    { title: "Instrument", text: ({ instrument }) => symbolOf(instrument), cls: () => "strong name", update: (cell, { instrument }) => titled(cell, instrument) },
    { title: "Product", text: ({ product }) => product, cls: () => "dim" },
    { title: "Qty", num: true, text: ({ instrument, quantity }) => lots(instrument, quantity) },
    { title: "Price", num: true, text: ({ price }) => priced(price), cls: ({ modelled }) => (modelled && aitrade.state.world?.mode !== "simulated" ? "modelled-mark" : "") },
    { title: "Value", num: true, text: ({ price, quantity }) => format.rupees(price * quantity) },
    { title: "Charges", num: true, text: ({ charges }) => format.rupees(charges), cls: () => "dim" },
    { title: "Owner", text: ({ strategy }) => strategy || "by hand", cls: () => "dim" },
    { title: "Trade", text: ({ id }) => id, cls: () => "dim rest", update: (cell, { id }) => titled(cell, id) },
  ];
  return table(columns, { key: (row) => row.id, press: ({ instrument }) => aitrade.select(instrument), empty: "No trade today." });
}

// Two books in one panel: a press on its name shows one.
function books(orders, trades) {
  const { node, panel, button } = aitrade;
  const cancelAll = button("Cancel all", "btn-small btn-exit", async () => {
    const yes = await aitrade.confirm("Cancel every working order?", { title: "Cancel all orders", yes: "Cancel all" });
    if (yes) await aitrade.attempt(() => aitrade.del("/orders"));
  });
  const box = panel("", "books", cancelAll);
  const tabs = ["Orders", "Trades"].map((name, i) => {
    const one = node("button", "book-tab", name);
    one.type = "button";
    one.setAttribute("role", "tab");
    one.addEventListener("click", () => turn(i));
    return one;
  });
  const lists = [orders.element, trades.element];
  const turn = (to) => {
    tabs.forEach((one, i) => one.setAttribute("aria-selected", i === to));
    lists.forEach((one, i) => (one.hidden = i !== to));
  };
  box.head.firstChild.replaceChildren(...tabs);
  box.body.append(...lists);
  turn(0);
  const count = (working, all, filled) => {
    aitrade.say(tabs[0], `Orders ${all}${working ? ` · ${working} working` : ""}`);
    aitrade.say(tabs[1], `Trades ${filled}`);
    cancelAll.hidden = !working;
  };
  return { element: box, count };
}

const newest = (name) => (one, other) => other[name] - one[name];

function render({ el }) {
  const { node, panel, painter, say, dress, button, state } = aitrade;
  el.classList.add("dash-books");
  const positions = positionTable();
  const [orders, trades] = [orderTable(), tradeTable()];
  const total = node("span", "num total");
  const all = button("Exit all", "btn-small btn-exit", async () => {
    const text = `Close every open position at market?${restingOn([...state.positions.values()])}`;
    const yes = await aitrade.confirm(text, { title: "Exit all positions", yes: "Exit all" });
    if (yes) await aitrade.attempt(() => aitrade.post("/square_off", { instrument: "", product: "" }));
  });
  const held = panel("Positions", "held", total, all);
  const book = books(orders, trades);
  held.body.append(positions.element);
  el.append(held, book.element);

  const owed = { positions: true, orders: true, trades: true, marks: true };
  const draw = {
    positions() {
      const rows = [...state.positions.values()].sort((one, other) => !one.quantity - !other.quantity);
      positions.show(rows);
      all.hidden = !rows.some(({ quantity }) => quantity);
      say(held.head.firstChild, `Positions ${rows.filter(({ quantity }) => quantity).length}`);
    },
    marks() {
      const rows = [...state.positions.values()];
      positions.patch(rows.filter(({ quantity }) => quantity));
      const sum = rows.reduce((so, row) => so + gain(row), 0);
      say(total, rows.length ? money(sum) : "");
      dress(total, `num total ${direction(sum)}`);
    },
    orders() {
      const rows = [...state.orders.values()].sort(newest("created"));
      const working = rows.filter((row) => WORKING.has(row.state));
      orders.show([...working, ...rows.filter((row) => !WORKING.has(row.state))]);
      book.count(working.length, rows.length, state.trades.size);
    },
    trades() {
      trades.show([...state.trades.values()].sort(newest("ts")));
      book.count([...state.orders.values()].filter((row) => WORKING.has(row.state)).length, state.orders.size, state.trades.size);
    },
  };
  const ask = painter(el, () => {
    for (const name of Object.keys(owed)) if (owed[name]) draw[name]();
    for (const name of Object.keys(owed)) owed[name] = false;
  });
  const owe = (...names) => () => {
    for (const name of names) owed[name] = true;
    ask();
  };
  const offs = [
    aitrade.on("positions", owe("positions", "marks")),
    aitrade.on("orders", owe("orders")),
    aitrade.on("trades", owe("trades")),
    aitrade.on("snapshot", owe("positions", "marks", "orders", "trades")),
    aitrade.on("ticks", (keys) => {
      const moved = new Set(keys);
      if ([...state.positions.values()].some(({ instrument, quantity }) => quantity && moved.has(instrument))) owe("marks")();
    }),
  ];
  ask();
  return () => {
    offs.forEach((off) => off?.());
    ask.stop();
  };
}

export default { render };
