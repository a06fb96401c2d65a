"""How long data are kept: eight years for orders, trades, audit and contract data, ninety days for logs."""

import os
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aitrade.compliance.journal import Journal, segments
from aitrade.compliance.retention import Retention, packaged_patterns
from aitrade.core.clock import at, ist_date
from aitrade.core.errors import Refused
from aitrade.core.events import Kind, Line, Record
from aitrade.market.rules import Rules

AUDIT = "orders, trades, audit, contract data"
TODAY = date(2026, 11, 24)
EIGHT_YEARS, NINETY = 2922, 90


def written(path, day):
    """Write a file as if on a day."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    ts = at(day, "12:00") // 10**9
    os.utime(path, (ts, ts))
    return path


def journal(folder, days):
    """Write a journal whose segments are each of one day, and an open one."""
    made = Journal(folder)
    for day in days:
        made.append(Record(0, Kind.EVENT, 0, at(day, "12:00"), "b", Line(level="info", text="x")))
        made.rotate(day.isoformat())
    made.close()
    for path in folder.iterdir():
        os.utime(path, (1, 1))
    return segments(folder)


@pytest.mark.parametrize(
    ("name", "data_class", "days"),
    [
        ("books/b/journal/000001-first.aij", AUDIT, EIGHT_YEARS),
        ("books/b/aitrade.db", AUDIT, EIGHT_YEARS),
        ("operations/journal/000001-first.aij", AUDIT, EIGHT_YEARS),
        ("archive/b-20260101-090000/journal/000001-first.aij", AUDIT, EIGHT_YEARS),
        ("reports/2026-11-24/trade-register.html", AUDIT, EIGHT_YEARS),
        ("market/master/NSE.parquet", AUDIT, EIGHT_YEARS),
        ("configuration/history.git/HEAD", AUDIT, EIGHT_YEARS),
        ("logs/engine.jsonl", "logs", NINETY),
        ("run/token", "", 0),
        ("aitrade.toml", "", 0),
    ],
)
def test_every_file_has_its_class_and_term(tmp_path, name, data_class, days):
    """By the rules of the day."""
    path = written(tmp_path / name, TODAY)
    retention = Retention(tmp_path, TODAY)
    kept = retention.kept(path)
    assert retention.class_of(path) == data_class
    assert (kept.days if kept else 0) == days


def test_every_class_has_a_term_and_every_term_a_class():
    """What a file can be of is in the market rules, and the other way."""
    assert {row.data_class for row in packaged_patterns()} == set(Rules.load().retention(TODAY))


def test_a_term_ends_with_its_last_day(tmp_path):
    """On the last day a removal is refused with the date, on the next it is not."""
    path = written(tmp_path / "logs" / "engine.jsonl", TODAY)
    last = TODAY + timedelta(days=NINETY)
    with pytest.raises(Refused, match=f"until {last:%d %b %Y}"):
        Retention(tmp_path, last).require_past(path)
    Retention(tmp_path, last + timedelta(days=1)).require_past(path)


@settings(max_examples=30)
@given(age=st.integers(0, 4000))
def test_what_is_past_is_what_may_be_removed(tmp_path_factory, age):
    """The list and the refusal say the same, whatever the age."""
    home = tmp_path_factory.mktemp("any")
    paths = [written(home / name, TODAY) for name in ("logs/a.jsonl", "reports/r.html")]
    retention = Retention(home, TODAY + timedelta(days=age))
    past = {row.name for row in retention.past()}
    assert past == {path.relative_to(home).as_posix() for path in paths if _may_go(retention, path)}
    assert len(past) == (age > NINETY) + (age > EIGHT_YEARS)


def test_a_journal_is_as_old_as_its_newest_record(tmp_path):
    """A segment that a copy gave an old time stamp is kept by its records."""
    first, _open = journal(tmp_path / "books" / "b" / "journal", [TODAY])
    assert Retention(tmp_path, TODAY).kept(first).since == TODAY


def test_a_journal_goes_from_its_beginning_and_never_its_end(tmp_path):
    """A segment between two that are kept stays, and so does the one that is written to."""
    old, new = TODAY - timedelta(days=3000), TODAY
    paths = journal(tmp_path / "books" / "b" / "journal", [old, new, old])
    retention = Retention(tmp_path, TODAY)
    assert [row.name for row in retention.past()] == [paths[0].relative_to(tmp_path).as_posix()]
    with pytest.raises(Refused, match="oldest"):
        retention.require_past(paths[2])
    later = Retention(tmp_path, TODAY + timedelta(days=20_000))
    assert [row.name for row in later.past()] == [path.relative_to(tmp_path).as_posix() for path in paths[:-1]]
    with pytest.raises(Refused, match="oldest"):
        later.require_past(paths[-1])


def test_a_rolled_log_is_as_old_as_the_day_in_its_name(tmp_path):
    """Packing or restoring it later changes nothing."""
    path = written(tmp_path / "logs" / "engine.jsonl.2026-08-01.gz", TODAY)
    assert Retention(tmp_path, TODAY).kept(path).since == date(2026, 8, 1)


def test_the_history_of_the_configuration_is_of_one_piece(tmp_path):
    """A commit of today keeps every older file of the repository."""
    old = written(tmp_path / "configuration" / "history.git" / "objects" / "a", date(2010, 1, 1))
    written(tmp_path / "configuration" / "history.git" / "HEAD", TODAY)
    assert Retention(tmp_path, TODAY).kept(old).since == TODAY


@pytest.mark.parametrize(("days", "term"), [(1, EIGHT_YEARS), (4000, 4000)])
def test_own_rules_make_a_term_longer_never_shorter(tmp_path, days, term):
    """A row in the data folder's facts that would shorten a term is passed over."""
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts" / "rules.toml").write_text(
        f'[[retention]]\nfrom = 2026-02-01\nclass = "{AUDIT}"\ndays = {days}\nsource = "ours"\nconfidence = "A"\n'
    )
    assert Retention(tmp_path, TODAY).days[AUDIT] == term


def test_before_2026_the_five_years_of_1992_held():
    """The terms are dated."""
    assert Rules.load().retention(date(2025, 6, 1))[AUDIT] == 1827
    assert Rules.load().retention(ist_date(at("2026-02-01", "09:00")))[AUDIT] == EIGHT_YEARS


def _may_go(retention, path):
    try:
        retention.require_past(path)
    except Refused:
        return False
    return True
