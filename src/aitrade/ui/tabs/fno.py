"""The F&O tab: chain and prices come straight from the engine, the builder's arithmetic from here.

The builder sends an `Ask` with the chain that it shows and gets an `Answer` back: legs, payoff, curves and orders by
`options.strategies`, so that they are defined once. Money in paise, quantity in units, times in ns UTC.
"""

from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import anywidget
import msgspec
import traitlets
from ipywidgets import Box

from aitrade.core.clock import DAY
from aitrade.core.errors import AitradeError
from aitrade.core.orders import OrderRequest, Product
from aitrade.market.calendar import Calendar, Segment
from aitrade.options import strategies
from aitrade.options.chain import Chain
from aitrade.options.strategies import TEMPLATES, Curve, Leg, Strategy, Wanted
from aitrade.ui.desk import Desk

_HERE = Path(__file__).parent


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """Either a template by `name` with `quantity` units a leg, or the `legs` that a person has."""

    id: int
    chain: Chain
    name: str
    quantity: int = 0
    near: int = 2
    far: int = 4
    legs: list[Wanted] = []
    product: Product = Product.NRML


class Greeks(msgspec.Struct, frozen=True, kw_only=True):
    """What the whole strategy gains in rupees: for a rupee of the underlying, for a day, for a point of volatility."""

    delta: float
    gamma: float
    theta: float
    vega: float


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from an ask; `market` are the keys of legs that go as market orders."""

    id: int
    strategy: Strategy
    curve: Curve
    days: float
    """To the end of trading on the day of expiry."""
    greeks: Greeks
    market: list[str]
    orders: list[OrderRequest]


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no answer, in a sentence."""

    id: int
    refused: str


class Bench:
    """Works out what the builder asks."""

    def __init__(self, home: Path) -> None:
        self._home = home

    @cached_property
    def _calendar(self) -> Calendar:
        return Calendar.load(self._home)

    def days(self, expiry: str, ts: int) -> float:
        """Return the days from `ts` to the end of trading on the ISO date `expiry`."""
        ends = self._calendar.session(date.fromisoformat(expiry), Segment.DERIVATIVES).close
        return max(ends - ts, 0) / DAY

    def answer(self, ask: Ask) -> Answer | Refusal:
        """Return what follows from an ask, or why nothing does."""
        try:
            return self._answer(ask)
        except AitradeError as error:
            return Refusal(id=ask.id, refused=str(error))

    def _answer(self, ask: Ask) -> Answer:
        strategy, market = _own(ask) if ask.legs else _template(ask)
        days = self.days(ask.chain.expiry, ask.chain.ts)
        return Answer(
            id=ask.id,
            strategy=strategy,
            curve=strategies.curve(strategy, ask.chain.spot, days / 365),
            days=days,
            greeks=_greeks(ask.chain, strategy.legs),
            market=market,
            orders=strategies.orders(strategy, "", product=ask.product, market=market),
        )


def _template(ask: Ask) -> tuple[Strategy, list[str]]:
    strategy = strategies.build(ask.name, ask.chain, ask.quantity, near=ask.near, far=ask.far)
    return strategy, [leg.key for leg in strategy.legs]


def _own(ask: Ask) -> tuple[Strategy, list[str]]:
    legs = strategies.pick(ask.chain, ask.legs)
    market = [leg.key for leg, wanted in zip(legs, ask.legs, strict=True) if not wanted.premium]
    return strategies.analyse(ask.name, legs), market


def _greeks(chain: Chain, legs: list[Leg]) -> Greeks:
    rows = {side.key: side for strike in chain.strikes for side in (strike.call, strike.put) if side}
    return Greeks(
        **{name: sum(leg.quantity * getattr(rows[leg.key], name) for leg in legs) for name in Greeks.__struct_fields__}
    )


class ChainView(anywidget.AnyWidget):
    """The live chain: a click on a bid or an ask gives the builder a leg."""

    _esm = _HERE / "fno_chain.js"
    _css = _HERE / "fno.css"


class BuilderView(anywidget.AnyWidget):
    """Templates, legs, figures, margin and the basket; asks by message and is answered by message."""

    _esm = _HERE / "fno_builder.js"
    templates = traitlets.List(list(TEMPLATES)).tag(sync=True)

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._bench = bench
        self.on_msg(self._on_message)

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        self.send(msgspec.to_builtins(self._bench.answer(msgspec.convert(content, Ask))))


class PayoffView(anywidget.AnyWidget):
    """The payoff at expiry and the value today, drawn over prices of the underlying."""

    _esm = _HERE / "fno_payoff.js"


def build(desk: Desk) -> Box:
    """Return the tab's widget: the chain on the left, the builder and its payoff on the right."""
    box = Box([ChainView(), BuilderView(Bench(desk.home)), PayoffView()])
    box.add_class("fno")
    return box
