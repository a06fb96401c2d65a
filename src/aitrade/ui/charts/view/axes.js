// Ticks and labels: prices are in paise, times in ns UTC and written in IST.

const DAY = 1440;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (n) => String(n).padStart(2, "0");

export function ist(ns) {
  const at = new Date(ns / 1e6 + 19_800_000);
  return {
    year: at.getUTCFullYear(), month: at.getUTCMonth(), day: at.getUTCDate(),
    hour: at.getUTCHours(), minute: at.getUTCMinutes(),
  };
}

export const clockText = ({ hour, minute }) => `${two(hour)}:${two(minute)}`;
export const dayText = ({ day, month, year }) => `${two(day)} ${MONTHS[month]} ${year}`;
export const timeText = (ns, minutes) => {
  const at = ist(ns);
  return minutes < DAY ? `${two(at.day)} ${MONTHS[at.month]} ${clockText(at)}` : dayText(at);
};

// Round steps of 1, 2 or 5 times a power of ten, about `gap` pixels apart.
export function priceTicks(low, high, pixels, gap = 46) {
  const rough = ((high - low) * gap) / Math.max(pixels, 1);
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1e-9)));
  const step = [1, 2, 5, 10].find((m) => m * power >= rough) * power;
  const ticks = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) ticks.push(i * step || 0);
  return { ticks, step };
}

// How much a bar's time stands out from the one before: year, month, day, then rounder and rounder clock times.
function weight(now, before) {
  if (!before) return 7;
  if (now.year !== before.year) return 9;
  if (now.month !== before.month) return 8;
  if (now.day !== before.day) return 7;
  const at = now.hour * 60 + now.minute;
  return [60, 30, 15, 5, 1].findIndex((m) => at % m === 0) * -1 + 6;
}

const label = (now, rank) => {
  if (rank === 9) return String(now.year);
  if (rank === 8) return MONTHS[now.month];
  return rank === 7 ? `${now.day} ${MONTHS[now.month]}` : clockText(now);
};

// The weightiest times first, each at least `gap` pixels from those placed.
export function timeTicks(starts, xs, toPixel, from, to, gap = 72) {
  const marks = [];
  let before;
  for (let i = Math.max(0, from - 1); i < to; i++) {
    const now = ist(starts[i]);
    if (i >= from) marks.push({ x: xs[i], now, rank: weight(now, before) });
    before = now;
  }
  marks.sort((a, b) => b.rank - a.rank);
  const placed = [];
  for (const mark of marks) {
    const pixel = toPixel(mark.x);
    if (placed.every((other) => Math.abs(other.pixel - pixel) >= gap)) {
      placed.push({ pixel, text: label(mark.now, mark.rank), strong: mark.rank >= 7 });
    }
    if (placed.length > 40) break;
  }
  return placed;
}

const lakh = new Intl.NumberFormat("en-IN", { maximumFractionDigits: 1 });
const rupee = new Intl.NumberFormat("en-IN", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
export const priceText = (paise) => (Number.isFinite(paise) ? rupee.format(paise / 100) : "–");

export function volumeText(units) {
  if (!Number.isFinite(units)) return "–";
  const size = Math.abs(units);
  if (size >= 1e7) return `${lakh.format(units / 1e7)} Cr`;
  if (size >= 1e5) return `${lakh.format(units / 1e5)} L`;
  return lakh.format(units);
}

export function studyText(value, unit) {
  if (unit === "price") return priceText(value);
  return unit === "volume" ? volumeText(value) : Number.isFinite(value) ? value.toFixed(2) : "–";
}

// First position whose value is at least `value`.
export function lowerBound(values, value) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
