// Pieces that several tabs are made of; the bundle puts them on window.aitrade, since a view cannot import a sibling.

export { attempt, button, dress, input, label, node, painter, panel, say, sentences } from "./nodes.js";
export { bars, curve, sparkline } from "./plots.js";
export { paise, rupeesTyped, unitsTyped } from "./typed.js";
export { table } from "./table.js";
