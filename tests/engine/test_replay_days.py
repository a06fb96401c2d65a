"""A replayed book from day to day: by the calendar, on what is imported, and never on anything else."""

from collections.abc import Iterator
from datetime import date

import pytest

from aitrade.core.clock import MINUTE, at
from aitrade.core.errors import DataRefused, OrderRefused, Refused
from aitrade.core.orders import OrderRequest, OrderType, Product, Side
from aitrade.core.quotes import Bar
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings, Who
from aitrade.market.input_store import InputStore
from aitrade.market.input_tables import Basis, ImportedSet, Source

TRADER = Who("tester", "trader")
FRIDAY, TUESDAY, LATER = "2025-03-28", "2025-04-01", "2025-05-20"
"""Monday, 2025-03-31, was a holiday."""
KEY = "NSE:RELIANCE"


def have(home, day, key=KEY):
    """Import a day of minutes of one share, at ₹1,230.20 or near it."""
    bars = list(_bars(day, key))
    one = ImportedSet(
        table="bars", subject=key, minutes=1, basis=Basis.RAW, format="made", first=day, last=day, rows=len(bars),
        days={day: len(bars)},
    )  # fmt: skip
    sha256 = f"{date.fromisoformat(day).toordinal()}{key.encode().hex():0>58}"
    source = Source(sha256=sha256, file=day, size=1, imported=1, formats=("made",), parts=(), sets=(one,))
    InputStore(home / "market").commit(source, [(Basis.RAW, bars)])


def _bars(day, key) -> Iterator[Bar]:
    for minute in range(375):
        start = at(day, "09:15") + minute * MINUTE
        yield Bar(key, start, start + MINUTE, 1_230_20, 1_231_00, 1_229_50, 1_230_50, 5_000)


@pytest.fixture
def begin(tmp_path):
    """Start the replay of Friday on the test's folder; the one before is stopped first."""
    have(tmp_path, FRIDAY)
    started = []

    def start(**more):
        while started:
            started.pop().close()
        service = Service(EngineSettings(home=str(tmp_path), mode="replay", book="replay", day=FRIDAY, **more))
        started.append(service)
        return service

    yield start
    for service in started:
        service.close()


def texts(service):
    """The event log's lines."""
    return [event.line.text for event in service.engine.book.events]


def test_the_next_day_is_not_whatever_comes_later(begin, tmp_path):
    """The button refuses while the next market day is not imported, and takes it once it is."""
    have(tmp_path, LATER)
    service = begin()
    service.play_through()
    with pytest.raises(Refused, match=f"market day is {TUESDAY}, and nothing of it is imported: import it, or end"):
        service.jump({"to": "next"}, TRADER)
    assert service.world().session == FRIDAY
    have(tmp_path, TUESDAY)
    service.jump({"to": "next"}, TRADER)
    assert service.world().session == TUESDAY


def test_a_book_that_is_over_can_be_looked_at(begin, tmp_path):
    """Started again after its last day it rests at that day's end, says why, and goes on once there is data."""
    service = begin()
    service.step(600)
    service.engine.place(OrderRequest(instrument=KEY, side=Side.BUY, quantity=5, product=Product.CNC), TRADER)
    service.play_through()
    again = begin()
    assert again.world().session == FRIDAY
    assert again.engine.book.position(KEY, "CNC") == 5
    assert any(f"{FRIDAY} is over. The next market day is {TUESDAY}" in text for text in texts(again))
    again.play_through()
    with pytest.raises(OrderRefused):
        again.engine.place(OrderRequest(instrument=KEY, side=Side.BUY, quantity=5, product=Product.CNC), TRADER)
    have(tmp_path, TUESDAY)
    again.jump({"to": "next"}, TRADER)
    assert again.engine.book.state.holdings[KEY].lot.quantity == 5


def test_what_is_held_and_not_imported_keeps_its_last_price(begin, tmp_path):
    """A share without data on the next day is worth its stored close, not nothing, after a restart too; it is told."""
    service = begin()
    service.step(600)
    service.engine.place(OrderRequest(instrument=KEY, side=Side.BUY, quantity=5, product=Product.CNC), TRADER)
    service.play_through()
    evening = service.engine.account.equity()
    have(tmp_path, TUESDAY, "NSE:TCS")
    service.jump({"to": "next"}, TRADER)
    assert (service.world().session, service.engine.account.equity()) == (TUESDAY, evening)
    assert any(f"{KEY} is held and not in the data of {TUESDAY}" in text for text in texts(service))
    again = begin()
    assert (again.engine.account.equity(), again.engine.account.day_pnl()) == (evening, 0)


def test_a_continued_book_says_which_day_it_is(begin, tmp_path):
    """Asked for Friday it goes on with Tuesday, says so, and says how to begin Friday anew."""
    have(tmp_path, TUESDAY)
    begin().play_through()
    again = begin()
    assert again.world().session == TUESDAY
    told = next(text for text in texts(again) if "continues with" in text)
    assert f"continues with {TUESDAY}. To play {FRIDAY} anew" in told
    assert "--book" in told


def test_a_book_on_a_day_that_is_gone_says_how_to_begin_anew(begin, tmp_path):
    """Its day's data are not there any more, or cannot be traded on: the refusal names the way to the asked day."""
    have(tmp_path, TUESDAY)
    begin().play_through()
    begin()
    for manifest in (tmp_path / "market" / "sources").glob("*.json"):
        if TUESDAY in manifest.read_text():
            manifest.unlink()
    with pytest.raises(DataRefused, match=f"Nothing is imported for {TUESDAY}.* To play {FRIDAY} anew: .*--book"):
        begin()


def test_there_is_a_band_without_a_previous_close(begin):
    """A limit far from the first price is refused although nobody knows yesterday's close."""
    service = begin()
    service.step(600)
    far = OrderRequest(
        instrument=KEY, side=Side.BUY, quantity=5, product=Product.MIS, type=OrderType.LIMIT, price=1_500_00
    )
    with pytest.raises(OrderRefused, match="outside today's band"):
        service.engine.place(far, TRADER)
