// The menu at a price: tickets and alerts there, and the drawings of the symbol.

import { priceText } from "./axes.js";

export function openMenu(desk, chart, event, price) {
  document.querySelector(".chart-menu")?.remove();
  const { aitrade } = window;
  const tick = aitrade.state.instruments.get(chart.symbol)?.tick || 5;
  const at = Math.round(price / tick) * tick;
  const ticket = (side) => aitrade.ticket({ instrument: chart.symbol, side, price: at, type: "LIMIT" });
  const above = at >= (chart.last?.price ?? 0);
  const alert = () =>
    aitrade.post("/alerts", { instrument: chart.symbol, above, price: at })
      .then(() => aitrade.toast(`Alert at ${priceText(at)}.`, "info"), (error) => aitrade.toast(error.message, "warning"));
  // An index is watched, never traded.
  const orders = aitrade.state.instruments.get(chart.symbol)?.kind === "INDEX" ? [] : [
    [`Buy limit at ${priceText(at)}`, () => ticket("BUY"), "up"],
    [`Sell limit at ${priceText(at)}`, () => ticket("SELL"), "down"],
  ];
  const choices = [
    ...orders,
    [`Alert at ${priceText(at)}`, alert, ""],
    ["Fit price", () => chart.setManual(null), ""],
    ["Newest bar", () => ((chart.stuck = true), chart.refresh()), ""],
    ["Remove all drawings of this symbol", () => chart.drawings.clear(chart), ""],
  ];
  const menu = Object.assign(document.createElement("div"), { className: "chart-menu panel" });
  menu.setAttribute("role", "menu");
  for (const [text, act, tone] of choices) {
    const row = Object.assign(document.createElement("button"), { textContent: text, className: tone });
    row.setAttribute("role", "menuitem");
    row.onclick = () => (menu.remove(), act());
    menu.append(row);
  }
  desk.root.append(menu);
  const box = desk.root.getBoundingClientRect();
  menu.style.left = `${Math.min(event.clientX - box.left, box.width - menu.offsetWidth - 4)}px`;
  menu.style.top = `${Math.min(event.clientY - box.top, box.height - menu.offsetHeight - 4)}px`;
  menu.firstChild.focus();
  const close = (other) => {
    if (other.type === "keydown" ? other.key !== "Escape" : menu.contains(other.target)) return;
    menu.remove();
    ["pointerdown", "keydown"].forEach((type) => document.removeEventListener(type, close, true));
  };
  ["pointerdown", "keydown"].forEach((type) => document.addEventListener(type, close, true));
}
