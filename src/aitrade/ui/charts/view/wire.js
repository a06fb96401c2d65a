// Talks to the chart worker through the page's own server.

const BASE = new URL("/aitrade/chart/", location.origin).href;
const xsrf = () => document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)?.[1] ?? "";

async function ask(path, { method = "GET", body, signal } = {}) {
  const headers = method === "GET" ? {} : { "X-XSRFToken": xsrf(), "Content-Type": "application/json" };
  const answer = await fetch(BASE + path, { method, headers, signal, body: body && JSON.stringify(body) });
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  const problems = said.problems ?? [{ rule: "charts", text: "The chart worker does not answer; it is being restarted." }];
  throw Object.assign(new Error(problems.map((one) => one.text).join(" ")), { problems });
}

export const get = async (path) => (await ask(path)).json();
export const send = async (method, path, body) => (await ask(path, { method, body })).json();

// A window is a length, a JSON header and float64 columns (window.py); the columns are views, nothing is copied.
export async function getWindow(query, signal) {
  const buffer = await (await ask(`window?${new URLSearchParams(query)}`, { signal })).arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const column = (name, i) => [name, new Float64Array(buffer, 4 + length + i * header.rows * 8, header.rows)];
  return { header, columns: Object.fromEntries(header.columns.map(column)) };
}

let bokeh;
export function loadBokeh() {
  bokeh ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${BASE}static/bokeh.js`;
    script.onload = () => resolve(window.Bokeh);
    script.onerror = () => {
      bokeh = undefined;
      reject(new Error("The chart worker does not answer; it is being restarted."));
    };
    document.head.append(script);
  });
  return bokeh;
}
