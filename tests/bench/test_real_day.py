"""The real day that `aitrade bench replay` times: from its files, or from what is imported on this machine."""

from datetime import date

from aitrade.bench.replay import HEADER, REAL_DAY, _real_day
from aitrade.core.clock import at
from aitrade.market.importing import import_path
from aitrade.market.input_store import InputStore

NAMES = ("ITC", "RELIANCE", "TCS", "WIPRO")


def test_the_imported_day_is_timed_where_its_files_are_not_at_hand(tmp_path, monkeypatch):
    """Three shares of it are taken, bar for bar; without any import there is none."""
    monkeypatch.setenv("AITRADE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AITRADE_REAL_DATA", str(tmp_path / "nowhere"))
    (tmp_path / "bench").mkdir()
    assert not _real_day(tmp_path / "bench")
    store = InputStore(tmp_path / "home" / "market")
    for number, name in enumerate(NAMES, 1):
        rows = [
            f"28-03-2025,09:{m}:00,{number}00.05,{number}01,{number}00,{number}00.5,{m},0,1,0," for m in range(15, 60)
        ]
        path = tmp_path / name / "28-03-2025.csv"
        path.parent.mkdir()
        path.write_text("\n".join([HEADER, *rows]))
        import_path(path, store)
    assert _real_day(tmp_path / "bench")
    copied, day = InputStore(tmp_path / "bench" / "market"), date.fromisoformat(REAL_DAY)
    store.refresh()
    span = (1, at(day, "09:00"), at(day, "16:00"))
    assert copied.days()[day] == [f"NSE:{name}" for name in NAMES[:3]]
    for key in copied.days()[day]:
        assert copied.bars(key, *span) == store.bars(key, *span) != []
