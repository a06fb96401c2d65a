"""The items that trail and reports answer for: they pass on what is whole and fail on what is not."""

import os
import sys
import time

import msgspec
import pytest
from report_books import FUTURE, SECOND, TCS, traded

from aitrade.brokers.simulator.exchange import PaperExchange
from aitrade.brokers.venue import VenueOrder
from aitrade.core.config import load
from aitrade.core.errors import JournalBroken
from aitrade.core.orders import OrderRequest, Product, Side
from aitrade.engine.client import EngineClient
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings
from aitrade.ops.preflight import report_sums, trail_drill
from aitrade.ops.preflight.binding import binding
from aitrade.ops.preflight.check import Source, Status
from aitrade.ops.preflight.compliance_items import RegulatoryReports, SebiTrail, weakest
from aitrade.ops.preflight.ground import Ground
from aitrade.ops.preflight.record import Result, Run, keep
from aitrade.ops.preflight.report_sums import count, last_traded
from aitrade.ops.reports import CATALOGUE, report
from aitrade.ops.supervisor import Supervisor

WHOLE = "each story is complete, each record has every field that the rules file asks for, the probe was found"


@pytest.fixture
def ground(tmp_path):
    """An installation without anything, and a scratch place."""
    (tmp_path / "scratch").mkdir()
    return Ground(load(home=tmp_path / "home"), tmp_path / "scratch")


def engine_day(home):
    """An hour of an engine's trading in the installation."""
    service = Service(EngineSettings(home=str(home), book="simulated-1", day=SECOND, strategies=("moving-average",)))
    service.step(3600)
    service.close()


def test_an_empty_installation_is_examined_by_the_drill(ground):
    """Orders of a scratch engine are in the journal as in its venue's book, and three tamperings are caught."""
    found = SebiTrail().examine(ground)
    assert found.status is Status.PASS
    assert WHOLE in found.evidence
    assert found.examined == found.measured["drill_orders"] == found.measured["drill_orders_at_venue"] > 0
    assert found.measured["orders"] == 0


def test_a_journal_of_an_engine_passes_and_is_not_looked_at_twice(ground):
    """Every order since the last pass; what a pass has seen and nobody wrote to since is not examined again."""
    engine_day(ground.home)
    found = SebiTrail().examine(ground)
    assert found.status is Status.PASS
    assert found.measured["orders"] > 0
    passed = Result("sebi-trail", "Compliance", "SEBI audit trail complete", "pass", "", {})
    keep(ground.home, Run(items=[passed], bound=binding(ground.configuration), seconds=1.0))
    assert list(trail_drill.unpassed(ground.home, "sebi-trail")) == []
    engine_day(ground.home)
    assert [day.day for day in trail_drill.unpassed(ground.home, "sebi-trail")] == [SECOND]


def passed(ground, seconds):
    """Keep a run, which took so long, in which the item passed."""
    result = Result("sebi-trail", "Compliance", "SEBI audit trail complete", "pass", "", {})
    keep(ground.home, Run(items=[result], bound=binding(ground.configuration), seconds=seconds))


def test_orders_of_the_time_in_which_a_run_passed_are_looked_at_by_the_next(ground):
    """The item reads a journal before its run ends: what was written in between is not counted as seen."""
    engine_day(ground.home)
    passed(ground, seconds=60.0)
    assert [day.day for day in trail_drill.unpassed(ground.home, "sebi-trail")] == [SECOND]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no time of a file's last change")
def test_a_record_changed_under_its_old_time_fails(ground):
    """Who changes a segment that has passed and sets its time of writing back is found out all the same."""
    engine_day(ground.home)
    path = min((ground.home / "books" / "simulated-1" / "journal").glob("*.aij"))
    written = path.stat()
    os.utime(path, ns=(written.st_atime_ns, written.st_mtime_ns - 3600 * 10**9))
    time.sleep(0.1)
    passed(ground, seconds=0.01)
    assert list(trail_drill.unpassed(ground.home, "sebi-trail")) == []
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(written.st_atime_ns, written.st_mtime_ns - 3600 * 10**9))
    with pytest.raises(JournalBroken, match=path.name):
        SebiTrail().examine(ground)


def test_an_order_whose_story_is_cut_fails(ground):
    """A day that ended with an order nobody answered for."""
    book = traded(ground.home, orders=2)
    order = book.intent(TCS, Side.BUY, 5, 3_500_00, Product.MIS)
    book.close({TCS: 3_500_00, FUTURE: 23_500_00})
    found = SebiTrail().examine(ground)
    assert found.status is Status.FAIL
    assert found.measured["missing"] > 0
    missing = [gap.what for day in trail_drill.unpassed(ground.home, "") for gap in trail_drill.trail.gaps(day)]
    assert "the venue never said a word about it" in missing
    assert order.id


def test_a_field_that_the_rules_ask_for_and_orders_lack_fails(ground):
    """The rules file decides: of the installation's orders and of the drill's, each without the field is named."""
    engine_day(ground.home)
    facts = ground.home / "facts" / "rules.toml"
    facts.parent.mkdir()
    facts.write_text(
        '[[audit_trail]]\nfrom = 2025-01-01\nsent = ["seq", "body.request.terminal"]\naccepted = []\ntraded = []\n'
        'refused = []\nsource = "a test"\nconfidence = "A"\n'
    )
    found = SebiTrail().examine(ground)
    assert found.status is Status.FAIL
    assert "sent body.request.terminal is empty or missing" in found.evidence
    assert found.measured["missing"] == found.measured["orders"] + found.measured["drill_orders"]


def test_a_damaged_record_fails(ground):
    """A flipped byte in the installation's journal is an error of its own, which the runner makes a fail."""
    engine_day(ground.home)
    path = max((ground.home / "books" / "simulated-1" / "journal").glob("*.aij"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(JournalBroken, match=path.name):
        SebiTrail().examine(ground)


def test_an_order_that_only_the_venue_knows_fails(ground, monkeypatch):
    """The count is against the venue's own book: an order there that the journal lacks is a fail."""
    honest = PaperExchange.order_book

    def one_more(exchange):
        other = VenueOrder(order_id="Z" * 20, broker_order_id="1", state="OPEN", filled=0, filled_value=0)
        return [*honest(exchange), other]

    monkeypatch.setattr(PaperExchange, "order_book", one_more)
    found = SebiTrail().examine(ground)
    assert found.status is Status.FAIL
    assert "the venue has it and the journal does not" in found.evidence


def test_tampering_that_verifies_fails(ground, monkeypatch):
    """A verification that lets a changed copy pass is found out."""
    monkeypatch.setattr(trail_drill, "verify", lambda _folder: None)
    found = SebiTrail().examine(ground)
    assert found.status is Status.FAIL
    assert found.measured["missing"] == 3
    assert "verified in a copy" in found.evidence


def one_report(monkeypatch):
    """Leave one report in the catalogue: kernels take time."""
    few = {"trade-register": report("trade-register")}
    monkeypatch.setattr("aitrade.ops.preflight.report_sums.CATALOGUE", few)


def test_reports_of_the_last_day_with_orders_agree_with_a_count(ground, monkeypatch):
    """They are made on a copy, for the newest day with an order; the installation gets no file of it."""
    one_report(monkeypatch)
    engine_day(ground.home)
    found = RegulatoryReports().examine(ground)
    assert found.status is Status.PASS, found
    assert (found.measured["reports"], found.measured["day"]) == (1, SECOND)
    assert found.measured["totals_compared"] == 5
    assert found.examined == found.measured["orders"] > 0
    assert not (ground.home / "reports").exists()


def test_a_running_engine_does_not_change_what_is_compared(ground):
    """The copy of its journal stays as it was, while the engine goes on with the segment that was copied."""
    service = Service(EngineSettings(home=str(ground.home), book="simulated-1", day=SECOND))
    order = OrderRequest(instrument=TCS, side=Side.BUY, quantity=1, product=Product.MIS)
    service.step(60)
    service.engine.submit(order)
    service.step(60)
    report_sums._copied(ground.home, ground.scratch, "simulated-1")
    before = count(ground.scratch, "simulated-1", [SECOND])
    service.engine.submit(order)
    service.step(60)
    service.close()
    assert before["orders"] == 1
    assert count(ground.scratch, "simulated-1", [SECOND]) == before
    assert count(ground.home, "simulated-1", [SECOND])["orders"] == 2


def test_a_total_that_is_not_the_journal_s_fails(ground, monkeypatch):
    """A wrong count of trades is named with both numbers."""
    one_report(monkeypatch)
    engine_day(ground.home)

    def off_by_one(home, book, days):
        plain = count(home, book, days)
        plain["trades"] += 1
        return plain

    monkeypatch.setattr("aitrade.ops.preflight.report_sums.count", off_by_one)
    found = RegulatoryReports().examine(ground)
    assert found.status is Status.FAIL
    assert found.measured["wrong"] == 1
    assert "trade-register: trades is" in found.evidence


def test_a_report_that_cannot_be_made_fails(ground, monkeypatch):
    """A notebook that is not there is a fail with its words."""
    engine_day(ground.home)
    lost = msgspec.structs.replace(report("charges"), name="lost")
    monkeypatch.setattr("aitrade.ops.preflight.report_sums.CATALOGUE", {"lost": lost})
    monkeypatch.setitem(CATALOGUE, "lost", lost)
    found = RegulatoryReports().examine(ground)
    assert found.status is Status.FAIL
    assert "Report lost of" in found.evidence


def test_a_report_that_is_not_made_without_a_word_fails(ground, monkeypatch):
    """Whatever ran: each regulatory report has to be there."""
    one_report(monkeypatch)
    engine_day(ground.home)
    monkeypatch.setattr("aitrade.ops.preflight.report_sums.run", lambda *_given, **_more: None)
    found = RegulatoryReports().examine(ground)
    assert found.status is Status.FAIL
    assert "trade-register was not made" in found.evidence


def test_a_book_without_orders_is_not_the_last_traded_one(ground):
    """A day without orders never passes: the newest day with one counts, and without any a scratch engine's day."""
    assert last_traded(ground.home) == ("", "")
    book = traded(ground.home, orders=1)
    book.day("2025-04-01")
    assert last_traded(ground.home) == (book.name, SECOND)


def test_the_running_day_is_compared_with_the_venue_s_own_book(tmp_path, monkeypatch):
    """A running engine is only asked: its venue has the journal's orders; one more there is a gap after three looks."""
    engine = Supervisor(EngineSettings(home=str(tmp_path), start="10:30"), [], lambda _line: None)
    engine.start()
    try:
        with EngineClient.of(tmp_path) as client:
            share = client.snapshot().watchlist[0]
            placed = client.place(OrderRequest(instrument=share, side=Side.BUY, quantity=1, product=Product.MIS))
        (day,) = trail_drill.unpassed(tmp_path, "sebi-trail")
        assert trail_drill.against_running(tmp_path, day) == (1, [])
        assert list(day.stories) == [placed.id]
        other = VenueOrder(order_id="Z" * 20, broker_order_id="1", state="OPEN", filled=0, filled_value=0)
        honest = EngineClient.venue_orders
        monkeypatch.setattr(EngineClient, "venue_orders", lambda client: [*honest(client), other])
        compared, found = trail_drill.against_running(tmp_path, day)
        assert (compared, [gap.order for gap in found]) == (2, ["Z" * 20])
    finally:
        engine.stop()
    assert trail_drill.against_running(tmp_path, day) == (0, [])


def test_evidence_names_the_least_real_world_that_it_rests_on():
    """A replay among live days is not live evidence; nothing traded is the drill's simulation."""
    assert weakest(["live", "replay"]) is Source.REPLAY
    assert weakest(["live", ""]) is Source.LIVE
    assert weakest([]) is Source.SIMULATED
