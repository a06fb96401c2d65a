"""The ledger: what a book's journal says of its days, in rows."""

import msgspec
import pytest
from made_book import OPENING, MadeBook

from aitrade.core.errors import JournalBroken, Refused
from aitrade.core.events import Ask, Kind, Opened, Refusal, StateChange
from aitrade.core.orders import OrderRequest, OrderState, Product, Side, Update
from aitrade.engine.recovery import recover
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings, Who
from aitrade.ops.ledger import Standing, books, days, read, walk

FIRST, SECOND_DAY = "2025-03-27", "2025-03-28"
TCS, INFY = "NSE:TCS", "NSE:INFY"


@pytest.fixture
def two_days(tmp_path):
    """A book of two days: a delivery purchase, a refused, a changed and cancelled order, and a sale the day after."""
    book = MadeBook(tmp_path)
    book.day(FIRST)
    book.trade(TCS, 10, 3_500_00, charges=1_000)
    refused = OrderRequest(instrument=TCS, side=Side.BUY, quantity=0)
    book.add(
        Kind.REFUSAL, Refusal(request=refused, problems=[["lot", "A quantity of 0 is not an order."]]), actor="asha"
    )
    order = book.intent(INFY, Side.SELL, 5, 1_500_00, Product.MIS, strategy="trend")
    book.say(order, Update.ACCEPTED)
    book.add(Kind.MODIFY, Ask(order_id=order.id, quantity=4, price=1_501_00), actor="asha", order_id=order.id)
    book.say(order, Update.MODIFIED, quantity=4, price=1_501_00)
    book.add(Kind.CANCEL, Ask(order_id=order.id), actor="asha", order_id=order.id)
    book.say(order, Update.CANCELLED, reason="cancelled by asha")
    book.add(Kind.STATE, StateChange(state="REDUCING", reason="loss"), actor="asha")
    book.close({TCS: 3_510_00})
    book.carry()
    book.day(SECOND_DAY, carried=100_00)
    book.trade(TCS, -4, 3_520_00, charges=500)
    book.close({TCS: 3_520_00})
    book.stop()
    return tmp_path


def test_days_and_books_are_found(two_days):
    """A book's days are its segments' names, the nameless first one apart."""
    assert books(two_days) == ["made-1"]
    assert days(two_days, "made-1") == [FIRST, SECOND_DAY]


def test_an_order_has_its_whole_story(two_days):
    """Intent with who sent it, changes asked for, every update in order, and the state that the day left it in."""
    story = list(read(two_days, "made-1", FIRST).stories.values())[1]
    assert story.order.state is OrderState.CANCELLED
    assert (story.order.quantity, story.order.price) == (4, 1_501_00)
    assert (story.sent.actor, story.sent.algo_id, story.sent.strategy) == ("asha", "GENERIC", "trend")
    told = [str(row.body.what) if row.at.kind is Kind.UPDATE else str(row.at.kind) for row in story.steps]
    assert told == ["ACCEPTED", "modify", "MODIFIED", "cancel", "CANCELLED"]
    assert not story.fills
    assert story.acknowledged


def test_rows_of_a_day(two_days):
    """Refusals, trading states, cash and fills are the journal's; the opening money belongs to the first day."""
    day = read(two_days, "made-1", FIRST)
    assert [row.body.problems[0][0] for row in day.refusals] == ["lot"]
    assert [row.body.state for row in day.trading] == ["REDUCING"]
    assert [(row.body.why, row.body.amount) for row in day.cash] == [("opening", OPENING), ("carry", 0)]
    assert [row.body.why for row in day.night] == ["carry"]
    assert [(row.body.quantity, row.body.charges[0]) for row in day.fills] == [(10, 1_000)]
    assert day.mode == "simulated"
    assert day.ended


def test_positions_before_at_the_close_and_after_the_night(two_days):
    """A purchase is a position at the close, a T+1 holding after the night, and sold from there the next day."""
    first, second = walk(two_days, "made-1")
    assert first.before.open == {}
    assert first.close.open[f"{TCS}|CNC"].quantity == 10
    assert first.after.open == {}
    assert (first.after.holdings[TCS].lot.quantity, first.after.holdings[TCS].t1) == (10, 10)
    assert second.before.holdings[TCS].lot.quantity == 10
    assert second.after.holdings[TCS].lot.quantity == 6
    assert second.after.day_realised == 4 * 20_00
    assert second.after.charges[0] == 1_500
    assert second.after.cash == OPENING + 4 * 20_00 - 1_500


def test_a_restart_after_the_close_belongs_to_the_next_day(tmp_path):
    """An engine that opens the book in the evening did not trade that day: its set-up is the next day's."""
    book = MadeBook(tmp_path)
    book.day(FIRST)
    book.close()
    again = Opened(
        version="2", mode="simulated", book="made-1", seed=1, configuration={}, configuration_hash="e", code_hash="f"
    )
    book.add(Kind.OPENED, again)
    book.day(SECOND_DAY)
    book.close()
    book.stop()
    first, second = walk(tmp_path, "made-1")
    assert (first.setup.version, second.setup.version) == ("1", "2")
    assert first.set_up_at < second.set_up_at == first.opened[-1].at.wall


def test_days_are_told_apart_by_their_span(two_days):
    """A span takes both its ends, and a day alone says the same as the day in a walk."""
    assert [day.day for day in walk(two_days, "made-1", SECOND_DAY)] == [SECOND_DAY]
    assert [day.day for day in walk(two_days, "made-1", last=FIRST)] == [FIRST]
    assert not list(walk(two_days, "made-1", "2025-04-01"))
    alone, walked = read(two_days, "made-1", SECOND_DAY), list(walk(two_days, "made-1"))[1]
    assert msgspec.json.encode(alone) == msgspec.json.encode(walked)


def test_a_day_or_book_that_is_not_there_is_refused(two_days):
    """The refusal names what there is."""
    with pytest.raises(Refused, match="it has 2 days, 2025-03-27 to 2025-03-28"):
        read(two_days, "made-1", "2025-03-26")
    with pytest.raises(Refused, match="the books there are: made-1"):
        days(two_days, "other")


def test_a_damaged_segment_is_never_a_report(two_days):
    """One flipped bit is JournalBroken."""
    path = next((two_days / "books" / "made-1" / "journal").glob(f"*{FIRST}.aij"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(JournalBroken):
        read(two_days, "made-1", FIRST)


def test_a_traded_day_ends_as_the_engine_recovers_it(tmp_path):
    """Over a kill, a square-off and a night, the ledger's last standing is what a restart would go on with."""
    settings = EngineSettings(home=str(tmp_path), day="2026-11-20", start="15:00", strategies=("moving-average",))
    service = Service(settings)
    try:
        service.step(60)
        buy = OrderRequest(instrument="NSE:RELIANCE", side=Side.BUY, quantity=10, product=Product.CNC)
        short = OrderRequest(instrument="NSE:TCS", side=Side.SELL, quantity=5, product=Product.MIS)
        for request in (buy, short):
            service.engine.place(request, Who("tester", "trader"))
        service.step(120)
        service.abandon()
        service = Service(settings)
        service.play_through()
        service._next_day()
    finally:
        service.abandon()
    first, second = walk(tmp_path, settings.book)
    assert [first.day, second.day] == ["2026-11-20", "2026-11-23"]
    assert len(first.opened) == 2
    assert Standing.of(recover(settings).state) == second.after
    assert first.after.holdings == second.before.holdings
    assert first.after.cash == second.before.cash
    assert {str(story.order.state) for story in first.stories.values()} <= {"FILLED", "EXPIRED", "CANCELLED"}
