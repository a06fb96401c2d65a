"""The day's margin rates, from the dated rules, as the risk room takes them."""

from collections.abc import Iterable
from datetime import date

import msgspec

from aitrade.core.instruments import Instrument, Kind
from aitrade.market.rules import Rules
from aitrade.risk.margin import Margins, Rates


def margins_of(rules: Rules, day: date, instruments: Iterable[Instrument]) -> Margins:
    """Return the margins of `day`; indices are told from stocks by the day's master."""
    dated = rules.margin(day)
    rates = msgspec.convert(dated, Rates, from_attributes=True)
    indices = [row.key for row in instruments if row.kind is Kind.INDEX]
    return Margins(rates, day.isoformat(), indices)
