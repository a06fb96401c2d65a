"""A data folder with a book of two traded days, for reports."""

from made_book import MadeBook

from aitrade.core.events import Ask, Kind, Refusal, StateChange, StrategyChange
from aitrade.core.orders import OrderRequest, Product, Side, Update

FIRST, SECOND = "2025-03-27", "2025-03-28"
TCS, INFY, FUTURE = "NSE:TCS", "NSE:INFY", "NFO:NIFTY24APR25FUT"
CHARGES = (20_00, 3_50, 1_04, 4, 0, 52, 3_79, 0)


def traded(home, orders=12):
    """Write the book and return it open, so that a test can add to its second day."""
    book = MadeBook(home)
    book.day(FIRST)
    book.trade(TCS, 10, 3_500_00, charges=CHARGES)
    book.close({TCS: 3_510_00})
    book.carry()
    book.day(SECOND, carried=100_00)
    started = StrategyChange(
        name="trend", state="running", instruments=[TCS], quantity=5, parameters={"fast": 3}, code_hash="e" * 64
    )
    book.add(Kind.STRATEGY, started, actor="asha", role="trader")
    for number in range(orders):
        units = 5 if number % 2 == 0 else -5
        book.trade(TCS, units, 3_500_00 + number * 100, Product.MIS, CHARGES, strategy="trend" if number % 3 else "")
    book.trade(FUTURE, 75, 23_500_00, Product.NRML, CHARGES)
    refused = OrderRequest(instrument=TCS, side=Side.BUY, quantity=0, actor="asha")
    book.add(Kind.REFUSAL, Refusal(request=refused, problems=[["lot", "0 units are no order."]]), actor="asha")
    order = book.intent(INFY, Side.SELL, 5, 1_500_00, Product.MIS)
    book.say(order, Update.ACCEPTED, exchange_order_id=f"X{order.id}")
    book.add(Kind.CANCEL, Ask(order_id=order.id), actor="asha", role="trader", order_id=order.id, source="127.0.0.1")
    book.say(order, Update.CANCELLED, reason="cancelled by asha")
    book.add(Kind.STATE, StateChange(state="REDUCING", reason="loss at 80 %"), actor="asha", role="trader")
    book.close({TCS: 3_510_00, FUTURE: 23_510_00})
    return book


def plain_sums(book, day=SECOND):
    """Count a day's trades from the journal's records, without the ledger."""
    from aitrade.compliance.journal import frames, segments

    trades = turnover = charges = 0
    for path in segments(book.home / "books" / book.name / "journal"):
        if day not in path.name:
            continue
        for frame in frames(path):
            fill = frame.record.decoded().fill if frame.record.kind is Kind.UPDATE else None
            if fill is not None:
                trades, turnover, charges = (
                    trades + 1,
                    turnover + fill.quantity * fill.price,
                    charges + sum(fill.charges),
                )
    return {"trades": trades, "turnover_paise": turnover, "charges_paise": charges}
