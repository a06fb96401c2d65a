// Numbers as a person types them: what cannot be read is refused in a sentence, and nothing is guessed.

const plain = (text) => String(text).replaceAll(",", "").trim();
const quoted = (text) => (String(text).trim() ? `“${String(text).trim()}” is` : "An empty field is");

// Rupees as typed, in paise; NaN for what is not an amount.
export function paise(text) {
  return /^\d+(\.\d{1,2})?$/.test(plain(text)) ? Math.round(Number(plain(text)) * 100) : NaN;
}

// The same, where only an amount will do; `name` is the field's.
export function rupeesTyped(text, name) {
  const value = paise(text);
  if (Number.isNaN(value)) throw new Error(`${quoted(text)} no ${name.toLowerCase()}: type it in rupees, such as 1285.50. Nothing was sent.`);
  return value;
}

export function unitsTyped(text, name) {
  if (!/^\d+$/.test(plain(text))) throw new Error(`${quoted(text)} no ${name.toLowerCase()}: type a whole number, such as 10. Nothing was sent.`);
  return Number(plain(text));
}
