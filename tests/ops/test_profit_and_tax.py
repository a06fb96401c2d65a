"""The P&L and tax statement: a year worked out by hand, and the ledger beside it."""

import pytest
from made_book import MadeBook

from aitrade.core.orders import Product
from aitrade.market.tax import Taxes
from aitrade.ops.ledger import walk
from aitrade.ops.reports.profit_and_tax import Head, statement

TCS, INFY, CALL = "NSE:TCS", "NSE:INFY", "NFO:NIFTY24APR2523500CE"
TAXES = Taxes.load()


def charges(brokerage, stt):
    """Brokerage and transaction tax in paise."""
    return (brokerage, stt, 0, 0, 0, 0, 0, 0)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A book that buys TCS in 2024, trades within a day and an option in 2025, and sells in three pieces."""
    folder = tmp_path_factory.mktemp("home")
    book = MadeBook(folder)
    book.day("2024-03-11")
    book.trade(TCS, 100, 1000_00, charges=charges(0, 10_000))
    book.close({TCS: 1000_00})
    book.carry()
    book.day("2025-03-11", carried=100 * 200_00)
    book.trade(TCS, -10, 1200_00, charges=charges(0, 1_200))  # held twelve months to the day: short-term
    book.close({TCS: 1200_00})
    book.day("2025-03-12", carried=90 * 200_00)
    book.trade(TCS, -20, 1300_00, charges=charges(0, 2_600))  # long-term
    book.trade(INFY, -50, 1500_00, Product.MIS, charges=charges(2_000, 1_875))
    book.trade(INFY, 50, 1490_00, Product.MIS, charges=charges(2_000, 0))
    book.close({TCS: 1300_00})
    book.move("dividend", 70 * 10_00, TCS, "CNC")
    book.day("2025-04-24", carried=70 * 300_00)
    book.trade(CALL, 75, 120_00, Product.NRML, charges=charges(2_000, 0))
    book.trade(CALL, -75, 100_00, Product.NRML, charges=charges(2_000, 750))
    book.trade(TCS, -30, 900_00, charges=charges(0, 2_700))
    book.close({TCS: 900_00})
    book.stop()
    return folder


def made(home, first, last):
    """The statement of a span."""
    return statement(walk(home, "made-1"), first, last, TAXES)


def totals(found):
    """Head to (closed, gain, charges, not deducted, net, turnover) in paise."""
    return {t.head: (t.closed, t.gain, t.charges, t.not_deducted, t.net, t.turnover) for t in found.heads}


def test_a_tax_year_by_hand(home):
    """2024-25: one short-term, one long-term piece and one trade within a day, to the paisa."""
    found = totals(made(home, "2024-04-01", "2025-03-31"))
    # 10 bought at 1,000, sold at 1,200: 2,000.00; charges 10.00 (a tenth of the purchase's 100.00) + 12.00, all tax
    assert found[Head.SHORT] == (1, 2_000_00, 2_200, 2_200, 2_000_00, 12_000_00)
    # 20 at 1,000 sold at 1,300: 6,000.00; charges 20.00 + 26.00, all transaction tax
    assert found[Head.LONG] == (1, 6_000_00, 4_600, 4_600, 6_000_00, 26_000_00)
    # 50 sold at 1,500 and bought at 1,490: 500.00 less 40.00 brokerage and 18.75 tax, which a business takes off
    assert found[Head.SPECULATIVE] == (1, 500_00, 5_875, 0, 500_00 - 5_875, 500_00)
    assert found[Head.DERIVATIVES] == (0, 0, 0, 0, 0, 0)


def test_the_next_year_has_its_own(home):
    """2025-26: an option that lost ₹1,500 is turnover of ₹1,500; its premium stands beside it; shares lost ₹3,000."""
    found = made(home, "2025-04-01", "2026-03-31")
    assert totals(found)[Head.DERIVATIVES] == (1, -1_500_00, 4_750, 0, -1_547_50, 1_500_00)
    assert next(t.premium for t in found.heads if t.head is Head.DERIVATIVES) == 7_500_00
    assert totals(found)[Head.LONG][:2] == (1, -3_000_00)
    assert not found.income


def test_capital_gains_by_their_rates(home):
    """20 % of 2,000 and 12.5 % of 6,000; a loss owes nothing."""
    found = made(home, "2024-04-01", "2025-03-31").rates
    assert [(one.rate.held, one.rate.rate, one.net, one.tax) for one in found] == [
        ("long", 125_000, 6_000_00, 750_00),
        ("short", 200_000, 2_000_00, 400_00),
    ]
    assert [one.tax for one in made(home, "2025-04-01", "2026-03-31").rates] == [0]


def test_open_lots_have_their_purchase(home):
    """40 of the 100 are left, with 40 % of the purchase's charges, and long-term since a year and a day."""
    [lot] = made(home, "2025-04-01", "2026-03-31").open_lots
    assert (lot.instrument, lot.opened, lot.quantity, lot.cost) == (TCS, "2024-03-11", 40, 40 * 1000_00)
    assert (lot.charges, lot.bonus, lot.long_from) == (4_000, False, "2025-03-12")


def test_days_add_up_to_the_equity(home):
    """Each day: begins + paid in + P&L = equity; the night before leads from the last equity to its begin."""
    found = made(home, "2024-03-11", "2025-04-24")
    for day in found.days:
        assert day.begins + day.paid_in + day.pnl == day.equity
    for day, following in zip(found.days, found.days[1:], strict=False):
        assert day.equity + following.night == following.begins
    assert found.days[3].night == 700_00  # the dividend
    assert [(one.why, one.amount) for one in found.income] == [("dividend", 700_00)]


def test_lots_and_ledger_agree(home):
    """Realised by the lots is realised by the ledger, and so are the charges."""
    found = made(home, "2024-04-01", "2025-03-31")
    lines = {line.words: line.amount for line in found.reconciliation}
    assert found.difference == 0
    assert lines["Realised by the lots"] == lines["Realised by the ledger, before charges"] == 9_200_00
    assert lines["Charges of the ledger"] == sum(charges(0, 10_000)) + 1_200 + 2_600 + 5_875


def test_a_span_without_trades_is_nil(home):
    """Nothing closed, no income, and still a reconciliation."""
    found = made(home, "2024-04-01", "2024-12-31")
    assert not found.days
    assert not found.closed
    assert all(total.closed == 0 for total in found.heads)
    assert found.difference == 0
