// A keyed table that patches: a row is made once, then only the texts and classes that differ are written.
//
// table(columns, {key, empty, press, cls}) -> {element, show(rows), patch(rows), open(key, element), close(), pick(key)}
// A column is {title, text(row), cls?(row), num?, wide?, width?, hint?, make?(cell, row)}; `make` fills a cell once, for
// buttons; a `wide` one is left out on screens under 1600 pixels.

import { dress, node } from "./nodes.js";

export function table(columns, { key, empty = "", press = null, cls = "" }) {
  const body = node("tbody");
  const element = node("table", `table rows ${cls}`.trim(), "", heading(columns), body);
  const nothing = node("div", "table-empty", empty);
  const holder = node("div", "table-holder", "", element, nothing);
  const made = new Map();
  let drawer = null;
  let picked = "";

  function make(row) {
    const line = node("tr");
    line.tabIndex = -1;
    line.dataset.key = key(row);
    const cells = columns.map((column) => cell(column, row));
    line.append(...cells.map((one) => one.td));
    const entry = { line, cells, row };
    if (press) line.addEventListener("click", () => press(entry.row));
    return entry;
  }

  function patch(entry, row) {
    entry.row = row;
    for (const { td, text, column } of entry.cells) {
      if (text) {
        const words = column.text(row);
        if (text.data !== words) text.data = words;
      }
      if (column.cls) dress(td, `${standing(column)} ${column.cls(row)}`.trim());
      if (column.update) column.update(td, row);
    }
  }

  function drop(id) {
    if (drawer?.id === id) api.close();
    made.get(id).line.remove();
    made.delete(id);
  }

  const api = {
    element: holder,
    show(rows) {
      const wanted = new Set(rows.map(key));
      for (const id of [...made.keys()]) if (!wanted.has(id)) drop(id);
      let after = null;
      for (const row of rows) {
        const id = key(row);
        if (!made.has(id)) made.set(id, make(row));
        const entry = made.get(id);
        patch(entry, row);
        const place = after ? after.nextSibling : body.firstChild;
        if (place !== entry.line) body.insertBefore(entry.line, place);
        after = drawer?.id === id ? drawer.line : entry.line;
        if (after === drawer?.line && entry.line.nextSibling !== after) entry.line.after(after);
      }
      nothing.hidden = rows.length > 0 || !empty;
      if (!body.querySelector('tr[tabindex="0"]') && body.firstChild) body.firstChild.tabIndex = 0;
    },
    patch(rows) {
      for (const row of rows) {
        const entry = made.get(key(row));
        if (entry) patch(entry, row);
      }
    },
    // Show `inside` under the row until closed; Esc closes, and focus goes back to the row.
    open(id, inside) {
      api.close();
      const entry = made.get(id);
      if (!entry) return;
      const line = node("tr", "drawer");
      const wide = node("td");
      wide.colSpan = columns.length;
      wide.append(inside);
      line.append(wide);
      entry.line.after(line);
      drawer = { id, line };
      line.addEventListener("keydown", (event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        api.close();
        entry.line.focus();
      });
      line.querySelector("input, select, button")?.focus();
    },
    close() {
      drawer?.line.remove();
      drawer = null;
    },
    opened: () => drawer?.id ?? "",
    pick(id) {
      made.get(picked)?.line.classList.remove("picked");
      picked = id;
      made.get(picked)?.line.classList.add("picked");
    },
    reveal(id) {
      made.get(id)?.line.scrollIntoView({ block: "nearest" });
    },
  };
  body.addEventListener("keydown", (event) => walk(event, press && ((id) => press(made.get(id).row))));
  nothing.hidden = !empty;
  return api;
}

// What a column's cells are whatever their row: numbers to the right, and `wide` ones only where there is room for them.
function standing({ num, wide }) {
  return `${num ? "num" : ""} ${wide ? "wide" : ""}`.trim();
}

function heading(columns) {
  const line = node("tr");
  for (const column of columns) {
    const { title, width, hint } = column;
    const head = node("th", standing(column), title);
    head.scope = "col";
    if (width) head.style.width = width;
    if (hint) head.title = hint;
    line.append(head);
  }
  return node("thead", "", "", line);
}

function cell(column, row) {
  const td = node("td", standing(column));
  if (column.make) {
    column.make(td, row);
    return { td, text: null, column };
  }
  const text = document.createTextNode("");
  td.append(text);
  return { td, text, column };
}

// Arrows, Home and End walk the rows; Enter presses one.
function walk(event, press) {
  const line = event.target.closest("tr");
  if (event.target !== line) return;
  const rows = [...line.parentElement.children].filter((one) => !one.classList.contains("drawer"));
  const at = rows.indexOf(line);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (event.key === "Enter" && press) press(line.dataset.key);
  if (to === undefined || !rows[to]) return;
  event.preventDefault();
  line.tabIndex = -1;
  rows[to].tabIndex = 0;
  rows[to].focus();
}
