// The BTST tab: locked until 14:15:00 of the market's clock, then the engine's ranked list, its reasons and its verdict.

const REFRESH_MS = 10000;
const CLOCK_MS = 200;
const OUT_OF = 10;

const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };
const points = (value) => value.toFixed(2);

function countdown(ns) {
  const seconds = Math.max(Math.ceil(ns / 1e9), 0);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

function render({ model, el }) {
  const desk = window.aitrade;
  const { element, format, state } = desk;
  const offs = [];
  const timers = [];
  const opened = new Set();
  const rows = new Map();
  let list = null;
  let counted = new Set();
  let visible = false;
  let asking = false;
  let asked = 0;
  let day = 0;

  el.classList.add('btst-host');
  const root = el.appendChild(element('div', 'btst'));
  const head = root.appendChild(element('div', 'panel btst-head'));
  const verdict = head.appendChild(element('div', 'btst-verdict'));
  const scorer = head.appendChild(element('div', 'btst-scorer'));
  const note = head.appendChild(element('div', 'btst-note warn'));
  note.role = 'status';
  const lock = root.appendChild(element('div', 'panel btst-lock'));
  const body = root.appendChild(element('div', 'btst-body'));
  const board = panel(body, 'Candidates');
  const sent = panel(body, 'Sent from here today');

  // ---- locked

  lock.append(element('div', 'btst-lock-title', 'Locked'));
  const remaining = lock.appendChild(element('div', 'btst-countdown num', '--:--:--'));
  const opens = lock.appendChild(element('div', 'dim num'));
  const track = lock.appendChild(element('div', 'btst-track'));
  const passed = track.appendChild(element('div', 'btst-passed'));
  lock.append(element('p', 'dim btst-why',
    'Buy today, sell tomorrow is judged on the day’s last hours: change, close in range, volume, strength against the index, last hour and trend. '
    + `A share that scores ${model.get('sendable_from')} of ${OUT_OF} or more can be sent; no trade is a full answer.`));

  function drawLock() {
    const now = desk.marketNow();
    if (!list?.locked || !now) return;
    put(remaining, countdown(list.opens - now));
    put(opens, `opens at ${format.time(list.opens)} of the market’s clock · now ${format.time(now)}`);
    const start = state.world?.phases?.find((phase) => phase[0] === 'CONTINUOUS')?.[1] ?? now;
    passed.style.width = `${Math.min(Math.max((now - start) / (list.opens - start), 0), 1) * 100}%`;
    if (now >= list.opens) ask(1000);
  }

  // ---- the list

  const table = board.body.appendChild(element('table', 'table btst-table'));
  const titles = table.appendChild(element('thead')).appendChild(element('tr'));
  const columns = ['#', 'Share', `Score of ${OUT_OF}`, 'Factors', 'Last', 'Change', ''];
  for (const title of columns) titles.append(element('th', ['Share', 'Factors'].includes(title) ? 'left' : '', title));
  const lines = table.appendChild(element('tbody'));
  const nothing = board.body.appendChild(element('div', 'empty', 'No share has prices yet.'));

  function drawList() {
    lock.hidden = !list.locked;
    body.hidden = list.locked;
    put(verdict, list.locked ? 'BTST Intelligence' : list.verdict);
    verdict.classList.toggle('btst-none', !list.locked && !list.candidates.some((candidate) => candidate.sendable));
    put(scorer, list.scorer);
    nothing.hidden = list.candidates.length > 0;
    const focus = document.activeElement?.dataset?.btst;
    rows.clear();
    counted = new Set(list.candidates.flatMap(({ factors }) => factors.filter(({ out_of }) => out_of).map(({ name }) => name)));
    nameFactors((list.candidates[0]?.factors ?? []).filter(({ name }) => counted.has(name)));
    lines.replaceChildren(...list.candidates.flatMap((candidate, place) => candidateRows(candidate, place)));
    if (focus) lines.querySelector(`[data-btst="${CSS.escape(focus)}"]`)?.focus();
    drawPrices(rows.keys());
    drawLock();
  }

  // The factors' names stand over their bars, so that a bar is read without opening its row.
  function nameFactors(factors) {
    const names = element('div', 'btst-spark');
    names.append(...factors.map(({ name, out_of }) => {
      const made = element('span', 'btst-over', name);
      made.title = out_of ? `${name}: up to ${out_of} points` : name;
      return made;
    }));
    titles.children[columns.indexOf('Factors')].replaceChildren(factors.length ? names : 'Factors');
  }

  function candidateRows(candidate, place) {
    const row = element('tr', candidate.sendable ? 'btst-row btst-sendable' : 'btst-row');
    const more = element('tr', 'btst-more');
    const toggle = element('button', 'btst-toggle', format.symbol(candidate.instrument));
    toggle.dataset.btst = `open ${candidate.instrument}`;
    const cells = { last: element('td', 'num'), change: element('td', 'num') };
    row.append(
      element('td', 'num dim', String(place + 1)), cell(toggle, 'left'), cell(scoreBar(candidate)),
      cell(spark(candidate.factors), 'left'), cells.last, cells.change, cell(sendButton(candidate)),
    );
    more.append(reasons(candidate.factors));
    const show = () => {
      more.hidden = !opened.has(candidate.instrument);
      toggle.setAttribute('aria-expanded', String(!more.hidden));
    };
    row.onclick = () => {
      if (!opened.delete(candidate.instrument)) opened.add(candidate.instrument);
      desk.select(candidate.instrument);
      show();
    };
    show();
    rows.set(candidate.instrument, cells);
    return [row, more];
  }

  function cell(child, className = '') {
    const made = element('td', className);
    made.append(child);
    return made;
  }

  function bar(share, className) {
    const made = element('span', `btst-bar ${className}`);
    made.appendChild(element('span', 'btst-fill')).style.width = `${share * 100}%`;
    return made;
  }

  function scoreBar(candidate) {
    const made = element('div', 'btst-score');
    const drawn = bar(candidate.score / OUT_OF, candidate.sendable ? 'enough' : '');
    const mark = drawn.appendChild(element('span', 'btst-mark'));
    mark.style.left = `${(model.get('sendable_from') / OUT_OF) * 100}%`;
    mark.title = `${model.get('sendable_from')}: from here one may send`;
    made.append(drawn, element('b', 'num', points(candidate.score)));
    return made;
  }

  function spark(factors) {
    const made = element('div', 'btst-spark');
    // One that counts for another share keeps its place here: every bar stands under its name.
    for (const factor of factors.filter(({ name }) => counted.has(name))) {
      const drawn = made.appendChild(bar(factor.out_of ? factor.points / factor.out_of : 0, ''));
      drawn.title = `${factor.name}: ${factor.out_of ? `${points(factor.points)} of ${factor.out_of}; ` : ''}${factor.because}`;
    }
    return made;
  }

  function reasons(factors) {
    const made = element('td');
    made.colSpan = columns.length;
    const grid = made.appendChild(element('div', 'btst-reasons'));
    for (const factor of factors) {
      grid.append(
        element('span', 'btst-name', factor.name), bar(factor.out_of ? factor.points / factor.out_of : 0, ''),
        element('span', 'num', factor.out_of ? `${points(factor.points)} of ${factor.out_of}` : '–'), element('span', 'dim', factor.because),
      );
    }
    return made;
  }

  function sendButton(candidate) {
    const made = element('button', 'btn tiny btn-buy', 'Buy…');
    made.dataset.btst = `buy ${candidate.instrument}`;
    made.disabled = !candidate.sendable;
    made.title = candidate.sendable ? 'Buy for delivery, to sell tomorrow' : `Below ${model.get('sendable_from')}: cannot be sent`;
    made.onclick = (event) => {
      event.stopPropagation();
      openTicket(candidate);
    };
    return made;
  }

  function drawPrices(keys) {
    for (const key of keys) {
      const cells = rows.get(key);
      const quote = state.quotes.get(key);
      if (!cells || !quote?.last) continue;
      const change = quote.previous_close ? (100 * (quote.last - quote.previous_close)) / quote.previous_close : null;
      put(cells.last, format.price(quote.last));
      const modelled = quote.modelled && state.world.mode !== 'simulated';
      cells.last.classList.toggle('btst-modelled', modelled);
      cells.last.title = modelled ? 'MODELLED: computed, not printed by an exchange' : '';
      put(cells.change, change === null ? '–' : format.percent(change));
      cells.change.className = `num ${change < 0 ? 'down' : 'up'}`;
    }
  }

  // ---- sending

  function openTicket(candidate) {
    const dialog = element('dialog', 'dialog btst-ticket');
    const form = dialog.appendChild(element('form'));
    form.append(element('h2', '', `Buy ${format.symbol(candidate.instrument)} to sell tomorrow`));
    form.append(element('p', 'dim', `Score ${points(candidate.score)}: ${list.scorer}. Market order, delivery (CNC).`));
    const label = form.appendChild(element('label', 'btst-field', 'Quantity'));
    const quantity = label.appendChild(element('input', 'input num'));
    Object.assign(quantity, { type: 'number', min: 1, step: 1, value: 1, required: true });
    const costs = form.appendChild(element('div', 'btst-costs num'));
    const actions = form.appendChild(element('div', 'dialog-actions'));
    const cancel = actions.appendChild(element('button', 'btn', 'Cancel'));
    const buy = actions.appendChild(element('button', 'btn btn-buy', 'Buy'));
    cancel.type = 'button';
    const order = () => ({
      instrument: candidate.instrument, side: 'BUY', quantity: Number(quantity.value), type: 'MARKET', product: 'CNC', strategy: model.get('strategy'),
    });
    const close = () => dialog.remove();
    const preview = latest(async () => {
      if (!(Number(quantity.value) > 0)) return { problems: [{ text: 'Enter a quantity of one share or more.' }] };
      return desk.post('/preview', order()).catch((error) => ({ problems: error.problems }));
    }, (answer) => {
      buy.disabled = answer.problems.length > 0;
      costs.replaceChildren(...costLines(answer));
    });
    quantity.oninput = preview;
    cancel.onclick = close;
    dialog.oncancel = close;
    form.onsubmit = async (event) => {
      event.preventDefault();
      buy.disabled = true;
      try {
        await desk.post('/orders', order());
        desk.toast(`Sent: buy ${format.number(Number(quantity.value))} ${format.symbol(candidate.instrument)}`);
        close();
      } catch (error) {
        costs.replaceChildren(element('div', 'warn', error.message));
        buy.disabled = false;
      }
    };
    document.body.append(dialog);
    dialog.showModal();
    quantity.select();
    preview();
  }

  function costLines(answer) {
    const figures = answer.value === undefined ? [] : [
      ['Value', answer.value], ['Charges', answer.charges.total ?? 0], ['Needed', answer.margin], ['Available', answer.available],
    ];
    return [
      ...figures.map(([name, value]) => {
        const line = element('div', 'btst-cost');
        line.append(element('i', '', name), element('b', '', format.rupees(value)));
        return line;
      }),
      ...answer.problems.map((problem) => element('div', 'warn', problem.text)),
    ];
  }

  function drawSent(orders) {
    const own = [...orders.values()].filter((order) => order.strategy === model.get('strategy')).reverse();
    sent.root.hidden = own.length === 0;
    sent.body.replaceChildren(...own.map((order) => {
      const line = element('div', 'btst-order num');
      line.append(
        element('span', 'dim', format.time(order.created)), element('b', order.side === 'BUY' ? 'up' : 'down', order.side),
        element('span', '', `${format.number(order.filled)}/${format.number(order.quantity)} ${format.symbol(order.instrument)}`),
        element('span', '', order.average ? `@ ${format.price(order.average)}` : ''), element('span', 'badge', order.state),
        element('span', 'dim', order.reason),
      );
      return line;
    }));
  }

  // ---- asking

  async function ask(least = 0) {
    if (asking || performance.now() - asked < least) return;
    asking = true;
    asked = performance.now();
    const of = day;
    try {
      const answer = await desk.get('/btst');
      if (of !== day) return;
      list = answer;
      put(note, '');
      drawList();
    } catch (error) {
      put(note, error.message);
    } finally {
      if (of === day) asking = false;
    }
  }

  function onTab(name) {
    visible = name === 'btst';
    if (!visible) return;
    ask();
    drawPrices(rows.keys());
    drawSent(state.orders);
  }

  lock.hidden = body.hidden = sent.root.hidden = true;
  offs.push(desk.on('tab', onTab));
  offs.push(desk.on('ticks', (keys) => { if (visible) drawPrices(keys); }));
  offs.push(desk.on('orders', (orders) => { if (visible) drawSent(orders); }));
  offs.push(desk.on('snapshot', () => { if (visible) ask(); }));
  offs.push(desk.on('day', () => {
    list = null;
    asking = false;
    day += 1;
    opened.clear();
    lock.hidden = body.hidden = true;
    if (visible) ask();
  }));
  timers.push(setInterval(() => { if (visible) ask(); }, REFRESH_MS));
  timers.push(setInterval(() => { if (visible) drawLock(); }, CLOCK_MS));
  return () => {
    offs.forEach((off) => off());
    timers.forEach(clearInterval);
  };

  function panel(parent, title) {
    const made = parent.appendChild(element('div', 'panel'));
    made.append(element('div', 'panel-title', title));
    return { root: made, body: made.appendChild(element('div', 'panel-body')) };
  }
}

// Only the newest answer is shown, however the answers come in.
function latest(fetch, show) {
  let newest = 0;
  return async () => {
    const own = (newest += 1);
    const answer = await fetch();
    if (own === newest) show(answer);
  };
}

export default { render };
