"""The rehearsal of a month: what it says when something is missing or fails, what it touches, and its desk."""

import os
from datetime import date

import msgspec
import pytest
from click.testing import CliRunner

from aitrade.cli import main
from aitrade.core.errors import Refused
from aitrade.ops import ledger
from aitrade.ops.maintenance.desk import BOOK, Desk
from aitrade.ops.maintenance.rehearsal import rehearse
from aitrade.ops.maintenance.task import Outcome, Status


def lazy(job, _seconds):
    """Say that every task is done and do nothing; fail the security scan."""
    status = Status.FAILED if job.task == "scan_security" else Status.DONE
    return Outcome(task=job.task, status=status, says="Nothing was done.", began=job.now)


@pytest.fixture(scope="module")
def idle(tmp_path_factory):
    """A month of tasks that say they are done, without a trade."""
    home, heard = tmp_path_factory.mktemp("idle") / "home", []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AITRADE_BACKUP_FOLDER", "/nowhere")
        before = dict(os.environ)
        done = rehearse(home, date(2025, 3, 1), lambda _home, _day: False, how=lazy, say=heard.append)
        assert dict(os.environ) == before
    return done, heard


def test_reports_that_were_not_made_are_named(idle):
    """Seven for each of March 2025's 19 trading days, two for each of its four weeks, three for the month."""
    done, _heard = idle
    assert (len(done.days), done.traded, done.reports) == (19, [], 0)
    assert len(done.missing) == 19 * 7 + 4 * 2 + 3
    assert "compliance-pack of 2025-03-28 was not made." in done.bad
    assert "tear-sheet of 2025-03-13 was not made." in done.bad, "Friday the 14th is a holiday"
    assert not [words for words in done.bad if "2025-03-31" in words], "the month's last day is one, too"


def test_a_task_that_failed_is_named_with_its_day(idle):
    """Each of the five Saturdays; what was done is told in a line of its own."""
    done, heard = idle
    failed = [words for words in done.bad if "scan_security" in words]
    assert failed == [f"scan_security of {day:02} Mar was failed: Nothing was done." for day in (1, 8, 15, 22, 29)]
    assert len(heard) == len(done.ran)


def test_a_task_that_waited_is_named_only_when_it_never_came(idle):
    """What was held up and ran later is well; what is still held up at the end is not."""
    done = Outcome(task="optimize_caches", status=Status.DONE, says="", began=0)
    waits = msgspec.structs.replace(done, status=Status.SKIPPED, says="It waits.")
    well = msgspec.structs.replace(idle[0], missing=[], ran=[waits, done])
    assert well.bad == []
    held = msgspec.structs.replace(well, ran=[done, waits])
    assert held.bad == ["optimize_caches of 01 Jan was skipped: It waits."]


def test_a_folder_in_use_or_a_month_beyond_the_calendar_is_refused(tmp_path):
    """Before anything is done; a month is written like 2025-03."""
    (tmp_path / "kept").touch()
    with pytest.raises(Refused, match="is not empty"):
        rehearse(tmp_path, date(2025, 3, 1), Desk())
    with pytest.raises(Refused, match="January 2040 cannot be rehearsed"):
        rehearse(tmp_path / "home", date(2040, 1, 1), Desk())
    assert not (tmp_path / "home").exists()
    shown = CliRunner().invoke(main, ["maintain", "rehearse", "--month", "March"])
    assert shown.exit_code == 2
    assert "'March' is not a month; write it like 2025-03" in shown.output


def test_the_desk_trades_some_days_and_plays_all(tmp_path):
    """Orders on the first day, one of them refused; the second day is played without any, and none is skipped."""
    desk = Desk(every=2)
    assert [desk(tmp_path, date(2025, 3, 27)), desk(tmp_path, date(2025, 3, 28))] == [True, False]
    traded, idle = (ledger.read(tmp_path, BOOK, day) for day in ("2025-03-27", "2025-03-28"))
    assert len(traded.fills) >= 5
    assert len(traded.refusals) == 1
    assert traded.ended
    assert (len(idle.fills), len(idle.refusals), idle.ended) == (0, 0, True)
    with pytest.raises(Refused, match="The book's next day is 2025-04-01, not 2025-04-02"):
        desk(tmp_path, date(2025, 4, 2))
