// Orders, positions, alerts and fills of the symbol, on its chart: lines that can be dragged to a new price, marks at fills.

import { priceText } from "./axes.js";
import { AXIS_HEIGHT, priceTag, rule } from "./layers.js";

const WORKING = new Set(["OPEN", "PARTIALLY_FILLED", "PENDING", "NEW", "IN_DOUBT"]);
const whole = new Intl.NumberFormat("en-IN");
const REACH = 5;
const CROSS = 16;

export class Orders {
  constructor() {
    this.held = null;
  }

  // Lines of working orders: what is dragged is the price, or the trigger where there is no price.
  lines(symbol) {
    const rows = [...window.aitrade.state.orders.values()].filter((o) => o.instrument === symbol && WORKING.has(o.state));
    return rows.map((order) => {
      const field = order.price ? "price" : "trigger";
      const price = this.held?.order.id === order.id ? this.held.price : order[field];
      const left = order.quantity - order.filled;
      const from = order.price && order.trigger ? `${priceText(order.trigger)} → ` : "";
      return { order, field, price, text: `${order.side} ${whole.format(left)} ${order.type}  ${from}${priceText(price)}` };
    }).filter((line) => line.price);
  }

  paint(c, chart) {
    paintFills(c, chart);
    for (const position of window.aitrade.state.positions.values()) {
      if (position.instrument === chart.symbol && position.quantity) paintPosition(c, chart, position);
    }
    for (const alert of window.aitrade.state.alerts?.values() ?? []) {
      if (alert.instrument === chart.symbol && !alert.fired) paintAlert(c, chart, alert);
    }
    for (const line of this.lines(chart.symbol)) this.#paintOrder(c, chart, line);
  }

  #paintOrder(c, chart, { order, price, text }) {
    const y = chart.yPixel(price);
    if (y < 0 || y > chart.panes[0].height) return;
    const colour = order.side === "BUY" ? chart.look.up : chart.look.down;
    rule(c, 0, y, chart.plotWidth, y, colour, [6, 4]);
    const wide = c.measureText(text).width + 12 + CROSS;
    tag(c, chart, chart.plotWidth - wide - 8, y, wide, text, colour);
    c.textAlign = "center";
    c.fillText("✕", chart.plotWidth - 8 - CROSS / 2, y);
    priceTag(c, chart, y, priceText(price), colour, chart.look.ink);
  }

  // What lies under the pointer: {line, cancel} or null.
  hit(chart, x, y) {
    for (const line of this.lines(chart.symbol)) {
      if (Math.abs(chart.yPixel(line.price) - y) > REACH + (x > chart.plotWidth - 160 ? 3 : 0)) continue;
      const cancel = x > chart.plotWidth - 8 - CROSS && x < chart.plotWidth - 8;
      return { line, cancel };
    }
    return null;
  }

  // Press on a line: its cross cancels, the rest drags. True when the press was ours.
  grab(chart, x, y) {
    const hit = this.hit(chart, x, y);
    if (!hit) return false;
    const { order, field, price } = hit.line;
    if (hit.cancel) this.#tell(window.aitrade.del(`/orders/${order.id}`), "Cancel sent.");
    else this.held = { order, field, price, from: price };
    return true;
  }

  follow(chart, y) {
    if (!this.held) return false;
    const tick = window.aitrade.state.instruments.get(chart.symbol)?.tick || 5;
    this.held.price = Math.round(chart.valueAt(y) / tick) * tick;
    return true;
  }

  // Let go: the new price goes to the engine; the line shows the old one until the engine says otherwise.
  drop() {
    const { held } = this;
    this.held = null;
    if (!held || held.price === held.from) return;
    const change = { [held.field]: held.price };
    this.#tell(window.aitrade.put(`/orders/${held.order.id}`, change), `Order moved to ${priceText(held.price)}.`);
  }

  #tell(promise, text) {
    promise.then(() => window.aitrade.toast(text, "info"), (error) => window.aitrade.toast(error.message, "warning"));
  }
}

function tag(c, chart, left, y, wide, text, colour) {
  c.fillStyle = chart.look.panel;
  c.fillRect(left, y - 8.5, wide, 17);
  c.strokeStyle = colour;
  c.strokeRect(Math.round(left) + 0.5, Math.round(y) - 8.5, wide, 17);
  c.fillStyle = colour;
  c.textAlign = "left";
  c.fillText(text, left + 6, y);
}

function paintPosition(c, chart, position) {
  const y = chart.yPixel(position.average);
  if (y < 0 || y > chart.panes[0].height) return;
  const { look } = chart;
  const gain = position.unrealised;
  const text = `${position.quantity > 0 ? "LONG" : "SHORT"} ${whole.format(Math.abs(position.quantity))} @ ${priceText(position.average)}`;
  const money = `${gain < 0 ? "-" : gain > 0 ? "+" : ""}₹${priceText(Math.abs(gain))}`;
  rule(c, 0, y, chart.plotWidth, y, look.accent, [2, 2]);
  const wide = c.measureText(`${text}  ${money}`).width + 12;
  // At the left, unless the legend's words stand there.
  const left = y > chart.legend.bottom + 9 ? 8 : chart.plotWidth - wide - 8;
  tag(c, chart, left, y, wide, text, look.accent);
  c.fillStyle = gain >= 0 ? look.up : look.down;
  c.fillText(money, left + 6 + c.measureText(`${text}  `).width, y);
}

function paintAlert(c, chart, { price, above }) {
  const y = chart.yPixel(price);
  if (y < 0 || y > chart.panes[0].height) return;
  rule(c, 0, y, chart.plotWidth, y, chart.look.warn, [1, 4]);
  const text = `ALERT ${above ? "≥" : "≤"} ${priceText(price)}`;
  const wide = c.measureText(text).width + 12;
  tag(c, chart, chart.plotWidth - wide - 8, y, wide, text, chart.look.warn);
}

function paintFills(c, chart) {
  const { look, columns } = chart;
  c.save();
  c.beginPath();
  c.rect(0, 0, chart.plotWidth, chart.height - AXIS_HEIGHT);
  c.clip();
  for (const fill of window.aitrade.state.trades.values()) {
    if (fill.instrument !== chart.symbol || fill.ts < columns.start[0]) continue;
    const buy = fill.side === "BUY";
    const x = chart.xPixel(chart.barX(fill.ts));
    arrow(c, x, chart.yPixel(fill.price), buy ? 1 : -1, buy ? look.up : look.down, look.panel);
  }
  c.restore();
}

// Points at the fill's price: from below for a buy, from above for a sale.
function arrow(c, x, y, side, colour, edge) {
  c.beginPath();
  c.moveTo(x, y + side);
  c.lineTo(x - 6, y + side * 11);
  c.lineTo(x + 6, y + side * 11);
  c.closePath();
  c.fillStyle = colour;
  c.fill();
  c.strokeStyle = edge;
  c.stroke();
}
