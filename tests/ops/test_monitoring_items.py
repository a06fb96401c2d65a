"""Audit logging, health, metrics and errors of the checklist: each passes on a whole system, and fails on others."""

import shutil
import uuid

import pytest

from aitrade.core.config import load
from aitrade.core.errors import JournalBroken, OrderRefused
from aitrade.ops.health import Component, State, SystemHealth
from aitrade.ops.preflight import audit_logging, observing
from aitrade.ops.preflight.audit_logging import AuditLogging
from aitrade.ops.preflight.check import Status
from aitrade.ops.preflight.ground import Ground
from aitrade.ops.preflight.observing import ErrorsTracked, HealthMonitoring, MetricsCollected

ITEMS = (AuditLogging, MetricsCollected, ErrorsTracked, HealthMonitoring)


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    """A running scratch system, for all tests here."""
    folder = tmp_path_factory.mktemp("preflight")
    (folder / "home").mkdir()
    ground = Ground(load(home=folder / "home"), folder / "scratch")
    yield ground
    ground.close()


@pytest.fixture
def ground(standing, tmp_path):
    """It, with a scratch place of the test's own."""
    standing.scratch, before = tmp_path, standing.scratch
    if not standing._kept:
        standing.scratch = before
        standing.trading.link  # noqa: B018 - starts it
        standing.scratch = tmp_path
    yield standing
    shutil.rmtree(standing.home / "facts", ignore_errors=True)
    standing.scratch = before


@pytest.mark.parametrize("item", ITEMS)
def test_each_item_passes_on_a_whole_system(ground, item):
    """With evidence, and something that was examined."""
    found = item().examine(ground)
    assert found.status is Status.PASS, found.evidence
    assert found.examined > 0
    assert found.source == "SIMULATED"


def test_a_field_that_the_rules_ask_for_and_the_journal_lacks_fails(ground):
    """It is named; so is one that is there and empty."""
    (ground.home / "facts").mkdir()
    (ground.home / "facts" / "rules.toml").write_text(
        '[[audit_trail]]\nfrom = 2026-01-01\nsent = ["seq", "body.request.terminal", "reason"]\naccepted = []\n'
        'traded = []\nrefused = ["body.request.terminal"]\nsource = "a test"\nconfidence = "A"\n'
    )
    found = AuditLogging().examine(ground)
    assert found.status is Status.FAIL
    for missing in ("sent body.request.terminal", "sent reason", "refused body.request.terminal"):
        assert missing in found.evidence
    assert "sent seq" not in found.evidence


def test_a_journal_without_the_refusal_fails(ground, monkeypatch):
    """What is not there is named, not only what is empty."""
    whole = audit_logging.records
    monkeypatch.setattr(
        audit_logging, "records", lambda *given: (row for row in whole(*given) if row.kind != "refusal")
    )
    found = AuditLogging().examine(ground)
    assert found.status is Status.FAIL
    assert "the record that it was refused" in found.evidence


def test_a_verification_that_accepts_a_changed_copy_fails(ground, monkeypatch):
    """Both changes are named."""
    monkeypatch.setattr(audit_logging, "verify", lambda _folder: None)
    found = AuditLogging().examine(ground)
    assert found.status is Status.FAIL
    assert "one bit flipped was not noticed" in found.evidence
    assert "one record cut out was not noticed" in found.evidence


def test_a_damaged_journal_fails_the_item_by_its_own_words(ground, monkeypatch):
    """The checklist takes the exception for a fail."""

    def broken(_path):
        raise JournalBroken("its hash does not verify")
        yield

    monkeypatch.setattr(audit_logging, "frames", broken)
    with pytest.raises(JournalBroken):
        AuditLogging().examine(ground)


def test_orders_that_do_not_get_through_fail(ground):
    """A halted scratch engine takes no probe."""
    with ground.client() as client:
        client.set_trading("halt", "a drill")
        try:
            with pytest.raises(OrderRefused, match="HALTED"):
                MetricsCollected().examine(ground)
        finally:
            client.set_trading("resume", "a drill")


@pytest.mark.parametrize(("state", "well"), [(State.OK, True), (State.UNKNOWN, False), (State.DOWN, False)])
def test_nothing_is_killed_before_it_has_started(state, well):
    """A watcher that starts still is no fault, and nothing to kill yet: the item waits for it."""
    found = SystemHealth(1, state is not State.DOWN, [Component(observing.KILLED, state, "it starts")])
    assert observing._well(found) is well


def test_monitoring_that_sees_no_part_down_fails(ground, monkeypatch):
    """Whatever was killed."""
    monkeypatch.setattr("aitrade.ops.preflight.observing.SEEN_SECONDS", 0.5)
    monkeypatch.setattr("aitrade.ops.preflight.observing._kill", lambda _home: None)
    found = HealthMonitoring().examine(ground)
    assert found.status is Status.FAIL
    assert "killed watcher was not seen" in found.evidence


def test_a_counter_that_stands_still_fails(ground, monkeypatch):
    """It is named: here the prices, of which none comes while the market is paused."""
    monkeypatch.setattr("aitrade.ops.preflight.observing.SEEN_SECONDS", 0.5)
    monkeypatch.setattr("aitrade.ops.preflight.observing.probe", lambda *_: None)
    with ground.client() as client:
        client.set_speed(paused=True)
        try:
            found = MetricsCollected().examine(ground)
        finally:
            client.set_speed(paused=False)
    assert found.status is Status.FAIL
    assert "aitrade_ticks_total did not move" in found.evidence
    assert "aitrade_orders_sent_total did not move" in found.evidence
    assert "aitrade_request_seconds_count did not move" not in found.evidence


def test_an_error_that_is_not_kept_fails(ground, monkeypatch):
    """Where the groups cannot be written."""
    monkeypatch.setattr("aitrade.ops.preflight.observing.SEEN_SECONDS", 0.5)
    path = ground.trading.home / "logs" / "errors.json"
    kept = path.with_name("kept")
    if path.exists():
        path.rename(kept)
    path.mkdir()
    try:
        found = ErrorsTracked().examine(ground)
    finally:
        path.rmdir()
        if kept.exists():
            kept.rename(path)
    assert found.status is Status.FAIL
    assert "makes 0 groups" in found.evidence


def test_a_secret_in_a_log_fails(ground, monkeypatch):
    """The file is named; here something else has written it in clear."""
    names = iter([*["n" * 8] * 1, *["c4n4ry" * 4] * 9])
    monkeypatch.setattr(uuid, "uuid4", lambda: type("Given", (), {"hex": next(names)}))
    leak = ground.trading.home / "logs" / "leak.txt"
    leak.write_text("c4n4ry" * 4)
    try:
        found = ErrorsTracked().examine(ground)
    finally:
        leak.unlink()
    assert found.status is Status.FAIL
    assert "a secret stands in leak.txt" in found.evidence


def test_a_page_that_tells_no_metrics_fails(ground, monkeypatch):
    """Its target answers something else."""
    monkeypatch.setattr("aitrade.ops.preflight.observing.SEEN_SECONDS", 0.5)
    whole = observing.scraped
    monkeypatch.setattr(observing, "scraped", lambda home, name: {} if name == "page" else whole(home, name))
    found = MetricsCollected().examine(ground)
    assert found.status is Status.FAIL
    assert "page tells no metric" in found.evidence
