// What is live on the order ticket: prices, margin, charges, refusals at their fields, and sending, once.

const PREVIEW_MS = 70;
const AGAIN_MS = 1000;
const DERIVATIVE = new Set(["FUTURE", "CALL", "PUT"]);
const FIELD_OF = {
  lot: "quantity", quantity: "quantity", freeze: "quantity", value: "quantity", delivery: "quantity", margin: "quantity",
  price: "price", tick: "price", band: "price", product: "product", square_off: "product", order_type: "type", stale_price: "type",
};
const SLICES = "Slices";
const CHARGES = ["brokerage", "stt", "transaction", "sebi", "ipft", "stamp", "gst", "dp"];

const symbolOf = (key) => aitrade.label(key);

// The form by name: get, set and the element of each control, over the widgets' models in the browser.
async function form(model) {
  const named = Object.entries(model.get("controls"));
  const choices = model.get("choices");
  const models = Object.fromEntries(
    await Promise.all(named.map(async ([name, id]) => [name, await model.widget_manager.get_model(id.replace("IPY_MODEL_", ""))])),
  );
  return {
    get: (name) => (choices[name] ? choices[name][models[name].get("index")] : models[name].get("value")),
    set(name, value) {
      const change = choices[name] ? ["index", choices[name].indexOf(value)] : ["value", String(value)];
      if (models[name].get(change[0]) === change[1]) return;
      models[name].set(...change);
      models[name].save_changes();
    },
    onChange(tell) {
      for (const [name, one] of Object.entries(models)) one.on(choices[name] ? "change:index" : "change:value", () => tell(name));
    },
  };
}

// Whether a quantity is above what one order may be: then the ticket asks how it is sent.
const over = (instrument, quantity) => instrument?.freeze > 0 && quantity > instrument.freeze;

// What the form asks for, and what in it cannot be read.
function reading(fields, instrument) {
  const problems = [];
  const type = fields.get("type");
  const amount = (name, wanted) => {
    if (!wanted) return 0;
    const value = aitrade.paise(fields.get(name));
    if (!(value > 0)) problems.push({ field: name, text: `Type the ${name} in rupees, such as 1285.50.` });
    return value;
  };
  const typed = fields.get("quantity").replaceAll(",", "").trim();
  const lots = fields.get("unit") === "lots" && instrument?.lot > 1;
  const quantity = /^\d+$/.test(typed) ? Number(typed) * (lots ? instrument.lot : 1) : NaN;
  if (!(quantity > 0)) problems.push({ field: "quantity", text: "Type a whole number above zero." });
  const request = {
    instrument: instrument?.key ?? "", side: fields.get("side"), quantity, type,
    price: amount("price", type === "LIMIT" || type === "SL"), trigger: amount("trigger", type.startsWith("SL")),
    product: fields.get("product"), validity: fields.get("validity"),
    slice: over(instrument, quantity) && fields.get("slices") === SLICES,
  };
  return { request, problems };
}

function head(close) {
  const { node, button } = aitrade;
  const parts = { name: node("b", "ticket-name"), about: node("span", "dim"), last: node("b", "num"), change: node("span", "num"), best: node("span", "num dim") };
  const titles = node("div", "ticket-titles", "", parts.name, parts.about, button("×", "btn-bare", close, "Close (Esc)"));
  const prices = node("div", "ticket-prices", "", parts.last, parts.change, parts.best);
  return { ...parts, element: node("div", "ticket-head", "", titles, prices) };
}

function foot(send) {
  const { node, button } = aitrade;
  const facts = Object.fromEntries(["Value", "Margin", "Available", "Charges"].map((name) => [name, node("span", "num", "–")]));
  const grid = node("div", "ticket-facts", "", ...Object.entries(facts).map(([name, value]) => node("label", "", name, value)));
  const parts = node("div", "ticket-charges num");
  const why = node("div", "ticket-why");
  why.setAttribute("role", "alert");
  const go = button("Send", "ticket-send", send, "Enter");
  return { facts, parts, why, go, element: node("div", "ticket-foot", "", grid, parts, why, go) };
}

function drawPrices(top, instrument) {
  const { say, dress, format, state } = aitrade;
  const quote = state.quotes.get(instrument?.key);
  if (!quote) return;
  const change = quote.previous_close ? (quote.last / quote.previous_close - 1) * 100 : null;
  say(top.last, format.price(quote.last));
  dress(top.last, quote.modelled && state.world?.mode !== "simulated" ? "num modelled-mark" : "num");
  say(top.change, change === null ? "" : format.percent(change));
  dress(top.change, `num ${change < 0 ? "down" : "up"}`);
  say(top.best, quote.bid && quote.ask ? `${format.price(quote.bid)} / ${format.price(quote.ask)}` : "");
}

function drawPreview(low, preview, instrument) {
  const { say, format } = aitrade;
  say(low.facts.Value, format.rupees(preview.value));
  say(low.facts.Margin, preview.is_exit ? "exit" : `${instrument?.expiry ? "approx. " : ""}${format.rupees(preview.margin)}`);
  say(low.facts.Available, format.rupees(preview.available));
  say(low.facts.Charges, format.rupees(preview.charges.total ?? 0));
  const parts = CHARGES.filter((name) => preview.charges[name]).map((name) => `${name} ${format.price(preview.charges[name])}`);
  say(low.parts, parts.join("  ·  "));
}

// Each sentence stands at the field that it is about; the rest above the button.
function complain(box, low, problems) {
  const at = (field) => box.querySelector(`.ticket-${field}`);
  for (const old of box.querySelectorAll(".ticket-fault")) old.remove();
  for (const field of box.querySelectorAll(".ticket-field")) field.classList.remove("wrong");
  low.why.replaceChildren();
  for (const { rule, field, text } of problems) {
    const place = at(field ?? FIELD_OF[rule]);
    const line = aitrade.node("div", "ticket-fault", text);
    if (place && place.offsetParent) place.append(line);
    else low.why.append(line);
    place?.classList.add("wrong");
  }
}

function draggable(box, handle) {
  handle.addEventListener("pointerdown", (event) => {
    if (event.target.closest("button")) return;
    const from = box.getBoundingClientRect();
    const [dx, dy] = [event.clientX - from.left, event.clientY - from.top];
    const move = ({ clientX, clientY }) => {
      const left = Math.max(0, Math.min(innerWidth - from.width, clientX - dx));
      const top = Math.max(0, Math.min(innerHeight - 60, clientY - dy));
      Object.assign(box.style, { left: `${left}px`, top: `${top}px`, right: "auto", bottom: "auto" });
    };
    handle.setPointerCapture(event.pointerId);
    handle.addEventListener("pointermove", move);
    handle.addEventListener("lostpointercapture", () => handle.removeEventListener("pointermove", move), { once: true });
  });
}

// The form's state in the box's attributes: the style sheet hides what an order of this type or kind has not.
function dressBox(box, fields, instrument, low) {
  const side = fields.get("side");
  const lot = instrument?.lot ?? 1;
  const { quantity } = reading(fields, instrument).request;
  const derivative = DERIVATIVE.has(instrument?.kind);
  Object.assign(box.dataset, { side, type: fields.get("type"), derivative, lots: lot > 1, over: over(instrument, quantity) });
  aitrade.say(low.go, `${side === "BUY" ? "Buy" : "Sell"} ${symbolOf(instrument?.key ?? "")}`);
  aitrade.dress(low.go, `btn ticket-send ${side === "BUY" ? "btn-buy" : "btn-sell"}`);
}

// What the ticket opens with: what was asked for, else one lot at market, intraday.
function fill(fields, order, instrument) {
  const lot = instrument?.lot ?? 1;
  const units = order.quantity || lot;
  const lots = lot > 1 && units % lot === 0;
  fields.set("side", order.side ?? "BUY");
  fields.set("unit", lots ? "lots" : "units");
  fields.set("quantity", lots ? units / lot : units);
  fields.set("type", order.type ?? (order.price ? "LIMIT" : "MARKET"));
  const last = aitrade.state.quotes.get(instrument?.key)?.last ?? 0;
  fields.set("price", ((order.price || last) / 100).toFixed(2));
  fields.set("trigger", ((order.trigger || last) / 100).toFixed(2));
  fields.set("slices", "One order");
  fields.set("product", order.product ?? "MIS");
  fields.set("validity", order.validity ?? "DAY");
}

function step(fields, instrument, target, up) {
  const name = ["quantity", "price", "trigger"].find((one) => target.closest(`.ticket-${one}`));
  if (!name) return;
  const quantity = name === "quantity";
  const by = quantity ? (fields.get("unit") === "lots" ? 1 : instrument?.lot ?? 1) : instrument?.tick ?? 5;
  const now = quantity ? Number(fields.get(name)) : aitrade.paise(fields.get(name));
  if (!Number.isFinite(now)) return;
  const next = Math.max(by, (Math.round(now / by) + (up ? 1 : -1)) * by);
  fields.set(name, quantity ? next : (next / 100).toFixed(2));
}

async function render({ model, el }) {
  el.classList.add("ticket-view");
  const fields = await form(model);
  const top = head(() => close());
  const low = foot(() => send());
  el.append(top.element, low.element);
  let box = null;
  let instrument = null;
  let reference = "";
  let asked = 0;
  let timer = 0;
  let sending = false;
  let previewed = 0;

  const opened = () => box?.classList.contains("open") ?? false;

  function settle() {
    box = el.closest(".ticket");
    if (box.parentElement === document.body) return;
    document.body.append(box);
    draggable(box, top.element);
    // Before the controls see it: a text control keeps Enter to itself.
    box.addEventListener("keydown", onKey, true);
  }

  async function open(order) {
    const key = order.instrument ?? aitrade.state.selected;
    if (!key) return;
    settle();
    instrument = aitrade.state.instruments.get(key) ?? (await find(key));
    reference = crypto.randomUUID();
    fill(fields, order, instrument);
    aitrade.say(top.name, symbolOf(key));
    aitrade.say(top.about, [instrument?.exchange, instrument?.expiry, instrument?.lot > 1 ? `lot ${instrument.lot}` : ""].filter(Boolean).join(" · "));
    complain(box, low, []);
    box.classList.add("open");
    changed();
    const first = box.querySelector(".ticket-quantity input");
    requestAnimationFrame(() => {
      first?.focus();
      first?.select();
    });
  }

  async function find(key) {
    const found = await aitrade.get(`/instruments?q=${encodeURIComponent(key.slice(key.indexOf(":") + 1))}&limit=50`).catch(() => []);
    return found.find((one) => one.key === key) ?? { key, lot: 1, tick: 5 };
  }

  function close() {
    box?.classList.remove("open");
    clearTimeout(timer);
  }

  function changed() {
    if (!opened()) return;
    dressBox(box, fields, instrument, low);
    drawPrices(top, instrument);
    clearTimeout(timer);
    timer = setTimeout(preview, PREVIEW_MS);
  }

  async function preview() {
    const { request, problems } = reading(fields, instrument);
    const number = ++asked;
    previewed = performance.now();
    if (problems.length) return complain(box, low, problems);
    try {
      const answer = await aitrade.post("/preview", request);
      if (number !== asked || !opened()) return;
      drawPreview(low, answer, instrument);
      complain(box, low, answer.problems);
    } catch (error) {
      if (number === asked) complain(box, low, aitrade.sentences(error));
    }
  }

  // One order for one reference: a second Enter while the first travels does nothing, and after a lost answer the
  // engine knows the reference again. A refusal from the engine has placed nothing, so the next try is a new order.
  async function send() {
    const { request, problems } = reading(fields, instrument);
    if (sending || !opened()) return;
    if (problems.length) return complain(box, low, problems);
    sending = true;
    low.go.disabled = true;
    asked++;
    clearTimeout(timer);
    try {
      await aitrade.post("/orders", { ...request, reference });
      aitrade.toast(`${request.side} ${aitrade.format.number(request.quantity)} ${symbolOf(request.instrument)} sent.`, "info");
      close();
    } catch (error) {
      complain(box, low, aitrade.sentences(error));
      if (error.problems?.every(({ rule }) => rule !== "engine")) reference = crypto.randomUUID();
    } finally {
      sending = false;
      low.go.disabled = false;
    }
  }

  function onKey(event) {
    const side = { b: "BUY", s: "SELL" }[event.key.toLowerCase()];
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && event.target !== low.go && !event.target.closest(".btn-bare")) send();
    else if (side && !event.ctrlKey && !event.altKey && !event.metaKey) fields.set("side", side);
    else if (event.key === "ArrowUp" || event.key === "ArrowDown") step(fields, instrument, event.target, event.key === "ArrowUp");
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  fields.onChange((name) => {
    if (name === "type" || name === "side") complain(box ?? el, low, []);
    changed();
  });
  const offs = [
    aitrade.on("ticket", open),
    aitrade.on("key", (key) => key === "Escape" && close()),
    aitrade.on("day", close),
    aitrade.on("ticks", (keys) => {
      if (!opened() || !keys.includes(instrument?.key)) return;
      drawPrices(top, instrument);
      if (!sending && performance.now() - previewed > AGAIN_MS) preview();
    }),
  ];
  return () => {
    offs.forEach((off) => off?.());
    box?.remove();
  };
}

export default { render };
