"""What an order costs, to the paisa: dated rates, integer arithmetic, each component of a leg rounded once, half-up.

A leg is an order: brokerage is taken an order, not a fill. Goods and services tax is taken on the unrounded brokerage,
transaction charge, SEBI fee and investor-protection fee. Facts: `facts/charges.toml`.
"""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import msgspec

from aitrade.core.errors import Refused
from aitrade.core.instruments import Exchange, Instrument, Kind
from aitrade.core.money import half_up
from aitrade.core.orders import Product, Side
from aitrade.market.dated import facts

BILLION = 10**9
_MILLION = 10**6
_WITHOUT = 1 << 62


class Charges(msgspec.Struct, frozen=True, kw_only=True):
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


class _Rate(msgspec.Struct, frozen=True, kw_only=True, rename={"start": "from"}):
    component: str
    classes: list[str]
    buy: int
    sell: int
    source: str
    confidence: str
    exchanges: list[Exchange] = []
    start: date = date.min


class _Exercise(msgspec.Struct, frozen=True, kw_only=True, rename={"start": "from"}):
    per_billion: int
    source: str
    confidence: str
    start: date = date.min


class _Plan(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    classes: list[str]
    flat: int
    source: str
    confidence: str
    per_million: int = 0
    depository_on_sale: int = 0


class _Facts(msgspec.Struct, frozen=True):
    gst_per_cent: int
    first_known: date
    rate: list[_Rate]
    exercise: list[_Exercise]
    plan: list[_Plan]


class Rates:
    """The rates of one kind of instrument and product on one day, ready to multiply."""

    __slots__ = ("_dp", "_exercise", "_flat", "_gst", "_per_million", "_sides")

    def __init__(self, sides: dict[Side, dict[str, int]], plan: _Plan, gst: int, exercise: int) -> None:
        self._sides = {
            side: tuple(rates.get(name, 0) for name in ("stt", "transaction", "sebi", "ipft", "stamp"))
            for side, rates in sides.items()
        }
        self._flat = plan.flat
        self._per_million = plan.per_million
        self._dp = plan.depository_on_sale
        self._gst = gst
        self._exercise = exercise

    def leg(self, side: Side, value: int, quantity: int) -> Charges:  # noqa: ARG002 - a plan by the unit would need it
        """Return the charges of an order leg that traded `value` paise; zero for an order that traded nothing."""
        if not value:
            return Charges()
        stt, transaction, sebi, ipft, stamp = self._sides[side]
        brokerage = self._brokerage(value)
        taxed = brokerage + value * (transaction + sebi + ipft)
        return Charges(
            brokerage=_rounded(brokerage),
            stt=_rounded(value * stt),
            transaction=_rounded(value * transaction),
            sebi=_rounded(value * sebi),
            ipft=_rounded(value * ipft),
            stamp=_rounded(value * stamp),
            gst=half_up(taxed * self._gst, 100 * BILLION),
            dp=self._dp if side is Side.SELL else 0,
        )

    def exercise(self, intrinsic: int) -> Charges:
        """Return the tax on an exercised option of `intrinsic` value, paise; its buyer pays it."""
        return Charges(stt=_rounded(intrinsic * self._exercise))

    def _brokerage(self, value: int) -> int:
        """The lesser of the flat amount and the share of value, in billionths of a paisa."""
        share = value * self._per_million * (BILLION // _MILLION) if self._per_million else _WITHOUT
        return min(self._flat * BILLION, share)


def _rounded(billionths: int) -> int:
    return (billionths + BILLION // 2) // BILLION


class ChargeBook:
    """All charges, by date."""

    def __init__(self, facts_: _Facts) -> None:
        self._facts = facts_

    @classmethod
    def load(cls, folder: Path | None = None) -> "ChargeBook":
        """Return the charges of the package, with the facts that `folder` replaces; raise Refused when damaged."""
        return cls(facts("charges.toml", folder, _Facts))

    def rates(self, day: date, instrument: Instrument, product: Product | str, plan: str = "zerodha") -> Rates:
        """Return the rates of `instrument` in `product` on `day`; raise Refused for a plan that there is not."""
        what = charged_as(instrument, product)
        rows = [
            row
            for row in self._facts.rate
            if what in row.classes and instrument.exchange in (row.exchanges or Exchange)
        ]
        sides = {side: _of_side(rows, side, day) for side in Side}
        exercise = [row for row in self._facts.exercise if row.start <= day]
        return Rates(sides, self._plan(plan, what), self._facts.gst_per_cent, exercise[-1].per_billion)

    def is_assumed(self, day: date) -> bool:
        """Return whether `day` lies before the first rates that are known."""
        return day < self._facts.first_known

    def _plan(self, name: str, what: str) -> _Plan:
        for plan in self._facts.plan:
            if plan.name == name and what in plan.classes:
                return plan
        names = sorted({plan.name for plan in self._facts.plan})
        raise Refused(f"There is no broker plan {name!r}; there are: {', '.join(names)}. Set `plan` to one of them.")


def charged_as(instrument: Instrument, product: Product | str) -> str:
    """Return delivery, intraday, futures or options."""
    if instrument.is_option:
        return "options"
    if instrument.kind is Kind.FUTURE:
        return "futures"
    return "delivery" if product == Product.CNC else "intraday"


def _of_side(rows: Iterable[_Rate], side: Side, day: date) -> dict[str, int]:
    """Return component to parts per billion: of each component the newest row that holds on `day`."""
    held: dict[str, int] = {}
    for row in sorted(rows, key=lambda row: row.start):
        if row.start <= day:
            held[row.component] = row.buy if side is Side.BUY else row.sell
    return held
