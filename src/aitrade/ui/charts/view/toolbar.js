// The row above the charts: layout, symbol, time frame, indicators, drawing tools, links.

import { SHAPES } from "./drawings.js";

const FRAME_NAMES = { 60: "1h", 1440: "D" };
const ICONS = {
  "": "M4 3l8 7-4 .6 2.2 4.2-1.7.8L6.4 11.4 4 14z",
  line: "M2 14L14 2",
  ray: "M2 13l5-5M7 8l7-7M6 8a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0-3 0",
  level: "M1 8h14",
  box: "M2 4h12v8H2z",
  fibonacci: "M2 3h12M2 7h12M2 10h12M2 13h12",
};
const LINKS = { symbol: "Symbol", frame: "Frame", time: "Time", crosshair: "Cross" };

const button = (attributes, inner) => `<button class="btn chart-btn" ${attributes}>${inner}</button>`;
const icon = (path) => `<svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><path d="${path}"/></svg>`;

export class Toolbar {
  constructor(desk) {
    this.desk = desk;
    this.element = Object.assign(document.createElement("div"), { className: "charts-bar" });
    const frames = desk.catalogue.frames.map((m) => button(`data-frame="${m}"`, FRAME_NAMES[m] ?? `${m}m`)).join("");
    const grids = [1, 2, 4, 6].map((n) => button(`data-grid="${n}" title="${n} chart${n > 1 ? "s" : ""}"`, n)).join("");
    const tools = ["", ...Object.keys(SHAPES)].map((name) => {
      const title = SHAPES[name]?.title ?? "Pointer";
      const how = SHAPES[name]?.points === 2 ? ": drag, or click two points" : "";
      return button(`data-tool="${name}" title="${title}${how}" aria-label="${title}"`, icon(ICONS[name]));
    }).join("");
    const links = Object.entries(LINKS).map(([name, text]) => button(`data-link="${name}" title="Link ${text.toLowerCase()} across charts"`, text)).join("");
    this.element.innerHTML = `
      <input class="input chart-symbol" list="chart-symbols" aria-label="Symbol" autocomplete="off" spellcheck="false">
      <datalist id="chart-symbols"></datalist>
      <span class="chart-group" role="group" aria-label="Time frame">${frames}</span>
      ${button('data-act="studies" aria-haspopup="true"', "ƒ Indicators")}
      <span class="chart-group" role="group" aria-label="Drawing">${tools}
        ${button('data-act="erase" title="Delete the chosen drawing (Del)" aria-label="Delete drawing"', "⌫")}</span>
      <span class="chart-space"></span>
      <span class="chart-k">Link</span><span class="chart-group" role="group" aria-label="Linked">${links}</span>
      <span class="chart-group" role="group" aria-label="Charts">${grids}</span>
      <select class="input chart-layouts" aria-label="Layout"></select>
      ${button('data-act="save" title="Save the layout under a name"', "Save as")}
      ${button('data-act="remove" title="Delete this layout" aria-label="Delete this layout"', "✕")}`;
    this.element.addEventListener("click", (event) => this.#click(event));
    desk.root.addEventListener("click", (event) => this.#legendClick(event));
    this.#symbolBox();
    this.element.querySelector(".chart-layouts").onchange = (event) => desk.use(event.target.value);
  }

  #click(event) {
    const pressed = event.target.closest("button");
    if (!pressed) return;
    const { frame, grid, tool, link, act } = pressed.dataset;
    const { desk } = this;
    if (frame) desk.useFrame(Number(frame));
    if (grid) (desk.arrange(Number(grid), []), desk.saveSoon());
    if (tool !== undefined) desk.useTool(tool);
    if (link) desk.useLink(link);
    if (act) this[act](pressed);
    pressed.blur();
    this.update();
  }

  erase() {
    this.desk.charts.forEach((chart) => chart.drawings.remove(chart));
  }

  save(pressed) {
    const box = this.#popover(pressed, `<form class="chart-form"><label>Layout name
      <input class="input" name="name" maxlength="60" required></label><button class="btn">Save</button></form>`);
    box.querySelector("form").onsubmit = (event) => {
      event.preventDefault();
      this.desk.save(event.target.name.value.trim());
      box.remove();
    };
    box.querySelector("input").focus();
  }

  async remove() {
    const { desk } = this;
    if (!desk.workspace.layouts[desk.name]) return;
    const sure = await window.aitrade.confirm(`Delete the layout “${desk.name}”?`, { title: "Delete layout", yes: "Delete" });
    if (sure) desk.remove(desk.name);
  }

  studies(pressed) {
    const rows = this.desk.catalogue.indicators.map(({ title, study }) =>
      `<button data-add="${study.name}"><b>${study.label.split(" ")[0]}</b> ${title}</button>`).join("");
    const box = this.#popover(pressed, `<div class="chart-list">${rows}</div>`);
    box.addEventListener("click", (event) => {
      const name = event.target.closest("[data-add]")?.dataset.add;
      if (name) this.#change(this.desk.active, (studies) => [...studies, name]);
    });
  }

  #legendClick(event) {
    const line = event.target.closest(".chart-study");
    if (!line) return;
    const chart = this.desk.charts.find((one) => one.element.contains(line));
    const number = Number(line.dataset.study);
    if (event.target.closest(".chart-drop")) this.#change(chart, (studies) => studies.filter((_, i) => i !== number));
    else if (event.target.closest(".chart-name")) this.editStudy(chart, number, line);
  }

  editStudy(chart, number, near) {
    const study = chart.plots.studies[number];
    if (!study.parameters.length) return;
    const { bounds } = this.desk.catalogue.indicators.find((one) => one.study.name === study.name);
    const fields = study.parameters.map((name, i) => `<label>${name}<input class="input" type="number" step="any"
      min="${bounds[i][0]}" max="${bounds[i][1]}" value="${study.numbers[i]}" required></label>`).join("");
    const box = this.#popover(near, `<form class="chart-form"><b>${study.label}</b>${fields}<button class="btn">Apply</button></form>`);
    box.querySelector("form").onsubmit = (event) => {
      event.preventDefault();
      const numbers = [...box.querySelectorAll("input")].map((field) => field.value);
      this.#change(chart, (studies) => studies.with(number, [study.name, ...numbers].join(":")));
      box.remove();
    };
    box.querySelector("input").select();
  }

  #change(chart, edit) {
    const studies = edit(chart.studyText ? chart.studyText.split(",") : []);
    chart.show({ studies: studies.join(",") });
  }

  #popover(near, inner) {
    document.querySelector(".chart-popover")?.remove();
    const box = Object.assign(document.createElement("div"), { className: "chart-popover panel", innerHTML: inner });
    this.desk.root.append(box);
    const [home, at] = [this.desk.root.getBoundingClientRect(), near.getBoundingClientRect()];
    box.style.left = `${Math.max(4, Math.min(at.left - home.left, home.width - box.offsetWidth - 4))}px`;
    box.style.top = `${Math.min(at.bottom - home.top + 4, Math.max(4, home.height - box.offsetHeight - 4))}px`;
    const close = (event) => {
      if (event.type === "keydown" ? event.key !== "Escape" : box.contains(event.target)) return;
      box.remove();
      ["pointerdown", "keydown"].forEach((type) => document.removeEventListener(type, close, true));
    };
    ["pointerdown", "keydown"].forEach((type) => document.addEventListener(type, close, true));
    return box;
  }

  #symbolBox() {
    const field = this.element.querySelector(".chart-symbol");
    const list = this.element.querySelector("datalist");
    const choose = (key) => {
      if (!key) return;
      window.aitrade.select(key);
      field.blur();
    };
    const find = async (text) => {
      const found = await window.aitrade.get(`/instruments?q=${encodeURIComponent(text)}&limit=20`).catch(() => []);
      list.replaceChildren(...found.map((one) => new Option(one.name || one.symbol, one.key)));
      return found;
    };
    field.onfocus = () => ((field.value = ""), find(""));
    field.onblur = () => this.update();
    field.oninput = async () => {
      const found = await find(field.value);
      if (found.some((one) => one.key === field.value)) choose(field.value);
    };
    field.onkeydown = async (event) => {
      event.stopPropagation();
      if (event.key === "Enter") choose((await find(field.value))[0]?.key);
      if (event.key === "Escape") field.blur();
    };
  }

  update() {
    const { desk, element } = this;
    if (!desk.active) return;
    const on = (name, value) =>
      element.querySelectorAll(`[data-${name}]`).forEach((one) => {
        const pressed = typeof value === "function" ? value(one.dataset[name]) : one.dataset[name] === String(value);
        one.setAttribute("aria-pressed", pressed);
      });
    on("frame", desk.active.minutes);
    on("grid", desk.count);
    on("tool", desk.tool);
    on("link", (name) => Boolean(desk.links[name]));
    const field = element.querySelector(".chart-symbol");
    if (document.activeElement !== field) field.value = desk.active.symbol.split(":").pop();
    const names = [...new Set([desk.name, ...Object.keys(desk.workspace.layouts)])];
    const select = element.querySelector(".chart-layouts");
    select.replaceChildren(...names.map((name) => new Option(name, name, false, name === desk.name)));
  }
}
