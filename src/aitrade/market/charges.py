"""What an order costs, to the paisa: dated rates, integer arithmetic, each component of a leg rounded once, half-up.

A leg is an order: brokerage is taken an order, not a fill. Goods and services tax is taken on the unrounded brokerage,
transaction charge, SEBI fee and investor-protection fee. Transaction taxes are not rounded to the rupee, as they are on
contract notes of some brokers. Facts: `facts/charges.toml`, and a data folder's rows over them.
"""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import msgspec

from aitrade.core.errors import DataRefused, Refused
from aitrade.core.instruments import Exchange, Instrument, Kind
from aitrade.core.orders import Product, Side
from aitrade.market.dated import Row, Through, facts

BILLION = 10**9
_MILLION = 10**6
_HALF = BILLION // 2
_UNBOUNDED = 1 << 62
_COMPONENTS = ("stt", "transaction", "sebi", "ipft", "stamp")


class Charges(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The components of one leg, paise."""

    brokerage: int = 0
    stt: int = 0
    transaction: int = 0
    sebi: int = 0
    ipft: int = 0
    stamp: int = 0
    gst: int = 0
    dp: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.brokerage + self.stt + self.transaction + self.sebi + self.ipft + self.stamp + self.gst + self.dp


NOTHING = Charges()


class _Rate(Row, frozen=True, kw_only=True):
    component: str
    classes: list[str]
    exchanges: list[Exchange]
    buy: int
    sell: int
    of: tuple[str, ...] = ()


class _Gst(Row, frozen=True, kw_only=True):
    percent: int


class _Exercise(Row, frozen=True, kw_only=True):
    per_billion: int


class _Plan(Row, frozen=True, kw_only=True):
    name: str
    classes: list[str]
    flat: int
    per_million: int = 0
    depository_on_sale: int = 0


class _Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rate: list[_Rate]
    gst: list[_Gst]
    exercise: list[_Exercise]
    plan: list[_Plan]


class Rates:
    """The rates of one kind of instrument and product on one day, ready to multiply."""

    __slots__ = ("_buy", "_dp", "_exercise", "_flat", "_gst", "_per_billion", "_sell")

    def __init__(self, buy: tuple[int, ...], sell: tuple[int, ...], plan: _Plan, gst: int, exercise: int) -> None:
        self._buy = buy
        self._sell = sell
        self._flat = plan.flat * BILLION
        self._per_billion = plan.per_million * (BILLION // _MILLION)
        self._dp = plan.depository_on_sale
        self._gst = gst
        self._exercise = exercise

    def leg(self, side: Side, value: int, quantity: int, *, dp_due: bool = True) -> Charges:
        """Return the charges of an order leg of `quantity` units worth `value` paise; nothing for one that traded none.

        The depository takes its fee per security and day: `dp_due` is False for a second sale of the day.
        """
        if not quantity:
            return NOTHING
        buys = side == Side.BUY
        stt, transaction, sebi, ipft, stamp = self._buy if buys else self._sell
        share = value * self._per_billion or _UNBOUNDED
        brokerage = min(self._flat, share)
        taxed = brokerage + value * (transaction + sebi + ipft)
        return Charges(
            brokerage=(brokerage + _HALF) // BILLION,
            stt=(value * stt + _HALF) // BILLION,
            transaction=(value * transaction + _HALF) // BILLION,
            sebi=(value * sebi + _HALF) // BILLION,
            ipft=(value * ipft + _HALF) // BILLION,
            stamp=(value * stamp + _HALF) // BILLION,
            gst=(taxed * self._gst + 100 * _HALF) // (100 * BILLION),
            dp=0 if buys or not dp_due else self._dp,
        )

    def exercise(self, intrinsic: int) -> Charges:
        """Return the tax on an exercised option of `intrinsic` value, paise; its holder pays it, its seller nothing."""
        return Charges(stt=(intrinsic * self._exercise + _HALF) // BILLION)


class ChargeBook:
    """All charges, by date."""

    def __init__(self, facts_: _Facts) -> None:
        self._rates = _by_what(facts_.rate)
        self._gst = Through(facts_.gst)
        self._exercise = Through(facts_.exercise)
        self._plans = {
            (name, what): Through(row for row in facts_.plan if row.name == name and what in row.classes)
            for name in {row.name for row in facts_.plan}
            for what in CLASSES
        }
        self._kept: dict[tuple[date, str, Exchange, str, str], Rates] = {}

    @classmethod
    def load(cls, folder: Path | None = None) -> "ChargeBook":
        """Return the charges of the package, with the facts of `folder` over them; raise DataRefused when damaged."""
        book: _Facts = facts("charges.toml", folder, _Facts)
        for row in book.rate:
            if row.component not in _COMPONENTS or not set(row.classes) <= set(CLASSES):
                raise DataRefused(
                    f"charges.toml has a rate of {row.component} on {', '.join(row.classes)}; there are "
                    f"{', '.join(_COMPONENTS)} on {', '.join(CLASSES)}. Correct that row."
                )
        return cls(book)

    def rates(self, day: date, instrument: Instrument, product: Product | str, plan: str = "zerodha") -> Rates:
        """Return the rates of `instrument` in `product` on `day`; raise Refused for a plan that there is not."""
        what = charged_as(instrument, product)
        key = (day, what, instrument.exchange, _group(instrument), plan)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = self._made(*key)
        return kept

    def assumed(self, day: date) -> list[str]:
        """Return what is ASSUMED of the charges on `day`, a sentence each."""
        early = [key[0] for key, rows in self._rates.items() if day < rows.rows[0].start]
        unread = [key[0] for key, rows in self._rates.items() if rows.assumed(day) and key[0] not in early]
        sentences = []
        if early:
            first = max(rows.rows[0].start for rows in self._rates.values())
            sentences.append(f"Earlier charges than those of {first} are not known: they are used for {day}.")
        if unread:
            sentences.append(
                f"Not verified of the charges on {day}: {', '.join(sorted(_NAMES[name] for name in set(unread)))}."
            )
        return sentences

    def _made(self, day: date, what: str, exchange: Exchange, of: str, plan: str) -> Rates:
        pairs = [self._rate(day, component, what, exchange, of) for component in _COMPONENTS]
        buy, sell = tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)
        gst, exercise = self._gst.at(day).percent, self._exercise.at(day).per_billion
        return Rates(buy, sell, self._plan(day, plan, what), gst, exercise)

    def _rate(self, day: date, component: str, what: str, exchange: Exchange, of: str) -> tuple[int, int]:
        """Return parts per billion for a buyer and a seller; a charge that nobody levies there is nothing."""
        rows = self._rates.get((component, what, exchange, of)) or self._rates.get((component, what, exchange, ""))
        if rows is None:
            return 0, 0
        row = rows.at(day)
        return row.buy, row.sell

    def _plan(self, day: date, name: str, what: str) -> _Plan:
        rows = self._plans.get((name, what))
        if rows is None or not rows.rows:
            names = ", ".join(sorted({name for name, _ in self._plans}))
            raise Refused(f"There is no broker plan {name!r}; there are: {names}. Set `plan` to one of them.")
        return rows.at(day)


CLASSES = ("delivery", "intraday", "futures", "options")
_NAMES = {
    "stt": "transaction tax",
    "transaction": "exchange charges",
    "sebi": "SEBI fee",
    "ipft": "investor-protection fee",
    "stamp": "stamp duty",
}


def charged_as(instrument: Instrument, product: Product | str) -> str:
    """Return delivery, intraday, futures or options."""
    if instrument.is_option:
        return "options"
    if instrument.kind is Kind.FUTURE:
        return "futures"
    return "intraday" if product == Product.MIS else "delivery"


def _group(instrument: Instrument) -> str:
    """Return what special rates are keyed by: the underlying of a derivative, the series of a share."""
    return instrument.underlying.rpartition(":")[2] if instrument.is_derivative else instrument.series


def _by_what(rows: Iterable[_Rate]) -> dict[tuple[str, str, Exchange, str], Through[_Rate]]:
    groups: dict[tuple[str, str, Exchange, str], list[_Rate]] = {}
    for row in rows:
        keys = [(one, where, of) for one in row.classes for where in row.exchanges for of in row.of or ("",)]
        for one, where, of in keys:
            groups.setdefault((row.component, one, where, of), []).append(row)
    return {key: Through(members) for key, members in groups.items()}
