"""What the reports say: sums that agree with the journal, gaps that are found, notes that do or do not agree."""

import time

import pytest
from made_book import MadeBook
from report_books import CHARGES, FIRST, FUTURE, INFY, SECOND, TCS, plain_sums, traded

from aitrade.compliance.operations import note
from aitrade.core.clock import SECOND as SECONDS
from aitrade.core.clock import at
from aitrade.core.config import load
from aitrade.core.errors import DataRefused, JournalBroken, Refused
from aitrade.core.events import Closed, Conversion, Kind, Line, Opened, Record
from aitrade.core.orders import Order, OrderRequest, OrderState, Product, Side, Update
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings
from aitrade.ops import ledger, trail
from aitrade.ops.configuration_history import keep as keep_configuration
from aitrade.ops.incidents import open_incident
from aitrade.ops.preflight.binding import binding
from aitrade.ops.preflight.record import Result, Run, keep, last, sign
from aitrade.ops.preflight.report_sums import count as count_of
from aitrade.ops.reports import contract_note, report
from aitrade.ops.reports.audit_trail import AuditTrail
from aitrade.ops.reports.charges_paid import ChargesPaid
from aitrade.ops.reports.compliance_pack import CompliancePack
from aitrade.ops.reports.daily_summary import DailySummary
from aitrade.ops.reports.order_log import OrderLog
from aitrade.ops.reports.pieces import count, moment, table
from aitrade.ops.reports.preflight_report import PreflightReport
from aitrade.ops.reports.system_audit import SystemAudit
from aitrade.ops.reports.trade_register import TradeRegister
from aitrade.risk.limits import Limits

BOOK, PLAN = "made-1", "free"
CONVERTED = (-3_16, 10_53, 0, 0, 0, 1_22, -57, 0)


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A traded book in the data folder that reports read."""
    monkeypatch.setenv("AITRADE_HOME", str(tmp_path))
    return traded(tmp_path)


@pytest.fixture(scope="module")
def engine_home(tmp_path_factory):
    """A data folder in which a real engine has traded the first hours of a simulated day with two strategies."""
    home = tmp_path_factory.mktemp("engine")
    strategies = ("moving-average", "opening-range")
    service = Service(EngineSettings(home=str(home), book=BOOK, day=SECOND, strategies=strategies))
    service.step(2 * 3600)
    service.close()
    return home


def test_the_register_counts_what_the_journal_has(book):
    """Register, instruments and control totals agree with a count of the records."""
    register = TradeRegister.of(BOOK, SECOND)
    totals, plain = register.totals().totals, plain_sums(book)
    assert plain.items() <= totals.items()
    assert len(register.register().rows) == plain["trades"]
    total = register.by_instrument().total
    assert total[4] + total[6] == totals["units_bought"] + totals["units_sold"]
    assert register.charges().total == ("All", plain["charges_paise"])


def test_a_day_that_never_began_is_an_empty_one(book):
    """A segment that was named for a day and holds nothing of it gives a NIL report, not an error."""
    book.journal.rotate("2025-04-01")
    register = TradeRegister.of(BOOK, "2025-04-01")
    assert register.totals().totals["trades"] == 0
    assert "NIL report: book made-1 had no trades on 2025-04-01." in register.cover().text()


def test_the_order_log_tells_every_step(book):
    """Orders, refusals, algos with their code, and each record of an order's life in the journal's order."""
    log = OrderLog.of(BOOK, SECOND)
    assert log.totals().totals == {
        "orders": 14, "refusals": 1, "updates": 28, "changes_asked": 0, "cancellations_asked": 1, "fills": 13,
    }  # fmt: skip
    steps = log.log().rows
    assert [row[0] for row in steps] == sorted(row[0] for row in steps)
    assert [row[4] for row in steps[-4:]] == ["SENT", "ACCEPTED", "CANCELLATION ASKED", "CANCELLED"]
    assert "cancelled by asha" in steps[-1][-1]
    assert log.refusals().rows[0][-1] == "lot: 0 units are no order."
    assert [row[0] for row in log.algos().rows] == ["trend"]
    assert log.changes().rows[0][3] == "asha"
    assert log.trading_states().rows[0][1:4] == ("REDUCING", "asha", "trader")


def test_an_engine_s_orders_have_their_whole_story(engine_home):
    """What a real engine writes has no gap, and its charges are those that the rates give again."""
    day = ledger.read(engine_home, BOOK, SECOND)
    assert len(day.stories) > 4
    assert len(day.fills) > 4
    assert trail.gaps(day) == []


def test_charges_of_an_engine_are_computed_again_to_the_paisa(engine_home, monkeypatch):
    """An independent computation from trades and dated rates gives what was booked, order by order."""
    monkeypatch.setenv("AITRADE_HOME", str(engine_home))
    charges = ChargesPaid.of(BOOK, SECOND, "", 0)
    assert charges.recomputed == {}
    assert sum(charges.booked) > 0
    assert "Not reconciled: no contract note" in charges.verdict().html()


def test_a_missing_field_is_a_gap(book):
    """Each thing that is left out of an order's story is named, of that order."""
    order = book.intent(TCS, Side.BUY, 5, 3_500_00, Product.MIS)
    book.say(order, Update.ACCEPTED)
    book.say(order, Update.CANCELLED)
    found = [gap.what for gap in trail.gaps(ledger.read(book.home, BOOK, SECOND)) if gap.order == order.id]
    assert {
        "exchange order number is missing", "exchange time is missing", "reason of the cancellation is missing",
    } <= set(found)  # fmt: skip


def test_an_order_without_a_word_from_the_venue_is_a_gap(book):
    """A day that has ended leaves nothing unproven."""
    order = book.intent(TCS, Side.BUY, 5, 3_500_00, Product.MIS)
    book.close({TCS: 3_500_00, FUTURE: 23_500_00})
    found = [gap.what for gap in trail.gaps(ledger.read(book.home, BOOK, SECOND)) if gap.order == order.id]
    assert "the venue never said a word about it" in found
    assert "the day ended and it is PENDING" in found


def test_the_attestation_has_the_chain_s_heads(book):
    """Segments up to the day with their heads; a later day changes nothing of an earlier day's attestation."""
    first = AuditTrail.of(BOOK, FIRST, 120)
    assert [segment.name for segment in first.chain] == ["000001-first", f"000002-{FIRST}"]
    assert first.chain[-1].head == first.day.head
    second = AuditTrail.of(BOOK, SECOND, 120)
    assert second.chain[:2] == first.chain
    assert second.totals().totals["chain_records"] == sum(segment.records for segment in second.chain)
    assert f"{second.examined} orders and refusals" in second.statement().html()


def test_a_changed_byte_breaks_the_attestation(book):
    """A byte of an earlier day is enough."""
    path = book.home / "books" / BOOK / "journal" / f"000002-{FIRST}.aij"
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    with pytest.raises(JournalBroken, match=FIRST):
        AuditTrail.of(BOOK, SECOND, 120)


def test_a_missing_segment_breaks_the_attestation(book):
    """A segment that was taken away is noticed by the one that follows it."""
    (book.home / "books" / BOOK / "journal" / f"000002-{FIRST}.aij").unlink()
    with pytest.raises(JournalBroken, match="does not continue"):
        AuditTrail.of(BOOK, SECOND, 120)


def test_silences_are_told(book):
    """A span of market time without a record that is longer than asked for is in the report."""
    book.now += 600 * 10**9
    book.trade(TCS, 1, 3_500_00)
    assert [one.ended - one.began for one in AuditTrail.of(BOOK, SECOND, 120).silences] == [601 * 10**9]
    assert AuditTrail.of(BOOK, SECOND, 3600).silences == []


def test_the_broker_s_plan_is_that_of_the_engine_that_traded_the_day(tmp_path, monkeypatch):
    """An engine that was started on an earlier day, with another plan than the one that ships, trades for weeks."""
    monkeypatch.setenv("AITRADE_HOME", str(tmp_path))
    book = MadeBook(tmp_path)
    book.day(FIRST)
    book.add(
        Kind.OPENED,
        Opened(
            version="1", mode="simulated", book=BOOK, seed=1, configuration={"plan": PLAN}, configuration_hash="",
            code_hash="",
        ),
    )  # fmt: skip
    book.close()
    book.day(SECOND)
    book.trade(TCS, 5, 3_500_00, Product.MIS, CHARGES)
    book.close({TCS: 3_510_00})
    assert ChargesPaid.of(BOOK, SECOND, "", 0).plan == PLAN


def converted(book):
    """Convert units to delivery on the book's second day: less brokerage, more tax and duty."""
    book.trade(INFY, 5, 1_500_00, Product.MIS, CHARGES)
    book.add(Kind.CONVERT, Conversion(instrument=INFY, product="MIS", to="CNC", quantity=5))
    book.move("charge", 0, INFY, "CNC", charges=CONVERTED)
    book.close({TCS: 3_510_00, FUTURE: 23_510_00, INFY: 1_500_00})


def test_a_conversion_s_charges_are_in_every_report_s_charges(book):
    """Register, charges, summary, pack and positions say the same whole, which the journal's plain count gives too."""
    before = sum(ledger.read(book.home, BOOK, SECOND).charges)
    converted(book)
    wanted = before + sum(CHARGES) + sum(CONVERTED)
    day = ledger.read(book.home, BOOK, SECOND)
    assert wanted == sum(day.close.day_charges) == count_of(book.home, BOOK, [SECOND])["charges_paise"]
    reports = (TradeRegister.of(BOOK, SECOND), ChargesPaid.of(BOOK, SECOND, "", 0), DailySummary.of(BOOK, SECOND))
    assert [report.totals().totals["charges_paise"] for report in reports] == [wanted] * 3
    assert CompliancePack.of(BOOK, SECOND).month.days[-1].charges == wanted
    charges = reports[1]
    assert charges.components().total[:4] == ("All", before + sum(CHARGES), charges.components().total[2], 802)
    assert sum(row[4] for row in charges.by_segment().rows) == wanted
    assert "Conversions between products are in these sums with +₹8.02" in reports[0].charges().how


def test_a_contract_note_agrees_with_trades_and_conversions_together(book):
    """A note has delivery's charges for what was converted; the book has them in two parts."""
    converted(book)
    note_of(book)
    assert ChargesPaid.of(BOOK, SECOND, "", 0).totals().totals["reconciled"] == 1


def test_an_engine_that_still_runs_has_not_crashed(book):
    """A start counts as one after a crash where no stop lies between it and the start before."""
    assert "Engine starts: 1 after a crash: 0" in SystemAudit.of(BOOK, SECOND).summary().text()
    opened = Opened(
        version="1", mode="simulated", book=BOOK, seed=1, configuration={}, configuration_hash="", code_hash=""
    )
    book.add(Kind.OPENED, opened)
    assert "Engine starts: 2 after a crash: 1" in SystemAudit.of(BOOK, SECOND).summary().text()
    book.add(Kind.CLOSED, Closed(reason="asked", open_orders=0, open_positions=0))
    book.add(Kind.OPENED, opened)
    assert "Engine starts: 3 after a crash: 1" in SystemAudit.of(BOOK, SECOND).summary().text()


def note_of(book, **changed):
    """Write the contract note that agrees with the book, with changes by line."""
    day = ledger.read(book.home, BOOK, SECOND)
    rows = [
        f"trade,{f.id},{f.instrument},{f.side},{f.quantity},{f.price / 100:.2f}," for f in (r.body for r in day.fills)
    ]
    charged = day.close.day_charges
    names = ("brokerage", "stt", "transaction", "sebi", "ipft", "stamp", "gst", "dp")
    rows += [f"charge,{name},,,,,{paid / 100:.2f}" for name, paid in zip(names, charged, strict=True)]
    for number, line in changed.items():
        rows[int(number[4:])] = line
    path = book.home / "contract-notes" / f"{BOOK}-{SECOND}.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(["kind,number,instrument,side,quantity,price,amount", *rows]) + "\n")
    return path


def test_a_contract_note_that_agrees_reconciles(book):
    """Every trade and every component the same: reconciled, and the note's hash says which note."""
    note_of(book)
    charges = ChargesPaid.of(BOOK, SECOND, "", 0)
    assert charges.totals().totals["reconciled"] == 1
    assert "Reconciled: trades and charges agree" in charges.verdict().html()
    assert "All 13 trades are the same in both." in charges.trades().html()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("trade,T999,NSE:TCS,BUY,5,3500.00,", "2 trades and no charge differ"),
        ("charge,brokerage,,,,,1.00", "1 trades and Brokerage differ"),
    ],
)
def test_a_contract_note_that_differs_does_not_reconcile(book, line, words):
    """A trade or an amount that is not ours is a difference, whoever is right."""
    note_of(book, line0=line)
    charges = ChargesPaid.of(BOOK, SECOND, "", 0)
    assert charges.totals().totals["reconciled"] == 0
    assert words in charges.verdict().html()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n", "its first line has to be kind,number"),
        ("kind,number,instrument,side,quantity,price,amount\ntrade,1,NSE:TCS,HOLD,5,1,\n", "line 2"),
        ("kind,number,instrument,side,quantity,price,amount\ncharge,tea,,,,,5\n", "neither a new trade"),
        ("kind,number,instrument,side,quantity,price,amount\ntrade,1\n", "2 fields and not 7"),
    ],
)
def test_a_damaged_contract_note_is_refused_by_line(tmp_path, text, words):
    """Nothing of it is taken; the sentence says where it is wrong."""
    path = tmp_path / "note.csv"
    path.write_text(text)
    with pytest.raises(DataRefused, match=words):
        contract_note.read(path)


def test_parameters_are_checked_before_anything_starts(tmp_path):
    """Types, bounds and files; a refusal says what is taken."""
    charges, audit = report("charges"), report("audit-trail")
    assert audit.values({}) == {"silence": 120}
    assert audit.values({"silence": " 60 "}) == {"silence": 60}
    for wanted, given, words in (
        (audit, {"silence": "soon"}, "silence=soon: it is a whole number from 1 to 86400"),
        (audit, {"silence": "0"}, "from 1 to 86400"),
        (charges, {"tolerance": "1.5"}, "it is a whole number from 0 to 100"),
        (charges, {"note": str(tmp_path / "none.csv")}, "there is no such file"),
    ):
        with pytest.raises(Refused, match=words):
            wanted.values(given)


def test_pieces_write_rupees_times_and_no_markup_of_others():
    """Indian grouping, IST, and whatever came from outside is escaped."""
    shown = table("When:moment, Paid:rupees, Note", [(1_743_135_120_365_611_379, 1_23_45_678_90, "<script>")]).html()
    assert "2025-03-28 09:42:00.365" in shown
    assert "₹1,23,45,678.90" in shown
    assert "&lt;script&gt;" in shown
    assert (count(-1234567), moment(0)) == ("-12,34,567", "–")


def test_the_pack_counts_the_busiest_second_and_the_ratio_by_segment(book):
    """Orders, changes and cancellations of one second, by exchange segment, against the dated threshold."""
    for _ in range(12):
        book.now -= 10**9
        order = book.intent(INFY, Side.BUY, 5, 1_500_00, Product.MIS)
        book.now -= 10**9
        book.say(order, Update.ACCEPTED, exchange_order_id=f"X{order.id}")
    pack = CompliancePack.of(BOOK, SECOND)
    by_segment = {row[0]: row for row in pack.peaks().rows}
    assert by_segment["NSE"][1] >= 12
    assert by_segment["NSE"][3] == 10
    assert by_segment["NSE"][4] == 1
    assert by_segment["NFO"][1] == 1
    ratios = {row[0]: row for row in pack.ratios().rows}
    assert ratios["NFO"][-1] == 1.0
    assert ratios["NSE"][1:5] == (26, 0, 1, 13)
    assert ratios["NSE"][-1] == pytest.approx(27 / 13)


def test_the_pack_is_of_the_month_up_to_the_day(book):
    """Both days of the month are in it, a day of the next month is not, and the totals are over all of them."""
    book.day("2025-04-01")
    book.trade(TCS, 1, 3_600_00)
    pack = CompliancePack.of(BOOK, SECOND)
    plain = [plain_sums(book, day) for day in (FIRST, SECOND)]
    totals = pack.totals().totals
    assert totals["market_days"] == 2
    for name in ("trades", "turnover_paise", "charges_paise"):
        assert totals[name] == sum(day[name] for day in plain)
    assert [row[0] for row in pack.daily().parts[0].rows] == [FIRST, SECOND]


def test_an_untagged_algo_order_is_named(book):
    """An order of an algo without an algo id, and an order without a client code."""
    request = OrderRequest(instrument=TCS, side=Side.BUY, quantity=1, product=Product.MIS, strategy="trend")
    order = Order(id="U" * 20, request=request, state=OrderState.PENDING, venue="paper", quantity=1, created=book.now)
    book.add(
        Kind.INTENT, order, actor="trend", role="strategy", order_id=order.id, strategy="trend", code_hash="e" * 64
    )
    found = {(one.order, one.missing) for one in CompliancePack.of(BOOK, SECOND).month.untagged}
    assert {(order.id, "algo id"), (order.id, "client code")} <= found
    assert "Untagged orders" in CompliancePack.of(BOOK, SECOND).summary().text()


def test_the_pack_lists_incidents_drills_scans_and_changed_limits(book):
    """What was done to the system in the month is there; what was done in another month is not."""
    moment = at(SECOND, "18:30")
    note(book.home, "scan", "security", "passed", at=moment, reason="nothing found")
    note(book.home, "drill", "backup verify", "passed", at=moment)
    note(book.home, "drill", "of another month", "passed", at=at("2025-04-02", "18:30"))
    note(book.home, "configuration", "limits.toml", "changed", at=moment, actor="asha")
    open_incident(book.home, "other", "the line to the exchange was cut", began=moment, actor="asha")
    month = CompliancePack.of(BOOK, SECOND).month
    assert [one.operation.name for one in month.done("drill")] == ["backup verify"]
    pack = CompliancePack.of(BOOK, SECOND)
    assert "backup verify" in pack.drills().html()
    assert "nothing found" in pack.drills().html()
    assert "limits.toml" in pack.limits().html()
    assert "REDUCING" in pack.limits().html()
    assert "the line to the exchange was cut" in pack.incident_list().html()


def test_the_pack_shows_what_each_limit_was_before_and_after(book):
    """Two limits that were changed in the month, with both values; one that was changed in the month after is not."""
    path = book.home / "limits.toml"
    for changed, text in (
        (at("2024-12-20", "09:00"), "day_orders = 500\n"),
        (at(SECOND, "08:00"), "day_orders = 800\nday_loss_rupees = 75000\n"),
        (at("2025-04-03", "09:00"), "day_orders = 900\n"),
    ):
        path.write_text(text)
        keep_configuration(book.home, at=changed)
    pack = CompliancePack.of(BOOK, SECOND)
    rows = [(one.name, one.before, one.after) for one in pack.limit_changes]
    assert rows == [("day_orders", "500", "800"), ("day_loss_rupees", str(Limits.load().day_loss_rupees), "75000")]
    assert pack.totals().totals["limits_changed"] == 2
    assert "2025-03-28 08:00:00.000" in pack.limits().html()


def test_the_pack_s_planted_month_by_hand(book):
    """Peaks, ratio and incidents of what was planted: nine messages in one second of BFO, four of NSE in the next."""
    for number in range(9):
        plant(book, "BFO:SENSEX25APR75000CE", at(SECOND, "11:00:00"), traded=number == 0)
    for _ in range(4):
        plant(book, INFY, at(SECOND, "11:00:01"), traded=False)
    open_incident(book.home, "other", "found out weeks later", began=at(FIRST, "12:00"), actor="asha")
    open_incident(book.home, "other", "of another month", began=at("2025-04-01", "12:00"), actor="asha")
    pack = CompliancePack.of(BOOK, SECOND)
    bfo = next(row for row in pack.peaks().rows if row[0] == "BFO")
    assert bfo == ("BFO", 9, at(SECOND, "11:00:00"), 10, 0, 9)
    nse = next(row for row in pack.peaks().rows if row[0] == "NSE")
    assert (nse[1], nse[2]) == (4, at(SECOND, "11:00:01"))
    assert next(row for row in pack.ratios().rows if row[0] == "BFO")[-1] == 9.0
    assert [one.title for one in pack.incidents] == ["found out weeks later"]


def plant(book, instrument, moment, *, traded):
    """An order at exactly this moment, answered a minute later, so that its second holds the order alone."""
    book.now = moment - SECONDS
    order = book.intent(instrument, Side.BUY, 5, 1_500_00, Product.MIS)
    book.now = moment + 60 * SECONDS
    book.say(order, Update.ACCEPTED, exchange_order_id=f"X{order.id}")
    if traded:
        book.fill(order, 5, 1_500_00, CHARGES)


def test_an_incident_while_a_day_of_the_month_was_traded_is_in_the_pack(book):
    """A simulated day is traded at another time than its own: what happened then belongs to it."""
    add_wall(book, time.time_ns() - 10**9)
    open_incident(book.home, "other", "the line to the exchange was cut", actor="asha")
    add_wall(book, time.time_ns() + 10**9)
    pack = CompliancePack.of(BOOK, SECOND)
    assert [one.title for one in pack.incidents] == ["the line to the exchange was cut"]
    assert "the line to the exchange was cut" in pack.incident_list().html()


def add_wall(book, wall):
    """Append a line of the event log at a machine's time."""
    record = Record(0, Kind.EVENT, book.now, wall, book.name, Line(level="info", text="here"))
    book.journal.append(record)
    book.book.apply(record)


def test_the_audit_says_who_did_what(book):
    """People's commands by name, role and address; acts by outcome; failures in full; chains proven."""
    note(book.home, "backup", "database", "failed", at=at(SECOND, "18:30"), reason="no space left")
    note(book.home, "vault", "mail", "added", at=at(SECOND, "10:00"), actor="asha")
    audit = SystemAudit.of(BOOK, SECOND)
    assert {row[:2] for row in audit.people().rows} == {("asha", "trader"), ("asha", "")}
    assert [row[-1] for row in audit.failures().rows] == ["no space left"]
    assert ("vault", "added", 1) in audit.acts().rows
    assert audit.totals().totals["acts"] == 2
    assert audit.chains().rows[-1][1] == 2
    assert "Preflight was not run" in audit.preflight().html()


def test_the_summary_is_of_the_day(book):
    """P&L of the last mark, counts of the records, the curve by minute, and what was done on that day."""
    note(book.home, "scan", "security", "passed", at=at(SECOND, "18:30"), reason="nothing found")
    summary = DailySummary.of(BOOK, SECOND)
    day = ledger.read(book.home, BOOK, SECOND)
    totals = summary.totals().totals
    assert (totals["pnl_paise"], totals["trades"], totals["acts"]) == (day.marks[-1].body.day_pnl, 13, 1)
    assert "nothing found" in summary.system().html()
    assert [row[0] for row in summary.positions().rows] == [FUTURE]
    assert len(summary.curve().lines[0].points) == len(day.marks) == 1


def test_the_preflight_report_shows_the_newest_run(tmp_path, monkeypatch):
    """Verdicts counted, evidence item by item, bindings, signature; without a run it says that there was none."""
    monkeypatch.setenv("AITRADE_HOME", str(tmp_path))
    assert "NIL report" in PreflightReport.of(SECOND).cover().html()
    results = [
        Result("sebi-trail", "Compliance", "SEBI audit trail complete", "pass", "12 orders", {"orders": 12}),
        Result("failover", "Functionality", "Multi-API failover works", "fail", "not built: no broker", {}),
        Result("logs", "Environment", "Logs kept 90 days", "pass", "90 days", {}),
    ]
    keep(tmp_path, Run(items=results, bound=binding(load(home=tmp_path)), seconds=61.0))
    sign(tmp_path, last(tmp_path), "asha", "owner", "demonstration")
    shown = PreflightReport.of(SECOND)
    assert shown.totals().totals == {"items": 2, "passed": 1, "failed": 1, "not_provable": 0}
    assert "not built: no broker" in shown.items().html()
    assert ("sebi-trail", "orders", "12") in shown.measured().rows
    assert "demonstration" in shown.bound().html()
