// The words in a chart's corner: symbol, frame, the bar under the crosshair (or the newest), and the studies' values.

import { priceText, studyText, timeText, volumeText } from "./axes.js";
import { row } from "./layers.js";

const DAY = 1440;
const NARROW = 760;
const LINE = 16;

export class Legend {
  constructor(element, chart) {
    this.element = element;
    this.chart = chart;
    this.stale = true;
  }

  // Anew with the next frame: the symbol, the time frame or the studies have changed.
  rebuild() {
    this.stale = true;
    this.chart.paintFront();
  }

  #fill() {
    this.stale = false;
    this.said = "";
    const { symbol, minutes, plots } = this.chart;
    const frame = minutes < DAY ? `${minutes}m` : "1D";
    const mark = madeOf(this.chart.quote());
    this.chart.front.canvas.setAttribute("aria-label", `Chart of ${symbol}, ${frame}`);
    this.element.innerHTML = `<div class="chart-line"><b>${symbol.split(":").pop()}</b><span class="chart-k">${frame}</span>
      ${mark}<span class="chart-bars"></span></div>${plots.studies.map((study, i) => this.#study(study, i)).join("")}`;
  }

  #study(study, number) {
    const { look, panes } = this.chart;
    const own = panes[this.chart.paneOf(number)];
    const place = study.overlay ? "" : `style="position:absolute;top:${own.top + 3}px;left:8px"`;
    return `<div class="chart-study" data-study="${number}" ${place}>
      <button class="chart-name" title="Change ${study.label}"><i style="background:${look.line(study, number, 0)}"></i>
      ${study.label}</button><span class="chart-v"></span>
      <button class="chart-drop" title="Remove ${study.label}" aria-label="Remove ${study.label}">✕</button></div>`;
  }

  // Once a frame, after Bokeh has painted: it asks for styles, which costs a whole page's once a word has changed.
  write() {
    const { chart } = this;
    if (this.stale) this.#fill();
    if (!chart.columns) return;
    const i = this.#row();
    const text = barHtml(chart, i);
    if (text !== this.said) this.element.querySelector(".chart-bars").innerHTML = this.said = text;
    this.element.querySelectorAll(".chart-study").forEach((line) => {
      const study = chart.plots.studies[Number(line.dataset.study)];
      const texts = study.lines.map((_, n) => studyText(this.#value(`s${line.dataset.study}_${n}`, i), study.unit));
      line.querySelector(".chart-v").textContent = texts.filter((text) => text !== "–").join("  ") || "–";
    });
  }

  // How far down the symbol's line and the overlays' lines reach, in pixels.
  get bottom() {
    return 6 + LINE * (1 + this.chart.plots.studies.filter((study) => study.overlay).length);
  }

  // The row under the crosshair; null stands for the newest bar.
  #row() {
    const { cross, live, closed } = this.chart;
    if (!cross) return null;
    const i = this.chart.rowAt(cross.x);
    return live && i >= closed ? null : i;
  }

  #value(name, i) {
    const { columns, live, provisional, closed } = this.chart;
    const column = columns[name] ?? [];
    if (i !== null) return column[i];
    const now = live ? provisional?.[name] : undefined;
    return Number.isFinite(now) ? now : column[closed - 1];
  }
}

// What of the prices no exchange printed: all of a simulated market; of a replayed one, only what moves within a bar.
function madeOf(quote) {
  if (window.aitrade.state.world?.mode === "simulated") {
    return '<span class="badge modelled" title="A simulated market: no price here was printed by an exchange">SIMULATED</span>';
  }
  const says = "Bars are the imported session\u2019s; only the ticks within the bar that forms are modelled from it";
  return quote?.modelled ? `<span class="badge modelled" title="${says}">TICKS MODELLED</span>` : "";
}

function barHtml(chart, i) {
  const { columns, live, minutes, width } = chart;
  const last = columns.x.length - 1;
  const bar = i === null && live ? live : row(columns, i ?? last);
  const before = columns.close[(i ?? last) - 1] ?? bar.open;
  const change = bar.close - before;
  const tone = change >= 0 ? "up" : "down";
  const cell = (name, value) => `<span class="chart-k">${name}</span><span class="chart-v ${tone}">${value}</span>`;
  const moment = i === null ? (live ? "forming" : "") : timeText(bar.start, minutes);
  const when = `<span class="chart-k">${moment}</span>`;
  const range = [cell("O", priceText(bar.open)), cell("H", priceText(bar.high)), cell("L", priceText(bar.low))];
  const percent = `${change >= 0 ? "+" : "−"}${Math.abs((100 * change) / before).toFixed(2)}%`;
  const close = [cell("C", priceText(bar.close)), `<span class="chart-v ${tone}">${percent}</span>`];
  const rest = width < NARROW ? close : [...range, ...close, cell("V", volumeText(bar.volume))];
  return [when, ...rest].join(" ");
}
