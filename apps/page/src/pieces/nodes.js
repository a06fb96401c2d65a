// Elements from words: every text on the page goes through textContent, never through markup.

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

export function node(tag, cls = "", text = "", ...children) {
  const made = document.createElement(tag);
  if (cls) made.className = cls;
  if (text !== "") made.textContent = text;
  made.append(...children);
  return made;
}

// A button that takes no second press while the first is being answered.
export function button(text, cls, press, title = "") {
  const made = node("button", `btn ${cls}`.trim(), text);
  made.type = "button";
  if (title) made.title = title;
  made.addEventListener("click", async (event) => {
    event.stopPropagation();
    if (made.disabled) return;
    made.disabled = true;
    try {
      await press(event);
    } finally {
      made.disabled = false;
    }
  });
  return made;
}

export function input(cls, label, value = "", more = {}) {
  const made = node("input", `input ${cls}`.trim());
  made.setAttribute("aria-label", label);
  Object.assign(made, { value, autocomplete: "off", spellcheck: false, ...more });
  return made;
}

// A titled panel: its body scrolls, its tools stand at the right of the title.
export function panel(title, cls = "", ...tools) {
  const head = node("div", "panel-title", "", node("span", "panel-name", title), node("span", "panel-tools", "", ...tools));
  const body = node("div", "panel-body");
  return Object.assign(node("section", `panel ${cls}`.trim(), "", head, body), { head, body });
}

// Write only what differs: text nodes are patched, layout is left alone.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function dress(element, cls) {
  if (element.className !== cls) element.className = cls;
}

// Returns ask(): `draw` runs once in the next frame, and only while `element` can be seen; a hidden one draws when shown.
export function painter(element, draw) {
  let asked = false;
  let owed = false;
  const frame = () => {
    asked = false;
    owed = !element.clientWidth;
    if (!owed) draw();
  };
  const ask = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(frame);
  };
  const watcher = new ResizeObserver(() => owed && ask());
  watcher.observe(element);
  ask.stop = () => watcher.disconnect();
  return ask;
}

// An instrument's name as a trader reads it: RELIANCE, NIFTY 29DEC FUT, NIFTY 01DEC 24500CE.
export function label(key) {
  const row = window.aitrade.state.instruments.get(key);
  const plain = (key ?? "").slice((key ?? "").indexOf(":") + 1);
  if (!row?.expiry) return plain;
  const [, month, day] = row.expiry.split("-");
  const when = `${day}${MONTHS[month - 1]}`;
  if (row.kind === "FUTURE") return `${row.symbol} ${when} FUT`;
  return `${row.symbol} ${when} ${row.strike / 100}${row.kind === "CALL" ? "CE" : "PE"}`;
}

// The sentences of a refusal, or of whatever else went wrong.
export function sentences(error) {
  return error.problems?.length ? error.problems : [{ rule: "", text: error.message }];
}

// Do it, and say in a toast why it was not done; the answer, or undefined.
export async function attempt(what, done = "") {
  try {
    const answer = await what();
    if (done) window.aitrade.toast(done, "info");
    return answer;
  } catch (error) {
    for (const { text } of sentences(error)) window.aitrade.toast(text, "warning");
    return undefined;
  }
}
