// The left of the Dashboard: search, watchlist with live prices, and the depth of the chosen instrument.

const KEPT = "aitrade.watchlist";
const FLASH_MS = 260;
const SEARCH_MS = 90;
const LEVELS = 5;
const DEPTH_MS = 250;

const symbolOf = (key) => aitrade.label(key);
const nameOf = ({ key }) => key.slice(key.indexOf(":") + 1);
const changeOf = (quote) => (quote?.previous_close ? (quote.last / quote.previous_close - 1) * 100 : null);
const direction = (number) => (number > 0 ? "up" : number < 0 ? "down" : "");
const signed = (number) => (number === null ? "–" : `${number > 0 ? "+" : ""}${number.toFixed(2)}`);

function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "[]");
  } catch {
    return [];
  }
}

function compact(units) {
  if (units >= 1e7) return `${(units / 1e7).toFixed(2)}Cr`;
  if (units >= 1e5) return `${(units / 1e5).toFixed(2)}L`;
  return aitrade.format.number(units);
}

// Which way each price last moved, for as long as it is lit.
function flashes(ask) {
  const lit = new Map();
  const before = new Map();
  let timer = 0;
  return {
    see(keys) {
      for (const key of keys) {
        const last = aitrade.state.quotes.get(key)?.last;
        const was = before.get(key);
        before.set(key, last);
        if (was === undefined || was === last) continue;
        lit.set(key, { way: last > was ? "flash-up" : "flash-down", until: performance.now() + FLASH_MS });
      }
    },
    of: (key) => lit.get(key)?.way ?? "",
    fade(now) {
      const out = [...lit].filter(([, { until }]) => until <= now).map(([key]) => key);
      for (const key of out) lit.delete(key);
      clearTimeout(timer);
      if (lit.size) timer = setTimeout(ask, FLASH_MS);
      return out;
    },
  };
}

function searchBox(choose) {
  const { node, input } = aitrade;
  const box = input("watch-search", "Search an instrument", "", { placeholder: "Search: symbol, name, strike …", type: "search" });
  const list = node("div", "watch-found");
  list.setAttribute("role", "listbox");
  list.hidden = true;
  let found = [];
  let at = 0;
  let asked = 0;
  let timer = 0;

  const shut = () => {
    list.hidden = true;
    found = [];
  };
  const mark = () => {
    [...list.children].forEach((one, i) => one.setAttribute("aria-selected", i === at));
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const take = (instrument) => {
    box.value = "";
    box.blur();
    choose(instrument);
  };
  const line = (instrument) => {
    const about = [instrument.name, instrument.expiry, instrument.lot > 1 ? `lot ${instrument.lot}` : ""].filter(Boolean).join(" · ");
    const one = node("div", "watch-hit", "", node("b", "", nameOf(instrument)), node("span", "badge", instrument.exchange), node("small", "", about));
    one.setAttribute("role", "option");
    one.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      take(instrument);
    });
    return one;
  };
  const look = async () => {
    const text = box.value.trim();
    const number = ++asked;
    if (!text) return shut();
    try {
      const rows = await aitrade.get(`/instruments?q=${encodeURIComponent(text)}&limit=40`);
      if (number !== asked) return;
      found = rows;
    } catch (error) {
      return aitrade.toast(error.message, "warning");
    }
    at = 0;
    list.replaceChildren(...found.map(line));
    if (!found.length) list.append(node("div", "watch-none", `Nothing is called ${text} today.`));
    list.hidden = false;
    mark();
  };
  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, SEARCH_MS);
  });
  box.addEventListener("blur", shut);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return box.blur();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter" && found[at]) take(found[at]);
    if (!step || !found.length) return;
    event.preventDefault();
    at = (at + step + found.length) % found.length;
    mark();
  });
  return Object.assign(node("div", "watch-seek", "", box, list), { box });
}

function depthPanel() {
  const { node, panel, say } = aitrade;
  const box = panel("Depth", "depth");
  const rows = Array.from({ length: LEVELS }, () => {
    const [bq, bp, ap, aq] = ["num depth-q", "num up", "num down", "num depth-q"].map((cls) => node("span", cls));
    return { line: node("div", "depth-row", "", bq, bp, ap, aq), bq, bp, ap, aq };
  });
  const facts = Object.fromEntries(["Open", "High", "Low", "Prev. close", "Volume", "OI"].map((name) => [name, node("span", "num")]));
  const grid = node("div", "depth-facts", "", ...Object.entries(facts).map(([name, value]) => node("label", "", name, value)));
  const buy = aitrade.button("Buy", "btn-buy", () => aitrade.ticket({ side: "BUY" }), "B");
  const sell = aitrade.button("Sell", "btn-sell", () => aitrade.ticket({ side: "SELL" }), "S");
  box.head.lastChild.append(buy, sell);
  const titles = ["Bid qty", "Bid", "Ask", "Ask qty"].map((text, i) => node("span", i ? "num" : "", text));
  box.body.append(node("div", "depth-row depth-head", "", ...titles), ...rows.map((row) => row.line), grid);
  const mark = node("span", "badge modelled", "MODELLED");
  box.head.lastChild.prepend(mark);
  let drawn = "";
  let book = null;
  let asked = 0;

  // The touch is the newest print's; what lies beyond it is asked for, a few times a second.
  function levels(side, quote) {
    const touch = side === "bids" ? { price: quote.bid, quantity: quote.bid_quantity } : { price: quote.ask, quantity: quote.ask_quantity };
    const beyond = (book?.instrument === drawn ? book[side] : []).map(([price, quantity]) => ({ price, quantity }));
    const further = beyond.filter(({ price }) => (side === "bids" ? price < touch.price : price > touch.price));
    return touch.price ? [touch, ...further].slice(0, LEVELS) : [];
  }

  async function askBook(key) {
    const now = performance.now();
    if (now - asked < DEPTH_MS) return;
    asked = now;
    book = await aitrade.get(`/depth?instrument=${encodeURIComponent(key)}`).catch(() => null);
    if (key === drawn) drawLevels();
  }

  function drawLevels() {
    const quote = aitrade.state.quotes.get(drawn);
    if (!quote) return;
    const bids = levels("bids", quote);
    const asks = levels("asks", quote);
    mark.hidden = !book?.modelled || aitrade.state.world?.source === "SIMULATED";
    rows.forEach((row, i) => {
      row.line.hidden = i > 0 && !bids[i] && !asks[i];
      say(row.bp, price(bids[i]?.price));
      say(row.bq, units(bids[i]?.quantity));
      say(row.ap, price(asks[i]?.price));
      say(row.aq, units(asks[i]?.quantity));
    });
  }

  const price = (paise) => (paise ? aitrade.format.price(paise) : "–");
  const units = (count) => (count ? aitrade.format.number(count) : "–");

  return {
    element: box,
    draw(key) {
      const quote = aitrade.state.quotes.get(key);
      if (drawn !== key) say(box.head.firstChild, symbolOf(key) || "Depth");
      if (drawn !== key) asked = 0;
      drawn = key;
      const tradable = aitrade.state.instruments.get(key)?.kind !== "INDEX";
      buy.hidden = sell.hidden = !key || !tradable;
      if (!quote) return;
      if (tradable) askBook(key);
      drawLevels();
      say(facts.Open, price(quote.open));
      say(facts.High, price(quote.high));
      say(facts.Low, price(quote.low));
      say(facts["Prev. close"], price(quote.previous_close));
      say(facts.Volume, units(quote.volume));
      facts.OI.parentElement.hidden = !quote.oi;
      say(facts.OI, units(quote.oi));
    },
  };
}

function render({ el }) {
  const { node, painter, panel, table, format, state } = aitrade;
  el.classList.add("dash-watch");
  let chosen = "";
  let own = kept();
  let changed = new Set();

  const quoteOf = (key) => state.quotes.get(key);
  const columns = [
    { title: "Symbol", text: ({ key }) => symbolOf(key) },
    {
      title: "Last", num: true, width: "70px", text: ({ key }) => (quoteOf(key)?.last ? format.price(quoteOf(key).last) : "–"),
      cls: ({ key }) => `${flash.of(key)} ${quoteOf(key)?.modelled && state.world?.source !== "SIMULATED" ? "modelled-mark" : ""}`.trim(),
    },
    {
      title: "Chg %", num: true, width: "46px", text: ({ key }) => signed(changeOf(quoteOf(key))),
      cls: ({ key }) => direction(changeOf(quoteOf(key))),
    },
    { title: "Volume", num: true, width: "54px", text: ({ key }) => compact(quoteOf(key)?.volume ?? 0) },
    { title: "", width: "16px", make: (cell, { key }) => own.includes(key) && cell.append(remove(key)) },
  ];
  const remove = (key) => aitrade.button("×", "btn-bare", () => keep(own.filter((one) => one !== key)), "Take off the watchlist");
  const list = table(columns, { key: (row) => row.key, press: ({ key }) => aitrade.select(key), empty: "The watchlist is empty: search above.", cls: "watch-table" });
  const world = node("span", "badge");
  const box = panel("Watchlist", "watch", world);
  const depth = depthPanel();
  box.body.append(list.element);
  const seek = searchBox(choose);
  el.append(seek, box, depth.element);

  const keys = () => [...new Set([...own, ...state.watchlist])];
  const ask = painter(el, () => {
    for (const key of flash.fade(performance.now())) changed.add(key);
    if (whole) list.show(keys().map((key) => ({ key })));
    else list.patch([...changed].map((key) => ({ key })));
    if (whole) aitrade.say(world, state.world?.source ?? "");
    if (whole) list.pick(chosen);
    if (whole || changed.has(chosen)) depth.draw(chosen);
    whole = false;
    changed = new Set();
  });
  const flash = flashes(ask);
  let whole = true;
  const all = () => {
    whole = true;
    ask();
  };

  function keep(next) {
    own = next;
    localStorage.setItem(KEPT, JSON.stringify(own));
    all();
  }
  // What somebody put on the list is not among the instruments that a day begins with.
  const nameOwn = () => Promise.all(own.map(aitrade.know)).then(all);

  function choose(instrument) {
    state.instruments.set(instrument.key, instrument);
    if (!keys().includes(instrument.key)) keep([instrument.key, ...own]);
    aitrade.select(instrument.key);
    requestAnimationFrame(() => list.reveal(instrument.key));
  }

  const offs = [
    aitrade.on("ticks", (moved) => {
      flash.see(moved);
      for (const key of moved) changed.add(key);
      ask();
    }),
    aitrade.on("snapshot", () => {
      all();
      nameOwn();
    }),
    aitrade.on("key", (key) => {
      if (key !== "/") return;
      aitrade.go("dashboard");
      seek.box.focus();
    }),
    aitrade.on("select", (key) => {
      chosen = key;
      all();
    }),
  ];
  nameOwn();
  return () => {
    offs.forEach((off) => off?.());
    ask.stop();
  };
}

export default { render };
