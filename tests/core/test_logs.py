"""Logs: a line of JSON an event, secrets left out, a file a day, errors in groups, and the caller never waits."""

import gzip
import json
import logging
import os
import subprocess
import sys
import threading
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitrade.core import logs
from aitrade.core.clock import DAY, at, ist_date
from aitrade.core.error_groups import MOST_GROUPS, keep, read, told
from aitrade.core.redaction import HIDDEN, redacted

CANARY = "s3cr3t-canary-77"


@pytest.fixture
def folder(tmp_path):
    """Logs of a process named `probe`."""
    logs.configure("probe", tmp_path / "logs")
    yield tmp_path / "logs"
    logs.shut()


def written(folder, name="probe.jsonl"):
    """The events so far."""
    logs.flush()
    return list(logs.lines(folder / name))


def failing(kind=ValueError, text="no"):
    """An exception with its trace."""

    def fail():
        raise kind(text)

    try:
        fail()
    except kind as error:
        return error


def test_an_event_is_one_line_with_time_process_level_and_fields(folder):
    """The time in ns, the same moment in IST, and everything that the caller gave."""
    logs.get("market.feed").warning("batch late", rows=12, day=date(2026, 11, 24))
    (row,) = written(folder)
    assert row["event"] == "batch late"
    assert (row["process"], row["level"], row["logger"], row["rows"]) == ("probe", "warning", "market.feed", 12)
    assert row["day"] == "2026-11-24"
    assert row["ist"].endswith("+05:30")
    assert row["ist"][:10] == ist_date(row["ts"]).isoformat()


def test_a_multi_line_text_stays_one_line(folder):
    """Every line of the file is an event by itself."""
    logs.get("a").info("first\nsecond", text="x\ny")
    logs.flush()
    (line,) = (folder / "probe.jsonl").read_text().splitlines()
    assert json.loads(line)["event"] == "first\nsecond"


@pytest.mark.parametrize(
    "fields",
    [
        {"password": CANARY}, {"api_key": CANARY}, {"Authorization": f"Bearer {CANARY}"}, {"cookie": CANARY},
        {"nested": {"refresh_token": CANARY}}, {"rows": [{"totp": CANARY}]}, {"url": f"postgresql://me:{CANARY}@h/db"},
        {"text": f"login?token={CANARY}&x=1"}, {"headers": f"authorization: Bearer {CANARY}"},
        {"text": f'{{"password": "{CANARY}"}}'},
    ],
)  # fmt: skip
def test_no_secret_gets_into_a_log(folder, fields):
    """By its name, nested or not, and where it stands inside a text."""
    logs.get("a").info("event", **fields)
    logs.flush()
    assert CANARY not in (folder / "probe.jsonl").read_text()
    assert HIDDEN in (folder / "probe.jsonl").read_text()


def test_no_secret_gets_into_a_log_by_an_exception(folder):
    """Neither into its line nor into the groups of errors."""
    logs.get("a").error(f"cannot open postgresql://me:{CANARY}@h/db", exc_info=failing(text=f"password={CANARY}"))
    logs.flush()
    everything = "".join(path.read_text() for path in folder.iterdir())
    assert "cannot open" in everything
    assert CANARY not in everything


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_redaction_takes_any_structure(value):
    """Whatever it is given, what comes out can be written; under a secret's name nothing of it is left."""
    json.dumps(redacted("detail", value))
    assert redacted("password", value) in (HIDDEN, value)
    if value not in (None, "", 0, False):
        assert redacted("password", value) == HIDDEN


def test_a_day_is_a_file_and_the_past_is_gzipped(folder):
    """The first line of a new IST day rolls the file; nothing of the day before is lost."""
    path = folder / "probe.jsonl"
    logs.get("a").info("yesterday")
    logs.flush()
    before = path.stat().st_mtime_ns - DAY
    os.utime(path, ns=(before, before))
    logs.shut()
    logs.configure("probe", folder)
    logs.get("a").info("today")
    assert [row["event"] for row in written(folder)] == ["today"]
    day = ist_date(before)
    with gzip.open(folder / f"probe.jsonl.{day}.gz") as file:
        assert json.loads(file.readline())["event"] == "yesterday"


def test_the_day_changes_at_midnight_in_india(folder):
    """A line of 00:00 IST begins a new file, in the running process."""
    writer = logs._writer
    midnight = at("2026-11-25", "00:00")
    for moment, event in ((midnight - 1, "before"), (midnight, "after")):
        writer.queue.put((moment, "info", event, "a", {}, None))
        logs.flush()
        os.utime(folder / "probe.jsonl", ns=(moment, moment))
    assert [row["event"] for row in written(folder)] == ["after"]
    assert [row["event"] for row in logs.lines(folder / "probe.jsonl.2026-11-24.gz")] == ["before"]


WRITES = """
import sys
from pathlib import Path
from aitrade.core import logs
logs.configure("jobs", Path(sys.argv[1]))
for n in range(200):
    logs.get("a").info("x" * 20_000, n=n, of=sys.argv[2])
logs.shut()
"""


def test_processes_of_one_name_add_whole_lines(tmp_path):
    """Two jobs at a time, with lines longer than any buffer: none is torn, none is lost."""
    jobs = [subprocess.Popen([sys.executable, "-c", WRITES, str(tmp_path), name]) for name in ("one", "two")]
    assert [job.wait(60) for job in jobs] == [0, 0]
    rows = [json.loads(line) for line in (tmp_path / "jobs.jsonl").read_text().splitlines()]
    assert {(row["of"], row["n"]) for row in rows} == {(name, n) for name in ("one", "two") for n in range(200)}


def test_libraries_log_into_the_same_file(folder):
    """Warnings and errors of Python's own loggers are events too."""
    logging.getLogger("somebody").warning("took %s s", 3)
    (row,) = written(folder)
    assert (row["event"], row["logger"], row["level"]) == ("took 3 s", "somebody", "warning")


def test_errors_are_grouped_by_what_went_wrong(folder):
    """The same mistake is one group with its count and its first and last time; another mistake is another."""
    log = logs.get("a")
    for n in range(3):
        log.error("failed", order=n, exc_info=failing(text=f"bad number {n}"))
    log.error("other", exc_info=failing(KeyError, "x"))
    log.error("feed 1 stopped at 10:31")
    log.error("feed 2 stopped at 11:02")
    rows = written(folder)
    groups = {group.type: group for group in read(folder.parent)}
    assert {kind: group.count for kind, group in groups.items()} == {"ValueError": 3, "KeyError": 1, "": 2}
    assert groups["ValueError"].first < groups["ValueError"].last
    assert groups["ValueError"].text == "bad number 2"
    assert rows[0]["fingerprint"] == rows[2]["fingerprint"] == groups["ValueError"].fingerprint
    assert rows[0]["error"]["type"] == "ValueError"
    assert "failing" in rows[0]["error"]["trace"]


def test_groups_outlive_the_process_and_add_up(tmp_path):
    """What another process kept is added to, and the number of groups is bounded."""
    error = failing()
    keep(tmp_path, [told("engine", 5, "a", "x", error)])
    keep(tmp_path, [told("page", 3, "a", "x", error), told("page", 9, "a", "x", error)])
    (group,) = read(tmp_path)
    assert (group.count, group.first, group.last, group.process) == (3, 3, 9, "page")
    keep(tmp_path, [told("page", 10 + n, f"logger-{'x' * n}", "x", None) for n in range(MOST_GROUPS)])
    assert len(read(tmp_path)) == MOST_GROUPS
    assert group.fingerprint not in {one.fingerprint for one in read(tmp_path)}


def test_a_damaged_file_of_errors_stops_nobody(tmp_path):
    """It counts as empty and is written anew."""
    keep(tmp_path, [told("engine", 5, "a", "x", failing())])
    (tmp_path / "logs" / "errors.json").write_text("{ torn")
    assert read(tmp_path) == []
    keep(tmp_path, [told("engine", 6, "a", "x", failing())])
    assert read(tmp_path)[0].count == 1


CRASH = """
import sys, threading
from pathlib import Path
from aitrade.core import logs
logs.configure("crash", Path(sys.argv[1]))
worker = threading.Thread(target=lambda: 1 // 0, name="worker")
worker.start()
worker.join()
raise RuntimeError("the last words")
"""


def test_a_crash_is_logged_and_still_said_on_standard_error(tmp_path):
    """Of the main thread and of any other; the last line on standard error is what a supervisor repeats."""
    done = subprocess.run(
        [sys.executable, "-c", CRASH, str(tmp_path / "logs")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == "RuntimeError: the last words"
    kinds = {row["error"]["type"] for row in logs.lines(tmp_path / "logs" / "crash.jsonl")}
    assert kinds == {"RuntimeError", "ZeroDivisionError"}
    assert {group.type for group in read(tmp_path)} == kinds


def test_a_disk_that_takes_nothing_stops_nobody(tmp_path):
    """The line is lost and counted; the caller never hears of it."""
    writer = logs.configure("probe", tmp_path / "logs")
    (tmp_path / "logs" / "probe.jsonl").mkdir()
    logs.get("a").info("lost")
    logs.later("info", "lost too", "a", {})
    logs.flush()
    assert writer.lost == 2
    logs.shut()


def test_a_disk_that_is_stuck_fills_no_memory(tmp_path, monkeypatch):
    """A pipe that nobody reads: what the queue cannot hold is lost and counted, the rest is written when it goes on."""
    monkeypatch.setattr(logs, "MOST_WAITING", 5)
    path, taken = tmp_path / "probe.jsonl", []
    os.mkfifo(path)
    logs.configure("probe", tmp_path)
    for n in range(20):
        logs.later("info", f"{n}", "a", {})
    assert 13 <= logs.lost() <= 15
    reader = threading.Thread(target=lambda: taken.extend(path.read_bytes().splitlines()))
    reader.start()
    lost = logs.lost()
    logs.shut()
    reader.join(10)
    assert len(taken) == 20 - lost


def test_before_it_is_configured_nothing_is_said_and_nothing_breaks(capsys):
    """A module's logger may be used in a test, a notebook or a command."""
    logs.shut()
    logs.later("info", "x", "a", {})
    assert logs.errors_counted() == 0
    assert capsys.readouterr().out == ""
