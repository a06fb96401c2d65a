// The option chain: calls, strikes, puts. Prices move with the stream; volatilities and Greeks come with the chain, asked
// for again every two seconds. It tells the document "fno:chain" {chain, lots} and, on a click on a quote, "fno:leg".

const REFRESH_MS = 2000;
const GREEKS = { delta: ['Delta', 3, 'Δ'], theta: ['Theta', 1, 'Θ'], gamma: ['Gamma', 5, 'Γ'], vega: ['Vega', 2, 'ν'] };
const COLUMNS = ['oi', 'oi_change', 'volume', 'iv', 'greek', 'last', 'bid', 'ask'];
const TITLES = { oi: 'OI', oi_change: 'OI chg', volume: 'Volume', iv: 'IV', greek: 'Delta', last: 'Last', bid: 'Bid', ask: 'Ask' };
const SIDES = { bid: 'SELL', ask: 'BUY' };
const LIVE = ['last', 'bid', 'ask', 'volume', 'oi'];

const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };
const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
const indian = new Intl.NumberFormat('en-IN', { maximumFractionDigits: 0 });

// Units of a chain run to crores; in a narrow column they are read in lakhs and crores.
function short(value) {
  const size = Math.abs(value);
  if (size >= 1e7) return `${(value / 1e7).toFixed(2)}Cr`;
  return size >= 1e5 ? `${(value / 1e5).toFixed(2)}L` : indian.format(value);
}

// What to import so that a replayed session has options, in its own words: the day is the session's.
function withoutOptions({ state, format }) {
  const day = format.date(Date.parse(state.world.session) * 1e6).replace(/^\w+, /, '');
  return `No options were imported for ${day}.\n\nImport that day’s option chain, then start again:\n`
    + 'aitrade data import FOLDER   (Upstox JSON, NSE JSON or CSV snapshots of the chain)\n\n'
    + 'Or trade the simulated session, which has a full chain: aitrade up';
}

export function nearest(chain) {
  return chain.strikes.reduce((best, row) => (Math.abs(row.strike - chain.forward) < Math.abs(best.strike - chain.forward) ? row : best));
}

function render({ el }) {
  const desk = window.aitrade;
  const { element, format } = desk;
  const kept = JSON.parse(localStorage.getItem('aitrade.fno') ?? '{}');
  let { lots = true, greek = 'delta', underlying = '' } = kept;
  let expiry = '';
  let chain = null;
  let visible = false;
  let asking = false;
  let drawn = '';
  const cells = new Map();
  const offs = [];

  el.classList.add('panel', 'fno-chain');
  const bar = el.appendChild(element('div', 'fno-bar'));
  const names = chooser('Underlying', (value) => change(value, ''));
  const dates = chooser('Expiry', (value) => change(underlying, value));
  const facts = bar.appendChild(element('div', 'fno-facts num'));
  const modelled = bar.appendChild(element('span', 'fno-modelled', 'MODELLED'));
  modelled.hidden = true;
  bar.append(element('span', 'spring'));
  const unit = switches([['lots', 'Lots', 'Count in lots'], ['units', 'Units', 'Count in units']], () => (lots ? 'lots' : 'units'), (name) => { lots = name === 'lots'; });
  const shown = switches(Object.entries(GREEKS).map(([name, [title, , letter]]) => [name, letter, title]), () => greek, (name) => { greek = name; });
  const note = el.appendChild(element('div', 'fno-note warn'));
  note.role = 'status';
  const frame = el.appendChild(element('div', 'panel-body fno-frame'));
  const table = frame.appendChild(element('table', 'table fno-table num'));
  const head = table.appendChild(element('thead'));
  const greekTitles = heading();
  const body = table.appendChild(element('tbody'));

  function chooser(label, onPick) {
    const made = bar.appendChild(element('select', 'input'));
    made.ariaLabel = label;
    made.onchange = () => onPick(made.value);
    return made;
  }

  function switches(choices, chosen, choose) {
    const group = bar.appendChild(element('div', 'fno-switch'));
    const buttons = choices.map(([name, title, says]) => {
      const button = group.appendChild(element('button', 'btn tiny', title));
      button.title = button.ariaLabel = says;
      button.onclick = () => { choose(name); show(); keep(); redraw(); };
      return [name, button];
    });
    const show = () => buttons.forEach(([name, button]) => button.setAttribute('aria-pressed', String(name === chosen())));
    show();
    return group;
  }

  function heading() {
    const over = head.appendChild(element('tr', 'fno-over'));
    for (const [title, span, className] of [['Calls', COLUMNS.length, 'up'], ['', 1, ''], ['Puts', COLUMNS.length, 'down']]) {
      over.appendChild(element('th', className, title)).colSpan = span;
    }
    const row = head.appendChild(element('tr'));
    const make = (name) => {
      const made = row.appendChild(element('th', '', TITLES[name]));
      return name === 'greek' ? [made] : [];
    };
    const found = COLUMNS.flatMap(make);
    row.append(element('th', 'fno-strike', 'Strike'));
    return [...found, ...mirrored().flatMap(make)];
  }

  function mirrored() {
    return ['bid', 'ask', 'last', 'greek', 'iv', 'volume', 'oi_change', 'oi'];
  }

  function keep() {
    localStorage.setItem('aitrade.fno', JSON.stringify({ lots, greek, underlying }));
  }

  // ---- drawing

  function redraw() {
    if (!chain) return;
    greekTitles.forEach((title) => put(title, GREEKS[greek][0]));
    const made = `${chain.underlying} ${chain.expiry} ${chain.strikes.length}`;
    if (made !== drawn) build();
    drawn = made;
    const most = Math.max(1, ...chain.strikes.flatMap((row) => [row.call?.oi ?? 0, row.put?.oi ?? 0]));
    const money = nearest(chain).strike;
    for (const row of chain.strikes) {
      const line = cells.get(row.strike);
      line.root.classList.toggle('fno-atm', row.strike === money);
      line.root.classList.toggle('fno-call-in', row.strike < chain.spot);
      line.root.classList.toggle('fno-put-in', row.strike > chain.spot);
      for (const kind of ['call', 'put']) if (row[kind]) drawSide(line[kind], row[kind], most);
    }
    drawFacts();
    tell('fno:chain', { chain, lots });
  }

  function build() {
    cells.clear();
    body.replaceChildren();
    for (const row of chain.strikes) {
      const root = body.appendChild(element('tr'));
      const call = side(root, COLUMNS, row, 'call');
      root.append(element('td', 'fno-strike', format.price(row.strike, row.strike % 100 ? 2 : 0)));
      cells.set(row.strike, { root, call, put: side(root, mirrored(), row, 'put') });
    }
    const centre = cells.get(nearest(chain).strike).root;
    frame.scrollTop = centre.offsetTop - frame.clientHeight / 2;
  }

  function side(root, columns, row, kind) {
    return Object.fromEntries(columns.map((name) => {
      const made = root.appendChild(element('td', `fno-${kind} fno-${name}`));
      if (!row[kind]) return [name, made];
      if (!(name in SIDES)) {
        if (name === 'last') made.ondblclick = () => desk.select(row[kind].key);
        return [name, made];
      }
      const button = made.appendChild(element('button', 'fno-quote'));
      button.title = `${SIDES[name] === 'BUY' ? 'Buy' : 'Sell'} ${format.symbol(row[kind].key)}`;
      button.onclick = () => tell('fno:leg', { kind: kind.toUpperCase(), strike: row.strike, side: SIDES[name] });
      return [name, button];
    }));
  }

  function drawSide(line, quote, most) {
    const count = (value) => short(lots ? value / chain.lot : value);
    put(line.oi, count(quote.oi));
    line.oi.style.setProperty('--share', `${(100 * quote.oi) / most}%`);
    line.oi.title = `${indian.format(quote.oi)} units`;
    put(line.oi_change, `${quote.oi_change > 0 ? '+' : ''}${count(quote.oi_change)}`);
    line.oi_change.classList.toggle('up', quote.oi_change > 0);
    line.oi_change.classList.toggle('down', quote.oi_change < 0);
    put(line.volume, count(quote.volume));
    put(line.iv, quote.iv ? quote.iv.toFixed(1) : '–');
    put(line.greek, quote.iv ? quote[greek].toFixed(GREEKS[greek][1]) : '–');
    for (const name of ['last', 'bid', 'ask']) put(line[name], quote[name] ? format.price(quote[name]) : '–');
  }

  function drawFacts() {
    const total = (kind) => chain.strikes.reduce((sum, row) => sum + (row[kind]?.oi ?? 0), 0);
    const row = nearest(chain);
    const iv = row.call?.iv || row.put?.iv;
    const calls = total('call');
    const told = [
      ['Spot', format.price(chain.spot)], ['Forward', format.price(chain.forward)], ['ATM IV', iv ? `${iv.toFixed(1)}%` : '–'],
      ['PCR', calls ? (total('put') / calls).toFixed(2) : '–'],
    ];
    told.forEach(([name, value], place) => {
      const box = facts.children[place] ?? facts.appendChild(element('span'));
      if (!box.firstChild) box.append(element('i', '', `${name} `), element('b'));
      put(box.lastChild, value);
    });
    const simulated = desk.state.world.mode === 'simulated';
    modelled.hidden = !chain.modelled;
    put(modelled, simulated ? 'SIMULATED' : 'MODELLED');
    modelled.title = simulated ? 'A simulated market: no price here was printed by an exchange.' : 'These prices are computed, not printed by an exchange.';
  }

  function onTicks(keys) {
    if (!visible || !chain) return;
    for (const key of keys) {
      if (key === chain.underlying) chain.spot = desk.state.quotes.get(key).last || chain.spot;
      const place = places.get(key);
      if (!place) continue;
      const quote = desk.state.quotes.get(key);
      for (const name of LIVE) place.quote[name] = quote[name];
      const line = cells.get(place.strike)?.[place.kind];
      if (line) for (const name of ['last', 'bid', 'ask']) put(line[name], quote[name] ? format.price(quote[name]) : '–');
    }
  }

  // ---- asking

  let places = new Map();

  function options(node, values, chosen, text) {
    if (node.dataset.values !== values.join()) {
      node.replaceChildren(...values.map((value) => new Option(text(value), value)));
      node.dataset.values = values.join();
    }
    node.value = chosen;
  }

  async function begin() {
    const found = await desk.get('/underlyings');
    if (!found.includes(underlying)) underlying = desk.state.indices.find((key) => found.includes(key)) ?? found[0] ?? '';
    options(names, found, underlying, format.symbol);
    bar.hidden = frame.hidden = !found.length;
    el.closest('.fno')?.classList.toggle('fno-without', !found.length);
    note.classList.toggle('fno-nothing', !found.length);
    if (!found.length) put(note, withoutOptions(desk));
    return found.length > 0;
  }

  async function ask() {
    if (asking || !visible) return;
    asking = true;
    const wanted = [underlying, expiry].join();
    try {
      if (!underlying && !(await begin())) return;
      const query = `underlying=${encodeURIComponent(underlying)}&expiry=${encodeURIComponent(expiry)}`;
      const answer = await desk.get(`/chain?${query}`);
      if (wanted === [underlying, expiry].join() || !wanted.split(',')[0]) take(answer);
      put(note, '');
    } catch (error) {
      put(note, error.message);
      if (error.problems?.some((problem) => problem.rule === 'refused')) expiry = '';
    } finally {
      asking = false;
    }
  }

  function take(answer) {
    chain = answer;
    expiry = chain.expiry;
    options(dates, chain.expiries, expiry, (day) => format.date(Date.parse(day) * 1e6).replace(/^\w+, /, ''));
    places = new Map(chain.strikes.flatMap((row) => ['call', 'put'].flatMap((kind) => (
      row[kind] ? [[row[kind].key, { quote: row[kind], strike: row.strike, kind }]] : []))));
    redraw();
  }

  function change(name, day) {
    underlying = name;
    expiry = day;
    keep();
    desk.select(underlying);
    setTimeout(ask, asking ? 300 : 0);
  }

  // After a break or a new day the choice stays where it still exists.
  function again() {
    begin().then(ask, (error) => put(note, error.message));
  }

  offs.push(desk.on('tab', (name) => {
    visible = name === 'fno';
    if (visible) (names.options.length ? ask() : again());
  }));
  offs.push(desk.on('ticks', onTicks));
  offs.push(desk.on('snapshot', () => { if (visible) again(); }));
  offs.push(desk.on('day', () => {
    expiry = drawn = '';
    names.replaceChildren();
    delete names.dataset.values;
    if (visible) again();
  }));
  const timer = setInterval(ask, REFRESH_MS);
  return () => {
    offs.forEach((off) => off());
    clearInterval(timer);
  };
}

export default { render };
