// The Portfolio: marks come from ticks, the book's record from /performance, and its newest point from the funds.

const AGAIN_MS = 1000;
const CHARGES = {
  brokerage: "Brokerage", stt: "STT / CTT", transaction: "Exchange", sebi: "SEBI", ipft: "IPFT", stamp: "Stamp duty", gst: "GST", dp: "Depository",
};

const symbolOf = (key) => aitrade.label(key);
const direction = (number) => (number > 0 ? "up" : number < 0 ? "down" : "");
const priced = (paise) => (paise ? aitrade.format.price(Math.round(paise)) : "–");
const signed = (paise) => aitrade.format.rupees(Math.round(paise), { sign: true });
const rupees = (paise) => aitrade.format.rupees(Math.round(paise));
const plain = (paise) => aitrade.format.rupees(Math.round(paise), { dp: 0 });
const whole = (paise) => aitrade.format.rupees(Math.round(paise), { sign: true, dp: 0 });

const lastOf = ({ instrument, last }) => aitrade.state.quotes.get(instrument)?.last || last;
const valueOf = (row) => row.quantity * lastOf(row);
const gainOf = (row) => (row.quantity ? Math.round((lastOf(row) - row.average) * row.quantity) : 0);
const isModelled = (row) => aitrade.state.quotes.get(row.instrument)?.modelled ?? false;
const mark = (row) => `${isModelled(row) && aitrade.state.world?.mode !== "simulated" ? "modelled-mark" : ""}`;

function holdingTable() {
  const share = (row) => (row.average ? ((lastOf(row) - row.average) / row.average) * 100 : 0);
  return aitrade.table([
    { title: "Instrument", text: ({ instrument }) => symbolOf(instrument), cls: () => "strong" },
    { title: "Venue", text: ({ venue }) => venue, cls: () => "dim" },
    { title: "Qty", num: true, text: ({ quantity }) => aitrade.format.number(quantity) },
    { title: "T+1", num: true, text: ({ t1 }) => (t1 ? aitrade.format.number(t1) : "–"), cls: () => "dim", hint: "Of the quantity, bought and not settled yet" },
    { title: "Average", num: true, text: ({ average }) => priced(average) },
    { title: "Last", num: true, text: (row) => priced(lastOf(row)), cls: mark },
    { title: "Value", num: true, text: (row) => rupees(valueOf(row)) },
    { title: "P&L", num: true, text: (row) => signed(gainOf(row)), cls: (row) => direction(gainOf(row)) },
    { title: "%", num: true, text: (row) => aitrade.format.percent(share(row)), cls: (row) => direction(share(row)) },
  ], { key: ({ instrument }) => instrument, press: ({ instrument }) => aitrade.select(instrument), empty: "No share is held over night. What is bought as CNC arrives here on the next market day." });
}

function positionTable() {
  const gain = (row) => row.realised + gainOf(row);
  return aitrade.table([
    { title: "Instrument", text: ({ instrument }) => symbolOf(instrument), cls: ({ quantity }) => (quantity ? "strong name" : "dim name") },
    { title: "Product", text: ({ product }) => product, cls: () => "dim" },
    { title: "Venue", text: ({ venue }) => venue, cls: () => "dim" },
    { title: "Qty", num: true, text: ({ quantity }) => aitrade.format.number(quantity), cls: ({ quantity }) => direction(quantity) },
    { title: "Average", num: true, text: ({ average, quantity }) => (quantity ? priced(average) : "–") },
    { title: "Last", num: true, text: (row) => priced(lastOf(row)), cls: mark },
    { title: "Exposure", num: true, text: (row) => plain(valueOf(row)) },
    { title: "P&L %", num: true, wide: true, text: (row) => (row.quantity && row.average ? aitrade.format.percent((100 * gainOf(row)) / Math.abs(row.average * row.quantity)) : "–"), cls: (row) => direction(gainOf(row)), hint: "Unrealised, of what was paid" },
    { title: "Charges", num: true, wide: true, text: ({ charges }) => rupees(charges), cls: () => "dim" },
    { title: "Margin", num: true, text: ({ margin }) => plain(margin), cls: () => "dim", hint: "What the position ties by itself; together they tie less where one hedges another: see Margin used" },
    { title: "P&L", num: true, text: (row) => signed(gain(row)), cls: (row) => direction(gain(row)), hint: "Realised today and unrealised, before charges" },
    { title: "Owner", text: ({ strategies }) => Object.keys(strategies).map((name) => name || "by hand").join(", "), cls: () => "dim rest" },
  ], { key: ({ key }) => key, press: ({ instrument }) => aitrade.select(instrument), empty: "No position today." });
}

// What lies at each venue: [{venue, open, held, long, short, pnl}].
function byVenue(positions, holdings) {
  const venues = new Map();
  const at = (venue) => {
    if (!venues.has(venue)) venues.set(venue, { venue, open: 0, held: 0, long: 0, short: 0, pnl: 0 });
    return venues.get(venue);
  };
  const add = (sum, row) => {
    const value = valueOf(row);
    sum[value < 0 ? "short" : "long"] += Math.abs(value);
    sum.pnl += gainOf(row) + (row.realised ?? 0);
  };
  for (const row of positions) {
    at(row.venue).open += row.quantity ? 1 : 0;
    add(at(row.venue), row);
  }
  for (const row of holdings) {
    at(row.venue).held += 1;
    add(at(row.venue), row);
  }
  return [...venues.values()];
}

function venueTable() {
  return aitrade.table([
    { title: "Venue", text: ({ venue }) => venue, cls: () => "strong" },
    { title: "Positions", num: true, text: ({ open }) => String(open) },
    { title: "Holdings", num: true, text: ({ held }) => String(held) },
    { title: "Long", num: true, text: ({ long }) => rupees(long) },
    { title: "Short", num: true, text: ({ short }) => rupees(short) },
    { title: "Net", num: true, text: ({ long, short }) => signed(long - short) },
    { title: "P&L", num: true, text: ({ pnl }) => signed(pnl), cls: ({ pnl }) => direction(pnl), hint: "Realised today and unrealised, before charges" },
  ], { key: ({ venue }) => venue, empty: "Nothing lies at any venue." });
}

// What positions tie together is less than the sum of what each ties by itself where one hedges another.
function hedged(used) {
  const alone = [...aitrade.state.positions.values()].reduce((sum, { margin }) => sum + margin, 0);
  return alone > used ? ` after ${plain(alone - used)} hedge benefit` : "";
}

function figures(names) {
  const { node } = aitrade;
  const made = Object.fromEntries(names.map((name) => [name, node("b", "num")]));
  const element = node("div", "figures", "", ...names.map((name) => node("div", "figure", "", node("i", "", name), made[name])));
  const set = (name, text, cls = "") => {
    aitrade.say(made[name], text);
    aitrade.dress(made[name], `num ${cls}`.trim());
  };
  return { element, set };
}

function exposureBar() {
  const { node } = aitrade;
  const [long, short] = [node("i", "up"), node("i", "down")];
  const [longSays, shortSays] = [node("span", "num"), node("span", "num")];
  const element = node("div", "exposure", "", longSays, node("div", "exposure-bar", "", long, short), shortSays);
  return {
    element,
    draw(up, down) {
      const all = up + down || 1;
      long.style.width = `${(up / all) * 100}%`;
      short.style.width = `${(down / all) * 100}%`;
      aitrade.say(longSays, `Exposure: long ${Math.round((up / all) * 100)} %`);
      aitrade.say(shortSays, `short ${Math.round((down / all) * 100)} %`);
      element.title = `Long ${rupees(up)}, short ${rupees(down)}`;
    },
  };
}

function render({ el }) {
  const { node, panel, painter, curve, bars, say, state, format } = aitrade;
  el.classList.add("portfolio");
  const numbers = figures(["Equity", "P&L since the book began", "Day's P&L", "Max drawdown", "Charges paid", "Long", "Short", "Net", "Margin used"]);
  const bar = exposureBar();
  const when = (ts) => `${format.date(ts).replace(/^\w+,? /, "").replace(/ \d{4}$/, "")} ${format.time(ts).slice(0, 5)}`;
  const pnl = curve({ label: "P&L of the book over time", value: whole, when });
  const fall = curve({ label: "Drawdown of the book over time", value: whole, when });
  const paid = bars({ value: rupees, plain: true, empty: "Nothing was charged yet." });
  const earned = bars({ value: signed, empty: "No strategy and no hand has traded yet." });
  const tables = { holdings: holdingTable(), positions: positionTable(), venues: venueTable() };
  const boxes = {
    venues: panel("By venue", "pf-venues"), holdings: panel("Holdings", "pf-holdings"), positions: panel("Positions", "pf-positions"),
    pnl: panel("P&L of the book", "pf-pnl"), fall: panel("Drawdown", "pf-fall"), charges: panel("Charges paid", "pf-charges"), earned: panel("Contribution", "pf-earned"),
  };
  for (const name of Object.keys(tables)) boxes[name].body.append(tables[name].element);
  boxes.pnl.body.append(pnl.element);
  boxes.fall.body.append(fall.element);
  boxes.charges.body.append(paid.element);
  boxes.earned.body.append(earned.element);
  el.append(numbers.element, bar.element, node("div", "pf-grid", "", ...Object.values(boxes)));

  let record = null;
  let asking = null;

  // The record is asked for while somebody looks. Its figures are all of one moment, the day's money included, and are
  // shown together; only the tables move with the prices between two answers.
  async function ask() {
    if (!el.clientWidth || asking) return;
    const own = (asking = {});
    try {
      const answer = await aitrade.get("/performance");
      if (own !== asking) return;
      record = answer;
      paint();
    } catch {
      // the page already says that the engine does not answer; the next turn asks again
    } finally {
      if (own === asking) asking = null;
    }
  }

  function askAnew() {
    asking = null;
    ask();
  }

  function drawRecord() {
    if (!record?.equity.length) return;
    const { opening: began, funds } = record;
    const [now, equity] = record.equity.at(-1);
    pnl.draw(record.equity.map(([ts, value]) => [ts, value - began]), 0);
    fall.draw(record.drawdown, 0);
    say(boxes.pnl.head.firstChild, `P&L of the book at ${format.time(now)}`);
    numbers.set("Equity", rupees(equity));
    numbers.set("P&L since the book began", signed(equity - began), direction(equity - began));
    numbers.set("Day's P&L", signed(funds.day_pnl), direction(funds.day_pnl));
    numbers.set("Max drawdown", rupees(record.max_drawdown), record.max_drawdown < 0 ? "down" : "");
    numbers.set("Margin used", rupees(funds.margin_used) + hedged(funds.margin_used));
    const charges = Object.entries(record.charges).filter(([name, amount]) => name !== "total" && amount);
    numbers.set("Charges paid", rupees(charges.reduce((sum, [, amount]) => sum + amount, 0)));
    paid.show(charges.map(([name, amount]) => [CHARGES[name] ?? name, amount]).sort(([, one], [, other]) => other - one));
    earned.show(Object.entries(record.by_strategy).map(([name, amount]) => [name || "by hand", amount]));
  }

  function drawMarks() {
    const positions = [...state.positions.values()].sort((one, other) => !one.quantity - !other.quantity);
    const holdings = [...state.holdings.values()];
    tables.positions.show(positions);
    tables.holdings.show(holdings);
    const venues = byVenue(positions, holdings);
    tables.venues.show(venues);
    const [long, short] = ["long", "short"].map((way) => venues.reduce((sum, row) => sum + row[way], 0));
    numbers.set("Long", rupees(long));
    numbers.set("Short", rupees(short));
    numbers.set("Net", signed(long - short));
    bar.draw(long, short);
    say(boxes.positions.head.firstChild, `Positions ${positions.filter(({ quantity }) => quantity).length}`);
    say(boxes.holdings.head.firstChild, `Holdings ${holdings.length}`);
  }

  const paint = painter(el, () => {
    drawMarks();
    drawRecord();
  });
  const held = (keys) => {
    const moved = new Set(keys);
    return [...state.positions.values(), ...state.holdings.values()].some(({ instrument }) => moved.has(instrument));
  };
  let due = 0;
  const soon = () => {
    if (!due) due = setTimeout(() => ((due = 0), paint()), 200);
  };
  const timer = setInterval(ask, AGAIN_MS); // as often as the header's money comes
  const offs = [
    ...["positions", "holdings", "trades", "snapshot"].map((type) => aitrade.on(type, soon)),
    aitrade.on("ticks", (keys) => el.clientWidth && held(keys) && soon()),
    aitrade.on("funds", soon),
    aitrade.on("tab", (name) => name === "portfolio" && requestAnimationFrame(() => (ask(), paint()))),
    aitrade.on("snapshot", askAnew),
  ];
  return () => {
    clearInterval(timer);
    offs.forEach((off) => off?.());
    paint.stop();
  };
}

export default { render };
