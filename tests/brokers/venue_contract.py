"""What every venue must do, whatever stands behind it: one suite, run over each implementation by a small driver."""

from typing import Protocol

import msgspec
from paper_market import SHARE, new_order

from aitrade.brokers.venue import Venue
from aitrade.core.clock import SECOND, at
from aitrade.core.instruments import Instrument
from aitrade.core.orders import Order, OrderRequest, OrderType, Side, Update, VenueUpdate

START = at("2025-03-28", "09:30")
NEGATIVE = {Update.REJECTED, Update.MODIFY_REJECTED, Update.CANCEL_REJECTED, Update.CANCELLED, Update.EXPIRED}
LAST = {Update.REJECTED, Update.CANCELLED, Update.EXPIRED}


class Driver(Protocol):
    """What the suite needs besides the venue: a market that trades when told to."""

    venue: Venue
    instrument: Instrument

    def settle(self) -> None:
        """Let every message arrive."""

    def trade(self, order: Order, quantity: int, price: int) -> None:
        """Make the market trade `quantity` units of `order` at `price`."""


class VenueContract:
    """Subclass with a `driver` fixture; every test then runs over that venue."""

    def start(self, driver, quantity=10, price=10_000, **changes):
        """Connect, place one limit order, let it arrive; return the order and the list of what is heard."""
        heard: list[VenueUpdate] = []
        driver.venue.connect(heard.append)
        order = self.order(1, quantity, price, **changes)
        driver.venue.place(order, driver.instrument)
        driver.settle()
        return order, heard

    def order(self, sequence, quantity=10, price=10_000, **changes):
        """Return a pending limit order."""
        request = OrderRequest(
            instrument=SHARE.key, side=Side.BUY, quantity=quantity, type=OrderType.LIMIT, price=price
        )
        return new_order(msgspec.structs.replace(request, **changes), START + sequence * SECOND, sequence)

    def later(self, order, seconds):
        """Return `order` touched again, `seconds` after it was made."""
        order.updated = order.created + seconds * SECOND
        return order

    def row(self, driver, order):
        """Return the order's row in the venue's book."""
        return next(row for row in driver.venue.order_book() if row.order_id == order.id)

    def test_a_good_order_is_accepted_with_the_venues_number(self, driver):
        """ACCEPTED comes once, with ids to find the order by."""
        order, heard = self.start(driver)
        assert [(update.order_id, update.what) for update in heard] == [(order.id, Update.ACCEPTED)]
        assert heard[0].broker_order_id
        assert self.row(driver, order).broker_order_id == heard[0].broker_order_id

    def test_place_answers_through_the_listener_only(self, driver):
        """Nothing is returned."""
        driver.venue.connect(lambda _update: None)
        assert driver.venue.place(self.order(1), driver.instrument) is None

    def test_a_bad_order_is_rejected_with_a_reason_and_nothing_else(self, driver):
        """REJECTED is the only word about it."""
        order, heard = self.start(driver, quantity=0)
        assert [update.what for update in heard] == [Update.REJECTED]
        assert heard[0].reason.endswith(".")
        assert self.row(driver, order).state == "REJECTED"

    def test_fills_add_up(self, driver):
        """Partial fills carry their own ids, quantities and prices, and the book sums them."""
        order, heard = self.start(driver)
        driver.trade(order, 4, 9_995)
        driver.trade(order, 6, 10_000)
        fills = [update.fill for update in heard if update.what is Update.FILL]
        assert [(fill.quantity, fill.price) for fill in fills] == [(4, 9_995), (6, 10_000)]
        assert len({fill.id for fill in fills}) == 2
        assert {(fill.order_id, fill.instrument, fill.side) for fill in fills} == {(order.id, SHARE.key, Side.BUY)}
        row = self.row(driver, order)
        assert (row.state, row.filled, row.filled_value) == ("FILLED", 10, 4 * 9_995 + 6 * 10_000)

    def test_a_partial_fill_shows_in_the_book(self, driver):
        """Between fills the order is PARTIALLY_FILLED."""
        order, _ = self.start(driver)
        driver.trade(order, 4, 10_000)
        assert (self.row(driver, order).state, self.row(driver, order).filled) == ("PARTIALLY_FILLED", 4)

    def test_a_cancelled_order_is_done(self, driver):
        """CANCELLED says why, and a second cancellation says that it is too late."""
        order, heard = self.start(driver)
        for seconds in (5, 6):
            driver.venue.cancel(self.later(order, seconds))
            driver.settle()
        assert [update.what for update in heard] == [Update.ACCEPTED, Update.CANCELLED, Update.CANCEL_REJECTED]
        assert all(update.reason.endswith(".") for update in heard if update.what in NEGATIVE)
        assert self.row(driver, order).state == "CANCELLED"

    def test_a_filled_order_cannot_be_cancelled_or_changed(self, driver):
        """Both say so."""
        order, heard = self.start(driver)
        driver.trade(order, 10, 10_000)
        driver.venue.cancel(self.later(order, 5))
        driver.venue.modify(self.later(order, 6), quantity=20, price=10_000, trigger=0)
        driver.settle()
        assert [update.what for update in heard[2:]] == [Update.CANCEL_REJECTED, Update.MODIFY_REJECTED]
        assert "FILLED" in heard[2].reason or "filled" in heard[2].reason

    def test_modified_quantity_is_the_total(self, driver):
        """MODIFIED repeats the new terms; the filled units count into the new quantity."""
        order, heard = self.start(driver)
        driver.trade(order, 4, 10_000)
        driver.venue.modify(self.later(order, 5), quantity=6, price=10_005, trigger=0)
        driver.settle()
        assert (heard[-1].what, heard[-1].quantity, heard[-1].price) == (Update.MODIFIED, 6, 10_005)
        driver.trade(order, 2, 10_005)
        assert self.row(driver, order).state == "FILLED"

    def test_a_total_below_the_fills_is_refused(self, driver):
        """The order stays as it was."""
        order, heard = self.start(driver)
        driver.trade(order, 4, 10_000)
        driver.venue.modify(self.later(order, 5), quantity=4, price=10_000, trigger=0)
        driver.settle()
        assert heard[-1].what is Update.MODIFY_REJECTED
        assert self.row(driver, order).state == "PARTIALLY_FILLED"

    def test_an_unknown_order_is_not_cancelled(self, driver):
        """What the venue never saw, it says that it does not know."""
        heard = []
        driver.venue.connect(heard.append)
        order = self.order(1)
        driver.venue.cancel(order)
        driver.settle()
        assert [update.what for update in heard] == [Update.CANCEL_REJECTED]
        assert order.id in heard[0].reason

    def test_the_same_order_twice_is_one_order(self, driver):
        """A repeated send changes nothing and says nothing."""
        order, heard = self.start(driver)
        driver.venue.place(order, driver.instrument)
        driver.settle()
        assert [update.what for update in heard] == [Update.ACCEPTED]
        assert len(list(driver.venue.order_book())) == 1

    def test_restored_orders_go_on(self, driver):
        """A working order put back after a restart fills the rest of its quantity under its own number."""
        order, heard = self.start(driver)
        driver.trade(order, 4, 10_000)
        order.state, order.filled, order.filled_value = order.state.PARTIALLY_FILLED, 4, 40_000
        order.exchange_order_id = heard[0].exchange_order_id
        again = driver.again()
        again.venue.connect(heard.append)
        again.venue.restore([order])
        again.trade(order, 6, 9_995)
        assert (heard[-1].what, heard[-1].fill.quantity) == (Update.FILL, 6)
        row = self.row(again, order)
        assert (row.state, row.filled, row.filled_value) == ("FILLED", 10, 40_000 + 6 * 9_995)
