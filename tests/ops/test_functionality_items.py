"""The checks of Functionality: each passes on a sound installation, and fails when its thing is broken."""

import pytest

from aitrade.core.config import load
from aitrade.engine.insight import btst_list
from aitrade.engine.service import Service
from aitrade.ops.preflight.functionality_items import BtstGate, RiskControls
from aitrade.ops.preflight.ground import Ground
from aitrade.ops.preflight.risk_probes import PROBES
from aitrade.risk.refusals import Rule


@pytest.fixture
def ground(tmp_path):
    """An empty installation and a scratch place."""
    configuration = load(home=tmp_path / "home")
    configuration.home.mkdir()
    started = Ground(configuration, tmp_path / "scratch")
    yield started
    started.close()


def limits(ground, text):
    """Put limits into the installation, with few orders a day so that the probe of that is short."""
    given = text if "day_orders" in text else f"day_orders = 60\n{text}"
    (ground.home / "limits.toml").write_text(given)


def test_every_rule_refuses_its_probe_beside_orders_that_pass(ground):
    """All rules are probed, each once, and the evidence counts them."""
    limits(ground, "")
    found = RiskControls().examine(ground)
    assert found.status == "pass", found.evidence
    assert {probe.rule for probe in PROBES} == set(Rule)
    assert found.measured["refused"] == len(Rule)
    assert found.measured["accepted"] > 0


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("order_value_rupees = 0", "value"),
        ("order_units = 0", "quantity"),
        ("order_lots = 0", "quantity"),
        ("day_orders = 0", "day_orders"),
        ("day_loss_rupees = 0", "daily_loss"),
        ("stale_price_seconds = 0", "stale_price"),
        ("duplicate_window_ms = 0", "duplicate"),
    ],
)
def test_a_limit_that_is_off_fails_by_name(ground, text, rule):
    """Its probe passes the rule, and the evidence names it and no other."""
    limits(ground, text)
    found = RiskControls().examine(ground)
    assert found.status == "fail"
    assert f"did not refuse their probe: {rule};" in found.evidence


def test_probes_prove_nothing_where_sound_orders_are_refused(ground):
    """Limits so narrow that nothing passes would refuse every probe, too."""
    limits(ground, "order_value_rupees = 1")
    found = RiskControls().examine(ground)
    assert found.status == "fail"
    assert "Sound orders were refused" in found.evidence


def test_btst_opens_on_the_nanosecond(ground):
    """Nothing a nanosecond before, a list at 14:15:00."""
    found = BtstGate().examine(ground)
    assert found.status == "pass", found.evidence
    assert found.measured["nearest_before_ns"] == 1
    assert found.measured["shares"] > 0


class Early(Service):
    """Its BTST list opens a nanosecond early."""

    def btst(self):
        """The list of another moment."""
        return btst_list(self.engine, self.feed, self._clock.now() + 1, self._scorer)


class Late(Service):
    """Its BTST list opens a nanosecond late."""

    def btst(self):
        """The list of another moment."""
        return btst_list(self.engine, self.feed, self._clock.now() - 1, self._scorer)


class Open(Service):
    """It sends BTST orders at any hour."""

    def __init__(self, settings):
        super().__init__(settings)
        self.commands._pass_btst_gate = lambda _request: None


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (Early, "1 ns before the opening a list of"),
        (Late, "at or after the opening no list"),
        (Open, "a BTST order was not refused"),
    ],
)
def test_a_gate_that_opens_at_another_moment_fails(ground, broken, says):
    """A nanosecond too early, too late, or for orders only: each is seen."""
    found = BtstGate(broken).examine(ground)
    assert found.status == "fail"
    assert says in found.evidence
