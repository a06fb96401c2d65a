"""The engine's state as pages and clients see it: rows of `messages`, built on the trading thread when asked for."""

from typing import TYPE_CHECKING

from aitrade.core.orders import CHARGE_COMPONENTS, Fill, Order, OrderRequest, Product
from aitrade.engine.messages import (
    AlertRow,
    EventRow,
    Funds,
    HoldingRow,
    OrderRow,
    Performance,
    PositionRow,
    StrategyRow,
    TradeRow,
)
from aitrade.engine.settings import SQUARE_OFF

if TYPE_CHECKING:
    from aitrade.engine.loop import Engine
    from aitrade.engine.state import Event

CURVE_POINTS = 2000


def order_row(order: Order) -> OrderRow:
    """Return an order as pages show it."""
    request = order.request
    return OrderRow(
        id=order.id,
        instrument=request.instrument,
        side=request.side,
        type=request.type,
        product=request.product,
        validity=request.validity,
        quantity=order.quantity,
        filled=order.filled,
        price=order.price,
        trigger=order.trigger,
        average=round(order.average, 2),
        state=order.state,
        reason=order.reason or (_squared_off(request) if request.actor == SQUARE_OFF.actor else ""),
        strategy=request.strategy,
        actor=request.actor,
        venue=order.venue,
        basket=request.basket,
        exchange_order_id=order.exchange_order_id,
        created=order.created,
        updated=order.updated,
    )


def _squared_off(request: OrderRequest) -> str:
    """Say why an order was sent that nobody asked for."""
    return f"{request.product} square-off, at its time" if request.product is Product.MIS else "out before its expiry"


def trade_row(fill: Fill, venue: str) -> TradeRow:
    """Return a fill as pages show it."""
    return TradeRow(
        id=fill.id,
        order_id=fill.order_id,
        instrument=fill.instrument,
        side=fill.side,
        product=fill.product,
        quantity=fill.quantity,
        price=fill.price,
        charges=sum(fill.charges),
        ts=fill.ts,
        strategy=fill.strategy,
        venue=venue,
        modelled=fill.modelled,
    )


def event_row(event: "Event") -> EventRow:
    """Return a line of the event log."""
    line = event.line
    return EventRow(id=event.id, ts=event.ts, level=line.level, text=line.text, source=line.source)


class Views:
    """Builds rows from an engine."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def position(self, key: str) -> PositionRow:
        """Return a net position, flat ones included."""
        engine, state = self._engine, self._engine.book.state
        lot = state.positions[key]
        instrument, product = key.rsplit("|", 1)
        last = engine.quotes.last(instrument)
        owners = {name.split("|", 1)[0]: owned.quantity for name, owned in state.owned.items() if _is_of(name, key)}
        return PositionRow(
            key=key,
            instrument=instrument,
            product=product,
            quantity=lot.quantity,
            average=round(lot.average, 2),
            last=last,
            realised=lot.realised,
            unrealised=lot.unrealised(last),
            charges=lot.charges,
            margin=engine.account.position_margin(instrument, product),
            venue=engine.venue.name,
            strategies={owner: units for owner, units in owners.items() if units},
            note=engine.notes.get(key, ""),
        )

    def positions(self) -> list[PositionRow]:
        """Return every position of the day."""
        return [self.position(key) for key in self._engine.book.state.positions]

    def holdings(self) -> list[HoldingRow]:
        """Return what was carried over night."""
        rows = []
        for instrument, holding in self._engine.book.state.holdings.items():
            last = self._engine.quotes.last(instrument)
            rows.append(
                HoldingRow(
                    instrument=instrument,
                    quantity=holding.lot.quantity,
                    t1=holding.t1,
                    average=round(holding.lot.average, 2),
                    last=last,
                    unrealised=holding.lot.unrealised(last),
                    venue=self._engine.venue.name,
                )
            )
        return rows

    def funds(self, *, since: int = -1) -> Funds:
        """Return the money; of the day's curve the points from place `since` on, of itself the newest."""
        engine, account = self._engine, self._engine.account
        state = engine.book.state
        return Funds(
            opening=account.opening(),
            cash=account.cash(),
            margin_used=account.margin_used(),
            available=account.available(),
            unsettled=state.unsettled,
            realised=state.day.realised,
            unrealised=account.unrealised(),
            charges=sum(state.day.charges),
            day_pnl=account.day_pnl(),
            loss_limit=account.loss_limit(),
            pnl_curve=[list(point) for point in state.day.curve[since:]],
        )

    def strategies(self) -> list[StrategyRow]:
        """Return every strategy that there is, running or not."""
        return [self._strategy(name) for name in self._engine.runner.kernels]

    def _strategy(self, name: str) -> StrategyRow:
        state, kernel = self._engine.book.state, self._engine.runner.kernels[name]
        change = state.strategies.get(name)
        lots = {key: lot for key, lot in state.owned.items() if key.startswith(f"{name}|")}
        return StrategyRow(
            name=name,
            describes=kernel.describes,
            state=change.state if change else "stopped",
            instruments=change.instruments if change else [],
            quantity=change.quantity if change else 0,
            parameters=change.parameters if change else dict(kernel.parameters),
            realised=sum(lot.realised for lot in lots.values()),
            unrealised=sum(lot.unrealised(self._last_of(key)) for key, lot in lots.items()),
            charges=sum(lot.charges for lot in lots.values()),
            trades=sum(lot.trades for lot in lots.values()),
            code_hash=change.code_hash if change else "",
            reason=change.reason if change else "",
        )

    def alerts(self) -> list[AlertRow]:
        """Return the price alerts."""
        return [
            AlertRow(id=a.id, instrument=a.instrument, above=a.above, price=a.price, fired=a.fired, note=a.note)
            for a in self._engine.book.state.alerts.values()
        ]

    def performance(self) -> Performance:
        """Return the book's record since it began, with today's minutes."""
        engine, state = self._engine, self._engine.book.state
        base = engine.account.equity() - engine.account.day_pnl()
        today = [] if state.day.ended else [(ts, base + pnl) for ts, pnl in state.day.curve]
        points = [*(state.course or state.equity), *today, (engine.clock.now(), engine.account.equity())]
        points = [*points[: -1 : len(points) // CURVE_POINTS + 1], points[-1]]
        long, short = engine.account.exposure()
        drawdown = _drawdown(points, state.opening)
        today_s = _drawdown([*today, points[-1]], max(state.opening, state.peak))
        return Performance(
            opening=state.opening,
            equity=[list(point) for point in points],
            drawdown=drawdown,
            max_drawdown=min(state.deepest, *(fall for _ts, fall in drawdown + today_s)),
            charges=dict(zip(CHARGE_COMPONENTS, state.charges, strict=True)),
            by_strategy=self._by_strategy(),
            exposure_long=long,
            exposure_short=short,
            funds=self.funds(),
        )

    def _by_strategy(self) -> dict[str, int]:
        totals: dict[str, int] = {}
        for key, lot in self._engine.book.state.owned.items():
            owner = key.split("|", 1)[0]
            gain = lot.realised + lot.unrealised(self._last_of(key)) - lot.charges
            totals[owner] = totals.get(owner, 0) + gain
        return totals

    def _last_of(self, owned_key: str) -> int:
        return self._engine.quotes.last(owned_key.split("|")[1])


def _is_of(owned_key: str, position_key: str) -> bool:
    return owned_key.split("|", 1)[1] == position_key


def _drawdown(points: list[tuple[int, int]], opening: int) -> list[list[int]]:
    peak, falls = opening, []
    for ts, equity in points:
        peak = max(peak, equity)
        falls.append([ts, equity - peak])
    return falls
