"""What a fill costs: the charges of its order's leg with it, less what was booked on the leg before."""

from datetime import date

from aitrade.core.instruments import Instrument
from aitrade.core.orders import CHARGE_COMPONENTS, Fill, Order, Side
from aitrade.market.charges import ChargeBook, Charges, Rates


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
        self, instrument: Instrument, product: str, to: str, value: int, quantity: int
    ) -> tuple[int, ...]:
        """Return by how much the components of bought units worth `value` paise rise when they change product.

        Contract notes charge each product's net of the day: what becomes delivery pays delivery's tax and duty and no
        intraday brokerage, and the other way round. Below zero they fall.
        """
        legs = [self.of_order(instrument, name, Side.BUY, value, quantity, dp_due=False) for name in (to, product)]
        return tuple(now - before for now, before in zip(*map(components, legs), strict=True))

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
