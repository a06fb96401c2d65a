"""Reports: asked for, made, kept by version, proven by hashes, and what happens when one cannot be made."""

import csv
import json
import os
import re
from datetime import date
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from report_books import SECOND, TCS, plain_sums, traded

from aitrade.cli import main
from aitrade.compliance.operations import noted
from aitrade.core.errors import Refused
from aitrade.core.orders import OrderRequest, Product, Side
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings, Who
from aitrade.market.importing import import_path
from aitrade.market.input_store import InputStore
from aitrade.ops import alerts
from aitrade.ops.reports import CATALOGUE, Cadence, altered, manifests, produce, report, run
from aitrade.ops.reports.canonical import content_hash, file_hash
from aitrade.ops.reports.page import browser
from aitrade.ops.reports.production import ReportFailed

REGISTER = "trade-register"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A book and its trade register."""
    book = traded(tmp_path_factory.mktemp("reported"))
    return book, produce(book.home, REGISTER, SECOND, pdf=False)


def test_the_register_s_totals_are_the_journal_s(made):
    """Trades, turnover and charges equal a count of the journal's records that knows no ledger."""
    book, register = made
    assert plain_sums(book).items() <= register.totals.items()
    assert register.totals["trades"] == 13


def test_a_page_stands_alone_and_says_what_it_is(made):
    """One file that fetches nothing, with contents, rupees, IST, explanations, and that it is not a filing."""
    page = Path(made[1].html).read_text()
    assert not re.findall(r"(?:src|href)\s*=\s*[\"'](?!#|data:)", page)
    assert "@import" not in page
    assert "url(" not in page
    for words in (
        "Contents", "This is not a filing", "How it was computed", "Time (IST)", "₹17,62,500.00", "<svg",
        made[1].content_hash, made[1].file_hash,
    ):  # fmt: skip
        assert words in page, words


def test_headings_are_reached_from_the_contents(made):
    """Every entry of the contents names a heading that is there."""
    page = Path(made[1].html).read_text()
    anchors = re.findall(r'<li><a href="#([^"]+)"', page)
    assert len(anchors) >= 5
    assert set(anchors) <= set(re.findall(r'id="([^"]+)"', page))


def test_the_same_day_and_data_give_the_same_content_and_keep_the_file(made):
    """A second run finds what is there: same content hash, same version, the file untouched."""
    book, register = made
    again = produce(book.home, REGISTER, SECOND, pdf=False)
    assert (again.content_hash, again.version, again.path) == (register.content_hash, 1, register.path)
    assert file_hash(Path(again.path)) == register.file_hash


def test_the_manifest_holds_every_file_s_hash(made):
    """The operations journal has the hashes; a file that was altered or removed is named."""
    book, register = made
    newest = manifests(book.home, REGISTER)[-1]
    assert newest.files[f"{SECOND}/{Path(register.path).name}"] == register.file_hash
    assert newest.totals == register.totals
    assert altered(book.home) == []
    page = Path(register.html)
    kept = page.read_text()
    page.write_text(kept.replace("Daily", "Dally"))
    try:
        assert altered(book.home) == [f"{SECOND}/{page.name}"]
        result = CliRunner().invoke(main, ["report", "verify", "--data-folder", str(book.home)])
        assert result.exit_code == 2
        assert page.name in result.output
    finally:
        page.write_text(kept)


def test_what_was_altered_is_made_anew_and_never_becomes_the_manifest(tmp_path):
    """Made again, a changed page or notebook is set aside, and the files are those that were made at first."""
    traded(tmp_path, orders=2)
    first = produce(tmp_path, REGISTER, SECOND, pdf=False)
    page, notebook = Path(first.html), Path(first.path)
    honest = page.read_bytes()
    page.write_bytes(honest.replace(b"Daily", b"Dally"))
    assert produce(tmp_path, REGISTER, SECOND, pdf=False).version == 1
    assert page.read_bytes() == honest
    assert b"Dally" in page.with_suffix(".altered.html").read_bytes()
    notebook.write_text(notebook.read_text().replace('"papermill"', '"paperm1ll"', 1))
    again = produce(tmp_path, REGISTER, SECOND, pdf=False)
    assert (again.version, again.content_hash) == (1, first.content_hash)
    assert again.file_hash in page.read_text()
    assert notebook.with_suffix(".altered.ipynb").exists()
    assert altered(tmp_path) == []


def test_changed_data_make_a_second_version_beside_the_first(tmp_path):
    """More trades on the same day: version 2, and version 1 is still there as it was."""
    book = traded(tmp_path, orders=2)
    first = produce(tmp_path, REGISTER, SECOND, pdf=False)
    book.trade(TCS, 1, 3_600_00)
    second = produce(tmp_path, REGISTER, SECOND, pdf=False)
    assert (first.version, second.version) == (1, 2)
    assert second.path.endswith("-v2.ipynb")
    assert file_hash(Path(first.path)) == first.file_hash
    assert second.totals["trades"] == first.totals["trades"] + 1


def test_a_day_without_trades_gives_a_nil_report(made):
    """A day on which the book did not trade is reported as such, with the reason where the calendar has it."""
    book, _ = made
    nil = produce(book.home, REGISTER, "2025-03-30", pdf=False)
    page = Path(nil.html).read_text()
    assert "NIL report: book made-1 had no trades on 2025-03-30; the exchange was closed." in page
    assert nil.totals["trades"] == 0


def test_wrong_requests_start_nothing(made):
    """An unknown report, day, book or parameter is one sentence, before any kernel and any file."""
    book, _ = made
    before = len(list(noted(book.home)))
    for name, day, given, words in (
        ("trades", SECOND, {}, "There is no report 'trades'"),
        (REGISTER, "28-03-2025", {}, "is not a date"),
        (REGISTER, SECOND, {"book": "nobody"}, "There is no book nobody"),
        (REGISTER, SECOND, {"colour": "red"}, "takes no parameter 'colour'"),
    ):
        with pytest.raises(Refused, match=words):
            produce(book.home, name, day, given)
    assert len(list(noted(book.home))) == before


def test_a_failing_cell_leaves_its_notebook_an_alert_and_a_refusal(tmp_path):
    """A damaged journal stops the report: partial notebook kept, alert raised, failure noted, exit status not zero."""
    book = traded(tmp_path, orders=2)
    newest = max((tmp_path / "books" / "made-1" / "journal").glob("*.aij"))
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(data)
    result = CliRunner().invoke(main, ["report", REGISTER, "--date", SECOND, "--data-folder", str(tmp_path)])
    assert result.exit_code == 2
    assert "JournalBroken" in result.output
    partial = tmp_path / "reports" / SECOND / f"{REGISTER}.{book.name}.failed.ipynb"
    assert "JournalBroken" in partial.read_text()
    assert [one.operation.outcome for one in noted(tmp_path, "report")] == ["failed"]
    assert [alert.rule for alert in alerts.standing(tmp_path)] == ["report-failed"]


def test_one_report_that_fails_does_not_stop_the_others(tmp_path, monkeypatch):
    """All that are due are tried, in one child; the error names those that were not made, the others are there."""
    traded(tmp_path, orders=2)
    broken = msgspec.structs.replace(report(REGISTER), name="broken")
    names = (REGISTER, "compliance-pack", "system-audit", "daily-summary")
    daily = {name: msgspec.structs.replace(report(name), cadence=Cadence.DAILY) for name in names}
    due = {"broken": broken, **daily}
    monkeypatch.setattr("aitrade.ops.reports.production.CATALOGUE", due)
    with pytest.raises(ReportFailed, match="4 reports were made, 1 were not: Report broken of") as failed:
        run(tmp_path, "daily", SECOND, pdf=False)
    assert "There is no report 'broken'" in str(failed.value)
    made = {one.report: next(name for name in one.files if name.endswith("html")) for one in manifests(tmp_path)}
    assert set(made) == set(due) - {"broken"}
    for name, page in made.items():
        said = "This is not a filing" in (tmp_path / "reports" / page).read_text()
        assert said is report(name).regulatory, name


def test_a_report_of_the_installation_wants_no_book(tmp_path):
    """Preflight's report is made before anything was traded, and is printed where a browser is there."""
    made = produce(tmp_path, "preflight", SECOND)
    assert made.book == "installation"
    assert "preflight has not run" in Path(made.html).read_text()
    assert "This is not a filing" not in Path(made.html).read_text()
    if not browser():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say("No browser prints here; get one by `apt-get install chromium`.")
    assert Path(made.pdf).read_bytes().startswith(b"%PDF")
    assert set(manifests(tmp_path)[-1].files) == {
        f"{SECOND}/preflight.installation.{end}" for end in ("ipynb", "html", "pdf")
    }


def test_canonical_form_leaves_out_when_and_nothing_else(made):
    """Times, durations, ids and counts change no hash; a changed source, output or parameter does."""
    notebook = json.loads(Path(made[1].path).read_text())
    plain = content_hash(notebook)
    again = json.loads(json.dumps(notebook))
    again["metadata"]["papermill"]["end_time"] = "later"
    for cell in again["cells"]:
        cell["id"], cell["execution_count"], cell["metadata"]["papermill"] = "other", 99, {"duration": 5}
    assert content_hash(again) == plain
    shown = next(cell for cell in again["cells"] if cell.get("outputs"))
    shown["outputs"][0]["data"]["text/plain"] = "1 trade more"
    assert content_hash(again) != plain


def test_a_day_of_imported_data_is_reported(tmp_path):
    """A replayed day's reports read its imported prices: worth and value at risk are of those."""
    real = Path(os.environ.get("AITRADE_REAL_DATA") or Path(__file__).parents[3] / "shared" / "data")
    minutes = real / "nse-1min-stocks-2025" / "TCS"
    if not minutes.is_dir():
        pytest.skip("no real market data on this machine; AITRADE_REAL_DATA names their folder")
    for day in ("27-03-2025", "28-03-2025"):
        import_path(minutes / f"{day}.csv", InputStore(tmp_path / "market"))
    service = Service(EngineSettings(home=str(tmp_path), mode="replay", day=SECOND, start="15:00"))
    service.step(60)
    buy = OrderRequest(instrument=TCS, side=Side.BUY, quantity=10, product=Product.CNC)
    service.engine.place(buy, Who("asha", "trader"))
    service.play_through()
    service.close()
    made = produce(tmp_path, "positions-and-limits", SECOND, pdf=False)
    *_, last = csv.DictReader((minutes / "28-03-2025.csv").read_text(encoding="utf-8-sig").splitlines())
    assert made.totals["units_closing"] == 10
    assert made.totals["worth_paise"] == round(float(last["close"]) * 100) * 10
    assert made.totals["difference_to_closing_mark_paise"] == 0


def test_the_catalogue_is_the_issue_s_list_and_each_span_has_a_first_day():
    """Ten reports for readers and three of maintenance; a week begins on Saturday, a tax year in April."""
    folders = [one.folder for one in CATALOGUE.values()]
    assert (folders.count("reports"), folders.count("maintenance")) == (10, 3)
    day = date(2026, 3, 27)
    firsts = {name: one.first_day(day) for name, one in CATALOGUE.items()}
    assert firsts["trade-register"] == day
    assert firsts["system-performance"] == date(2026, 3, 21)
    assert firsts["compliance-pack"] == date(2026, 3, 1)
    assert firsts["profit-and-tax"] == date(2025, 4, 1)


def test_every_report_has_its_notebook():
    """The catalogue names notebooks that exist, with a cell of parameters, few cells of code and no output."""
    for one in CATALOGUE.values():
        notebook = json.loads(one.notebook.read_text())
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert ["parameters"] in [cell["metadata"].get("tags") for cell in code], one.name
        assert not any(cell["outputs"] for cell in code), one.name
        assert max(len(cell["source"]) for cell in code) <= 8, one.name
