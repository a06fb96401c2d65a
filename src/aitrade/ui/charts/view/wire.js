// Talks to the chart worker through the page's own server.

const BASE = new URL("/aitrade/chart/", location.origin).href;
const xsrf = () => document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)?.[1] ?? "";

async function ask(path, { method = "GET", body } = {}) {
  const headers = method === "GET" ? {} : { "X-XSRFToken": xsrf(), "Content-Type": "application/json" };
  const answer = await fetch(BASE + path, { method, headers, body: body && JSON.stringify(body) });
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  const problems = said.problems ?? [{ rule: "charts", text: "The chart worker does not answer; it is being restarted." }];
  throw Object.assign(new Error(problems.map((one) => one.text).join(" ")), { problems });
}

export const get = async (path) => (await ask(path)).json();
export const send = async (method, path, body) => (await ask(path, { method, body })).json();

const flights = new Map();

// The bytes of `path`; charts that ask for the same at the same time share one request.
function shared(path) {
  if (!flights.has(path)) {
    const flight = ask(path).then((answer) => answer.arrayBuffer()).finally(() => flights.delete(path));
    flights.set(path, flight);
  }
  return flights.get(path);
}

// A window is a length, a JSON header and float64 columns (window.py); the columns are views of the chart's own copy.
export async function getWindow(query) {
  const buffer = (await shared(`window?${new URLSearchParams(query)}`)).slice(0);
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
