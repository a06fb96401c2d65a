// Numbers and times as an Indian trader reads them. Prices are paise, times ns UTC.
const IST = 'Asia/Kolkata';
const whole = new Intl.NumberFormat('en-IN', { maximumFractionDigits: 0 });
const fixed = [0, 1, 2].map((dp) => new Intl.NumberFormat('en-IN', { minimumFractionDigits: dp, maximumFractionDigits: dp }));
const clock = new Intl.DateTimeFormat('en-GB', { timeZone: IST, hour: '2-digit', minute: '2-digit', second: '2-digit' });
const calendar = new Intl.DateTimeFormat('en-GB', { timeZone: IST, weekday: 'short', day: '2-digit', month: 'short', year: 'numeric' });

const signed = (value, text, sign) => (value < 0 ? `-${text}` : sign && value > 0 ? `+${text}` : text);

export const number = (value) => whole.format(value);
export const price = (paise, dp = 2) => fixed[dp].format(paise / 100);
export const rupees = (paise, { sign = false, dp = 2 } = {}) => signed(paise, `₹${fixed[dp].format(Math.abs(paise) / 100)}`, sign);
export const percent = (value, dp = 2) => `${value > 0 ? '+' : ''}${value.toFixed(dp)}%`;
export const time = (ns) => (ns ? clock.format(ns / 1e6) : '–');
export const date = (ns) => calendar.format(ns / 1e6);
export const symbol = (key) => key.slice(key.indexOf(':') + 1);
