// The strategy builder: templates and single legs over the chain's prices. The kernel works out what follows (fno.py);
// the engine says what the basket ties and costs, and why it would be refused. Tells the document "fno:picture".

const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };

function render({ model, el }) {
  const desk = window.aitrade;
  const { element, format } = desk;
  let chain = null;
  let inLots = true;
  let legs = [];
  let name = '';
  let answer = null;
  let asked = 0;
  let previewed = 0;
  let sending = false;
  let costs = null;

  el.classList.add('panel', 'fno-builder');
  const title = el.appendChild(element('div', 'panel-title', 'Strategy'));
  title.append(element('span', 'spring'));
  const clear = title.appendChild(element('button', 'btn tiny', 'Clear'));
  const bar = el.appendChild(element('div', 'fno-bar'));
  const template = bar.appendChild(element('select', 'input'));
  template.ariaLabel = 'Strategy';
  template.append(new Option('Choose a strategy …', ''), ...model.get('templates').map((title) => new Option(title, title)));
  const near = field('Width', 'Strikes between the money and the near legs', 2);
  const far = field('Wings', 'Strikes between the money and the far legs', 4);
  const lots = field('Lots', 'Lots a leg', 1);
  bar.append(element('span', 'spring'));
  const product = bar.appendChild(element('select', 'input'));
  product.ariaLabel = 'Product';
  product.append(new Option('NRML', 'NRML'), new Option('MIS', 'MIS'));
  const frame = el.appendChild(element('div', 'fno-legs'));
  const table = frame.appendChild(element('table', 'table num'));
  const titles = table.appendChild(element('thead')).appendChild(element('tr'));
  const body = table.appendChild(element('tbody'));
  const figures = el.appendChild(element('div', 'fno-figures num'));
  const problems = el.appendChild(element('div', 'fno-problems warn'));
  problems.role = 'status';
  const foot = el.appendChild(element('div', 'fno-foot'));
  const costLine = foot.appendChild(element('div', 'fno-costs num'));
  const send = foot.appendChild(element('button', 'btn btn-primary', 'Send basket'));
  send.disabled = true;

  function field(label, title, value) {
    const made = bar.appendChild(element('label', 'fno-field', label));
    made.title = title;
    const input = made.appendChild(element('input', 'input tiny num'));
    Object.assign(input, { type: 'number', min: 1, step: 1, value });
    return input;
  }

  // ---- legs

  function same(leg, other) {
    return leg.kind === other.kind && leg.strike === other.strike;
  }

  function add({ kind, strike, side }) {
    const quantity = (side === 'BUY' ? 1 : -1) * chain.lot * Math.max(Number(lots.value) || 1, 1);
    const there = legs.find((leg) => same(leg, { kind, strike }));
    if (there) there.quantity += quantity;
    else legs.push({ kind, strike, quantity, premium: 0 });
    legs = legs.filter((leg) => leg.quantity);
    name = 'Own strategy';
    template.value = '';
    drawLegs();
    ask();
  }

  function drop(leg) {
    legs = legs.filter((other) => other !== leg);
    name = 'Own strategy';
    template.value = '';
    drawLegs();
    ask();
  }

  function quoteOf(leg) {
    return chain?.strikes.find((row) => row.strike === leg.strike)?.[leg.kind.toLowerCase()];
  }

  function drawLegs() {
    titles.replaceChildren(...['Side', 'Option', inLots ? 'Lots' : 'Units', 'Price', '', 'IV', 'Delta', ''].map((title) => element('th', '', title)));
    body.replaceChildren(...legs.map(legRow));
    drawQuotes();
  }

  function legRow(leg) {
    const row = element('tr');
    const side = element('button', `btn tiny ${leg.quantity > 0 ? 'btn-buy' : 'btn-sell'}`, leg.quantity > 0 ? 'BUY' : 'SELL');
    side.title = 'Turn the side';
    side.onclick = () => { leg.quantity = -leg.quantity; name = 'Own strategy'; drawLegs(); ask(); };
    const option = element('span', 'fno-option', `${format.price(leg.strike, leg.strike % 100 ? 2 : 0)} ${leg.kind === 'CALL' ? 'CE' : 'PE'}`);
    const remove = element('button', 'btn tiny', '✕');
    remove.ariaLabel = 'Remove the leg';
    remove.onclick = () => drop(leg);
    for (const child of [side, option, quantityInput(leg), priceInput(leg), typeButton(leg), element('span', 'fno-leg-iv'), element('span', 'fno-leg-delta'), remove]) {
      row.appendChild(element('td')).append(child);
    }
    return row;
  }

  function quantityInput(leg) {
    const made = element('input', 'input tiny num');
    const step = inLots ? 1 : chain.lot;
    Object.assign(made, { type: 'number', min: step, step, value: Math.abs(leg.quantity) / (inLots ? chain.lot : 1) });
    made.ariaLabel = inLots ? 'Lots' : 'Units';
    made.onchange = () => {
      const units = Math.round(Number(made.value) * (inLots ? chain.lot : 1));
      if (units > 0) leg.quantity = Math.sign(leg.quantity) * units;
      ask();
    };
    return made;
  }

  function priceInput(leg) {
    const made = element('input', 'input tiny num fno-leg-price');
    Object.assign(made, { type: 'number', min: 0.05, step: 0.05, disabled: !leg.premium });
    made.ariaLabel = 'Limit price';
    if (leg.premium) made.value = (leg.premium / 100).toFixed(2);
    made.onchange = () => {
      leg.premium = Math.round(Number(made.value) * 100) || leg.premium;
      ask();
    };
    return made;
  }

  function typeButton(leg) {
    const made = element('button', 'btn tiny', leg.premium ? 'Limit' : 'Market');
    made.title = leg.premium ? 'Send at market instead' : 'Send with a limit at this price instead';
    made.onclick = () => {
      const quote = quoteOf(leg);
      const price = quote && ((leg.quantity > 0 ? quote.ask : quote.bid) || quote.last);
      leg.premium = leg.premium ? 0 : price ?? 0;
      drawLegs();
      ask();
    };
    return made;
  }

  function drawQuotes() {
    legs.forEach((leg, place) => {
      const row = body.children[place];
      const quote = quoteOf(leg);
      if (!row || !quote) return;
      put(row.querySelector('.fno-leg-iv'), quote.iv ? `${quote.iv.toFixed(1)}%` : '–');
      put(row.querySelector('.fno-leg-delta'), quote.iv ? quote.delta.toFixed(2) : '–');
      const price = row.querySelector('.fno-leg-price');
      const now = (leg.quantity > 0 ? quote.ask : quote.bid) || quote.last;
      if (!leg.premium) price.value = (now / 100).toFixed(2);
    });
  }

  // ---- asking the kernel

  function ask() {
    if (!chain) return;
    if (!legs.length) return forget();
    const strikes = chain.strikes.filter((row) => legs.some((leg) => leg.strike === row.strike));
    model.send({ id: (asked += 1), chain: { ...chain, strikes }, name: name || 'Own strategy', legs, product: product.value });
  }

  function askTemplate() {
    if (!chain || !template.value) return;
    name = template.value;
    model.send({
      id: (asked += 1), chain, name, quantity: chain.lot * Number(lots.value), near: Number(near.value), far: Number(far.value), product: product.value,
    });
  }

  function forget() {
    asked += 1;
    answer = costs = null;
    legs = [];
    name = '';
    put(problems, '');
    drawLegs();
    drawFigures();
    drawCosts();
    tell('fno:picture', null);
  }

  function onAnswer(message) {
    if (message.id !== asked) return;
    put(problems, message.refused ?? '');
    if (message.refused) {
      answer = null;
      drawFigures();
      drawCosts();
      tell('fno:picture', null);
      return;
    }
    answer = message;
    if (!legs.length || template.value) takeLegs();
    drawFigures();
    tell('fno:picture', { ...answer, spot: chain.spot });
    preview();
  }

  // A template's legs become the person's own: the same rows, so that an edit goes on from them.
  function takeLegs() {
    const found = answer.strategy.legs.map((leg) => ({
      kind: leg.kind, strike: leg.strike, quantity: leg.quantity, premium: answer.market.includes(leg.key) ? 0 : leg.premium,
    }));
    if (JSON.stringify(found) === JSON.stringify(legs)) return;
    legs = found;
    drawLegs();
  }

  function drawFigures() {
    const told = answer ? figuresOf(answer) : [];
    figures.replaceChildren(...told.map(([title, value, className]) => {
      const box = element('div', 'fno-figure');
      box.append(element('i', '', title), element('b', className ?? '', value));
      return box;
    }));
  }

  function figuresOf({ strategy, greeks, days }) {
    const limit = (paise, sign) => (paise === null ? 'Unlimited' : format.rupees(sign * paise, { dp: 0 }));
    const paid = strategy.net_premium;
    const rupees = (value) => format.rupees(100 * value, { sign: true, dp: 0 });
    return [
      ['Max profit', limit(strategy.max_profit, 1), 'up'], ['Max loss', limit(strategy.max_loss, -1), 'down'],
      [paid >= 0 ? 'Premium paid' : 'Premium received', format.rupees(Math.abs(paid), { dp: 0 })],
      ['Break-even', strategy.break_evens.map((price) => format.price(price)).join(' · ') || 'none'],
      ['Delta', greeks.delta.toFixed(1)], ['Theta a day', rupees(greeks.theta)], ['Vega a point', rupees(greeks.vega)],
      ['To expiry', `${days.toFixed(days < 1 ? 2 : 1)} days`],
    ];
  }

  // ---- asking the engine

  async function preview() {
    const own = (previewed += 1);
    try {
      costs = await desk.post('/baskets/preview', answer.orders);
    } catch (error) {
      costs = { problems: error.problems ?? [{ text: error.message }] };
    }
    if (own === previewed) drawCosts();
  }

  function drawCosts() {
    const known = answer && costs?.charges ? [['Margin, approx.', costs.margin], ['Charges', costs.charges.total ?? 0], ['Free', costs.available]] : [];
    costLine.replaceChildren(...known.map(([title, value]) => {
      const box = element('span');
      box.append(element('i', '', `${title} `), element('b', '', format.rupees(value)));
      return box;
    }));
    if (answer) put(problems, costs ? costs.problems.map((problem) => problem.text).join(' ') : '');
    send.disabled = sending || !answer || !costs || costs.problems.length > 0;
    put(send, answer ? `Send basket (${answer.orders.length})` : 'Send basket');
  }

  function inWords(order) {
    const price = order.type === 'MARKET' ? 'at market' : `at ${format.price(order.price)}`;
    const lots = order.quantity / chain.lot;
    const count = inLots && Number.isInteger(lots) ? `${format.number(lots)} lot${lots === 1 ? '' : 's'} (${format.number(order.quantity)})` : format.number(order.quantity);
    return `${order.side === 'BUY' ? 'Buy' : 'Sell'} ${count} ${desk.label(order.instrument)} ${price}`;
  }

  send.onclick = async () => {
    const orders = answer.orders;
    await Promise.all(orders.map(({ instrument }) => desk.know(instrument)));
    const text = [
      ...orders.map(inWords), '', `Margin ${format.rupees(costs.margin)} (approximation), charges ${format.rupees(costs.charges.total)}.`,
      'All legs pass the checks or none is sent.',
    ].join('\n');
    if (!(await desk.confirm(text, { title: `Send ${name}?`, yes: 'Send basket' }))) return;
    sending = true;
    drawCosts();
    try {
      const placed = await desk.post('/baskets', orders);
      desk.toast(`${name}: ${placed.length} orders sent`);
      forget();
      template.value = '';
    } catch (error) {
      desk.toast(error.message, 'alert');
    } finally {
      sending = false;
      drawCosts();
    }
  };

  // ---- what moves it

  for (const input of [template, near, far, lots]) input.onchange = askTemplate;
  product.onchange = ask;
  clear.onclick = () => { template.value = ''; forget(); };
  const onMessage = (message) => onAnswer(message);
  model.on('msg:custom', onMessage);
  const onChain = ({ detail }) => {
    const other = !chain || chain.underlying !== detail.chain.underlying || chain.expiry !== detail.chain.expiry;
    const turned = inLots !== detail.lots;
    chain = detail.chain;
    inLots = detail.lots;
    if (other) {
      legs = [];
      if (template.value) askTemplate();
      else forget();
    } else if (turned) drawLegs();
    if (!other && !sending && !document.querySelector('dialog[open]')) {
      if (legs.length) ask();
      else if (template.value) askTemplate();
    }
    drawQuotes();
  };
  const onLeg = ({ detail }) => add(detail);
  document.addEventListener('fno:chain', onChain);
  document.addEventListener('fno:leg', onLeg);
  drawLegs();
  drawFigures();
  return () => {
    model.off('msg:custom', onMessage);
    document.removeEventListener('fno:chain', onChain);
    document.removeEventListener('fno:leg', onLeg);
  };
}

export default { render };
