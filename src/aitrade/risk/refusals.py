"""Why an order was refused: the rule's stable short name, and one sentence with its numbers and what to do."""

import msgspec

from aitrade.core.words import Word


class Rule(Word):
    """Names of the rules, as they stand in journal, page and report; docs/risk.md explains each."""

    INSTRUMENT = "instrument"
    DATE = "date"
    PHASE = "phase"
    ORDER_TYPE = "order_type"
    PRODUCT = "product"
    LOT = "lot"
    PRICE = "price"
    TICK = "tick"
    BAND = "band"
    FREEZE = "freeze"
    DELIVERY = "delivery"
    REFERENCE = "reference"
    DUPLICATE = "duplicate"
    VALUE = "value"
    QUANTITY = "quantity"
    DAY_ORDERS = "day_orders"
    DAILY_LOSS = "daily_loss"
    ORDER_RATE = "order_rate"
    STALE_PRICE = "stale_price"
    SQUARE_OFF = "square_off"
    EXPIRY = "expiry"
    MARGIN = "margin"
    TRADING_STATE = "trading_state"


class Refusal(msgspec.Struct, frozen=True):
    """One rule that an order broke."""

    rule: Rule
    text: str
