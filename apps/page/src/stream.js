// The engine's stream: one snapshot, then frames. Keeps the newest state and tells listeners by type.
const QUOTE_FIELDS = [
  'instrument', 'ts', 'last', 'bid', 'ask', 'bid_quantity', 'ask_quantity', 'volume', 'oi', 'previous_close',
  'open', 'high', 'low', 'modelled',
];
const KEYS = {
  orders: 'id', trades: 'id', positions: 'key', holdings: 'instrument', strategies: 'name', events: 'id', alerts: 'id',
};
const WHOLE = new Set(['holdings', 'alerts', 'strategies']);
const SILENCE_MS = 2000;
const GIVE_UP_MS = 8000;
const ENGINE_GONE = 4001;
const BACKOFF_MS = [250, 500, 1000, 2000, 4000];

export const state = {
  link: { engine: 'connecting', kernel: 'connecting', server: 'up', feed: 'up' },
  world: null, time: null, health: null, funds: null, btst: null, operations: null,
  quotes: new Map(), instruments: new Map(), indices: [], watchlist: [],
  orders: new Map(), trades: new Map(), positions: new Map(), holdings: new Map(), strategies: new Map(),
  events: new Map(), alerts: new Map(),
  selected: null, preset: null, tab: null,
};

const listeners = new Map();

export function on(type, listener) {
  if (!listeners.has(type)) listeners.set(type, new Set());
  listeners.get(type).add(listener);
  const present = current(type);
  if (present !== null && present !== undefined) listener(present);
  return () => listeners.get(type).delete(listener);
}

export function emit(type, value) {
  for (const listener of listeners.get(type) ?? []) {
    try {
      listener(value);
    } catch (error) {
      console.error(`listener of ${type}`, error);
    }
  }
}

function current(type) {
  if (type === 'ticks') return state.quotes.size ? [...state.quotes.keys()] : null;
  if (type === 'select') return state.selected;
  if (type in KEYS) return state[type].size ? state[type] : null;
  return state[type] ?? null;
}

export function setLink(change) {
  const before = JSON.stringify(state.link);
  Object.assign(state.link, change);
  if (JSON.stringify(state.link) !== before) emit('link', state.link);
}

function quote(row) {
  const fields = {};
  QUOTE_FIELDS.forEach((name, place) => { fields[name] = row[place]; });
  return fields;
}

function takeTicks(rows) {
  priced = performance.now();
  for (const row of rows) state.quotes.set(row[0], quote(row));
  emit('ticks', rows.map((row) => row[0]));
}

function takeRows(type, rows) {
  const kept = state[type];
  if (WHOLE.has(type)) kept.clear();
  for (const row of rows) kept.set(row[KEYS[type]], row);
  if (type === 'events' && kept.size > 600) [...kept.keys()].slice(0, kept.size - 500).forEach((id) => kept.delete(id));
  emit(type, kept);
}

// A snapshot replaces everything; of another day or book than was shown, "day" is told after it, so that what a view
// has asked for or chosen in the old one is dropped too.
function takeSnapshot(frame) {
  const { world } = state;
  const other = world && (world.session !== frame.world.session || world.book !== frame.world.book);
  if (other) state.instruments.clear();
  for (const type of Object.keys(KEYS)) {
    state[type].clear();
    for (const row of frame[type]) state[type].set(row[KEYS[type]], row);
  }
  for (const row of frame.instruments) state.instruments.set(row.key, row);
  for (const type of ['world', 'time', 'health', 'indices', 'watchlist']) state[type] = frame[type];
  state.time.received = performance.now();
  takeFunds(frame.funds, true);
  state.quotes.clear();
  takeTicks(frame.quotes);
  for (const type of ['world', 'time', 'health', ...Object.keys(KEYS)]) emit(type, state[type]);
  emit('snapshot', state);
  if (other) emit('day', state.world);
}

function takeFunds(funds, whole) {
  const curve = whole ? funds.pnl_curve : extended(state.funds?.pnl_curve ?? [], funds.pnl_curve);
  state.funds = { ...funds, pnl_curve: curve };
  emit('funds', state.funds);
}

function extended(curve, points) {
  for (const point of points) {
    if (!curve.length || curve[curve.length - 1][0] < point[0]) curve.push(point);
  }
  return curve;
}

function take(frame) {
  const { type } = frame;
  if (type === 'snapshot') takeSnapshot(frame);
  else if (type === 'ticks') {
    state.sent = frame.sent; // ns: when the engine sent the newest prices
    takeTicks(frame.rows);
  }
  else if (type === 'funds') takeFunds(frame, false);
  else if (type in KEYS) takeRows(type, frame.rows);
  else {
    if (type === 'time') frame.received = performance.now();
    state[type] = frame;
    emit(type, frame);
  }
}

// ---- the link: the engine sends the time four times a second, so silence means trouble

let socket = null;
let heard = 0;
let priced = 0;
let tries = 0;

export function connect() {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const opened = socket = new WebSocket(`${scheme}://${location.host}/aitrade/stream`);
  heard = performance.now();
  opened.onmessage = (message) => {
    const frame = JSON.parse(message.data);
    take(frame);
    if (frame.type !== 'time' && frame.type !== 'snapshot') return;
    heard = performance.now();
    tries = 0;
    setLink({ engine: 'up', server: 'up' });
  };
  opened.onclose = async (event) => {
    if (socket !== opened) return;
    setLink(event.code === ENGINE_GONE ? { engine: 'down', server: 'up' } : await whatIsWrong());
    setTimeout(connect, BACKOFF_MS[Math.min(tries++, BACKOFF_MS.length - 1)]);
  };
}

async function whatIsWrong() {
  try {
    const { status } = await fetch('/aitrade/api/health', { cache: 'no-store' });
    if (status === 401 || status === 403) return { server: 'login', engine: 'unknown' };
    return { server: 'up', engine: 'down' };
  } catch {
    return { server: navigator.onLine ? 'down' : 'network', engine: 'unknown' };
  }
}

function feed() {
  const { time, health, world } = state;
  if (health?.feed_failure) return 'down';
  if (time?.phase !== 'CONTINUOUS' || time.paused || time.done) priced = performance.now();
  return performance.now() - priced > 1000 * (world?.silence ?? Infinity) ? 'silent' : 'up';
}

function listen() {
  const silence = performance.now() - heard;
  setLink({ feed: feed() });
  const quiet = navigator.onLine ? { engine: 'silent' } : { server: 'network', engine: 'unknown' };
  if (state.link.engine === 'up' && silence > SILENCE_MS) setLink(quiet);
  if (silence > GIVE_UP_MS && socket?.readyState === WebSocket.OPEN) {
    socket.close();
    heard = performance.now();
  }
}

setInterval(listen, 250);
