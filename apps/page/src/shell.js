// What is around the tabs: header, indices, tab bar, keyboard. It works from the stream alone, without a kernel.
import { element, toast, confirm, legend } from './dialogs.js';
import * as format from './format.js';
import { label } from './pieces/nodes.js';
import { get, post } from './relay.js';
import { emit, on, state } from './stream.js';

export const TABS = [
  ['dashboard', 'Dashboard'], ['charts', 'Charts'], ['fno', 'F&O Strategy'], ['btst', 'BTST Intelligence'],
  ['portfolio', 'Portfolio'], ['system', 'System'],
];
const PHASES = {
  PRE_OPEN: 'Pre-open', PRE_OPEN_LIMIT_ONLY: 'Pre-open, limit only', PRE_OPEN_MATCH: 'Pre-open match', BUFFER: 'Opening soon',
  CONTINUOUS: 'Market open', AUCTION_REFERENCE: 'Closing auction: reference', AUCTION: 'Closing auction',
  AUCTION_LIMIT_ONLY: 'Closing auction, limit only', AUCTION_MATCH: 'Closing auction match', POST_CLOSE: 'Post-close', CLOSED: 'Market closed',
};
const KEYS = [
  ['Ctrl or Alt + 1 … 6', 'Go to a tab'], ['B / S', 'Buy or sell ticket of the selected instrument'], ['Esc', 'Close the ticket or dialog'],
  ['/', 'Search an instrument'], ['?', 'Show these keys'],
];
const SPEEDS = [[1, '1×'], [10, '10×'], [60, '60×'], [0, 'Max']];

const places = new Map();
const buttons = new Map();

const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };

export function buildShell(root) {
  root.append(header(), notice(), indices(), tabBar());
  const stage = root.appendChild(element('main', 'stage'));
  for (const [name] of TABS) {
    const place = stage.appendChild(element('section', 'tab-place'));
    place.id = `tab-${name}`;
    place.role = 'tabpanel';
    place.hidden = true;
    places.set(name, place);
  }
  addEventListener('keydown', onKey);
  go(sessionStorage.getItem('aitrade.tab') ?? 'dashboard');
  return places;
}

export function go(name) {
  if (!places.has(name) || state.tab === name) return;
  state.tab = name;
  sessionStorage.setItem('aitrade.tab', name);
  for (const [other, place] of places) place.hidden = other !== name;
  for (const [other, button] of buttons) button.setAttribute('aria-selected', String(other === name));
  emit('tab', name);
}

// Only tabs that there are: a button that leads nowhere is worse than none.
export function offer(names) {
  for (const [name, button] of buttons) button.hidden = !names.includes(name);
  if (!names.includes(state.tab)) go(names[0]);
}

// A number beside a tab's name: how much in it waits for a person, and how bad the worst is.
export function mark(name, count, severity, words) {
  const button = buttons.get(name);
  const made = button.querySelector('.tab-mark') ?? button.insertBefore(element('span', ''), button.querySelector('kbd'));
  made.className = `tab-mark ${severity}`;
  made.hidden = !count;
  made.title = words;
  put(made, String(count));
}

function tabBar() {
  const bar = element('nav', 'tab-bar');
  bar.role = 'tablist';
  TABS.forEach(([name, title], place) => {
    const button = bar.appendChild(element('button', 'tab-button', title));
    button.role = 'tab';
    button.dataset.tab = name;
    button.append(element('kbd', '', String(place + 1)));
    button.onclick = () => go(name);
    buttons.set(name, button);
  });
  bar.append(element('span', 'spring'), modelledNote());
  return bar;
}

// What of all prices no exchange printed.
function modelledNote() {
  const made = element('span', 'modelled-note');
  on('world', ({ mode, assumed }) => {
    const ticks = assumed.some((line) => line.includes('MODELLED')) ? 'MODELLED ticks' : '';
    put(made, mode === 'simulated' ? 'SIMULATED prices' : ticks);
    made.title = assumed.join('\n');
  });
  return made;
}

const tradable = (key) => Boolean(key) && state.instruments.get(key)?.kind !== 'INDEX';

function onKey(event) {
  const typing = event.target.closest?.('input, textarea, select, [contenteditable]');
  const digit = Number(event.code?.replace('Digit', ''));
  if ((event.ctrlKey || event.altKey) && digit >= 1 && digit <= TABS.length) {
    event.preventDefault();
    const [name] = TABS[digit - 1];
    if (!buttons.get(name).hidden) go(name);
    return;
  }
  if (event.key === 'Escape') emit('key', 'Escape');
  if (typing || event.ctrlKey || event.altKey || event.metaKey || document.querySelector('dialog[open]')) return;
  if (event.key === '?') legend(KEYS, 'Keys');
  if (event.key === '/') {
    event.preventDefault();
    emit('key', '/');
  }
  const side = { b: 'BUY', s: 'SELL' }[event.key.toLowerCase()];
  if (side && tradable(state.selected)) {
    event.preventDefault();
    emit('ticket', { instrument: state.selected, side });
  }
}

// ---- header

function header() {
  const bar = element('header', 'top');
  bar.append(brand(), worldBadge(), marketClock(), pace(), element('div', 'spring'), strip(), money(), tradingState(), stopButton());
  return bar;
}

function brand() {
  const made = element('div', 'brand');
  made.append(element('b', '', 'ai'), document.createTextNode('trade'));
  return made;
}

function worldBadge() {
  const made = element('div', 'world');
  const mode = made.appendChild(element('span', 'badge mode'));
  const book = made.appendChild(element('span', 'book'));
  on('world', (world) => {
    const live = world.mode === 'live';
    put(mode, live ? 'LIVE' : 'PAPER');
    mode.className = `badge mode ${live ? 'live' : 'paper'}`;
    const source = { simulated: 'SIMULATED', replay: 'REPLAY' }[world.mode] ?? '';
    put(book, [source, world.book, world.session].filter(Boolean).join(' · '));
    book.title = [`Prices: ${world.source}`, ...world.assumed].join('\n');
    document.title = `${live ? 'LIVE' : 'PAPER'} ${world.book} – aitrade`;
  });
  return made;
}

function marketClock() {
  const made = element('div', 'clock');
  const now = made.appendChild(element('span', 'now num', '--:--:--'));
  const phase = made.appendChild(element('span', 'phase'));
  const draw = () => {
    if (state.time) put(now, format.time(marketNow()));
  };
  on('time', (time) => {
    put(phase, time.done ? 'Day is over' : time.paused ? `Paused · ${PHASES[time.phase]}` : PHASES[time.phase] ?? time.phase);
    draw();
  });
  setInterval(draw, 200);
  return made;
}

export function marketNow() {
  const { time, link } = state;
  if (!time) return 0;
  if (time.paused || time.done || time.speed === 0 || link.engine !== 'up') return time.now;
  return time.now + (performance.now() - time.received) * 1e6 * time.speed;
}

function pace() {
  const made = element('div', 'pace');
  const speeds = SPEEDS.map(([speed, label]) => {
    const button = made.appendChild(element('button', 'btn tiny', label));
    button.title = speed ? `Run the market at ${label}` : 'Run the market as fast as it goes';
    button.onclick = () => send('/speed', { speed, paused: false });
    return [speed, button];
  });
  const pause = made.appendChild(element('button', 'btn tiny', 'Pause'));
  pause.onclick = () => send('/speed', { paused: !state.time.paused });
  const to = made.appendChild(element('input', 'input tiny'));
  to.value = '14:15';
  to.pattern = '([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?';
  to.maxLength = 8;
  to.title = 'Market time, 24 hours, such as 14:15 or 14:14:30';
  to.ariaLabel = 'Jump forward to this market time';
  const jump = made.appendChild(element('button', 'btn tiny', 'Jump'));
  jump.title = 'Run forward to this time';
  jump.onclick = () => {
    if (state.time?.done) send('/jump', { to: 'next' });
    else if (to.validity.valid && to.value) send('/jump', { to: to.value });
    else toast(`“${to.value}” is no time of the market: type it as 14:15 or 14:14:30.`, 'warning');
  };
  to.onkeydown = (event) => { if (event.key === 'Enter') jump.click(); };
  on('world', (world) => { made.hidden = !['simulated', 'replay'].includes(world.mode); });
  on('time', (time) => {
    for (const [speed, button] of speeds) button.setAttribute('aria-pressed', String(!time.paused && time.speed === speed));
    pause.setAttribute('aria-pressed', String(time.paused));
    put(pause, time.paused ? 'Resume' : 'Pause');
    put(jump, time.done ? 'Next day' : 'Jump');
    to.hidden = time.done;
  });
  return made;
}

function meter(cell, share) {
  put(cell, `${share.toFixed(0)}%`);
  cell.parentNode.classList.add('meter');
  cell.parentNode.style.setProperty('--fill', `${Math.min(share, 100)}%`);
}

function strip() {
  const made = element('div', 'strip');
  const cells = ['CPU', 'RAM', 'ACC', 'VENUE'].map((name) => {
    const cell = made.appendChild(element('span', 'cell'));
    cell.append(element('i', '', name));
    return cell.appendChild(element('b', 'num'));
  });
  on('health', (health) => {
    meter(cells[0], health.cpu);
    meter(cells[1], health.ram);
    put(cells[2], health.accelerator);
    const venues = Object.values(health.venues);
    put(cells[3], venues.join(', ').replace('paper venue: connected', 'paper'));
    cells[3].title = venues.join('\n');
  });
  return made;
}

function money() {
  const made = element('div', 'money');
  made.append(element('i', '', "Day's P&L"));
  const value = made.appendChild(element('b', 'num'));
  on('funds', (funds) => {
    put(value, format.rupees(funds.day_pnl, { sign: true }));
    value.className = `num ${funds.day_pnl < 0 ? 'down' : funds.day_pnl > 0 ? 'up' : ''}`;
  });
  return made;
}

function tradingState() {
  const made = element('button', 'badge state');
  on('health', (health) => {
    put(made, health.state);
    made.className = `badge state ${health.state.toLowerCase()}`;
    made.title = health.reasons.join('\n') || 'All orders pass';
  });
  made.onclick = async () => {
    if (state.health?.state === 'ACTIVE') return;
    if (await confirm('All orders will pass again.', { title: 'Resume trading?', yes: 'Resume' })) send('/resume', { reason: 'from the page' });
  };
  return made;
}

function stopButton() {
  const made = element('button', 'btn btn-danger stop', 'STOP');
  made.title = 'Emergency stop: strategies stop, trading halts, all orders are cancelled, positions stay';
  made.onclick = async () => {
    const text = 'Strategies stop, trading halts and every working order is cancelled. Positions stay open; you can square them off afterwards.';
    if (!(await confirm(text, { title: 'Emergency stop', yes: 'Stop everything', danger: true }))) return;
    const report = await send('/emergency_stop', { reason: 'emergency stop from the page' });
    if (report) afterStop(report);
  };
  return made;
}

async function afterStop(report) {
  toast(report.text, 'alert');
  if (!report.positions_left.length) return;
  await Promise.all(report.positions_left.map(({ instrument }) => know(instrument)));
  const left = report.positions_left.map((row) => `${label(row.instrument)}  ${format.number(row.quantity)}`);
  if (await confirm(['These positions stay open:', ...left, '', 'Send exits at market for all of them?'].join('\n'), { title: 'Square off?', yes: 'Square off', danger: true })) {
    send('/square_off', {});
  }
}

export async function send(path, body) {
  try {
    return await post(path, body);
  } catch (error) {
    toast(error.message, 'alert');
    return null;
  }
}

// ---- what is wrong, and indices

const OLD = 'What you see is old.';
const TROUBLE = [
  ['server', 'network', `The network is gone. ${OLD} The page comes back by itself.`],
  ['server', 'down', `The page server does not answer. ${OLD} It comes back by itself in seconds; if not, aitrade up starts it again.`],
  ['server', 'login', `Your log-in has ended. ${OLD} Make a new link on the trading machine: aitrade open`],
  ['engine', 'down', `The engine does not answer. ${OLD} It is started again by itself, with every order that it had; if not, aitrade up starts it.`],
  ['engine', 'silent', `The engine has been silent for two seconds. ${OLD}`],
  ['feed', 'down', () => `${state.health.feed_failure} ${OLD} Cancelling works, orders wait for the next price.`],
  ['feed', 'silent', `No price has come for some seconds. ${OLD} The engine answers, orders and STOP work.`],
  ['kernel', 'down', 'The page’s kernel has ended: prices, orders and STOP work, forms do not. The page is loaded again when you let go of it.'],
  ['kernel', 'silent', 'The page’s kernel does not answer: forms wait. Prices, orders and STOP work.'],
];

function notice() {
  const made = element('div', 'notice');
  made.role = 'status';
  made.hidden = true;
  const words = made.appendChild(element('span'));
  const again = made.appendChild(element('button', 'btn tiny', 'Reload'));
  again.onclick = () => location.reload();
  const draw = () => {
    const { link } = state;
    const found = TROUBLE.find(([part, how]) => link[part] === how);
    made.hidden = !found;
    made.classList.toggle('mild', found?.[0] === 'kernel');
    again.hidden = found?.[0] !== 'kernel';
    const text = found?.[2] ?? '';
    put(words, typeof text === 'string' ? text : text());
    document.body.classList.toggle('stale', Boolean(found) && found[0] !== 'kernel');
  };
  on('link', draw);
  on('health', draw);
  return made;
}

function indices() {
  const made = element('div', 'indices');
  const cells = new Map();
  const draw = (keys) => keys.forEach((key) => {
    const cell = cells.get(key);
    const quote = state.quotes.get(key);
    if (!cell || !quote?.last) return;
    const change = quote.last - quote.previous_close;
    put(cell.last, format.price(quote.last));
    put(cell.change, quote.previous_close ? `${change > 0 ? '+' : ''}${format.price(change)} (${format.percent((100 * change) / quote.previous_close)})` : '');
    cell.change.className = `num ${change < 0 ? 'down' : 'up'}`;
  });
  on('snapshot', () => {
    made.replaceChildren();
    cells.clear();
    for (const key of state.indices) {
      const box = made.appendChild(element('button', 'index'));
      box.append(element('i', '', format.symbol(key)));
      cells.set(key, { last: box.appendChild(element('b', 'num')), change: box.appendChild(element('span', 'num')) });
      box.onclick = () => select(key);
    }
    made.hidden = !state.indices.length;
    draw(state.indices);
  });
  on('ticks', draw);
  return made;
}

// Have the instrument among those that the page knows, if there is one of that key today.
export async function know(key) {
  if (!key || state.instruments.has(key)) return;
  const found = await get(`/instruments?q=${encodeURIComponent(format.symbol(key))}&limit=50`).catch(() => []);
  for (const row of found) state.instruments.set(row.key, row);
}

export async function select(key) {
  await know(key);
  state.selected = key;
  emit('select', key);
}
