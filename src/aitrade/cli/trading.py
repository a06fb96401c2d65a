"""`aitrade order`, `positions`, `halt`, `reduce`, `resume`: speak to the running engine."""

import uuid
from pathlib import Path

import click

from aitrade.cli.options import data_folder, kind
from aitrade.core.clock import ist_time
from aitrade.core.config import load
from aitrade.core.money import format_rupees, from_rupees, group_indian
from aitrade.core.orders import OrderRequest, OrderType, Product, Side, Validity
from aitrade.engine.client import EngineClient
from aitrade.engine.messages import HoldingRow

PRODUCTS, VALIDITIES = list(Product), list(Validity)


def client(home: Path | None) -> EngineClient:
    """Return a client of the engine on the data folder."""
    return EngineClient.of(load(home=home).home)


def table(rows: list[tuple[str, ...]], headings: tuple[str, ...]) -> None:
    """Print rows under headings, columns as wide as they need."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    for row in [headings, *rows]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@click.group()
def order() -> None:
    """Send, cancel and list orders."""


def _send(home: Path | None, side: Side, given: dict[str, str | int | bool]) -> None:
    price, trigger = given["price"], given["trigger"]
    request = OrderRequest(
        instrument=key_of(str(given["instrument"])),
        side=side,
        quantity=int(given["quantity"]),
        type=_type(str(price or ""), str(trigger or "")),
        price=from_rupees(price) if price else 0,
        trigger=from_rupees(trigger) if trigger else 0,
        product=Product(str(given["product"]).upper()),
        validity=Validity(str(given["validity"]).upper()),
        reference=uuid.uuid4().hex,
        slice=bool(given["sliced"]),
    )
    with client(home) as engine:
        placed = engine.place(request)
    click.echo(f"{placed.id} {placed.state} {placed.reason}".rstrip())


def key_of(text: str) -> str:
    """Return an instrument's key; a bare name is a share of NSE."""
    return text.upper() if ":" in text else f"NSE:{text.upper()}"


def _type(price: str, trigger: str) -> OrderType:
    if trigger:
        return OrderType.SL if price else OrderType.SL_M
    return OrderType.LIMIT if price else OrderType.MARKET


def _order_command(side: Side) -> click.Command:
    @order.command(side.lower())
    @click.argument("instrument")
    @click.argument("quantity", type=int)
    @click.option("--price", help="Limit price in rupees; without it the order is at market.")
    @click.option("--trigger", help="Trigger price in rupees: makes a stop-loss order.")
    @click.option("--product", default="MIS", show_default=True, type=click.Choice(PRODUCTS, case_sensitive=False))
    @click.option(
        "--validity", default="DAY", show_default=True, type=click.Choice(list(Validity), case_sensitive=False)
    )
    @click.option("--slice", "sliced", is_flag=True, help="Send a quantity over the freeze limit as several orders.")
    @data_folder
    @kind
    def send(home: Path | None, **given: str | int | bool) -> None:
        _send(home, side, given)

    send.help = f"{side.title()} QUANTITY units of INSTRUMENT, such as RELIANCE or NFO:NIFTY27MAR25FUT."
    return send


buy, sell = _order_command(Side.BUY), _order_command(Side.SELL)


@order.command()
@click.argument("order_id")
@data_folder
@kind
def cancel(order_id: str, home: Path | None) -> None:
    """Cancel ORDER_ID, or `all` that work."""
    with client(home) as engine:
        if order_id == "all":
            click.echo(f"{engine.cancel_all()['cancelled']} cancellations asked for")
            return
        row = engine.cancel(order_id)
    click.echo(f"{row.id} {row.state}: cancellation asked for")


@order.command("list")
@data_folder
@kind
def list_orders(home: Path | None) -> None:
    """List today's orders."""
    with client(home) as engine:
        orders = engine.orders()
    rows = [
        (
            row.id, ist_time(row.created), row.side, row.instrument, f"{row.filled}/{row.quantity}", row.type,
            _asked(row.price, row.type in _LIMITED), _asked(row.trigger, row.type in _STOPS), row.product,
            _asked(round(row.average), bool(row.filled)), row.state, row.reason,
        )
        for row in orders
    ]  # fmt: skip
    table(rows, _ORDER_HEADINGS)


_LIMITED, _STOPS = (OrderType.LIMIT, OrderType.SL), (OrderType.SL, OrderType.SL_M)
_ORDER_HEADINGS = (
    "order", "time", "side", "instrument", "filled", "type", "limit", "trigger", "product", "average", "state",
    "reason",
)  # fmt: skip


def _asked(paise: int, there: bool) -> str:
    return format_rupees(paise) if there else "-"


@click.command()
@data_folder
@kind
def positions(home: Path | None) -> None:
    """List positions with their profit and loss, and the shares that are held."""
    with client(home) as engine:
        now = engine.snapshot()
    rows = [
        (
            row.instrument, row.product, _units(row.quantity), format_rupees(round(row.average)),
            format_rupees(row.last), format_rupees(row.realised, sign=True), format_rupees(row.unrealised, sign=True),
            row.note,
        )
        for row in now.positions
    ]  # fmt: skip
    table(rows, ("instrument", "product", "units", "average", "last", "realised", "unrealised", "note"))
    if now.holdings:
        click.echo()
        _show_holdings(now.holdings)


def _show_holdings(holdings: list[HoldingRow]) -> None:
    rows = [
        (
            row.instrument, _units(row.quantity), _units(row.t1) if row.t1 else "-", format_rupees(round(row.average)),
            format_rupees(row.last), format_rupees(row.unrealised, sign=True),
        )
        for row in holdings
    ]  # fmt: skip
    table(rows, ("held shares", "units", "of them T+1", "average", "last", "unrealised"))


def _units(quantity: int) -> str:
    return f"{'-' if quantity < 0 else ''}{group_indian(str(abs(quantity)))}"


def _state_command(verb: str, says: str) -> click.Command:
    @click.command(verb, help=says)
    @click.option("--reason", default="from the command line", show_default=True)
    @data_folder
    @kind
    def change(reason: str, home: Path | None) -> None:
        with client(home) as engine:
            click.echo(f"Trading is {engine.set_trading(verb, reason)['state']}")

    return change


halt = _state_command("halt", "Halt trading: cancel all orders; only a person's exits pass until `aitrade resume`.")
reduce = _state_command("reduce", "Let only exits and cancellations pass.")
resume = _state_command("resume", "Let all orders pass again.")
