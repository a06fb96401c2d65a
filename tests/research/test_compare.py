"""Two lists of trades are the same, or every difference is said."""

from hypothesis import given
from hypothesis import strategies as st

from aitrade.core.clock import MINUTE, at
from aitrade.core.orders import Side
from aitrade.research.compare import compare, trades_frame

START = at("2026-11-20", "09:15")


def trade(minute, side=Side.BUY, quantity=10, price=1_285_95):
    """Return a trade of one stock."""
    return ("NSE:X", side, quantity, price, START + minute * MINUTE)


BOTH = [trade(1), trade(5, Side.SELL, 10, 1_290_00), trade(9)]


def test_the_same_trades_are_the_same():
    """Also where one driver knows only the minute."""
    moved = [(*one[:4], one[4] + 700_000_000) for one in BOTH]
    found = compare(BOTH, moved, ("vectorbt", "replay"))
    assert found.same
    assert found.text() == "vectorbt and replay made the same 3 trades."
    assert found.frame().empty


def test_a_planted_difference_is_found_and_named():
    """Another price, quantity or side, in rupees, at its minute."""
    planted = [BOTH[0], trade(5, Side.SELL, 11, 1_290_05), BOTH[2]]
    found = compare(BOTH, planted, ("vectorbt", "replay"))
    assert not found.same
    (row,) = found.frame().to_dict("records")
    assert row == {
        "minute": "2026-11-20 09:20",
        "instrument": "NSE:X",
        "difference": "quantity, price",
        "vectorbt": "SELL 10 @ ₹1,290.00",
        "replay": "SELL 11 @ ₹1,290.05",
    }


def test_a_missing_trade_is_found_on_either_side():
    """The sentence counts, the frame says which side has it."""
    found = compare(BOTH, BOTH[1:], ("vectorbt", "replay"))
    assert found.text() == "1 difference: vectorbt 3 and replay 2 trades."
    assert list(found.frame()["difference"]) == ["only in vectorbt"]
    assert list(compare(BOTH[1:], BOTH, ("a", "b")).frame()["difference"]) == ["only in b"]


@given(st.integers(0, 2), st.integers(1, 1000))
def test_any_changed_price_is_found(row, paise):
    """One difference in, one out."""
    planted = list(BOTH)
    planted[row] = (*BOTH[row][:3], BOTH[row][3] + paise, BOTH[row][4])
    found = compare(BOTH, planted)
    assert not found.same
    assert [one.first for one in found.differences] == [BOTH[row]]


def test_tables_show_rupees():
    """Price and value, in Indian grouping."""
    row = trades_frame([trade(1, quantity=1000)]).iloc[0]
    assert (row["side"], row["price"], row["value"]) == ("BUY", "₹1,285.95", "₹12,85,950.00")
