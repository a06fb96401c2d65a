"""The venue contract, over every venue that we have."""

import pytest
from paper_market import CALENDAR, INSTANT, RULES, SHARE
from venue_contract import START, VenueContract

from aitrade.brokers.scripted import ScriptedVenue
from aitrade.brokers.simulator.exchange import PaperExchange
from aitrade.core.clock import SECOND
from aitrade.core.quotes import Tick


class PaperDriver:
    """The paper exchange; its market prints four units for each that is to fill."""

    instrument = SHARE

    def __init__(self, now=START):
        self.venue = PaperExchange(CALENDAR, RULES, {SHARE.key: SHARE}, latency=INSTANT)
        self.now = now

    def again(self):
        """Return the exchange of a new process, a little later."""
        return PaperDriver(self.now + SECOND)

    def settle(self):
        """Pass ten seconds."""
        self.now += 10 * SECOND
        self.venue.advance(self.now)

    def trade(self, order, quantity, price):
        """Print."""
        self.settle()
        self.venue.on_tick(Tick(order.request.instrument, self.now, price, 4 * quantity))


class ScriptedDriver:
    """The test double."""

    instrument = SHARE

    def __init__(self):
        self.venue = ScriptedVenue()

    def again(self):
        """Return the double of a new process."""
        return ScriptedDriver()

    def settle(self):
        """Nothing is ever under way."""

    def trade(self, order, quantity, price):
        """Fill by script."""
        self.venue.fill(order.id, quantity, price)


class TestPaperExchange(VenueContract):
    """The paper exchange is a venue."""

    @pytest.fixture
    def driver(self):
        """Return a fresh one."""
        return PaperDriver()


class TestScriptedVenue(VenueContract):
    """The test double is a venue."""

    @pytest.fixture
    def driver(self):
        """Return a fresh one."""
        return ScriptedDriver()
