"""The order ticket: ipywidgets for its form; a view adds prices, margin, charges and refusals, and sends.

The view reads the form's models in the browser and speaks to the engine by the page's relay, so that what is sent is
what is seen, and a busy kernel neither delays nor doubles an order.
"""

from pathlib import Path
from typing import Any

import anywidget
import traitlets
from ipywidgets import Box, Label, Text, ToggleButtons, Widget, widget_serialization

from aitrade.core.orders import OrderType, Product, Side, Validity

_HERE = Path(__file__).parent
_CHOICES = {
    "side": [side.value for side in Side],
    "type": [kind.value for kind in OrderType],
    "product": [product.value for product in Product],
    "validity": [validity.value for validity in Validity],
    "unit": ["units", "lots"],
    "slices": ["One order", "Slices"],
}
_NUMBERS = {"quantity": "Quantity", "price": "Price ₹", "trigger": "Trigger ₹"}
_ORDER = ("side", "quantity", "unit", "type", "price", "trigger", "slices", "product", "validity")


class TicketView(anywidget.AnyWidget):
    """What is live on the ticket. `controls` are the form's widgets by name."""

    _esm = _HERE / "ticket.js"
    _css = _HERE / "ticket.css"
    controls = traitlets.Dict().tag(sync=True, **widget_serialization)
    choices = traitlets.Dict().tag(sync=True)


def build_ticket() -> Widget:
    """Return the ticket, closed; the page's "ticket" event opens it."""
    controls: dict[str, Any] = {name: ToggleButtons(options=options) for name, options in _CHOICES.items()}
    controls |= {name: Text() for name in _NUMBERS}
    view = TicketView(controls=controls, choices=_CHOICES)
    box = Box([view, *(_field(name, controls[name]) for name in _ORDER)])
    box.add_class("ticket")
    return box


def _field(name: str, control: Widget) -> Widget:
    field = Box([Label(_NUMBERS[name]), control] if name in _NUMBERS else [control])
    field.add_class("ticket-field").add_class(f"ticket-{name}")
    return field
