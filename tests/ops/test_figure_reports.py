"""The four reports of figures: made from a traded book, with sums that are the ledger's."""

import re
from pathlib import Path

import msgspec
import pytest

from aitrade.core.clock import at
from aitrade.core.errors import Refused
from aitrade.core.instruments import Kind
from aitrade.core.orders import OrderRequest, Product, Side
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings, Who
from aitrade.ops.ledger import walk
from aitrade.ops.reports import produce
from aitrade.ops.reports.charts import Bars, Line, Lines
from aitrade.ops.reports.performance_report import Performance
from aitrade.ops.reports.pieces import Figure, Figures, table
from aitrade.ops.reports.positions_report import Positions
from aitrade.ops.reports.risk_report import Risk
from aitrade.ops.reports.tax_report import Tax
from aitrade.research.tear_sheet import book_sheet

DAY, NEXT = "2026-11-20", "2026-11-23"
BOOK = "simulated-1"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A data folder whose book traded shares, an option and within a day, over one night."""
    folder = tmp_path_factory.mktemp("figures")
    service = Service(EngineSettings(home=str(folder), day=DAY, start="14:40"))
    try:
        service.step(60)
        for request in _requests(service):
            service.engine.place(request, Who("asha", "trader"))
        service.play_through()
        service._next_day()
        service.step(1200)
        sale = OrderRequest(instrument="NSE:RELIANCE", side=Side.SELL, quantity=4, product=Product.CNC)
        service.engine.place(sale, Who("asha", "trader"))
        service.play_through()
    finally:
        service.close()
    return folder


def _requests(service):
    rows, spot = service.engine.instruments, service.engine.quotes.last("NSE:NIFTY")
    puts = [row for row in rows.values() if row.kind is Kind.PUT and row.underlying == "NSE:NIFTY"]
    put = min(puts, key=lambda row: (row.expiry, abs(row.strike - spot)))
    yield OrderRequest(instrument="NSE:RELIANCE", side=Side.BUY, quantity=10, product=Product.CNC)
    yield OrderRequest(instrument="NSE:TCS", side=Side.SELL, quantity=5, product=Product.MIS)
    yield OrderRequest(instrument=put.key, side=Side.BUY, quantity=put.lot, product=Product.NRML)


def page(made):
    """A report's page as text without tags."""
    return re.sub(r"<[^>]+>", " ", Path(made.html).read_text())


def test_positions_are_worth_what_the_engine_marked(home):
    """The report's equity is the closing mark to the paisa, and its units are the ledger's."""
    made = produce(home, "positions-and-limits", NEXT, pdf=False)
    day = list(walk(home, BOOK))[-1]
    assert made.totals["difference_to_closing_mark_paise"] == 0
    assert made.totals["equity_paise"] == day.equity
    assert made.totals["realised_paise"] == day.close.day_realised
    told = page(made)
    for words in ("This is not a filing", "HOLDING", "net, end of day", "How it was computed"):
        assert words in told, words


def test_risk_is_told_with_its_window(home):
    """Both methods, their window and every scenario stand on the page; a long put risks no more than its worth."""
    made = produce(home, "risk", NEXT, {"confidence": "0.95", "window": "120"}, pdf=False)
    assert made.totals["past_days"] == 120
    assert 0 < made.totals["value_at_risk_paise"] < made.totals["worth_paise"]
    told = page(made)
    for words in ("historical, positions revalued", "parametric", "120 days", "Index -20 %, volatility x 2"):
        assert words in told, words


def test_the_statement_and_the_ledger_are_one_sum(home):
    """Lots, days and charges of the statement are the journal's."""
    made = produce(home, "profit-and-tax", NEXT, {"span": "book"}, pdf=False)
    days = list(walk(home, BOOK))
    assert made.totals["difference_to_ledger_paise"] == 0
    assert made.totals["profit_of_days_paise"] == sum(day.pnl for day in days)
    assert made.totals["charges_paise"] == sum(days[-1].after.charges)
    told = page(made)
    for words in ("Short-term capital gains", "Income-tax Act 2025, section 196", "STCG", "not a filing"):
        assert words in told, words


def test_the_tear_sheet_counts_the_same_trades(home):
    """Days, trades, P&L and charges are the ledger's."""
    made = produce(home, "tear-sheet", NEXT, {"span": "month"}, pdf=False)
    days = list(walk(home, BOOK))
    assert made.totals["trades"] == sum(len(day.fills) for day in days)
    assert made.totals["pnl_paise"] == sum(day.pnl for day in days)
    assert made.totals["difference_to_ledger_paise"] == 0
    assert "persons" in page(made)


def test_days_without_the_book_are_nil(home, monkeypatch):
    """A holiday stands on the book's last day, a day before it began has nothing; every piece shows all the same."""
    monkeypatch.setenv("AITRADE_HOME", str(home))
    held = Positions.of(BOOK, "2026-11-24")
    words = f"the book did not trade on 2026-11-24; this is what its last market day, {NEXT}, left"
    assert words in held.cover().html()
    assert held.totals().totals["holdings"] == 1
    early = "2026-11-18"
    reports = [
        Positions.of(BOOK, early), Risk.of(BOOK, early, 0.99, 250), Tax.of(BOOK, early, "tax-year"),
        Performance.of(BOOK, early, "book"),
    ]  # fmt: skip
    for one in reports:
        assert "NIL report" in one.cover().html()
        assert one.totals().html()
    positions, risk, tax, performance = reports
    nothing = book_sheet([], [])
    shown = [
        positions.summary(), positions.table(), positions.by_underlying(), positions.index_limits(),
        positions.stock_limits(), positions.night(), risk.summary(), risk.exposure(), risk.value_at_risk(),
        risk.outcomes(), risk.stress(), risk.the_day(), risk.limit_use(), risk.refusals(), tax.summary(), tax.by_day(),
        tax.heads(), tax.turnover(), tax.rates(), tax.income(), tax.charges(), tax.reconciliation(),
        tax.by_instrument(), tax.lots(), tax.open_lots(),
        performance.summary(nothing), performance.curve(), performance.fall([]), performance.months(),
        performance.lots(nothing), performance.extremes(), performance.by_owner(),
    ]  # fmt: skip
    assert all(piece.html() for piece in shown)


def test_a_wrong_parameter_starts_nothing(home):
    """It is refused with what it takes, before a kernel starts."""
    with pytest.raises(Refused, match=r"confidence=2: it is a number from 0\.9 to 0\.999"):
        produce(home, "risk", NEXT, {"confidence": "2"})
    with pytest.raises(Refused, match="span=week: it is one of tax-year, month, book"):
        produce(home, "tear-sheet", NEXT, {"span": "week"})


def test_changed_market_data_are_told(home, monkeypatch):
    """Where the market closed elsewhere than the engine marked, the report says so instead of choosing."""
    monkeypatch.setenv("AITRADE_HOME", str(home))
    report = Positions.of(BOOK, NEXT)
    first = report.exposed[0]
    report.exposed[0] = msgspec.structs.replace(first, last=first.last + 5)
    assert report.difference == first.units * 5
    assert "Find out why before relying on either" in report.cover().html()


def test_a_chart_s_scale_is_round():
    """The five numbers at a chart's side are round and enclose every value."""
    page = Bars("P&L", ["a", "b"], [-2_920_331, 682_988], "rupees").html()
    assert re.findall(r'text-anchor="end">([^<]+)<', page) == [
        "-₹30,000.00", "-₹20,000.00", "-₹10,000.00", "₹0.00", "₹10,000.00",
    ]  # fmt: skip


def test_few_bars_are_no_walls_and_a_day_is_named_once():
    """A single bar is as wide as one of many may be; days below a line that is short stand there once."""
    [width] = re.findall(r'<rect [^>]*width="([\d.]+)"', Bars("Orders", ["23 Nov"], [5]).html())
    assert float(width) < 100
    points = [(at(day, "00:00"), 1.0 + number) for number, day in enumerate(("2026-11-20", "2026-11-23"))]
    page = Lines("Equity", [Line("Equity", points)], format="%d %b").html()
    assert re.findall(r'text-anchor="middle">([^<]+)<', page) == ["23 Nov", "22 Nov", "21 Nov", "20 Nov"]


def test_a_line_is_named_in_its_own_ink():
    """Two lines are told apart by the colours of their names, which no style of the page takes away."""
    points = [(0, 1.0), (60 * 10**9, 2.0)]
    page = Lines("P&L", [Line("P&L", points), Line("Limit", points)]).html()
    drawn = re.findall(r'stroke="(#\w{6})" stroke-width', page)
    assert drawn == re.findall(r'style="fill:(#\w{6})', page)
    assert len(set(drawn)) == 2


def test_many_headlines_stand_in_even_rows_and_wide_tables_are_set_smaller():
    """Nine headlines are five and four; a table of more columns than fit is of small print, one of few is narrow."""
    tiles = Figures([Figure(str(number), "1") for number in range(9)]).html()
    assert "--across:5" in tiles
    assert "--across:6" in Figures([Figure(str(number), "1") for number in range(6)]).html()
    columns = ", ".join(f"C{number}" for number in range(10))
    assert 'class="wide"' in table(columns, [range(10)]).html()
    assert 'class="narrow"' in table("A, B", [("a", "b")]).html()
