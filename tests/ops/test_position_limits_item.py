"""The item "position limits enforced": it probes a real engine, and says what is missing."""

import msgspec
import pytest

from aitrade.core.config import load
from aitrade.core.drills import Drilled
from aitrade.ops.preflight.check import Status
from aitrade.ops.preflight.compliance_items import PositionLimits
from aitrade.ops.preflight.ground import Ground
from aitrade.ops.preflight.position_limits import RULE, Probed, named


@pytest.fixture
def ground(tmp_path):
    """An installation without anything, and a scratch place."""
    (tmp_path / "scratch").mkdir()
    return Ground(load(home=tmp_path / "home"), tmp_path / "scratch")


def test_no_rule_of_position_limits_is_an_honest_fail(ground):
    """The engine refuses the probe for other reasons, takes one lot, and the sentence says what is not built."""
    found = PositionLimits().examine(ground)
    assert found.status is Status.FAIL
    assert found.evidence.startswith("not built: no rule of position limits refused")
    assert {"quantity", "margin"} <= set(found.measured["rules_broken"].split(", "))
    assert RULE not in found.measured["rules_broken"]
    assert found.measured["one_lot_accepted"] == "true"
    assert found.measured["delta_value_paise"] > found.measured["limit_crore"] * 10**9
    assert found.examined == 2


def test_a_rule_that_refuses_and_lets_one_lot_through_is_enforced():
    """Refused by that rule alone is enough; a desk that refuses everything proves nothing."""
    probed = Probed(contract="C", units=1, value=1, limit=1500, broken=["margin", RULE], accepted=True)
    assert probed.enforced
    assert "was refused by position_limit" in probed.sentence
    assert not msgspec.structs.replace(probed, accepted=False).enforced
    assert not msgspec.structs.replace(probed, broken=["margin"]).enforced
    assert named([["margin", "a"], ["lot", "b"], ["margin", "c"]]) == ["margin", "lot"]


@pytest.mark.parametrize(("passed", "status"), [(True, Status.PASS), (False, Status.FAIL)])
def test_a_registered_drill_is_judged_instead(ground, monkeypatch, passed, status):
    """Once the risk rules register their drill, its outcome is the item's."""
    import aitrade.risk

    monkeypatch.setattr(
        aitrade.risk, "DRILLS", {"position-limits": f"{__name__}:drill_{passed}".lower()}, raising=False
    )
    assert PositionLimits().examine(ground).status is status


def drill_true(_folder):
    """A drill that held."""
    return Drilled(passed=True, evidence="It holds.", measured={}, source="SIMULATED", examined=1)


def drill_false(_folder):
    """A drill that did not."""
    return Drilled(passed=False, evidence="It does not.", measured={}, source="SIMULATED", examined=1)
