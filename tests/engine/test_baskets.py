"""Tests for baskets of a running book: what they would cost before they are sent, and all legs or none."""

import msgspec
import pytest

from aitrade.core.errors import OrderRefused
from aitrade.core.orders import OrderState
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings, Who
from aitrade.options import strategies

TRADER = Who("tester", "trader")
NIFTY = "NSE:NIFTY"


@pytest.fixture
def service(tmp_path):
    """A simulated book, a few minutes after ten."""
    made = Service(EngineSettings(home=str(tmp_path), day="2026-11-23", start="10:00"))
    made.step(180)
    yield made
    made.close()


def condor(service, lots=1):
    """An iron condor on the far expiry, each leg at market."""
    chain = service.chain(NIFTY, service.chain(NIFTY, "")().expiries[-1])()
    strategy = strategies.build("Iron condor", chain, lots * chain.lot)
    return strategies.orders(strategy, "", market=[leg.key for leg in strategy.legs])


def test_what_has_options_is_said(service):
    """NIFTY is among them, and each has a chain."""
    found = service.underlyings()
    assert NIFTY in found
    assert all(service.chain(key, "")().strikes for key in found)


def test_legs_are_margined_together(service):
    """The bought wings lower what the sold legs tie; charges are the legs' own, added up; nothing is sent."""
    legs = condor(service)
    together = service.commands.preview_basket(legs, TRADER)
    alone = [service.commands.preview(leg, TRADER) for leg in legs]
    assert together.problems == []
    assert 0 < together.margin < sum(leg.margin for leg in alone)
    assert together.charges["total"] == sum(leg.charges["total"] for leg in alone)
    assert together.value == sum(leg.value for leg in alone)
    assert service.orders() == []


def test_a_preview_says_what_sending_says(service):
    """A basket that the money does not carry is refused alike by both, in the same words, and no leg is sent."""
    legs = condor(service, lots=25)
    said = service.commands.preview_basket(legs, TRADER).problems
    with pytest.raises(OrderRefused) as refused:
        service.commands.basket(legs, TRADER)
    assert [[problem.rule, problem.text] for problem in said] == list(map(list, refused.value.problems))
    assert service.orders() == []


def test_a_leg_over_the_freeze_quantity_is_judged_as_it_is_sent(service):
    """Legs go in slices, so that what is refused is the money that they need, never their size."""
    problems = service.commands.preview_basket(condor(service, lots=60), TRADER).problems
    assert "freeze" not in {problem.rule for problem in problems}
    bare = [msgspec.structs.replace(leg, slice=False) for leg in condor(service, lots=60)]
    assert "freeze" in {problem.rule for problem in service.commands.preview_basket(bare, TRADER).problems}


def test_a_basket_goes_under_one_name(service):
    """Every leg has an order of the same basket, those that buy sent first."""
    service.commands.basket(condor(service), TRADER)
    rows = service.orders()
    assert len({row.basket for row in rows}) == 1
    assert [row.side for row in rows] == ["BUY", "BUY", "SELL", "SELL"]
    assert OrderState.REJECTED not in {row.state for row in rows}


@pytest.mark.parametrize("expiry", [0, 1])
@pytest.mark.parametrize("name", ["Long straddle", "Short straddle"])
def test_both_legs_at_the_money_fill(service, expiry, name):
    """A market basket leaves no naked leg: the put at the money prints as the call does, on expiry day and before."""
    chain = service.chain(NIFTY, service.chain(NIFTY, "")().expiries[expiry])()
    strategy = strategies.build(name, chain, chain.lot)
    service.commands.basket(strategies.orders(strategy, "", market=[leg.key for leg in strategy.legs]), TRADER)
    service.step(120)
    assert [row.state for row in service.orders()] == ["FILLED", "FILLED"]
