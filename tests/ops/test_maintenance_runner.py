"""Tests for running tasks: recorded, limited in time, one at a time, and taken back when they fail."""

import os
import sys
import threading
import time
from contextlib import suppress

import pytest

from aitrade.compliance.operations import noted
from aitrade.core.clock import MINUTE, ReplayClock, at
from aitrade.core.errors import AitradeError, Conflict
from aitrade.core.files import FileLock
from aitrade.ops import MaintenanceManager
from aitrade.ops.alerts import standing
from aitrade.ops.maintenance import child, register
from aitrade.ops.maintenance.job import Job, perform
from aitrade.ops.maintenance.runner import Runner
from aitrade.ops.maintenance.schedule import schedule_of
from aitrade.ops.maintenance.task import Done, Outcome
from aitrade.ops.maintenance.timetable import Row, load

NOW = at("2026-11-25", "18:30")


class Writes:
    """Writes two files, and fails between them when the data folder says so."""

    name = "writes"

    def plan(self, ground):
        """Say so."""
        return ["Write two files."]

    def run(self, ground):
        """Write, undo on failure."""
        with ground.step("write the first"):
            ground.undo((ground.home / "first").unlink)
            (ground.home / "first").write_text("1")
        with ground.step("write the second"):
            if (ground.home / "fail").exists():
                raise AitradeError("The disk is full.")
            (ground.home / "second").write_text("2")
        return Done("Two files are written.", {"files": 2})


class Sleeps:
    """Never ends by itself, and loses the first signal, as a destructor does that a signal happens to hit."""

    name = "sleeps"

    def plan(self, ground):
        """Say so."""
        return ["Sleep."]

    def run(self, ground):
        """Sleep for ever, having written something."""
        with ground.step("sleep"):
            ground.undo((ground.home / "half").unlink)
            with suppress(BaseException):
                (ground.home / "half").write_text("half")
                time.sleep(600)
            time.sleep(600)


@pytest.fixture(autouse=True)
def tasks(monkeypatch):
    """Let the register know the tasks of this file."""
    monkeypatch.setitem(sys.modules, "aitrade.ops.maintenance.of_a_test", sys.modules[__name__])
    monkeypatch.setitem(register.CLASSES, "writes", "of_a_test:Writes")
    monkeypatch.setitem(register.CLASSES, "sleeps", "of_a_test:Sleeps")


@pytest.fixture
def runner(tmp_path):
    """A runner that performs in this process, at a fixed moment."""
    clock = ReplayClock(NOW)
    with schedule_of(tmp_path, clock, load(tmp_path)) as schedule:
        yield Runner(tmp_path, clock, schedule, perform=lambda job, _seconds: perform(job), actor="a test")


def row(name, *needs, cadence="daily"):
    """Return a row of the table."""
    return Row(name=name, cadence=cadence, words=name, seconds=60, with_positions=True, needs=list(needs))


def test_a_task_is_recorded_with_who_when_and_what_it_measured(runner):
    """The operations journal has it, and the schedule's row too."""
    runner.run([row("writes")])
    (record,) = noted(runner.home, "task", "writes")
    assert (record.at, record.actor, record.operation.outcome) == (NOW, "a test", "done")
    assert record.detail(Outcome).measured == {"files": 2}
    with schedule_of(runner.home, runner.clock, load(runner.home)) as schedule:
        assert schedule.rows()["writes"].last_run == NOW


def test_a_failure_names_its_step_takes_itself_back_and_alerts(runner):
    """What was half done is undone; the alert says which task, which step and what to run."""
    (runner.home / "fail").touch()
    (outcome,) = runner.run([row("writes")])
    assert (outcome.status, outcome.step, outcome.says) == ("failed", "write the second", "The disk is full.")
    assert not (runner.home / "first").exists()
    (alert,) = standing(runner.home)
    assert alert.subject == "writes"
    assert "at the step: write the second" in alert.text
    assert "aitrade maintain daily --task writes" in alert.text


def test_a_success_ends_the_alert_of_the_failure(runner):
    """Nobody has to acknowledge what is repaired."""
    (runner.home / "fail").touch()
    runner.run([row("writes")])
    (runner.home / "fail").unlink()
    runner.run([row("writes")])
    assert standing(runner.home) == []


def test_the_others_run_after_a_failure(runner):
    """One task that fails stops no other."""
    (runner.home / "fail").touch()
    outcomes = runner.run([row("writes"), row("optimize_database")])
    assert [one.status for one in outcomes] == ["failed", "done"]


def test_what_needs_a_task_that_failed_does_not_run(runner):
    """No clean-up without a backup before it."""
    (runner.home / "fail").touch()
    outcomes = runner.run([row("writes"), row("optimize_database", "writes")])
    assert outcomes[1].status == "skipped"
    assert "needs writes" in outcomes[1].says


def test_what_needs_a_task_runs_after_its_success(runner):
    """A success of the last day counts, whichever run it was in."""
    runner.run([row("writes")])
    assert runner.run([row("optimize_database", "writes")])[0].status == "done"


def test_two_never_run_at_a_time(runner):
    """A second run is refused with words, and is not recorded."""
    with FileLock(runner.home / "run" / "maintenance.lock"), pytest.raises(Conflict, match="runs already"):
        runner.run([row("writes")])
    assert list(noted(runner.home)) == []


def test_a_dry_run_writes_nothing(runner):
    """Neither files nor records."""
    (outcome,) = runner.run([row("writes")], dry=True)
    assert (outcome.status, outcome.says) == ("planned", "Write two files.")
    assert list(noted(runner.home)) == []
    assert not (runner.home / "first").exists()


def of_this_file():
    """Return the command line of a job child that knows this file's tasks."""
    code = (
        "import sys, importlib.util as u; s = u.spec_from_file_location('aitrade.ops.maintenance.of_a_test', "
        f"{__file__!r}); m = u.module_from_spec(s); s.loader.exec_module(m); sys.modules[s.name] = m; "
        "from aitrade.ops.maintenance import register, job; "
        "register.CLASSES['writes'] = 'of_a_test:Writes'; register.CLASSES['sleeps'] = 'of_a_test:Sleeps'; job.main()"
    )
    return [sys.executable, "-c", code]


@pytest.fixture
def in_child(monkeypatch):
    """Run this file's tasks in children as the product runs its own."""
    monkeypatch.setattr(child, "COMMAND", of_this_file())
    return child.in_child


def test_a_child_answers_with_its_outcome(in_child, tmp_path):
    """What a task measured in its own process comes back."""
    outcome = in_child(Job(home=str(tmp_path), task="writes", now=NOW), 60)
    assert (outcome.status, outcome.measured) == ("done", {"files": 2})
    assert (tmp_path / "second").exists()


def test_a_task_past_its_limit_is_ended_and_taken_back(in_child, tmp_path, monkeypatch):
    """The limit is enforced from outside; what was half done is undone."""
    real, half = time.monotonic, tmp_path / "half"
    monkeypatch.setattr(child.time, "monotonic", lambda: real() + (1_000 if half.exists() else 0))
    outcome = in_child(Job(home=str(tmp_path), task="sleeps", now=NOW), 500)
    assert (outcome.status, outcome.step) == ("late", "sleep")
    assert not (tmp_path / "half").exists()


def test_an_emergency_stops_a_running_task(in_child, tmp_path):
    """The request is a file; the task takes itself back and comes again."""
    half = tmp_path / "half"

    def ask():
        while not half.exists():
            time.sleep(0.01)
        child.stop_request(tmp_path).touch()

    (tmp_path / "run").mkdir()
    asking = threading.Thread(target=ask)
    asking.start()
    outcome = in_child(Job(home=str(tmp_path), task="sleeps", now=NOW), 60)
    asking.join()
    assert (outcome.status, outcome.step) == ("stopped", "sleep")
    assert not half.exists()


def test_an_emergency_goes_before_the_tasks_that_run(in_child, tmp_path):
    """The running task is stopped and taken back, the next one waits, the emergency runs; both come again soon."""
    clock = ReplayClock(NOW)

    def hurry():
        while not (tmp_path / "half").exists():
            time.sleep(0.01)
        with schedule_of(tmp_path, clock, load(tmp_path)) as schedule:
            runner = Runner(tmp_path, clock, schedule, perform=lambda job, _seconds: perform(job))
            ran.append(runner.emergency(load(tmp_path).row("api_failure"), why="a test"))

    ran = []
    hurrying = threading.Thread(target=hurry)
    hurrying.start()
    with schedule_of(tmp_path, clock, load(tmp_path)) as schedule:
        outcomes = Runner(tmp_path, clock, schedule, perform=in_child).run([row("sleeps"), row("writes")])
        hurrying.join()
        rows = schedule.rows()
    assert [one.status for one in outcomes] == ["stopped", "skipped"]
    assert not (tmp_path / "half").exists()
    assert [one.task for one in ran] == ["api_failure"]
    assert rows["sleeps"].next_run == rows["writes"].next_run == NOW + 60 * MINUTE
    assert not child.stop_request(tmp_path).exists()


def test_a_request_that_nobody_stands_behind_stops_nothing(runner):
    """An emergency that was killed while it waited leaves a file; it is not heeded for ever."""
    request = child.stop_request(runner.home)
    request.parent.mkdir(exist_ok=True)
    request.touch()
    assert runner.run([row("writes")])[0].status == "skipped"
    os.utime(request, (1, 1))
    assert runner.run([row("writes")])[0].status == "done"
    assert not request.exists()


def test_a_job_whose_scheduler_was_killed_still_counts_as_running(in_child, tmp_path):
    """The job holds a lock of its own."""
    with FileLock(tmp_path / "run" / "maintenance.job.lock"):
        outcome = in_child(Job(home=str(tmp_path), task="writes", now=NOW), 60)
    assert outcome.status == "skipped"
    assert not (tmp_path / "first").exists()


def test_a_job_that_dies_without_a_word_has_failed(monkeypatch, tmp_path):
    """Nothing is guessed of a process that is gone."""
    monkeypatch.setattr(child, "COMMAND", [sys.executable, "-c", "import os; os._exit(7)"])
    outcome = child.in_child(Job(home=str(tmp_path), task="writes", now=NOW), 60)
    assert outcome.status == "failed"
    assert "exit status 7" in outcome.says


def test_the_manager_runs_one_task_in_a_child(tmp_path):
    """The specification's name, the product's own way."""
    manager = MaintenanceManager(tmp_path, clock=ReplayClock(NOW))
    assert manager.validate_system_health().status == "done"
    assert next(one for one in manager.maintenance_schedule if one.name == "validate_system_health").runs == 1


def test_the_manager_has_the_specifications_names():
    """Everything that the specification calls, and the weekly and monthly kin."""
    names = (
        "maintenance_schedule perform_daily_maintenance perform_weekly_maintenance perform_monthly_maintenance "
        "perform_emergency_maintenance cleanup_old_logs backup_database update_ai_models optimize_database "
        "validate_system_health restart_memory_intensive_services reset_api_connections optimize_system_performance "
        "analyze_performance optimize_caches scan_security checkpoint_models perform_full_backup "
        "produce_compliance_report audit_system"
    )
    assert set(names.split()) <= set(dir(MaintenanceManager))


def test_the_table_has_a_class_for_every_row(tmp_path):
    """No row without a task, no task without a row."""
    assert {one.name for one in load(tmp_path).task} == set(register.CLASSES) - {"writes", "sleeps"}
    for one in load(tmp_path).task:
        assert register.task_named(one.name).name == one.name
