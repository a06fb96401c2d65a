"""What a fill costs: the charges of its order's leg with it, less what was booked on the leg before."""

from datetime import date

from aitrade.core.instruments import Instrument
from aitrade.core.orders import CHARGE_COMPONENTS, Fill, Order, Side
from aitrade.market.charges import NOTHING, ChargeBook, Charges, Rates, charged_as


class Charging:
    """Charges of one market day by a broker's plan."""

    def __init__(self, charges: ChargeBook, day: date, plan: str) -> None:
        self._charges = charges
        self._day = day
        self._plan = plan
        self._rates: dict[tuple[str, str], Rates] = {}

    def new_day(self, day: date) -> None:
        """Use the rates of `day` from now on."""
        self._day = day
        self._rates.clear()

    def of_fill(
        self, order: Order, fill: Fill, instrument: Instrument, so_far: list[int] | None, *, dp_due: bool
    ) -> tuple[int, ...]:
        """Return the components that this fill adds, paise; a leg's components are rounded once, over all its fills."""
        value, quantity = order.filled_value + fill.quantity * fill.price, order.filled + fill.quantity
        leg = self.rates(instrument, fill.product).leg(fill.side, value, quantity, dp_due=dp_due)
        if so_far is None:
            return components(leg)
        return tuple(now - before for now, before in zip(components(leg), so_far, strict=True))

    def of_order(
        self, instrument: Instrument, product: str, side: Side, value: int, quantity: int, *, dp_due: bool
    ) -> Charges:
        """Return the charges of a whole order leg worth `value` paise."""
        return self.rates(instrument, product).leg(side, value, quantity, dp_due=dp_due)

    def of_conversion(
        self, instrument: Instrument, product: str, to: str, value: int, *, held: int, there: int
    ) -> tuple[int, ...]:
        """Return by how much the components of bought units worth `value` paise rise when they change product.

        `held` is what all units of the product are worth that they leave, `there` of the one that they join. Contract
        notes charge each product's net of the day: what becomes delivery pays delivery's tax and duty and no intraday
        brokerage, and the other way round. Each product counts as one order, so that pieces cost what the whole does.
        Below zero they fall.
        """
        if charged_as(instrument, product) == charged_as(instrument, to):
            return components(NOTHING)

        def due(name: str, worth: int) -> tuple[int, ...]:
            return components(self.of_order(instrument, name, Side.BUY, worth, worth, dp_due=False))

        legs = due(to, there + value), due(to, there), due(product, held), due(product, held - value)
        return tuple(joined - there_ - left + kept for joined, there_, left, kept in zip(*legs, strict=True))

    def rates(self, instrument: Instrument, product: str) -> Rates:
        """Return the day's rates for an instrument and product, looked up once."""
        key = (instrument.key, product)
        rates = self._rates.get(key)
        if rates is None:
            rates = self._rates[key] = self._charges.rates(self._day, instrument, product, self._plan)
        return rates


def components(charges: Charges) -> tuple[int, ...]:
    """Return charges as a tuple in the order of CHARGE_COMPONENTS."""
    return tuple(getattr(charges, name) for name in CHARGE_COMPONENTS)
