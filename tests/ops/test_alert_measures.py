"""What the watcher measures: the engine's frames, the clocks, the backups, the chains."""

import time

import msgspec
import pytest

from aitrade.compliance.journal import Journal, segments
from aitrade.compliance.operations import note
from aitrade.core.clock import MINUTE, SECOND, at
from aitrade.core.errors import Unreachable
from aitrade.core.events import Kind, Operation, Record
from aitrade.engine.messages import Funds, Health, Snapshot, Time, World
from aitrade.ops.alerts.engine_state import STARTING_S, EngineState
from aitrade.ops.alerts.measure import Backups, Chains, ClockJumps, Measure, both_clocks

OPEN = at("2026-11-23", "10:00")
HOUR = 60 * MINUTE


def order(number, state, updated=OPEN):
    """An order's row, as far as it is looked at."""
    return {"id": number, "state": state, "updated": updated}


def event(number, level, text, source="venue"):
    """A line of the engine's log."""
    return {"id": number, "ts": OPEN, "level": level, "text": text, "source": source}


def frame(kind, **fields):
    """A frame as the engine sends it."""
    return msgspec.json.encode({"type": kind, **fields})


def health(**more):
    """The engine's health."""
    fields = {
        "state": "ACTIVE", "ok": True, "reasons": [], "feed_age_ms": 200.0, "clock_offset_ms": None, "data_path": "",
        "journal": "os", "journal_records": 1, "journal_head": "", "cpu": 5.0, "ram": 40.0, "engine_mb": 90.0,
        "accelerator": "CPU", "latency": {}, "orders_per_s": {}, "order_rate_limit": 10, "ticks_per_s": 50.0,
        "uptime_s": 5.0, "venues": {},
    }  # fmt: skip
    return Health(**fields | more)


def snapshot(orders=(), events=(), mode="simulated", phase="CONTINUOUS", now=OPEN, loss=0):
    """A snapshot with everything that is looked at."""
    funds = Funds(
        opening=0, cash=0, margin_used=0, available=0, unsettled=0, realised=0, unrealised=0, charges=0, day_pnl=-loss,
        loss_limit=100_000,
    )  # fmt: skip
    whole = Snapshot(
        world=World(mode=mode, book="b", session="2026-11-23", source="SIMULATED"),
        time=Time(now=now, phase=phase, speed=1, paused=False, wall=now),
        health=health(), funds=funds, instruments=[], indices=[], watchlist=[], quotes=[], orders=[], trades=[],
        positions=[], holdings=[], strategies=[], events=[], alerts=[],
    )  # fmt: skip
    return msgspec.json.encode(msgspec.to_builtins(whole) | {"orders": list(orders), "events": list(events)})


@pytest.fixture
def state():
    """An engine that was just heard."""
    one = EngineState()
    one.take(snapshot())
    return one


def test_an_order_is_in_doubt_until_its_outcome_is_known(state):
    """It is counted from when it was first seen so; open again, it is forgotten."""
    state.take(frame("orders", rows=[order("A", "IN_DOUBT"), order("B", "OPEN")]))
    since = state.doubtful["A"]
    state.take(frame("orders", rows=[order("A", "IN_DOUBT")]))
    assert state.doubtful == {"A": since}
    state.take(frame("orders", rows=[order("A", "FILLED")]))
    assert state.doubtful == {}


def test_rejections_are_those_of_the_last_five_minutes_of_market_time(state):
    """Each order counts once; older ones are forgotten."""
    rows = [order(str(number), "REJECTED", OPEN - number * MINUTE) for number in range(8)]
    state.take(frame("orders", rows=rows + rows))
    assert state.rejections() == 5


def test_the_engines_own_alerts_are_said_once(state):
    """What its log already had when the watcher came is old; what comes later counts, a rejoin included."""
    state = EngineState()
    state.take(snapshot(events=[event(1, "alert", "old")]))
    assert state.alerts() == {}
    state.take(frame("events", rows=[event(2, "alert", "new"), event(3, "info", "no matter")]))
    assert state.alerts() == {"venue": "new"}
    state.take(snapshot(events=[event(2, "alert", "new"), event(4, "alert", "missed", "feed")]))
    assert state.alerts() == {"venue": "new", "feed": "missed"}


def test_prices_and_unknown_frames_are_passed_over(state):
    """What is not looked at costs nothing and breaks nothing; damage is said."""
    state.take(frame("ticks", rows=[1, 2, 3]))
    state.take(frame("something", new=1))
    with pytest.raises(msgspec.DecodeError):
        state.take(b"{")


@pytest.mark.parametrize(
    ("mode", "phase", "now", "trades"),
    [
        ("simulated", "CONTINUOUS", OPEN, True),
        ("replay", "CLOSED", OPEN, False),
        ("live", "CLOSED", OPEN, True),
        ("live", "CONTINUOUS", at("2026-11-23", "03:00"), False),
        ("paper", "CONTINUOUS", at("2026-11-22", "11:00"), False),
    ],
)
def test_market_hours_are_the_engines_or_the_calendars(mode, phase, now, trades):
    """A world that makes its own time says itself whether it trades; a live one goes by the calendar."""
    state = EngineState()
    state.take(snapshot(mode=mode, phase=phase))
    assert state.trading(now) is trades


def test_an_engine_that_was_never_heard_may_still_start(monkeypatch):
    """Its silence counts from when the supervisor would have given up."""
    state = EngineState()
    assert state.silent_s == 0
    state.heard -= STARTING_S + 5
    assert state.silent_s == pytest.approx(5, abs=1)


def test_an_observation_has_everything(tmp_path, state):
    """Losses in percent of the limit, the feed's age, the disk, no doubt, no broken chain."""
    state.take(snapshot(loss=50_000))
    seen = Measure(tmp_path, state).observe(OPEN)
    assert (seen.loss_percent, seen.feed_age_s, seen.market) == (50.0, 0.2, True)
    assert (seen.order_in_doubt_s, seen.broken_chain, seen.backup_age_h) == ({}, {}, None)
    assert seen.disk_free_gb > 0
    state.heard -= 3
    assert Measure(tmp_path, state).observe(OPEN).loss_percent is None


def test_a_jump_of_the_clock_is_seen_for_a_minute():
    """A clock that runs on is calm; one set forward by two seconds is off by as much, for a minute."""
    clock = ClockJumps()
    assert clock.jump_ms(OPEN, 0) == 0
    assert clock.jump_ms(OPEN + SECOND, SECOND) == 0
    assert clock.jump_ms(OPEN + 4 * SECOND, 2 * SECOND) == 2_000
    assert clock.jump_ms(OPEN + 34 * SECOND, 32 * SECOND) == 2_000
    assert clock.jump_ms(OPEN + 64 * SECOND, 63 * SECOND) == 1_000
    assert clock.jump_ms(OPEN + 130 * SECOND, 129 * SECOND) == 0


def test_both_clocks_are_read_at_one_moment():
    """Their difference is steady over a pause."""
    first = both_clocks()
    time.sleep(0.01)
    second = both_clocks()
    assert abs((second[0] - first[0]) - (second[1] - first[1])) < 50_000_000


def test_a_backup_is_missed_from_the_first_record_on(tmp_path):
    """Nothing to back up is no age; a failed one does not count; a good one does."""
    backups = Backups(tmp_path)
    assert backups.age_h(OPEN) is None
    written(tmp_path, "book", ("one",))
    assert backups.age_h(time.time_ns() + HOUR) == pytest.approx(1, abs=0.1)
    note(tmp_path, "backup", "daily", "passed", at=OPEN)
    note(tmp_path, "backup", "daily", "failed", at=OPEN + HOUR)
    assert backups.age_h(OPEN + 3 * HOUR) == 3


def test_a_chain_is_verified_as_it_grows(tmp_path):
    """What was appended is read on; damage in it is named with its book, and stays named."""
    folder = written(tmp_path, "book", ("one", "two"))
    chains = Chains(tmp_path)
    assert chains.look() == {}
    written(tmp_path, "book", ("three", "four", "five"))
    (segment,) = segments(folder)
    segment.write_bytes(segment.read_bytes().replace(b"four", b"Four"))
    chains.look()
    assert list(chains.look()) == ["book"]
    assert "does not verify" in chains.look()["book"]


def written(home, book, words):
    """Append records to a book's journal; return its folder."""
    folder = home / "books" / book / "journal"
    journal = Journal(folder, durability="os")
    for word in words:
        journal.append(Record(0, Kind.OPERATION, 1, 1, book, Operation(what="drill", name=word, outcome="passed")))
    journal.close()
    return folder


def test_the_webhook_says_what_did_not_come():
    """Waiting in vain is an error with a name, not an empty answer."""
    from aitrade.ops.alerts.webhook import Webhook

    with Webhook() as webhook, pytest.raises(Unreachable, match="'nothing'"):
        webhook.wait_for("nothing", 0.05)
