// The Charts tab: a grid of charts, what they share, and the layout that is kept.

import { Chart } from "./chart.js";
import { DrawingBook } from "./drawings.js";
import { lookOf } from "./look.js";
import { openMenu } from "./menu.js";
import { zoom } from "./pointer.js";
import { Toolbar } from "./toolbar.js";
import { get, send } from "./wire.js";

const FRONT = ["orders", "positions", "trades", "alerts", "link"];
const NEWS = ["snapshot", "world"];
const RETRY_MS = 1500;
const FIRST_STUDIES = "vwap,ema:20";

const layoutPath = (name) => `workspace/layout?name=${encodeURIComponent(name)}`;

export async function mount(root) {
  root.classList.add("charts");
  const desk = new Desk(root);
  await desk.begin();
  return () => desk.dispose();
}

class Desk {
  constructor(root) {
    this.root = root;
    this.charts = [];
    this.links = {};
    this.tool = "";
    this.offs = [];
  }

  async begin() {
    const [catalogue, workspace] = await this.#patiently(() => Promise.all([get("catalogue"), get("workspace")]));
    if (this.gone) return;
    this.catalogue = catalogue;
    this.workspace = workspace;
    this.book = new DrawingBook(workspace.drawings);
    this.look = lookOf(this.root);
    this.toolbar = new Toolbar(this);
    this.grid = Object.assign(document.createElement("div"), { className: "charts-grid" });
    this.root.replaceChildren(this.toolbar.element, this.grid);
    this.book.listeners.add(() => this.charts.forEach((chart) => chart.paintFront()));
    this.open(workspace.current);
    const { selected, preset } = window.aitrade.state;
    if (selected !== preset) this.#selected(selected); // chosen before there was a chart
    this.#listen();
  }

  async #patiently(ask) {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (this.gone) return [];
        this.root.innerHTML = `<div class="chart-note"></div>`;
        this.root.firstChild.textContent = error.message;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  #listen() {
    let settled = false;
    const each = (act) => () => this.charts.forEach(act);
    const on = (type, act) => this.offs.push(window.aitrade.on(type, (what) => settled && act(what)));
    on("ticks", (keys) => this.#ticks(keys));
    on("select", (key) => this.#selected(key));
    FRONT.forEach((type) => on(type, each((chart) => chart.paintFront())));
    on("day", each((chart) => chart.anew()));
    NEWS.forEach((type) => on(type, each((chart) => chart.refresh())));
    settled = true; // what is told at once is what the charts have just been drawn with
    this.seconds = setInterval(() => this.charts.forEach((chart) => chart.refreshProvisional()), 1000);
    this.keys = (event) => this.#key(event);
    document.addEventListener("keydown", this.keys);
  }

  #ticks(keys) {
    const changed = new Set(keys);
    for (const chart of this.charts) if (!chart.asleep && changed.has(chart.symbol)) chart.tick();
  }

  #key(event) {
    if (!this.active || this.active.asleep || /INPUT|SELECT|TEXTAREA/.test(event.target.tagName)) return;
    if (event.key === "Delete" || event.key === "Backspace") this.charts.forEach((c) => c.drawings.remove(c));
    if (event.key === "Escape") this.useTool("");
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const step = { ArrowLeft: -0.1, ArrowRight: 0.1 }[event.key];
    const factor = { "+": 0.8, "-": 1.25 }[event.key];
    const { x0, x1, count } = this.active;
    if (step) this.active.lookAt(x0 + step * count, x1 + step * count);
    if (factor) zoom(this.active, factor, (x0 + x1) / 2);
  }

  // --- layouts -------------------------------------------------------------------------------------------------

  // Open a saved layout, or the first one of a new person.
  open(name) {
    this.name = name;
    const layout = this.workspace.layouts[name] ?? { grid: 1, cells: [], links: { time: true, crosshair: true } };
    this.links = { ...layout.links };
    this.arrange(layout.grid, layout.cells);
    this.toolbar.update();
  }

  // Show `grid` charts; those that stay keep what they show.
  arrange(grid, cells) {
    this.count = grid;
    this.grid.dataset.grid = grid;
    this.charts.splice(grid).forEach((chart) => chart.dispose());
    for (let i = 0; i < grid; i++) {
      const cell = cells[i] ?? (this.charts[i] ? null : this.#fresh(i));
      this.charts[i] ??= new Chart(this.grid, this.look, this.book, this.#hooks());
      if (cell) this.charts[i].show(this.#shown(cell, i));
    }
    this.focus(this.charts.includes(this.active) ? this.active : this.charts[0]);
  }

  #fresh(i) {
    const { watchlist = [], indices = [] } = window.aitrade.state;
    const symbols = [...watchlist, ...indices];
    return { instrument: symbols[i % Math.max(1, symbols.length)] ?? "", minutes: 5, count: 150, studies: FIRST_STUDIES };
  }

  #shown(cell, i) {
    const symbol = cell.instrument || this.#fresh(i).instrument;
    return { symbol, minutes: cell.minutes, studies: cell.studies, count: cell.count };
  }

  layout() {
    const cells = this.charts.map(({ symbol, minutes, studyText, count }) => ({
      instrument: symbol, minutes, studies: studyText, count: Math.max(5, count),
    }));
    return { grid: this.count, cells, links: this.links };
  }

  saveSoon() {
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.save(this.name), 600);
  }

  async save(name) {
    clearTimeout(this.saving);
    await this.#keep(() => send("PUT", layoutPath(name), this.layout()));
  }

  async remove(name) {
    await this.#keep(() => send("DELETE", layoutPath(name)));
    this.open(this.workspace.current);
  }

  async use(name) {
    clearTimeout(this.saving);
    await this.#keep(() => send("POST", layoutPath(name)));
    this.open(name);
  }

  async #keep(ask) {
    try {
      const { layouts, current } = await ask();
      Object.assign(this.workspace, { layouts, current });
      this.name = current;
      this.toolbar?.update();
    } catch (error) {
      window.aitrade.toast(error.message, "warning");
    }
  }

  // --- what charts share ---------------------------------------------------------------------------------------

  #hooks() {
    return {
      tool: () => this.tool,
      drawn: () => this.useTool(""),
      changed: () => this.saveSoon(),
      focused: (chart) => this.focus(chart),
      viewed: (chart) => this.#viewed(chart),
      crossed: (chart, ts, price) => this.#crossed(chart, ts, price),
      menu: (chart, event, price) => openMenu(this, chart, event, price),
      edit: (chart, number, box) => this.toolbar.editStudy(chart, number, box),
    };
  }

  #others(chart) {
    return this.charts.filter((other) => other !== chart && other.columns && !other.asleep);
  }

  #viewed(chart) {
    if (this.links.time) this.#others(chart).forEach((other) => other.follow(chart));
    this.saveSoon();
  }

  #crossed(chart, ts, price) {
    if (!this.links.crosshair) return;
    for (const other of this.#others(chart)) {
      const same = other.symbol === chart.symbol && price !== null;
      other.setCross(ts, same ? other.yPixel(price) : null);
    }
  }

  focus(chart) {
    this.active = chart;
    this.charts.forEach((one) => one.element.classList.toggle("chart-active", one === chart && this.count > 1));
    this.toolbar.update();
  }

  #selected(key) {
    if (!key) return;
    const chosen = this.links.symbol ? this.charts : [this.active];
    chosen.filter((chart) => chart.symbol !== key).forEach((chart) => chart.show({ symbol: key }));
    this.toolbar.update();
  }

  useFrame(minutes) {
    (this.links.frame ? this.charts : [this.active]).forEach((chart) => chart.show({ minutes }));
    this.toolbar.update();
  }

  useTool(tool) {
    this.tool = tool;
    this.charts.forEach((chart) => (chart.drawings.draft = null));
    this.toolbar.update();
  }

  useLink(name) {
    this.links[name] = !this.links[name];
    const { symbol, minutes } = this.active;
    if (name === "symbol" && this.links.symbol) this.#others(this.active).forEach((chart) => chart.show({ symbol }));
    if (name === "frame" && this.links.frame) this.#others(this.active).forEach((chart) => chart.show({ minutes }));
    if (name === "time" && this.links.time) this.#viewed(this.active);
    this.saveSoon();
    this.toolbar.update();
  }

  dispose() {
    this.gone = true;
    this.offs.forEach((off) => off?.());
    clearInterval(this.seconds);
    clearTimeout(this.saving);
    document.removeEventListener("keydown", this.keys);
    this.charts.forEach((chart) => chart.dispose());
  }
}
