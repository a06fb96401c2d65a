"""Operations at a glance: each part on its own, empty where there is nothing, a sentence where it cannot be read."""

import sqlite3

import msgspec
import pytest

from aitrade.compliance.journal import segments
from aitrade.compliance.operations import journal_folder
from aitrade.core.clock import LiveClock
from aitrade.core.config import load
from aitrade.ops import backup
from aitrade.ops.alerts import raise_alert
from aitrade.ops.backup.shelf import Shelf
from aitrade.ops.maintenance.schedule import schedule_of
from aitrade.ops.maintenance.timetable import load as timetable
from aitrade.ops.overview import overview
from aitrade.ops.preflight.binding import binding
from aitrade.ops.preflight.record import Result, Run, keep, last, sign


def test_a_fresh_folder_has_nothing_and_no_trouble(tmp_path):
    """Nothing ran, nothing stands, and that is no trouble; the tasks are known without times."""
    found = overview(tmp_path)
    assert (found.alerts, found.incidents, found.preflight, found.backup, found.troubles) == ([], [], None, None, [])
    assert {one.next_run for one in found.maintenance} == {0}
    assert found.health is not None


def test_the_last_preflight_is_counted_and_its_staleness_told(tmp_path):
    """The newest whole run, its verdicts counted, who signed it, and what has changed under it."""
    verdicts = ("pass", "fail", "not_provable_here", "pass")
    items = [Result(str(place), "Security", "words", status, "why", {}) for place, status in enumerate(verdicts)]
    keep(tmp_path, Run(items=items, bound=binding(load(home=tmp_path)), seconds=3.0))
    sign(tmp_path, last(tmp_path), "Asha", "compliance", "looked at it")
    keep(tmp_path, Run(items=[], bound=binding(load(home=tmp_path)), seconds=1.0), "Security")
    run = overview(tmp_path).preflight
    assert (run.passed, run.failed, run.not_provable, run.signed_by) == (2, 1, 1, ["Asha (compliance)"])
    assert run.changed == []


def test_a_changed_limit_makes_the_run_stale(tmp_path):
    """What it was bound to is no longer so."""
    bound = binding(load(home=tmp_path))
    (tmp_path / "limits.toml").write_text("day_orders = 10\n")
    keep(tmp_path, Run(items=[], bound=bound, seconds=3.0))
    assert "limits" in overview(tmp_path).preflight.changed


def test_upkeep_is_read_as_the_scheduler_planned_it(tmp_path):
    """The next task stands first, with the scheduler's own time."""
    with schedule_of(tmp_path, LiveClock(), timetable(tmp_path)) as schedule:
        planned = {row.name: one.next_run for row, one in schedule.plan()}
    found = overview(tmp_path).maintenance
    assert {one.name: one.next_run for one in found if one.name in planned} == planned
    assert found[0].next_run == min(planned.values())


@pytest.mark.parametrize("damage", ["journal", "schedule"])
def test_a_part_that_cannot_be_read_leaves_the_others(tmp_path, damage):
    """A damaged operations journal or schedule is a sentence; the rest stands."""
    raise_alert(tmp_path, "disk", "warning", "full")
    if damage == "journal":
        (segment,) = segments(journal_folder(tmp_path))
        segment.write_bytes(segment.read_bytes().replace(b"raised", b"Raised"))
        overview(tmp_path)  # the first look may take it for a record that is being written
    else:
        database = tmp_path / "operations" / "maintenance.db"
        sqlite3.connect(database).close()
        database.write_bytes(b"nothing of a database" * 100)
    found = overview(tmp_path)
    assert found.troubles
    assert found.health is not None


def test_the_last_backup_is_one_of_everything(tmp_path):
    """A backup is told with kind, size and device; a checkpoint of models that is newer is not taken for it."""
    (tmp_path / "aitrade.toml").write_text("seed = 3\n")
    made = backup.run(tmp_path)
    newer = msgspec.structs.replace(made, id="models-x", kind="models", at=made.at + 1)
    Shelf.of(tmp_path).add(newer)
    saved = overview(tmp_path).backup
    assert (saved.id, saved.kind, saved.size, saved.second_device) == (made.id, "daily", made.size, False)
