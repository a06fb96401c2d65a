"""The page without its bundle: what one must see and do, by ipywidgets alone, through the kernel.

It serves where the npm registry could not be reached when the package was installed, in the stock Voila template, and
says so. Slower and smaller than the real page; orders and the emergency stop are the same.
"""

import html
import threading
from collections.abc import Callable, Iterable

from ipywidgets import HTML, Button, Checkbox, Dropdown, HBox, IntText, Layout, Text, VBox

from aitrade.core.clock import ist_time
from aitrade.core.errors import AitradeError
from aitrade.core.money import format_rupees, from_rupees
from aitrade.core.orders import OrderRequest, OrderType, Product, Side
from aitrade.engine.messages import Snapshot
from aitrade.ui.desk import Desk

EVERY_SECONDS = 1.0
WHY = (
    "<b>This is the plain page.</b> The trading page was not built when aitrade was installed, since the npm registry "
    "did not answer. Install again with a network: <code>python -m pip install -e .</code>"
)


class PlainPage:
    """A status line, an order form, tables, and the emergency stop."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._watch = Desk(desk.home, desk.user)  # a client serves one thread
        self._status, self._answer, self._tables = HTML(), HTML(), HTML()
        self._sure = Checkbox(description="I mean it", indent=False, layout=Layout(width="100px"))
        self._instrument = Text(value="NSE:RELIANCE", description="Instrument")
        self._side = Dropdown(options=list(Side), description="Side")
        self._quantity = IntText(value=1, description="Quantity")
        self._price = Text(placeholder="empty: market", description="Limit ₹")
        self._product = Dropdown(options=list(Product), value=Product.MIS, description="Product")

    def start(self) -> VBox:
        """Return the page's widget and keep it up to date from a thread of its own."""
        threading.Thread(target=self._keep, daemon=True).start()
        return self.widget()

    def widget(self) -> VBox:
        """Return the page's widget as it stands."""
        stop = _button("Emergency stop", self._stop, "danger")
        resume = _button("Resume trading", lambda: self._desk.client.set_trading("resume", "from the plain page"))
        send = _button("Send order", self._send, "primary")
        form = HBox([self._instrument, self._side, self._quantity, self._price, self._product, send])
        form.layout.flex_flow = "row wrap"
        for button in (stop, resume, send):
            button.on_click(self._answered)
        return VBox([HTML(WHY), self._status, HBox([stop, self._sure, resume]), form, self._answer, self._tables])

    def refresh(self) -> None:
        """Show the engine's snapshot; where there is none, say so and leave what was shown."""
        try:
            snapshot = self._watch.client.snapshot()
        except AitradeError as error:
            self._status.value = f"<b>What you see is old.</b> {html.escape(str(error))}"
            return
        self._status.value = _status(snapshot)
        self._tables.value = _tables(snapshot)

    def _keep(self) -> None:
        wait = threading.Event()
        while True:
            self.refresh()
            wait.wait(EVERY_SECONDS)

    def _answered(self, button: Button) -> None:
        try:
            text = str(button.does() or "Done.")
        except AitradeError as error:
            text = str(error)
        self._answer.value = html.escape(text)

    def _stop(self) -> str:
        if not self._sure.value:
            return "Tick “I mean it” first: strategies stop, trading halts, all orders are cancelled, positions stay."
        self._sure.value = False
        return self._desk.client.emergency_stop("from the plain page").text

    def _send(self) -> str:
        limit = from_rupees(self._price.value) if self._price.value.strip() else 0
        request = OrderRequest(
            instrument=self._instrument.value.strip(), side=Side(self._side.value), quantity=self._quantity.value,
            type=OrderType.LIMIT if limit else OrderType.MARKET, price=limit, product=Product(self._product.value),
            actor=self._desk.user,
        )  # fmt: skip
        placed = self._desk.client.place(request)
        return f"Order {placed.id}: {placed.state} {placed.reason}"


def _button(text: str, does: Callable[[], object], style: str = "") -> Button:
    button = Button(description=text, button_style=style)
    button.does = does
    return button


def _status(snapshot: Snapshot) -> str:
    world, time, funds = snapshot.world, snapshot.time, snapshot.funds
    mode = "LIVE" if world.mode == "live" else "PAPER"
    words = (
        mode, world.source, world.book, world.session, ist_time(time.now), time.phase, snapshot.health.state,
        f"day's P&L {format_rupees(funds.day_pnl, sign=True)}", f"available {format_rupees(funds.available)}",
    )  # fmt: skip
    return "<b>" + html.escape(" · ".join(words)) + "</b>"


def _tables(snapshot: Snapshot) -> str:
    quotes = ([str(row[0]), format_rupees(int(str(row[2])))] for row in snapshot.quotes)
    positions = (
        [row.instrument, row.product, str(row.quantity), format_rupees(round(row.average)), format_rupees(row.last),
         format_rupees(row.realised + row.unrealised, sign=True)]
        for row in snapshot.positions
    )  # fmt: skip
    orders = (
        [ist_time(row.created), row.instrument, row.side, row.type, f"{row.filled} of {row.quantity}", row.state,
         row.reason]
        for row in reversed(snapshot.orders)
    )  # fmt: skip
    return (
        _table("Positions", ("Instrument", "Product", "Quantity", "Average", "Last", "P&L"), positions)
        + _table("Orders", ("Time", "Instrument", "Side", "Type", "Filled", "State", "Reason"), orders)
        + _table("Prices", ("Instrument", "Last"), quotes)
    )


def _table(title: str, heads: tuple[str, ...], rows: Iterable[list[str]]) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h4>{title}</h4><table><tr>{head}</tr>{body}</table>"
