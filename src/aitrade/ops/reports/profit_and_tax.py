"""The P&L and tax statement: what each day made, which head each closed lot falls under, and that both are one sum.

Heads, for a resident individual who holds delivered shares as an investment (CBDT circular 6/2016 leaves the choice):
shares bought and sold on one day, and short sales that were closed out, are speculative business (Income-tax Act 1961,
section 43(5)); futures and options on a recognised exchange are a business that is not speculative (43(5)(d), (e));
delivered shares are short- or long-term capital gains by the months held. Business heads take off all charges; capital
gains take off all but the transaction tax (section 48; Income-tax Act 2025, section 72). Rates, rules and how sure each
is: `market.tax`.

Turnover of the business heads is the sum of the favourable and unfavourable differences of closed lots (ICAI Guidance
Note on Tax Audit, eighth edition of 2022); the seventh edition of 2014 adds the premium of options sold, which stands
beside it. Nothing here is a filing.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from enum import StrEnum

import msgspec

from aitrade.core.instruments import OPTIONS, Kind, derivative_terms
from aitrade.core.money import half_up
from aitrade.core.orders import CHARGE_COMPONENTS
from aitrade.market.symbols import kind_of
from aitrade.market.tax import Exemption, GainRate, Loss, Taxes, after_months, assumed, tax_year
from aitrade.ops.ledger import Day, Standing
from aitrade.ops.reports.lots import Fifo, Income, Match, Piece

_STT = CHARGE_COMPONENTS.index("stt")
_MILLION = 1_000_000


class Head(StrEnum):
    """Under what a closed lot falls."""

    SPECULATIVE = "Speculative business: shares within a day"
    DERIVATIVES = "Futures and options business"
    SHORT = "Short-term capital gains"
    LONG = "Long-term capital gains"


CAPITAL = frozenset({Head.SHORT, Head.LONG})
_HELD = {Head.SHORT: "short", Head.LONG: "long"}
_LOSS = {Head.SPECULATIVE: "speculative", Head.DERIVATIVES: "business", **_HELD}


class Closed(msgspec.Struct, frozen=True):
    """A closed lot under its head."""

    match: Match
    head: Head

    @property
    def not_deducted(self) -> int:
        """Transaction tax that a capital gain does not take off, paise."""
        return self.match.charges[_STT] if self.head in CAPITAL else 0

    @property
    def net(self) -> int:
        """Gain after what the head takes off, paise."""
        return self.match.gain - sum(self.match.charges) + self.not_deducted


class HeadTotal(msgspec.Struct, frozen=True, kw_only=True):
    """The sums of one head, paise: net = sold - bought - charges + not_deducted."""

    head: Head
    closed: int
    bought: int
    sold: int
    charges: int
    not_deducted: int
    turnover: int
    """Sum of the differences, each without its sign; for capital gains, which are no business, the sale value."""
    premium: int
    """Of options sold, which an earlier edition of the guidance note adds."""

    @property
    def gain(self) -> int:
        """Before charges."""
        return self.sold - self.bought

    @property
    def net(self) -> int:
        """After what the head takes off."""
        return self.gain - self.charges + self.not_deducted


class RateTotal(msgspec.Struct, frozen=True):
    """Capital gains at one rate; `tax` before exemption, set-off, surcharge and cess, nothing for a loss; paise."""

    rate: GainRate
    net: int
    assumed: bool = False
    """A sale lies outside the days for which the rate is published."""

    @property
    def tax(self) -> int:
        """The rate's part of the gain."""
        return half_up(max(self.net, 0) * self.rate.rate, _MILLION)


class LossTotal(msgspec.Struct, frozen=True):
    """A head that lost: the loss above zero, paise, before setting off; and the last tax year that it is carried to."""

    head: Head
    loss: int
    rule: Loss
    last_year: str


class DayResult(msgspec.Struct, frozen=True, kw_only=True):
    """One day, paise: equity of the day before + night = begins, and begins + paid_in + pnl = equity."""

    day: str
    orders: int
    fills: int
    begins: int
    paid_in: int
    realised: int
    """Before charges, when trading ended."""
    charges: int
    pnl: int
    equity: int
    night: int = 0
    """What came since the book's day before: dividends, expiry, and moves of days on which the book did not trade."""
    ended: bool = True


class OpenLot(msgspec.Struct, frozen=True, kw_only=True):
    """A lot that nothing has closed: signed units and what they cost, paise."""

    instrument: str
    opened: str
    quantity: int
    cost: int
    charges: int
    bonus: bool
    long_from: str
    """First day on which a sale would be long-term, ISO; empty for derivatives and short lots."""


class Line(msgspec.Struct, frozen=True):
    """A line of a reconciliation: words and paise."""

    words: str
    amount: int


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a span of days; `first` and `last` are the span's ends, ISO."""

    book: str
    mode: str
    first: str
    last: str
    days: list[DayResult]
    charges: tuple[int, ...]
    """Of the span, by CHARGE_COMPONENTS."""
    closed: list[Closed]
    heads: list[HeadTotal]
    rates: list[RateTotal]
    exemption: Exemption
    losses: list[LossTotal]
    income: list[Income]
    open_lots: list[OpenLot]
    """As the last day left them."""
    reconciliation: list[Line]
    """Lots against ledger since the book began; the last line is the difference, which must be nothing."""
    modelled: int
    """Closed lots with a fill at a MODELLED price."""
    funds: list[str]
    """Exchange-traded funds among the capital gains: treated as equity-oriented, which is for a person to check."""
    grandfathered: list[str]
    """Shares among the capital gains that are old enough to take the market value of 31 January 2018 as their cost."""

    @property
    def difference(self) -> int:
        """What lots and ledger disagree by; must be 0."""
        return self.reconciliation[-1].amount


def statement(days: Iterable[Day], first: str, last: str, taxes: Taxes) -> Statement:
    """Return the statement of `first` to `last` (ISO, both included) from a book's days since it began."""
    lots, results, standing, book, mode, earlier = Fifo(), list[DayResult](), None, "", "", 0
    charges = [0] * len(CHARGE_COMPONENTS)
    for day in days:
        if day.day > last:
            break
        lots.take(day)
        book, mode, standing = day.book, day.mode or mode, day.after
        if day.day >= first:
            results.append(_result(day, earlier))
            charges = [so_far + more for so_far, more in zip(charges, day.after.day_charges, strict=True)]
        earlier = day.equity or day.before.cash + day.carried
    every = [Closed(match, head_of(match, taxes)) for match in lots.matches]
    within = [one for one in every if first <= one.match.closed <= last]
    heads = [_total(head, within) for head in Head]
    return Statement(
        book=book,
        mode=mode,
        first=first,
        last=last,
        days=results,
        charges=tuple(charges),
        closed=within,
        heads=heads,
        rates=_by_rate(within, taxes),
        exemption=taxes.exemption(date.fromisoformat(last)),
        losses=[_loss(total, date.fromisoformat(last), taxes) for total in heads if total.net < 0],
        income=[one for one in lots.income if first <= one.day <= last],
        open_lots=_open(lots, taxes),
        reconciliation=_reconciled(every, lots, standing),
        modelled=sum(one.match.modelled for one in within),
        funds=_funds(within),
        grandfathered=_grandfathered(within, taxes),
    )


def head_of(match: Match, taxes: Taxes) -> Head:
    """Return under which head a closed lot falls."""
    if match.derivative:
        return Head.DERIVATIVES
    if match.short or (match.opened == match.closed and not match.bonus):
        return Head.SPECULATIVE
    is_long = taxes.is_long(date.fromisoformat(match.opened), date.fromisoformat(match.closed))
    return Head.LONG if is_long else Head.SHORT


def _result(day: Day, earlier: int) -> DayResult:
    """Return a day; `earlier` is the equity of the book's day before, 0 for its first."""
    begins = day.before.cash + day.carried
    return DayResult(
        day=day.day,
        orders=sum(story.sent is not None for story in day.stories.values()),
        fills=len(day.fills),
        begins=begins,
        paid_in=day.close.money - day.before.money,
        realised=day.close.day_realised,
        charges=sum(day.close.day_charges),
        pnl=day.pnl,
        equity=day.equity or begins,
        night=begins - earlier if earlier else 0,
        ended=day.ended,
    )


def _total(head: Head, closed: Sequence[Closed]) -> HeadTotal:
    own = [one for one in closed if one.head is head]
    matches = [one.match for one in own]
    differences = sum(abs(match.gain) for match in matches)
    return HeadTotal(
        head=head,
        closed=len(own),
        bought=sum(match.bought for match in matches),
        sold=sum(match.sold for match in matches),
        charges=sum(sum(match.charges) for match in matches),
        not_deducted=sum(one.not_deducted for one in own),
        turnover=sum(match.sold for match in matches) if head in CAPITAL else differences,
        premium=sum(match.sold for match in matches if _is_option(match)),
    )


def _is_option(match: Match) -> bool:
    terms = derivative_terms(match.instrument)
    return terms is not None and terms.kind in OPTIONS


def _by_rate(closed: Sequence[Closed], taxes: Taxes) -> list[RateTotal]:
    found: dict[GainRate, RateTotal] = {}
    for one in closed:
        if one.head in CAPITAL:
            sold = date.fromisoformat(one.match.closed)
            rate = taxes.gain(sold, _HELD[one.head])
            so_far = found.get(rate, RateTotal(rate, 0))
            found[rate] = RateTotal(rate, so_far.net + one.net, so_far.assumed or assumed(rate, sold))
    return [total for _, total in sorted(found.items(), key=lambda item: (item[0].held, item[0].start))]


def _loss(total: HeadTotal, day: date, taxes: Taxes) -> LossTotal:
    rule = taxes.loss(day, _LOSS[total.head])
    last = tax_year(day)[0].year + rule.years
    return LossTotal(total.head, -total.net, rule, f"{last}-{(last + 1) % 100:02d}")


def _open(lots: Fifo, taxes: Taxes) -> list[OpenLot]:
    return [
        OpenLot(
            instrument=instrument, opened=piece.day, quantity=piece.quantity, cost=piece.value,
            charges=sum(piece.charges), bonus=piece.how == "bonus", long_from=_long_from(instrument, piece, taxes),
        )
        for instrument, pieces in sorted(lots.held.items())
        for piece in pieces
    ]  # fmt: skip


def _long_from(instrument: str, piece: Piece, taxes: Taxes) -> str:
    if derivative_terms(instrument) or piece.quantity < 0:
        return ""
    bought = date.fromisoformat(piece.day)
    return (after_months(bought, taxes.gain(bought, "long").holding_months) + timedelta(1)).isoformat()


def _funds(closed: Sequence[Closed]) -> list[str]:
    names = {one.match.instrument for one in closed if one.head in CAPITAL}
    return sorted(name for name in names if kind_of(name) is Kind.ETF)


def _grandfathered(closed: Sequence[Closed], taxes: Taxes) -> list[str]:
    long = [one.match for one in closed if one.head is Head.LONG]
    old = [
        match
        for match in long
        if taxes.grandfathered(date.fromisoformat(match.opened), date.fromisoformat(match.closed))
    ]
    return sorted({match.instrument for match in old})


def _reconciled(every: Sequence[Closed], lots: Fifo, standing: Standing | None) -> list[Line]:
    """Return, line by line, that the lots' gains and the ledger's realised P&L are one sum; likewise the charges."""
    by_head = [Line(f"{head}, before charges", sum(c.match.gain for c in every if c.head is head)) for head in Head]
    income = sum(one.amount for one in lots.income)
    carried = open_cost(standing) if standing else 0
    booked = realised(standing) if standing else 0
    of_lots = sum(line.amount for line in by_head) + income - lots.open_value() + carried
    charged = sum(sum(one.match.charges) for one in every) + lots.open_charges()
    taken = sum(standing.charges) if standing else 0
    return [
        *by_head,
        Line("Dividends and other money that no trade brought", income),
        Line("Less: cost of open lots, first in first out", -lots.open_value()),
        Line("Plus: cost of open positions and holdings in the ledger (average; futures as marked)", carried),
        Line("Realised by the lots", of_lots),
        Line("Realised by the ledger, before charges", booked),
        Line("Charges of closed and open lots", charged),
        Line("Charges of the ledger", taken),
        Line("Difference, of P&L and of charges together", abs(of_lots - booked) + abs(charged - taken)),
    ]


def open_cost(standing: Standing) -> int:
    """Return what open positions and holdings cost by the ledger, signed, paise."""
    lots = [*standing.positions.values(), *(holding.lot for holding in standing.holdings.values())]
    return sum(lot.cost for lot in lots)


def realised(standing: Standing) -> int:
    """Return all that a book realised since it began, before charges, paise."""
    return standing.realised + standing.day_realised + sum(standing.charges) - sum(standing.day_charges)
