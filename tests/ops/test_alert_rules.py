"""Rules against observations: what raises, what ends, and what is only unknown."""

from hypothesis import given
from hypothesis import strategies as st

from aitrade.core.clock import SECOND
from aitrade.ops.alerts import standing
from aitrade.ops.alerts.observation import FIGURES, Observation, readings
from aitrade.ops.alerts.rules import Watch
from aitrade.ops.alerts.settings import AlertSettings

SETTINGS = AlertSettings.load()
NOW = 1_000 * SECOND
BREAKS = {
    "engine-silent": {"engine_silent_s": 11.0},
    "stale-feed": {"feed_age_s": 6.0, "market": True},
    "order-in-doubt": {"order_in_doubt_s": {"ORDER1": 4.0}},
    "rejections": {"rejections": 5},
    "loss-50": {"loss_percent": 50.0},
    "loss-80": {"loss_percent": 80.0},
    "loss-100": {"loss_percent": 100.0},
    "disk": {"disk_free_gb": 4.9},
    "clock": {"clock_off_ms": 501.0},
    "backup-missed": {"backup_age_h": 27.0},
    "chain-broken": {"broken_chain": {"simulated-1": "record 7 does not verify."}},
    "engine-alert": {"engine_alert": {"venue": "An order is FILLED, the venue says cancel."}},
}
HOLDS = {
    "engine_silent_s": 1.0, "feed_age_s": 0.2, "market": True, "order_in_doubt_s": {}, "rejections": 4,
    "loss_percent": 10.0, "disk_free_gb": 80.0, "clock_off_ms": 3.0, "backup_age_h": 2.0, "broken_chain": {},
    "engine_alert": {},
}  # fmt: skip


def looked(home, *observed):
    """Look at observations a second apart; return the rules that stand."""
    watch = Watch(home)
    for second, fields in enumerate(observed):
        watch.look(SETTINGS, Observation(at=NOW + second * SECOND, **fields))
    return {alert.rule for alert in standing(home)}


def test_every_shipped_rule_is_seen_to_fire_and_to_end(tmp_path):
    """Each rule's own break raises it, with no other but those of smaller losses; what holds ends all."""
    for rule, fields in BREAKS.items():
        home = tmp_path / rule
        raised = looked(home, HOLDS | fields, HOLDS | fields)
        assert raised - {"loss-50", "loss-80"} == {rule} - {"loss-50", "loss-80"}
        assert rule in raised
        assert looked(home, HOLDS) == set()
    assert set(BREAKS) == set(SETTINGS.rules)


def test_a_break_must_last(tmp_path):
    """A feed that was late for a moment raises nothing; a second later it does."""
    late = {"feed_age_s": 6.0, "market": True}
    assert looked(tmp_path / "a", late) == set()
    assert looked(tmp_path / "b", late, HOLDS, late) == set()
    assert looked(tmp_path / "c", late, late) == {"stale-feed"}


def test_a_closed_market_has_no_stale_feed(tmp_path):
    """No price after the close is no alert, and the close ends one."""
    late = {"feed_age_s": 600.0, "market": True}
    assert looked(tmp_path, late, late) == {"stale-feed"}
    assert looked(tmp_path, late | {"market": False}) == set()


def test_unknown_neither_raises_nor_ends(tmp_path):
    """While the engine is silent nothing is known of its losses: their alert stands."""
    assert looked(tmp_path, {"loss_percent": 100.0}, {}) == {"loss-50", "loss-80", "loss-100"}


def test_the_sentence_has_its_numbers(tmp_path):
    """A person reads the figure, the limit and what it is about."""
    looked(tmp_path, BREAKS["order-in-doubt"])
    (alert,) = standing(tmp_path)
    assert (alert.subject, alert.lasting) == ("ORDER1", True)
    assert "Order ORDER1 has been in doubt for 4 s" in alert.text


@given(st.floats(0, 200), st.floats(0, 200))
def test_a_rule_breaks_only_beyond_its_limit(value, limit):
    """Above means above, and below means below; on the limit nothing breaks."""
    disk = SETTINGS.rules["disk"]
    assert disk.broken_by(value) is (value < disk.limit)
    assert SETTINGS.rules["rejections"].broken_by(value) is (value > 4)
    assert limit == readings(Observation(at=0, loss_percent=limit), "loss_percent")[""].value


def test_every_figure_can_be_unknown():
    """An observation of nothing has no reading of anything."""
    assert [readings(Observation(at=0), figure) for figure in FIGURES] == [None] * len(FIGURES)
