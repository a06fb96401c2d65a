// The painted half of a chart: grid and axes below the Bokeh plots, and above them what moves: the live bar, the last
// price, study values still forming, the crosshair. A tick repaints only this.

import { priceText, priceTicks, studyText, timeText, timeTicks } from "./axes.js";

export const AXIS_WIDTH = 74;
export const AXIS_HEIGHT = 20;
const FONT = "11px";

export class Layer {
  constructor(parent, name) {
    this.canvas = Object.assign(document.createElement("canvas"), { className: `chart-layer chart-${name}` });
    this.canvas.setAttribute("role", "img");
    parent.append(this.canvas);
    this.context = this.canvas.getContext("2d");
  }

  size(width, height) {
    const ratio = window.devicePixelRatio || 1;
    Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    this.ratio = ratio;
  }

  begin(look) {
    const { context: c, canvas, ratio } = this;
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, canvas.width, canvas.height);
    c.font = `${FONT} ${look.mono}`;
    c.textBaseline = "middle";
    c.lineWidth = 1;
    c.setLineDash([]);
    return c;
  }
}

export function rule(c, x0, y0, x1, y1, colour, dash = []) {
  c.strokeStyle = colour;
  c.setLineDash(dash);
  c.beginPath();
  c.moveTo(Math.round(x0) + 0.5, Math.round(y0) + 0.5);
  c.lineTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
  c.stroke();
  c.setLineDash([]);
}

// A filled label on the price axis, its text right-aligned with the ticks.
export function priceTag(c, chart, y, text, fill, ink) {
  const left = chart.plotWidth;
  c.fillStyle = fill;
  c.fillRect(left + 1, Math.round(y) - 8, AXIS_WIDTH - 2, 16);
  c.fillStyle = ink;
  c.textAlign = "right";
  c.fillText(text, left + AXIS_WIDTH - 6, y);
}

export function paintBack(layer, chart) {
  const { look } = chart;
  const c = layer.begin(look);
  const bottom = chart.height - AXIS_HEIGHT;
  paintTimes(c, chart, bottom);
  chart.panes.forEach((pane, i) => paintPrices(c, chart, pane, i));
  rule(c, chart.plotWidth, 0, chart.plotWidth, bottom, look.line_);
  rule(c, 0, bottom, chart.width, bottom, look.line_);
}

function paintTimes(c, chart, bottom) {
  const { look, columns } = chart;
  if (!columns) return;
  const [from, to] = chart.visible();
  c.textAlign = "center";
  for (const tick of timeTicks(columns.start, columns.x, (x) => chart.xPixel(x), from, to)) {
    if (tick.pixel < 0 || tick.pixel > chart.plotWidth) continue;
    rule(c, tick.pixel, 0, tick.pixel, bottom, tick.strong ? look.gridStrong : look.grid);
    c.fillStyle = tick.strong ? look.text : look.dim;
    if (tick.pixel > 16 && tick.pixel < chart.plotWidth - 16) c.fillText(tick.text, tick.pixel, bottom + AXIS_HEIGHT / 2);
  }
}

function paintPrices(c, chart, pane, i) {
  const { look } = chart;
  const { ticks } = priceTicks(pane.y[0], pane.y[1], pane.height, i ? 28 : 46);
  c.textAlign = "right";
  if (i) rule(c, 0, pane.top, chart.width, pane.top, look.line_);
  for (const value of ticks) {
    const y = chart.yPixel(value, i);
    if (y < pane.top + 7 || y > pane.top + pane.height - 7) continue;
    rule(c, 0, y, chart.plotWidth, y, look.grid);
    c.fillStyle = look.dim;
    c.fillText(i ? studyText(value, pane.unit) : priceText(value), chart.plotWidth + AXIS_WIDTH - 6, y);
  }
  for (const level of pane.levels) {
    const y = chart.yPixel(level, i);
    if (y > pane.top && y < pane.top + pane.height) rule(c, 0, y, chart.plotWidth, y, look.gridStrong, [3, 3]);
  }
}

export function paintFront(layer, chart) {
  const c = layer.begin(chart.look);
  if (!chart.columns) return;
  c.save();
  c.beginPath();
  c.rect(0, 0, chart.plotWidth, chart.height - AXIS_HEIGHT);
  c.clip();
  chart.moving().forEach((bar) => paintBar(c, chart, bar));
  paintProvisional(c, chart);
  c.restore();
  chart.orders.paint(c, chart);
  chart.drawings.paint(c, chart);
  paintLast(c, chart);
  paintCrosshair(c, chart);
}

// A bar that is still forming is paler and dashed: it is not closed, and nothing may be decided on it.
function paintBar(c, chart, bar) {
  const { look, header } = chart;
  const rising = bar.close >= bar.open;
  const colour = rising ? look.up : look.down;
  const x = chart.xPixel(bar.x);
  const half = Math.max(0.5, (chart.pixelsPerBar * 0.7 * header.size) / 2);
  const [open, close] = [chart.yPixel(bar.open), chart.yPixel(bar.close)];
  const body = [x - half, Math.min(open, close), 2 * half, Math.max(1, Math.abs(open - close))];
  rule(c, x, chart.yPixel(bar.high), x, chart.yPixel(bar.low), colour);
  fill(c, rising ? look.panel : colour, bar === chart.live && !rising ? 0.55 : 1, body);
  c.strokeStyle = colour;
  c.setLineDash(bar === chart.live && half > 2 ? [2, 2] : []);
  c.strokeRect(...body);
  c.setLineDash([]);
  const { top, height } = chart.panes[0];
  const tall = (bar.volume / chart.mostVolume) * height;
  fill(c, colour, 0.28, [x - half, top + height - tall, 2 * half, tall]);
}

function fill(c, colour, alpha, box) {
  c.globalAlpha = alpha;
  c.fillStyle = colour;
  c.fillRect(...box);
  c.globalAlpha = 1;
}

// From a study's value on the last closed bar to the one on the forming bar, dashed because it may still change.
function paintProvisional(c, chart) {
  const { columns, closed, live } = chart;
  if (!live || !closed) return;
  c.lineWidth = 1.4;
  chart.plots.studies.forEach((study, number) => {
    const pane = chart.paneOf(number);
    study.lines.forEach((kind, line) => {
      const now = chart.provisional?.[`s${number}_${line}`];
      const before = columns[`s${number}_${line}`]?.[closed - 1];
      if (!Number.isFinite(now) || kind === ".") return;
      paintProvisionalLine(c, chart, { kind, now, before, pane, colour: chart.look.line(study, number, line) });
    });
  });
  c.lineWidth = 1;
  c.setLineDash([]);
}

function paintProvisionalLine(c, chart, { kind, now, before, pane, colour }) {
  const x = chart.xPixel(chart.live.x);
  if (kind === "=") {
    const half = (chart.pixelsPerBar * 0.6) / 2;
    const [y, zero] = [chart.yPixel(now, pane), chart.yPixel(0, pane)];
    c.strokeStyle = colour;
    c.setLineDash([2, 2]);
    c.strokeRect(x - half, Math.min(y, zero), 2 * half, Math.abs(y - zero));
    return;
  }
  if (!Number.isFinite(before)) return;
  const from = chart.xPixel(chart.columns.x[chart.closed - 1]);
  rule(c, from, chart.yPixel(before, pane), x, chart.yPixel(now, pane), colour, [3, 3]);
}

function paintLast(c, chart) {
  const { look, last } = chart;
  if (!last) return;
  const y = chart.yPixel(last.price);
  if (y < 0 || y > chart.panes[0].height) return;
  const colour = last.rising ? look.up : look.down;
  rule(c, 0, y, chart.plotWidth, y, colour, [1, 3]);
  priceTag(c, chart, y, priceText(last.price), last.old ? look.dim : colour, look.ink);
}

function paintCrosshair(c, chart) {
  const { look, cross } = chart;
  if (!cross) return;
  const bottom = chart.height - AXIS_HEIGHT;
  const x = chart.xPixel(cross.x);
  if (x >= 0 && x <= chart.plotWidth) {
    rule(c, x, 0, x, bottom, look.cross, [4, 3]);
    timeTag(c, chart, x, bottom);
  }
  if (cross.y === null) return;
  const i = chart.paneAt(cross.y);
  rule(c, 0, cross.y, chart.plotWidth, cross.y, look.cross, [4, 3]);
  const value = chart.valueAt(cross.y, i);
  priceTag(c, chart, cross.y, i ? studyText(value, chart.panes[i].unit) : priceText(value), look.text, look.ink);
}

function timeTag(c, chart, x, bottom) {
  const ts = chart.timeAt(chart.cross.x);
  const text = chart.minutes < 1440 ? `${timeText(ts, chart.minutes)}` : timeText(ts, 1440);
  const wide = c.measureText(text).width + 12;
  const left = Math.min(Math.max(0, x - wide / 2), chart.plotWidth - wide);
  c.fillStyle = chart.look.text;
  c.fillRect(left, bottom + 2, wide, AXIS_HEIGHT - 4);
  c.fillStyle = chart.look.ink;
  c.textAlign = "center";
  c.fillText(text, left + wide / 2, bottom + AXIS_HEIGHT / 2);
}

export const row = (columns, i) =>
  Object.fromEntries(["x", "start", "open", "high", "low", "close", "volume"].map((name) => [name, columns[name][i]]));
