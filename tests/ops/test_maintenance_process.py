"""Tests for the scheduler as a process, and for its look at the schedule."""

import signal
import subprocess
import sys
import time

import msgspec

from aitrade.compliance.operations import noted
from aitrade.core.clock import LiveClock, ReplayClock, at
from aitrade.core.files import FileLock
from aitrade.ops.alerts import standing
from aitrade.ops.maintenance.job import perform
from aitrade.ops.maintenance.process import Scheduled, Scheduler
from aitrade.ops.maintenance.schedule import Planned, schedule_of
from aitrade.ops.maintenance.supervised import scheduler_child
from aitrade.ops.maintenance.task import Outcome, Status
from aitrade.ops.maintenance.timetable import load

WHOLE = "validate_system_health"


def in_process(job, _seconds):
    """Perform here."""
    return perform(job)


def test_the_process_catches_up_what_was_missed_and_ends_when_told(tmp_path):
    """A task that was due runs in a child of the real process, by the machine's clock, unless markets are open."""
    clock, table = LiveClock(), load(tmp_path)
    with schedule_of(tmp_path, clock, table) as schedule:
        schedule.plan()
        schedule.keep(Planned(WHOLE, next_run=clock.now() - 1))
        quiet = schedule.quiet(clock.now(), table.row(WHOLE).seconds)
    child = scheduler_child(tmp_path)
    process = subprocess.Popen([sys.executable, "-m", child.module], stdin=subprocess.PIPE)
    try:
        process.stdin.write(child.settings + b"\n")
        process.stdin.close()
        limit = time.monotonic() + 60
        while quiet and not list(noted(tmp_path, "task", WHOLE)) and time.monotonic() < limit:
            time.sleep(0.1)
        while not (tmp_path / "run" / "maintenance.json").exists() and time.monotonic() < limit:
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    told = msgspec.json.decode((tmp_path / "run" / "maintenance.json").read_bytes(), type=Scheduled)
    assert told.pid == process.pid
    assert [one.actor for one in noted(tmp_path, "task", WHOLE)] == (["scheduler"] if quiet else [])


def test_while_a_person_runs_maintenance_the_scheduler_waits(tmp_path):
    """What is due stays due, and comes with the next look."""
    clock = ReplayClock(at("2026-11-25", "11:00"))
    with schedule_of(tmp_path, clock, load(tmp_path)) as schedule:
        scheduler = Scheduler(tmp_path, clock, schedule, perform=in_process)
        schedule.plan()
        schedule.keep(Planned(WHOLE, next_run=clock.now() + 1))
        clock.advance(at("2026-11-25", "17:00"))
        with FileLock(tmp_path / "run" / "maintenance.lock"):
            assert scheduler.tick() == []
        assert [one.task for one in scheduler.tick()] == [WHOLE]


def test_what_no_longer_fits_before_the_market_waits_for_the_evening(tmp_path):
    """Woken at 07:30 with everything due, tasks that take all their time are over before the market opens."""
    clock, began = ReplayClock(at("2026-11-24", "19:00")), []

    def slow(job, seconds):
        began.append((job.task, clock.now()))
        clock.advance(clock.now() + round(seconds * 10**9))
        return Outcome(task=job.task, status=Status.DONE, says="Done.", began=began[-1][1])

    with schedule_of(tmp_path, clock, load(tmp_path)) as schedule:
        scheduler = Scheduler(tmp_path, clock, schedule, perform=slow)
        schedule.plan()
        clock.advance(at("2026-11-26", "07:30"))
        ran = [one.task for one in scheduler.tick()]
        assert ran[0] == "backup_database"
        assert clock.now() <= at("2026-11-26", "08:45")
        assert [row.name for row in schedule.due()] == []
        clock.advance(at("2026-11-26", "16:00"))
        waited = {row.name for row in schedule.due()}
        assert waited
        assert not waited & set(ran)


def test_beyond_the_calendar_nothing_runs_and_people_are_told(tmp_path):
    """The alert says what to do; it ends when the calendar is there again."""
    clock = ReplayClock(at("2026-12-31", "19:00"))
    with schedule_of(tmp_path, clock, load(tmp_path)) as schedule:
        scheduler = Scheduler(tmp_path, clock, schedule, perform=in_process)
        schedule.plan()
        clock.advance(at("2027-01-01", "18:30"))
        assert scheduler.tick() == []
    (alert,) = standing(tmp_path)
    assert alert.rule == "calendar-ends"
    assert "facts/days.toml" in alert.text
    assert list(noted(tmp_path, "task")) == []


def test_a_data_folders_own_table_goes_over_the_packages(tmp_path):
    """One row changes; the others and their order stay."""
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts" / "maintenance.toml").write_text(
        'segments = ["CASH", "COMMODITY"]\n[[cadence]]\nname = "daily"\nat = { hour = 23, minute = 58 }\n'
        f'[[task]]\nname = "{WHOLE}"\ncadence = "daily"\nwords = "x"\nseconds = 5\nwith_positions = false\n'
    )
    table = load(tmp_path)
    assert table.when("daily").at == {"hour": 23, "minute": 58}
    assert (table.row(WHOLE).seconds, table.row(WHOLE).with_positions) == (5, False)
    clean = tmp_path / "clean"
    assert [row.name for row in table.task] == [row.name for row in load(clean).task]
    assert table.when("weekly") == load(clean).when("weekly")
