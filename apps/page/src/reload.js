// Loads the page again when its kernel is gone: not under somebody's hands, and not over and over.
const KEY = 'aitrade.reloads';
const WINDOW_MS = 60000;
const MOST = 3;
const TRY_MS = 500;

let waiting = false;

function recent() {
  const since = Date.now() - WINDOW_MS;
  return JSON.parse(sessionStorage.getItem(KEY) ?? '[]').filter((at) => at > since);
}

const busy = () => document.querySelector('dialog[open]') || document.activeElement?.closest?.('input, textarea');

export function reloadSoon() {
  if (waiting || recent().length >= MOST) return false;
  waiting = true;
  const attempt = () => {
    if (busy()) {
      setTimeout(attempt, TRY_MS);
      return;
    }
    sessionStorage.setItem(KEY, JSON.stringify([...recent(), Date.now()]));
    location.reload();
  };
  setTimeout(attempt, TRY_MS);
  return true;
}

addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});
