"""The fields that the rules file asks of an order's records, and which of them a record lacks."""

from collections.abc import Callable, Iterator
from typing import Any

from aitrade.core.events import Kind, RawRecord
from aitrade.core.orders import OrderType, Update
from aitrade.market.rules import AuditTrail
from aitrade.ops.trail import MACHINES

EVENTS = ("sent", "accepted", "traded", "refused")
"""Of each the rules have a list of fields."""
_UPDATES = {Update.ACCEPTED: "accepted", Update.FILL: "traded"}
_AT_MARKET = frozenset({OrderType.MARKET, OrderType.SL_M})
_NEEDLESS: dict[str, Callable[[RawRecord, Any], bool]] = {
    "source": lambda record, _body: record.role in MACHINES,
    "session": lambda record, _body: record.role in MACHINES,
    "body.request.price": lambda _record, body: body.request.type in _AT_MARKET,
}
"""Fields that may be empty, and when: a machine has no address and no log-in, an order at market names no price."""


def event(record: RawRecord) -> str:
    """Return which of `EVENTS` a record tells; another word for any other."""
    if record.kind is not Kind.UPDATE:
        return {Kind.INTENT: "sent", Kind.REFUSAL: "refused"}.get(record.kind, str(record.kind))
    what = record.decoded().what
    return _UPDATES.get(what, str(what))


def lacking(record: RawRecord, asked: AuditTrail) -> Iterator[str]:
    """Yield, as "event field", what the rules ask of such a record and what is not there or empty."""
    name = event(record)
    if name not in EVENTS:
        return
    body = record.decoded()
    for field in getattr(asked, name):
        needless = _NEEDLESS.get(field)
        if not (_value(record, body, field) or (needless and needless(record, body))):
            yield f"{name} {field}"


def _value(record: RawRecord, body: Any, field: str) -> Any:
    """A field's value, None where there is no such field."""
    first, *names = field.split(".")
    value = body if first == "body" else getattr(record, first, None)
    for name in names:
        value = getattr(value, name, None)
    return value
