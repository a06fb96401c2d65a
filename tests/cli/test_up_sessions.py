"""Tests for the days and times that `aitrade up` is given: what cannot be played is told in one sentence."""

import pytest
from click.testing import CliRunner

from aitrade.cli import main
from aitrade.core.errors import AitradeError
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings
from aitrade.market.importing import import_path
from aitrade.market.input_store import InputStore

DRILL = "2024-03-02"
"""A Saturday on which the market traded from 09:15 to 10:00 and from 11:30 to 12:30."""


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("--session", "2025-13-01"), "--session 2025-13-01 is no date; write it like 2025-03-28."),
        (("--session", "hello"), "--session hello is no date; write it like 2025-03-28."),
        (("--session", "2025-03-14"), "2025-03-14 is no trading day (Holi); the next is 2025-03-17."),
        (("--session", "2025-03-29"), "2025-03-29 is no trading day (Saturday); the next is 2025-04-01."),
        (("--session", "2035-03-14"), "2035-03-14 is beyond the calendar: CASH_FNO holidays are published until"),
        (
            ("--session", "2025-03-28"),
            "Nothing is imported for 2025-03-28; import data with `aitrade data import PATH`",
        ),
        (("--start", "26:99"), "--start 26:99 is no time of day; write it like 10:30."),
        (("--start", "noon"), "--start noon is no time of day; write it like 10:30."),
    ],
)
def test_a_day_or_time_that_cannot_be_played_leaves_nothing_behind(tmp_path, given, says):
    """One sentence says what is wrong and what to do; no folder was made."""
    home = tmp_path / "home"
    done = CliRunner().invoke(main, ["up", "--no-browser", *given, "--data-folder", str(home)])
    assert done.exit_code == 2
    assert done.output.startswith(says)
    assert len(done.output.splitlines()) == 1
    assert not home.exists()


def imported(home, day):
    """A data folder with the minutes of an index alone."""
    hours = [("09", range(15, 60)), ("11", range(30, 60)), ("12", range(30))]
    rows = [f"NIFTY,{day.replace('-', '')},{hour}:{m:02},22400,22410,22390,22400" for hour, ms in hours for m in ms]
    file = home / "NIFTY.csv"
    file.write_text("\n".join(["Instrument,Date,Time,Open,High,Low,Close", *rows]))
    assert not import_path(file, InputStore(home / "market")).refused
    return EngineSettings(
        home=str(home), mode="replay", book="b", day=day, speed=0, strategies=("moving-average", "opening-range")
    )


def test_a_special_day_of_an_index_alone_is_played_without_a_strategy(tmp_path):
    """Nothing that a strategy could trade was imported: that is said, and the day is played to its end."""
    service = Service(imported(tmp_path, DRILL))
    try:
        service.play_through()
        assert service.time().done
        assert f"No strategy was started: of {DRILL} only indices are imported. Import shares of that day." in [
            event.text for event in service.snapshot().events
        ]
    finally:
        service.close()


def test_a_day_without_data_leaves_no_book(tmp_path):
    """The engine says which days there are, before it begins a book."""
    settings = imported(tmp_path, DRILL)
    with pytest.raises(AitradeError, match="Nothing is imported for 2024-03-04; only 2024-03-02 is: see"):
        Service(EngineSettings(home=settings.home, mode="replay", book="b", day="2024-03-04"))
    assert not (tmp_path / "books").exists()
