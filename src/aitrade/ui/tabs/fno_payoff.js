// The payoff: what the builder's strategy makes at expiry and is worth today, over prices of the underlying.

const SPACE = { left: 64, right: 14, top: 20, bottom: 22 };
const SVG = 'http://www.w3.org/2000/svg';

function draw(tag, attributes, text = '') {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
}

// Steps of 1, 2 or 5 times a power of ten, about `count` of them.
function steps(low, high, count) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) found.push(value);
  return found;
}

// The value between the curve's points: they hold every strike, so that at expiry this is exact.
function between(prices, values, price) {
  const right = prices.findIndex((other) => other >= price);
  if (right <= 0) return values[right < 0 ? values.length - 1 : 0];
  const share = (price - prices[right - 1]) / (prices[right] - prices[right - 1]);
  return values[right - 1] + share * (values[right] - values[right - 1]);
}

function render({ el }) {
  const { element, format } = window.aitrade;
  let picture = null;
  let pointer = null;

  el.classList.add('panel', 'fno-payoff');
  const title = el.appendChild(element('div', 'panel-title', 'Payoff'));
  const says = title.appendChild(element('span', 'fno-reading num'));
  const stage = el.appendChild(element('div', 'fno-stage'));
  const svg = stage.appendChild(draw('svg', { role: 'img', 'aria-label': 'Profit and loss over prices of the underlying' }));
  const empty = stage.appendChild(element('div', 'empty', 'Choose a strategy, or click a bid or an ask in the chain.'));

  const compact = (paise) => {
    const rupees = paise / 100;
    const size = Math.abs(rupees);
    const text = size >= 1e7 ? `${(size / 1e7).toFixed(1)}Cr` : size >= 1e5 ? `${(size / 1e5).toFixed(1)}L` : format.number(size);
    return `${rupees < 0 ? '-' : ''}₹${text}`;
  };

  function scales() {
    const { prices, at_expiry: expiry, today } = picture.curve;
    const [width, height] = [stage.clientWidth, stage.clientHeight];
    const values = [...expiry, ...today, 0];
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const slack = (most - least || 100) * 0.08;
    const [low, high] = [least - slack, most + slack];
    const [first, last] = [prices[0], prices[prices.length - 1]];
    const span = width - SPACE.left - SPACE.right;
    return {
      width, height, low, high, first, last,
      x: (price) => SPACE.left + (span * (price - first)) / (last - first),
      y: (value) => SPACE.top + ((height - SPACE.top - SPACE.bottom) * (high - value)) / (high - low),
      price: (x) => first + ((x - SPACE.left) * (last - first)) / span,
    };
  }

  const path = (to, prices, values) => prices.map((price, place) => `${place ? 'L' : 'M'}${to.x(price).toFixed(1)} ${to.y(values[place]).toFixed(1)}`).join('');

  function redraw() {
    empty.hidden = picture !== null;
    svg.replaceChildren();
    says.textContent = '';
    if (!picture || !stage.clientWidth) return;
    const to = scales();
    svg.setAttribute('viewBox', `0 0 ${to.width} ${to.height}`);
    grid(to);
    curves(to);
    marks(to);
    reading(to);
  }

  function grid(to) {
    for (const value of steps(to.low, to.high, Math.max(to.height / 38, 2))) {
      svg.append(draw('line', { class: value ? 'fno-grid-line' : 'fno-zero', x1: SPACE.left, x2: to.width - SPACE.right, y1: to.y(value), y2: to.y(value) }));
      svg.append(draw('text', { class: 'fno-tick', x: SPACE.left - 6, y: to.y(value) + 4, 'text-anchor': 'end' }, compact(value)));
    }
    for (const price of steps(to.first, to.last, to.width / 90)) {
      svg.append(draw('text', { class: 'fno-tick', x: to.x(price), y: to.height - 6, 'text-anchor': 'middle' }, format.price(price, 0)));
    }
  }

  function curves(to) {
    const { prices, at_expiry: expiry, today } = picture.curve;
    const zero = to.y(0);
    const area = `${path(to, prices, expiry)}L${to.x(to.last)} ${zero}L${to.x(to.first)} ${zero}Z`;
    for (const [name, y, height] of [['up', SPACE.top, zero - SPACE.top], ['down', zero, to.height - SPACE.bottom - zero]]) {
      const clip = draw('clipPath', { id: `fno-${name}` });
      clip.append(draw('rect', { x: 0, y, width: to.width, height: Math.max(height, 0) }));
      svg.append(clip, draw('path', { class: `fno-area-${name}`, d: area, 'clip-path': `url(#fno-${name})` }));
    }
    svg.append(draw('path', { class: 'fno-today', d: path(to, prices, today) }));
    svg.append(draw('path', { class: 'fno-expiry', d: path(to, prices, expiry) }));
  }

  function marks(to) {
    const { break_evens: evens, legs } = picture.strategy;
    for (const leg of legs) {
      svg.append(draw('line', { class: leg.quantity > 0 ? 'fno-leg-buy' : 'fno-leg-sell', x1: to.x(leg.strike), x2: to.x(leg.strike), y1: to.height - SPACE.bottom - 7, y2: to.height - SPACE.bottom }));
    }
    for (const price of evens) {
      svg.append(draw('circle', { class: 'fno-even', cx: to.x(price), cy: to.y(0), r: 3.5 }));
      svg.append(draw('text', { class: 'fno-even-text', x: to.x(price), y: to.y(0) - 8, 'text-anchor': 'middle' }, format.price(price)));
    }
    const spot = to.x(picture.spot);
    svg.append(draw('line', { class: 'fno-spot', x1: spot, x2: spot, y1: SPACE.top, y2: to.height - SPACE.bottom }));
    svg.append(draw('text', { class: 'fno-spot-text', x: spot, y: SPACE.top - 6, 'text-anchor': 'middle' }, `Spot ${format.price(picture.spot)}`));
  }

  function reading(to) {
    const price = pointer === null ? picture.spot : Math.min(Math.max(to.price(pointer), to.first), to.last);
    const { prices, at_expiry: expiry, today } = picture.curve;
    if (pointer !== null) svg.append(draw('line', { class: 'fno-pointer', x1: to.x(price), x2: to.x(price), y1: SPACE.top, y2: to.height - SPACE.bottom }));
    for (const [name, label, value] of [['', 'at ', null], ['fno-key-expiry', 'expiry ', between(prices, expiry, price)], ['fno-key-today', 'today ', between(prices, today, price)]]) {
      const part = says.appendChild(element('span', name, label));
      part.append(element('b', value === null ? '' : value < 0 ? 'down' : 'up', value === null ? format.price(price) : format.rupees(value, { sign: true, dp: 0 })));
    }
  }

  stage.onpointermove = (event) => { pointer = event.offsetX; redraw(); };
  stage.onpointerleave = () => { pointer = null; redraw(); };
  const watcher = new ResizeObserver(redraw);
  watcher.observe(stage);
  const show = ({ detail }) => { picture = detail; redraw(); };
  document.addEventListener('fno:picture', show);
  return () => {
    watcher.disconnect();
    document.removeEventListener('fno:picture', show);
  };
}

export default { render };
