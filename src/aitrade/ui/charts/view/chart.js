// One chart: what it shows, where the view is, the live bar, and when to ask the worker for more.

import { lowerBound } from "./axes.js";
import { Drawings } from "./drawings.js";
import { AXIS_HEIGHT, AXIS_WIDTH, Layer, paintBack, paintFront, row } from "./layers.js";
import { Legend } from "./legend.js";
import { Orders } from "./orders.js";
import { Plots } from "./plots.js";
import { attachPointer } from "./pointer.js";
import { getWindow } from "./wire.js";

const DAY = 1440;
const MINUTE = 60e9;
const MOST_CANDLES = 1100;
const VOLUME_SHARE = 0.18;
const ROOMY = 1.2;
const SOON_MS = 250;
const LEAST_OFTEN_MS = 4000;
export const LEAST_BARS = 10;
export const MOST_BARS = 120_000;

export class Chart {
  constructor(parent, look, book, hooks) {
    Object.assign(this, { look, hooks, symbol: "", minutes: 5, studyText: "", count: 150 });
    Object.assign(this, { columns: null, header: null, live: null, closing: [], provisional: null, closed: 0 });
    Object.assign(this, { x0: 0, x1: 1, stuck: true, manual: null, cross: null, last: null, anchors: new Map() });
    Object.assign(this, { width: 0, height: 0, panes: [pane(0, 1)], mostVolume: 1, asked: 0, built: null, asleep: true, patience: SOON_MS });
    this.element = Object.assign(document.createElement("div"), { className: "chart" });
    parent.append(this.element);
    this.back = new Layer(this.element, "back");
    const holder = Object.assign(document.createElement("div"), { className: "chart-plots" });
    this.element.append(holder);
    this.plots = new Plots(holder, look);
    this.front = new Layer(this.element, "front");
    this.legend = new Legend(this.#child("chart-legend"), this);
    this.note = this.#child("chart-note");
    this.drawings = new Drawings(book);
    this.orders = new Orders();
    attachPointer(this);
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(this.element);
  }

  #child(name) {
    const child = Object.assign(document.createElement("div"), { className: name });
    this.element.append(child);
    return child;
  }

  // --- what is shown -------------------------------------------------------------------------------------------

  // Show a symbol, time frame or set of studies; resolves when its candles are on the screen.
  async show({ symbol = this.symbol, minutes = this.minutes, studies = this.studyText, count = this.count }) {
    const other = symbol !== this.symbol || minutes !== this.minutes;
    Object.assign(this, { symbol, minutes, studyText: studies, count });
    if (other) Object.assign(this, { manual: null, stuck: true, cross: null });
    if (this.built !== studies) await this.#build(studies);
    await this.#load({ count: Math.ceil(this.count + this.#margin()) }, { fresh: other });
    this.hooks.changed?.(this);
  }

  async #build(studies) {
    try {
      await this.plots.build(studies);
    } catch (error) {
      return this.#fail(error);
    }
    this.built = studies;
    this.columns = null;
    this.#arrange();
    this.legend.rebuild();
  }

  // Ask for the bars about the view as it stands; the newest where the view is at the end.
  refresh() {
    if (!this.symbol || this.asleep) return Promise.resolve();
    if (!this.header || this.stuck) return this.#load({ count: Math.ceil(this.count + this.#margin()) }, {});
    const left = Math.floor(this.x0 - this.#margin());
    const right = Math.min(this.header.last, Math.ceil(this.x1 + this.#margin()));
    return this.#load({ from: Math.min(left, right), to: right }, {});
  }

  async #load(range, { fresh }) {
    if (!this.symbol || this.asleep || this.built === null) return;
    const asked = ++this.asked;
    const times = this.drawings.times(this.symbol);
    const limit = Math.max(60, Math.min(MOST_CANDLES, Math.round(this.plotWidth / 1.5)));
    const wants = { instrument: this.symbol, minutes: this.minutes, studies: this.studyText, at: times, limit, ...range };
    try {
      const answer = await getWindow(wants);
      if (asked !== this.asked || answer.header.minutes !== this.minutes) return;
      if (range.to !== undefined && answer.header.origin !== this.header?.origin) return this.#restart();
      await this.#take(answer, times, range.to === undefined || range.to >= answer.header.last, fresh);
    } catch (error) {
      if (asked === this.asked) this.#fail(error, fresh);
    }
  }

  #restart() {
    this.stuck = true;
    return this.refresh();
  }

  // Another market day has begun: nothing that was drawn holds, the view goes to its newest bar.
  anew() {
    Object.assign(this, { manual: null, cross: null, anchors: new Map() });
    this.#blank();
    return this.#restart();
  }

  // What was drawn stays, unless it is of another symbol or time frame than what could not be drawn.
  #fail(error, fresh) {
    this.note.textContent = error.message;
    if (fresh) this.#blank();
    clearTimeout(this.again);
    this.again = setTimeout(() => (this.built === null ? this.show({}) : this.refresh()), 2000);
  }

  #blank() {
    Object.assign(this, { columns: null, header: null, live: null, closing: [], provisional: null, last: null });
    this.plots.element.hidden = true;
    this.legend.rebuild();
    this.#paintAll();
  }

  async #take({ header, columns }, times, atEnd, fresh) {
    this.note.textContent = "";
    this.plots.element.hidden = false;
    Object.assign(this, { header, columns, atEnd, closing: [] });
    this.anchors = new Map(times.map((ts, i) => [ts, header.at[i]]));
    const last = header.rows - 1;
    const forming = header.forming && atEnd;
    this.closed = forming ? last : header.rows;
    this.live = forming ? { ...row(columns, last), end: header.last_end } : null;
    this.provisional = forming ? this.#rowOfStudies(columns, last) : null;
    if (this.live) this.live.dayVolume = this.quote()?.volume;
    if (fresh) this.legend.rebuild();
    if (this.stuck) this.#toEnd();
    this.tick();
    this.#fit();
    await this.plots.draw(columns, this.closed, header.size, this.#ranges());
    this.#paintAll();
    const detail = { symbol: this.symbol, minutes: this.minutes, bars: header.rows, size: header.size };
    this.element.dispatchEvent(new CustomEvent("aitrade:drawn", { detail, bubbles: true, composed: true }));
  }

  #rowOfStudies(columns, i) {
    return Object.fromEntries(Object.keys(columns).map((name) => [name, columns[name][i]]));
  }

  // The studies of the forming bar, once a second; they stay provisional until it closes.
  async refreshProvisional() {
    if (!this.live || !this.studyText || this.asleep) return;
    const { symbol, minutes, asked } = this;
    const wants = { instrument: symbol, minutes, studies: this.studyText, count: 2, limit: 2 };
    const answer = await getWindow(wants).catch(() => null);
    if (!answer || asked !== this.asked || !this.live) return;
    this.provisional = this.#rowOfStudies(answer.columns, answer.header.rows - 1);
    this.legend.rebuild();
    this.paintFront();
  }

  // --- the live bar --------------------------------------------------------------------------------------------

  quote() {
    return window.aitrade.state.quotes.get(this.symbol);
  }

  // Take the symbol's newest quote into the live bar.
  tick() {
    const quote = this.quote();
    if (!quote || !this.columns || this.header.instrument !== this.symbol) return;
    if (this.live && quote.ts >= this.live.start) this.#move(quote);
    else if (!this.live && this.atEnd && quote.ts >= this.header.last_end) this.#open(quote, this.header);
    const bar = this.live ?? row(this.columns, this.header.rows - 1);
    this.last = { price: quote.last, rising: quote.last >= bar.open, old: window.aitrade.state.link.engine !== "up" };
    this.paintFront();
  }

  #move(quote) {
    const { live } = this;
    if (quote.ts >= live.end) return this.#roll(quote);
    live.close = quote.last;
    live.high = Math.max(live.high, quote.last);
    live.low = Math.min(live.low, quote.last);
    live.volume += Math.max(0, quote.volume - (live.dayVolume ?? quote.volume));
    live.dayVolume = quote.volume;
    const [low, high] = this.panes[0].y;
    if (!this.manual && (live.high > high || live.low < low)) this.#refit();
  }

  // The bar's end has passed: it stays painted while the worker is asked for what the exchange made of it.
  #roll(quote) {
    this.closing.push(this.live);
    this.#open(quote, { last: this.live.x, last_end: this.live.end });
  }

  #open(quote, { last, last_end: start }) {
    const { header, minutes } = this;
    const over = header.session_close && quote.ts >= header.session_close;
    if (this.live || !over) this.refreshSoon();
    const end = start + minutes * MINUTE;
    const next = !over && header.size === 1 && minutes < DAY && quote.ts < end;
    const price = { open: quote.last, high: quote.last, low: quote.last, close: quote.last };
    this.live = next ? { x: last + 1, start, end, ...price, volume: 0, dayVolume: quote.volume } : null;
    this.provisional = null;
  }

  // Soon, and less and less soon while the engine has nothing new.
  refreshSoon() {
    this.soon ??= setTimeout(async () => {
      const before = this.header?.last;
      await this.refresh();
      this.patience = this.header?.last === before ? Math.min(2 * this.patience, LEAST_OFTEN_MS) : SOON_MS;
      this.soon = undefined;
    }, this.patience);
  }

  moving() {
    return this.live ? [...this.closing, this.live] : this.closing;
  }

  // --- the view ------------------------------------------------------------------------------------------------

  #margin() {
    return Math.min(Math.max(20, this.count * 0.5), 400);
  }

  #toEnd() {
    this.x1 = this.header.last + Math.max(2, this.count * 0.04);
    this.x0 = this.x1 - Math.min(this.count, this.#most());
  }

  // No wider than what there is, and a little room.
  #most() {
    const { more, first, last } = this.header;
    return more ? MOST_BARS : Math.max(LEAST_BARS, (last - first) * ROOMY);
  }

  // Show [x0, x1); more bars are fetched when the view leaves those that are held, or needs finer ones.
  lookAt(x0, x1, { quiet = false } = {}) {
    if (!this.header) return;
    const count = Math.min(Math.max(x1 - x0, LEAST_BARS), this.#most());
    const right = Math.min(Math.max(x1, this.#oldest() + LEAST_BARS), this.header.last + count * 0.8);
    Object.assign(this, { count, x1: right, x0: right - count });
    this.stuck = right >= this.header.last + 0.5;
    this.#refit();
    this.#fetchWhenNeeded();
    if (!quiet) this.hooks.viewed?.(this);
  }

  #oldest() {
    return this.header.more ? -Infinity : this.header.first;
  }

  #fetchWhenNeeded() {
    const { columns, header } = this;
    const lacksLeft = this.x0 < columns.x[0] - header.size && (header.more || columns.x[0] > header.first + header.size);
    const lacksRight = !this.atEnd && this.x1 > columns.x[header.rows - 1] + header.size;
    const coarse = header.size > 1 && this.count / header.size < this.plotWidth / 5;
    const fine = this.count / header.size > this.plotWidth;
    if (lacksLeft || lacksRight || coarse || fine) this.#fetchSoon();
  }

  #fetchSoon() {
    clearTimeout(this.fetching);
    this.fetching = setTimeout(() => this.refresh(), 40);
  }

  // Put the bar of `ts` at the right edge (another chart moved); a view at the end stays with the newest bar.
  follow(other) {
    if (!this.header) return;
    const count = other.minutes === this.minutes ? other.count : this.count;
    const right = other.stuck ? this.header.last + Math.max(2, count * 0.04) : this.xOfTime(other.timeAt(other.x1));
    this.lookAt(right - count, right, { quiet: true });
  }

  setManual(range) {
    this.manual = range;
    this.#refit();
  }

  #refit() {
    this.#fit();
    this.plots.move(this.#ranges());
    this.#paintAll();
  }

  // Rows of the columns that lie in the view.
  visible() {
    const { columns, x0, x1 } = this;
    return [lowerBound(columns.x, x0 - this.header.size), lowerBound(columns.x, x1 + this.header.size)];
  }

  // Fit the price to what is visible, and each study's pane to its values.
  #fit() {
    if (!this.columns) return;
    const [from, to] = this.visible();
    const { columns } = this;
    let [low, high, volume] = [Infinity, -Infinity, 0];
    const include = (bar) => {
      low = Math.min(low, bar.low);
      high = Math.max(high, bar.high);
      volume = Math.max(volume, bar.volume);
    };
    for (let i = from; i < to; i++) include({ low: columns.low[i], high: columns.high[i], volume: columns.volume[i] });
    this.moving().filter((bar) => bar.x <= this.x1).forEach(include);
    if (low > high) return;
    this.mostVolume = volume ? volume / VOLUME_SHARE : 1;
    this.panes[0].y = this.manual ?? padded(low, high, 0.08);
    this.panes.slice(1).forEach((one) => this.#fitStudy(one, from, to));
  }

  #fitStudy(one, from, to) {
    let [low, high] = [Math.min(...one.levels, Infinity), Math.max(...one.levels, -Infinity)];
    for (const name of one.columns) {
      for (const value of [...this.columns[name].subarray(from, to), this.provisional?.[name]]) {
        if (!Number.isFinite(value)) continue;
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    one.y = low < high ? padded(low, high, 0.1) : padded((low || 0) - 1, (high || 0) + 1, 0);
  }

  #ranges() {
    return this.panes.map((one) => ({ x: [this.x0, this.x1], y: one.y, volume: this.mostVolume }));
  }

  // --- places on the screen ------------------------------------------------------------------------------------

  get plotWidth() {
    return Math.max(1, this.width - AXIS_WIDTH);
  }

  get pixelsPerBar() {
    return this.plotWidth / (this.x1 - this.x0);
  }

  xPixel(x) {
    return (x - this.x0) * this.pixelsPerBar;
  }

  xAt(pixel) {
    return this.x0 + pixel / this.pixelsPerBar;
  }

  yPixel(value, i = 0) {
    const { top, height, y } = this.panes[i];
    return top + height - ((value - y[0]) / (y[1] - y[0])) * height;
  }

  valueAt(pixel, i = 0) {
    const { top, height, y } = this.panes[i];
    return y[0] + ((top + height - pixel) / height) * (y[1] - y[0]);
  }

  paneAt(pixel) {
    return Math.max(0, this.panes.findIndex((one) => pixel >= one.top && pixel < one.top + one.height));
  }

  paneOf(study) {
    return Math.max(0, this.panes.findIndex((one) => one.studies.includes(study)));
  }

  // Row of the candle nearest to x, the live one included.
  rowAt(x) {
    const { columns } = this;
    const i = lowerBound(columns.x, x - this.header.size / 2);
    return Math.min(i, columns.x.length - 1);
  }

  #span() {
    return (this.minutes < DAY ? this.minutes : DAY) * MINUTE;
  }

  timeAt(x) {
    const { columns, header } = this;
    if (x > columns.x[header.rows - 1] && this.atEnd) return header.last_start + Math.round(x - header.last) * this.#span();
    if (x < columns.x[0]) return columns.start[0] - Math.round(columns.x[0] - x) * this.#span();
    return columns.start[this.rowAt(x)];
  }

  // x of the bar that holds a time.
  barX(ts) {
    const { columns, header } = this;
    if (ts >= header.last_end && this.atEnd) return header.last + Math.floor((ts - header.last_start) / this.#span());
    const i = lowerBound(columns.start, ts + 1) - 1;
    return i < 0 ? columns.x[0] - (columns.start[0] - ts) / this.#span() : columns.x[i];
  }

  xOfTime(ts) {
    return this.anchors.get(ts) ?? this.barX(ts);
  }

  pointOf(x, price) {
    const ts = this.timeAt(Math.round(x));
    this.anchors.set(ts, Math.round(x));
    return [ts, Math.round(price)];
  }

  pointAt(pixelX, pixelY) {
    return this.pointOf(this.xAt(pixelX), this.valueAt(pixelY));
  }

  // --- painting ------------------------------------------------------------------------------------------------

  resize() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!width || !height) return void (this.asleep = true);
    const first = this.asleep;
    this.asleep = false;
    if (!first && width === this.width && height === this.height) return;
    Object.assign(this, { width, height });
    this.back.size(width, height);
    this.front.size(width, height);
    this.#arrange();
    if (first || !this.columns) this.refresh();
    else this.#refit();
  }

  #arrange() {
    const own = this.plots.studies.map((_, i) => i).filter((i) => !this.plots.studies[i].overlay);
    const room = Math.max(20, this.height - AXIS_HEIGHT);
    const each = own.length ? Math.min(Math.max(46, room * 0.2), (room * 0.6) / own.length) : 0;
    const main = Math.round(room - each * own.length);
    const overlays = this.plots.studies.map((_, i) => i).filter((i) => this.plots.studies[i].overlay);
    this.panes = [{ ...pane(0, main), studies: overlays, y: this.panes[0].y }];
    own.forEach((number, i) => this.panes.push(this.#studyPane(number, main + Math.round(i * each), Math.round(each))));
    if (this.plots.items.length === this.panes.length) {
      this.plots.place(this.panes.map((one) => ({ top: one.top, width: this.plotWidth, height: one.height })));
    }
  }

  #studyPane(number, top, height) {
    const { unit, levels, lines } = this.plots.studies[number];
    return { ...pane(top, height), unit, levels, studies: [number], columns: lines.map((_, i) => `s${number}_${i}`) };
  }

  #paintAll() {
    this.backDue = true;
    this.paintFront();
  }

  paintFront() {
    this.due ??= requestAnimationFrame(() => {
      this.due = undefined;
      if (this.backDue) paintBack(this.back, this);
      this.backDue = false;
      paintFront(this.front, this);
      this.legend.write();
    });
  }

  // The crosshair at a time, from this chart's pointer or another's; price null leaves out the level line.
  setCross(ts, y) {
    if (!this.columns) return;
    this.cross = ts === null ? null : { x: Math.round(this.barX(ts)), y };
    this.paintFront();
  }

  dispose() {
    this.watcher.disconnect();
    [this.again, this.soon, this.fetching].forEach(clearTimeout);
    this.plots.dispose();
    this.element.remove();
    this.asked++;
  }
}

const pane = (top, height) => ({ top, height, y: [0, 1], levels: [], studies: [], columns: [], unit: "price" });

function padded(low, high, share) {
  const room = Math.max((high - low) * share, 1e-6, high === low ? Math.abs(high) * 0.001 : 0);
  return [low - room, high + room];
}
