// What a person draws on a symbol: kept as (ns UTC, paise), shown on every time frame, moved by its handles.

import { send } from "./wire.js";
import { priceText } from "./axes.js";
import { rule } from "./layers.js";

export const SHAPES = {
  line: { points: 2, title: "Trend line" },
  ray: { points: 2, title: "Ray" },
  level: { points: 1, title: "Horizontal line" },
  box: { points: 2, title: "Rectangle" },
  fibonacci: { points: 2, title: "Fibonacci retracement" },
};
const FIBONACCI = [0, 0.236, 0.382, 0.5, 0.618, 0.786, 1];
const REACH = 6;

// All symbols' drawings, shared by every chart of the page.
export class DrawingBook {
  constructor(drawings) {
    this.bySymbol = drawings;
    this.listeners = new Set();
  }

  of(symbol) {
    return (this.bySymbol[symbol] ??= []);
  }

  changed(symbol) {
    this.listeners.forEach((tell) => tell(symbol));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const path = `workspace/drawings?instrument=${encodeURIComponent(symbol)}`;
      send("PUT", path, this.of(symbol)).catch((error) => window.aitrade.toast(error.message, "warning"));
    }, 400);
  }
}

export class Drawings {
  constructor(book) {
    this.book = book;
    this.selected = null;
    this.draft = null;
    this.held = null;
  }

  // ns times whose x a chart needs.
  times(symbol) {
    return this.book.of(symbol).flatMap((one) => one.points.map(([ts]) => ts));
  }

  // Begin a shape at a point, or give the draft its last point; true when the shape is complete.
  place(chart, shape, x, y) {
    const point = chart.pointAt(x, y);
    if (!this.draft) {
      this.draft = { id: crypto.randomUUID(), shape, points: [point, point].slice(0, SHAPES[shape].points), colour: 0 };
      if (SHAPES[shape].points === 2) return false;
    } else this.draft.points[1] = point;
    this.book.of(chart.symbol).push(this.draft);
    this.selected = this.draft.id;
    this.draft = null;
    this.book.changed(chart.symbol);
    return true;
  }

  follow(chart, x, y) {
    if (this.draft) this.draft.points[1] = chart.pointAt(x, y);
    if (this.held) this.#drag(chart, x, y);
    return Boolean(this.draft || this.held);
  }

  // Take hold of the drawing under the pointer: a handle moves one point, the body all of them.
  grab(chart, x, y) {
    const hit = this.#hit(chart, x, y);
    this.selected = hit?.drawing.id ?? null;
    if (hit) this.held = { ...hit, from: chart.pointAt(x, y), points: structuredClone(hit.drawing.points), x, y };
    return Boolean(hit);
  }

  drop(chart) {
    if (this.held) this.book.changed(chart.symbol);
    this.held = null;
  }

  remove(chart) {
    const rows = this.book.of(chart.symbol);
    const at = rows.findIndex((one) => one.id === this.selected);
    if (at < 0) return false;
    rows.splice(at, 1);
    this.selected = null;
    this.book.changed(chart.symbol);
    return true;
  }

  clear(chart) {
    this.book.of(chart.symbol).length = 0;
    this.book.changed(chart.symbol);
  }

  #drag(chart, x, y) {
    const { drawing, handle, points } = this.held;
    const bars = chart.xAt(x) - chart.xAt(this.held.x);
    const rise = chart.valueAt(y) - chart.valueAt(this.held.y);
    drawing.points = points.map(([ts, price], i) =>
      handle === null || handle === i ? chart.pointOf(chart.xOfTime(ts) + bars, price + rise) : [ts, price],
    );
  }

  #hit(chart, x, y) {
    for (const drawing of this.book.of(chart.symbol).toReversed()) {
      const at = drawing.points.map(([ts, price]) => [chart.xPixel(chart.xOfTime(ts)), chart.yPixel(price)]);
      const handle = at.findIndex(([px, py]) => Math.hypot(px - x, py - y) <= REACH + 2);
      if (handle >= 0 && drawing.shape !== "level") return { drawing, handle };
      if (this.#near(chart, drawing.shape, at, x, y)) return { drawing, handle: null };
    }
    return null;
  }

  #near(chart, shape, [a, b], x, y) {
    if (shape === "level") return Math.abs(a[1] - y) <= REACH;
    if (shape === "line") return distance(a, b, x, y) <= REACH;
    if (shape === "ray") return distance(a, beyond(a, b, chart.plotWidth), x, y) <= REACH;
    const [left, right] = [Math.min(a[0], b[0]), Math.max(a[0], b[0])];
    const [top, bottom] = [Math.min(a[1], b[1]), Math.max(a[1], b[1])];
    if (x < left - REACH || x > right + REACH || y < top - REACH || y > bottom + REACH) return false;
    if (shape === "fibonacci") return FIBONACCI.some((f) => Math.abs(a[1] + f * (b[1] - a[1]) - y) <= REACH);
    return [left, right].some((edge) => Math.abs(edge - x) <= REACH) || [top, bottom].some((edge) => Math.abs(edge - y) <= REACH);
  }

  paint(c, chart) {
    c.save();
    c.beginPath();
    c.rect(0, 0, chart.plotWidth, chart.panes[0].height);
    c.clip();
    for (const drawing of [...this.book.of(chart.symbol), ...(this.draft ? [this.draft] : [])]) {
      const at = drawing.points.map(([ts, price]) => [chart.xPixel(chart.xOfTime(ts)), chart.yPixel(price)]);
      const chosen = drawing.id === this.selected || drawing === this.draft;
      c.lineWidth = chosen ? 2 : 1.3;
      PAINT[drawing.shape](c, chart, at, drawing, chart.look.drawing);
      c.lineWidth = 1;
      if (chosen) at.forEach(([x, y]) => handle(c, x, y, chart.look));
    }
    c.restore();
  }
}

const PAINT = {
  line: (c, chart, [a, b], _, colour) => stroke(c, a, b, colour),
  ray: (c, chart, [a, b], _, colour) => stroke(c, a, beyond(a, b, chart.plotWidth), colour),
  level: (c, chart, [a], drawing, colour) => {
    rule(c, 0, a[1], chart.plotWidth, a[1], colour);
    note(c, priceText(drawing.points[0][1]), chart.plotWidth - 6, a[1] - 8, colour, "right");
  },
  box: (c, chart, [a, b], _, colour) => {
    const box = [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.abs(a[0] - b[0]), Math.abs(a[1] - b[1])];
    c.globalAlpha = 0.12;
    c.fillStyle = colour;
    c.fillRect(...box);
    c.globalAlpha = 1;
    c.strokeStyle = colour;
    c.strokeRect(...box);
  },
  fibonacci: (c, chart, [a, b], drawing, colour) => {
    const [p, q] = drawing.points.map(([, price]) => price);
    const [left, right] = [Math.min(a[0], b[0]), Math.max(a[0], b[0])];
    for (const part of FIBONACCI) {
      const y = a[1] + part * (b[1] - a[1]);
      rule(c, left, y, right, y, colour, part === 0 || part === 1 ? [] : [4, 3]);
      note(c, `${(100 * part).toFixed(1)}%  ${priceText(p + part * (q - p))}`, left + 4, y - 7, colour, "left");
    }
  },
};

function stroke(c, a, b, colour) {
  c.strokeStyle = colour;
  c.beginPath();
  c.moveTo(...a);
  c.lineTo(...b);
  c.stroke();
}

function handle(c, x, y, look) {
  c.fillStyle = look.panel;
  c.strokeStyle = look.drawing;
  c.beginPath();
  c.arc(x, y, 4, 0, 7);
  c.fill();
  c.stroke();
}

function note(c, text, x, y, colour, align) {
  c.fillStyle = colour;
  c.textAlign = align;
  c.fillText(text, x, y);
}

// The point where the ray from a through b leaves the plot.
function beyond(a, b, width) {
  const run = b[0] - a[0];
  if (Math.abs(run) < 0.01) return [b[0], b[1] > a[1] ? 1e4 : -1e4];
  const edge = run > 0 ? width : 0;
  return [edge, a[1] + ((edge - a[0]) / run) * (b[1] - a[1])];
}

function distance(a, b, x, y) {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const along = Math.max(0, Math.min(1, ((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(a[0] + along * dx - x, a[1] + along * dy - y);
}
