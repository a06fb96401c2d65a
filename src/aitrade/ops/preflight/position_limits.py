"""The probe behind "position limits enforced": an order beyond SEBI's limit, to an engine of its own.

The engine names every rule that an order breaks. So whatever else such an order breaks, a rule of position limits would
be among the names; and an order of one lot beside it is accepted, which shows that the desk was open.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec

from aitrade.core.errors import AitradeError
from aitrade.core.instruments import Instrument, Kind
from aitrade.core.orders import OrderRequest, Product, Side
from aitrade.core.words import Word
from aitrade.engine.loop import Engine
from aitrade.engine.loop import Refused as RefusedByRules
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings, Who
from aitrade.market.rules import Rules

RULE = "position_limit"
"""What a rule that enforces them is called, among the rules that an order is told to break."""
UNDERLYING = "NSE:NIFTY"
CRORE = 1_00_00_000_00
PROBE = Who("preflight", "system")
_SPARE = 2
"""The probe is this many times the limit, taken at a delta of one half."""


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """What the probe found; value in paise, `limit` in crores of rupees."""

    contract: str
    units: int
    value: int
    limit: int
    broken: list[str]
    """The rules that the order beyond the limit broke, as the engine named them."""
    accepted: bool
    """The order of one lot beside it went."""

    @property
    def enforced(self) -> bool:
        """Whether a rule of position limits was among them, and the other order went."""
        return RULE in self.broken and self.accepted

    @property
    def sentence(self) -> str:
        """The finding for a person."""
        what = f"{self.units:,} units of {self.contract} (₹{self.value // CRORE:,} crore in delta terms)"
        limit = f"SEBI's limit of ₹{self.limit:,} crore net"
        beside = "accepted" if self.accepted else "not accepted either"
        if RULE in self.broken:
            return f"An order of {what} beyond {limit} was refused by {RULE}; one lot beside it was {beside}."
        others = ", ".join(self.broken) or "nothing"
        return f"not built: no rule of position limits refused {what} beyond {limit}; it broke {others}."


def probe(home: Path) -> Probed:
    """Send both orders to an engine that plays the latest trading day on the scratch folder `home`."""
    service = Service(EngineSettings(home=str(home), book="position-limits", start="10:30"))
    try:
        service.step(60)
        return _sent(service.engine, Rules.load(home))
    finally:
        service.abandon()


def _sent(engine: Engine, rules: Rules) -> Probed:
    row = _near_the_money(engine)
    limit = rules.position_limit(date.fromisoformat(engine.book.state.day.day)).net_end_of_day
    half_delta = engine.quotes.last(UNDERLYING) // 2
    units = -(-limit * CRORE * _SPARE // half_delta // row.lot) * row.lot
    broken = _broken(engine, row, units)
    return Probed(
        contract=row.key, units=units, value=units * half_delta, limit=limit, broken=broken,
        accepted=not _broken(engine, row, row.lot),
    )  # fmt: skip


def _near_the_money(engine: Engine) -> Instrument:
    spot = engine.quotes.last(UNDERLYING)
    calls = [row for row in engine.instruments.values() if row.kind is Kind.CALL and row.underlying == UNDERLYING]
    return min(calls, key=lambda row: (row.expiry, abs(row.strike - spot)))


def _broken(engine: Engine, row: Instrument, units: int) -> list[str]:
    request = OrderRequest(instrument=row.key, side=Side.BUY, quantity=units, product=Product.NRML)
    try:
        engine.place(request, PROBE)
    except RefusedByRules as refused:
        return named(refused.problems)
    except AitradeError as error:
        return [str(error)]
    return []


def named(problems: Sequence[Sequence[str | Word]]) -> list[str]:
    """Return the names of broken rules, each once."""
    return list(dict.fromkeys(str(problem[0]) for problem in problems))
