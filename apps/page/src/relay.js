// The engine's API through the page's own server: it adds the engine's token and checks who asks.
const ENGINE = '/aitrade/api';
const OPERATIONS = '/aitrade/operations';

function xsrf() {
  return document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)?.[1] ?? '';
}

async function ask(method, path, body, base = ENGINE) {
  const response = await fetch(base + path, {
    method,
    headers: { 'Content-Type': 'application/json', 'X-XSRFToken': xsrf() },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (response.status === 401 || response.status === 403) {
    throw refusal([{ rule: 'login', text: 'Your log-in has ended: open the page by a new link (aitrade open).' }]);
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw refusal(answer.problems ?? [{ rule: 'engine', text: 'The engine does not answer; it comes back by itself, or by aitrade up.' }]);
  }
  return answer;
}

function refusal(problems) {
  const error = new Error(problems.map((problem) => problem.text).join(' '));
  error.problems = problems;
  return error;
}

export const get = (path) => ask('GET', path);
export const post = (path, body = {}) => ask('POST', path, body);
export const put = (path, body) => ask('PUT', path, body);
export const del = (path) => ask('DELETE', path);
export const operations = { look: () => ask('GET', '', undefined, OPERATIONS), act: (what, body) => ask('POST', `/${what}`, body, OPERATIONS) };
export { xsrf };
