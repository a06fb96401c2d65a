// The page: shell and stream first, so that prices and the emergency stop never wait for a kernel; widgets after.
import './page.css';
import { confirm, element, toast } from './dialogs.js';
import * as format from './format.js';
import { showWidgets } from './kernel.js';
import * as pieces from './pieces/index.js';
import './pieces/pieces.css';
import { del, get, post, put } from './relay.js';
import { actOn, watchOperations } from './operations.js';
import { reloadSoon } from './reload.js';
import { buildShell, go, know, marketNow, offer, select, send } from './shell.js';
import { connect, emit, on, setLink, state } from './stream.js';

const PATIENCE_MS = 20000;

window.aitrade = {
  ...pieces, state, on, get, post, put, del, know, select, go, toast, confirm, format, marketNow, send, element,
  operate: actOn,
  ticket: (order) => emit('ticket', order),
};

const boot = JSON.parse(document.getElementById('aitrade-boot').textContent);
const places = buildShell(document.getElementById('app'));
on('snapshot', () => {
  if (state.selected || !state.watchlist.length) return;
  state.preset = state.watchlist[0]; // nobody chose it
  select(state.preset);
});
// What was chosen may have expired over night.
on('day', async () => {
  await know(state.selected);
  select(state.instruments.has(state.selected) ? state.selected : state.watchlist[0]);
});
// What is ordered or held by another hand than this page's is not among the instruments that it began with.
const asked = new Set();
async function learn(rows) {
  const missing = [...rows.values()].map((row) => row.instrument).filter((key) => !state.instruments.has(key) && !asked.has(key));
  if (!missing.length) return;
  for (const key of missing) asked.add(key);
  await Promise.all([...new Set(missing)].map(know));
  for (const type of ['orders', 'trades', 'positions']) emit(type, state[type]);
}
on('orders', learn);
on('positions', learn);
on('day', () => asked.clear());
connect();
watchOperations();

const views = [...document.querySelectorAll('script.aitrade-view')].map((script) => [script.dataset.tab, JSON.parse(script.textContent)]);
if (views.length) offer(views.map(([tab]) => tab));

for (const error of document.querySelectorAll('script.aitrade-error')) {
  toast(`The page’s kernel failed: ${JSON.parse(error.textContent)}`, 'alert');
}

const late = setTimeout(() => {
  if (reloadSoon()) return;
  toast('The page’s forms did not load in 20 seconds. Prices and the emergency stop work; reload the page for the rest.', 'alert');
}, PATIENCE_MS);

showWidgets(boot, views.map(([tab, view]) => [view.model_id, places.get(tab)])).then(
  () => {
    clearTimeout(late);
    document.body.dataset.ready = 'true';
    performance.mark('aitrade-ready');
  },
  (error) => {
    console.error(error);
    setLink({ kernel: 'down' });
    toast(`The page’s forms could not be loaded (${error.message}); reload the page.`, 'alert');
  },
);
