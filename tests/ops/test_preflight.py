"""The checklist: what is on it, how verdicts are judged, what is kept, and what the gate before live trading says."""

import hashlib
import threading
from datetime import date, timedelta

import msgspec
import pytest
from click.testing import CliRunner

from aitrade.cli import main
from aitrade.core.clock import DAY, ist_date
from aitrade.core.config import load
from aitrade.core.errors import Conflict, Refused
from aitrade.core.files import FileLock
from aitrade.ops.alerts.proof import confirm, try_channels
from aitrade.ops.alerts.settings import AlertSettings
from aitrade.ops.alerts.webhook import Webhook
from aitrade.ops.preflight import binding as bound
from aitrade.ops.preflight import paper, record
from aitrade.ops.preflight.awaited import Awaited
from aitrade.ops.preflight.check import Finding, Section, Source, Status
from aitrade.ops.preflight.checklist import MODULES, ROWS, items
from aitrade.ops.preflight.gate import objections
from aitrade.ops.preflight.ground import Unprovable
from aitrade.ops.preflight.run import run
from aitrade.store.models import Models

TWENTY_FOUR = {"Security": 5, "Performance": 5, "Functionality": 6, "Compliance": 4, "Monitoring": 4}
LATER = ("access-controls", "data-encrypted", "npu", "failover", "paper-is-live", "learning", "position-limits")
LIVE = Finding(Status.PASS, "It works.", {"n": 3}, Source.LIVE, 3)


class Probe:
    """An item whose check is given."""

    section = Section.SECURITY
    words = "A probe"

    def __init__(self, examine, name="secrets", seconds=5.0):
        self.id, self.seconds, self.examine = name, seconds, examine


@pytest.fixture
def configuration(tmp_path):
    """A data folder's."""
    return load(home=tmp_path / "home")


def result(configuration, examine, **more):
    """What a run makes of one check."""
    return run(configuration, [Probe(examine, **more)]).items[0]


def kept(configuration, *findings):
    """A whole run in the journal, of these findings."""
    probes = [Probe(lambda _, found=found: found, row.id) for row, found in zip(ROWS, findings, strict=False)]
    record.keep(configuration.home, run(configuration, probes))
    return record.last(configuration.home)


def test_the_checklist_has_its_twenty_four_items_in_its_order():
    """Five sections of 24 items, Environment beside them, each item once, and each with a check."""
    rows = [row for row in ROWS if row.section is not Section.ENVIRONMENT]
    assert [str(row.section) for row in rows] == [name for name, count in TWENTY_FOUR.items() for _ in range(count)]
    assert [item.id for item in items()] == [row.id for row in ROWS]
    assert len({row.id for row in ROWS}) == len(ROWS)
    assert [item.id for item in items("compliance")] == [row.id for row in ROWS if row.section is Section.COMPLIANCE]


def test_every_registered_check_is_on_the_checklist_once_with_its_words():
    """A check under another id would never run; its section is the list's."""
    from importlib import import_module

    registered = [item for name in MODULES for item in import_module(name).ITEMS]
    rows = {row.id: row for row in ROWS}
    assert len({item.id for item in registered}) == len(registered)
    assert [(item.id, item.section) for item in registered if rows[item.id].section is not item.section] == []


def test_a_section_that_is_not_there_is_refused():
    """Its sentence lists those there are."""
    with pytest.raises(Refused, match="Performance"):
        items("perfomance")


def test_a_verdict_carries_source_and_count(configuration):
    """Evidence names its source and how much was examined; figures have both."""
    found = result(configuration, lambda _: LIVE)
    assert (found.status, found.evidence) == ("pass", "It works. (LIVE, 3 examined)")
    assert (found.measured["n"], found.measured["source"], found.measured["examined"]) == (3, "LIVE", 3)


def test_nothing_examined_is_a_fail(configuration):
    """An empty vault or a day without orders passes nothing."""
    found = result(configuration, lambda _: Finding(Status.PASS, "All fine.", {}, Source.SYSTEM, 0))
    assert found.status == "fail"
    assert "Nothing was examined" in found.evidence


def test_a_crash_is_a_fail_that_names_itself_and_the_rest_goes_on(configuration):
    """The exception stands in the evidence; the next item is examined."""
    done = run(configuration, [Probe(lambda _: 1 / 0, "credentials"), Probe(lambda _: LIVE)])
    assert [one.status for one in done.items] == ["fail", "pass"]
    assert "ZeroDivisionError" in done.items[0].evidence


def test_a_check_that_hangs_is_a_fail_and_the_next_gets_new_ground(configuration):
    """It is left behind after its time, on a thread and in a folder that no other check sees."""
    let_go, grounds = threading.Event(), []

    def hang(ground):
        grounds.append(ground)
        let_go.wait(30)

    def after(ground):
        grounds.append(ground)
        return LIVE

    done = run(configuration, [Probe(hang, "credentials", 0.2), Probe(after)])
    let_go.set()
    assert [one.status for one in done.items] == ["fail", "pass"]
    assert "0.2 s" in done.items[0].evidence
    assert grounds[0].scratch != grounds[1].scratch


def test_only_the_table_says_what_may_be_not_provable(configuration):
    """Page items may be, with how to get a browser; a security item may not, and fails."""

    def without(_ground):
        raise Unprovable("No chromium here; get it by `apt-get install chromium`.")

    assert result(configuration, without, name="six-tabs").status == "not_provable_here"
    found = result(configuration, without, name="secrets")
    assert found.status == "fail"
    assert "provable everywhere" in found.evidence


def test_scratch_is_gone_afterwards_and_the_installation_untouched(configuration):
    """Drills write under the scratch folder only, which ends with the run."""
    seen = []

    def write(ground):
        (ground.scratch / "left").write_text("x")
        seen.append(ground.scratch)
        return LIVE

    result(configuration, write)
    assert not seen[0].exists()
    assert {path.name for path in configuration.home.rglob("*") if path.is_file()} == {"preflight.lock"}


def test_two_runs_at_once_are_refused(configuration):
    """Their drills would measure each other."""
    with FileLock(configuration.home / "run" / "preflight.lock"), pytest.raises(Conflict, match="Another preflight"):
        run(configuration, [Probe(lambda _: LIVE)])


@pytest.mark.parametrize("name", [name for name in LATER if name in ("npu", "failover", "paper-is-live", "learning")])
def test_a_part_that_is_not_built_fails_with_one_sentence(configuration, name):
    """It says that it is not built, and nothing else."""
    item = next(item for item in items() if item.id == name)
    found = run(configuration, [item]).items[0]
    assert found.status == "fail"
    assert found.evidence.startswith("not built: ")


def good(folder):
    """A drill that holds."""
    from aitrade.core.drills import Drilled

    return Drilled(passed=True, evidence="Orders went on.", measured={}, source="SIMULATED", examined=7)


def bad(folder):
    """A drill that does not."""
    return msgspec.structs.replace(good(folder), passed=False, evidence="Two orders were lost.")


def idle(folder):
    """A drill that looked at nothing."""
    return msgspec.structs.replace(good(folder), examined=0)


@pytest.mark.parametrize(("drill", "status"), [("good", "pass"), ("bad", "fail"), ("idle", "fail")])
def test_a_registered_part_is_judged_by_its_drill(configuration, monkeypatch, drill, status):
    """Registering passes nothing: the drill does, or does not."""
    from aitrade import brokers

    monkeypatch.setitem(brokers.DRILLS, "failover", f"{__name__}:{drill}")
    item = Awaited("failover", Section.FUNCTIONALITY, "Failover", "aitrade.brokers", "not built: nothing.")
    assert run(configuration, [item]).items[0].status == status


def test_a_run_is_kept_whole_and_comes_back_as_it_was(configuration):
    """The newest run over all sections is found in the operations journal, with its binding."""
    first = kept(configuration, LIVE)
    assert first.run.items[0].evidence == "It works. (LIVE, 3 examined)"
    assert first.run.bound == bound.binding(configuration)
    record.keep(configuration.home, run(configuration, [Probe(lambda _: LIVE)]), "Security")
    assert record.last(configuration.home) == first


@pytest.mark.parametrize(
    ("file", "text", "changed"),
    [
        ("aitrade.toml", "cash = 5\n", "configuration"),
        ("limits.toml", "order_units = 5\n", "limits"),
        ("facts/own.toml", "x = 1\n", "configuration"),
    ],
)
def test_a_pass_ends_with_what_it_is_bound_to(configuration, file, text, changed):
    """A changed file of the data folder makes the run stale, by name."""
    before = bound.binding(configuration)
    path = configuration.home / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    assert changed in before.changes(bound.binding(load(home=configuration.home)))


def test_a_pass_ends_with_the_trading_day(configuration):
    """On the next one it is stale."""
    now = bound.time.time_ns()
    day = bound.trading_day(configuration.home, now)
    after = bound.binding(configuration, now + 5 * DAY)
    assert bound.binding(configuration, now).changes(after) == ["day"]
    assert after.day > day


def test_changed_code_is_seen(tmp_path):
    """A file's name and every byte of it count."""
    (tmp_path / "a.py").write_text("x = 1\n")
    before = bound._files(tmp_path, tmp_path.rglob("*"))
    (tmp_path / "a.py").write_text("x = 2\n")
    assert bound._files(tmp_path, tmp_path.rglob("*")) != before


@pytest.mark.parametrize(
    ("changed", "change"),
    [
        ("code", lambda patch, folder: (folder / "engine.py").write_text("x = 2\n")),
        ("strategies", lambda patch, _: patch.delitem(bound.KERNELS, "moving-average")),
        ("lock", lambda patch, _: patch.setattr(bound.metadata, "distributions", list)),
        ("lock", lambda patch, folder: (folder.parents[1] / "requirements.lock").write_text("numpy==2\n")),
        ("machine", lambda patch, _: patch.setattr(bound.platform, "node", lambda: "another")),
        ("machine", lambda patch, _: patch.setattr(bound.os, "cpu_count", lambda: 3)),
    ],
)
def test_a_pass_ends_with_each_thing_that_runs(configuration, tmp_path, monkeypatch, changed, change):
    """Changed code, a strategy less, another package or lock file, another machine: each by its name alone."""
    package = tmp_path / "src" / "aitrade"
    package.mkdir(parents=True)
    (package / "engine.py").write_text("x = 1\n")
    monkeypatch.setattr(bound, "_PACKAGE", package)
    before = bound.binding(configuration)
    change(monkeypatch, package)
    assert before.changes(bound.binding(configuration)) == [changed]


def test_a_pass_ends_with_another_active_model(configuration):
    """Activating a model is a change of what trades."""
    before = bound.binding(configuration)
    path = configuration.home / bound.ACTIVE
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    assert before.changes(bound.binding(configuration)) == ["configuration"]


def test_a_pass_ends_with_another_content_of_the_active_model(configuration):
    """Another file under the same name and version is another model; one more candidate changes nothing."""
    models = Models(configuration.home)
    made = {"made": 1, "source": "a test", "metrics": {}}
    first = models.add("btst", b"one", "weights.json", **made)
    models.activate("btst", first.version)
    before = bound.binding(configuration)
    models.add("btst", b"a candidate", "weights.json", **made)
    assert before.changes(bound.binding(configuration)) == []
    entry = models.path(first).with_name("model.json")
    models.path(first).write_bytes(b"two")
    entry.write_bytes(entry.read_bytes().replace(first.sha256.encode(), hashlib.sha256(b"two").hexdigest().encode()))
    assert before.changes(bound.binding(configuration)) == ["configuration"]


@pytest.fixture
def reached(configuration):
    """A person away from this machine has confirmed an alert channel."""
    with Webhook() as webhook:
        text = f'[[channel]]\nname = "phone"\nurl = "{webhook.url}"\n'
        configuration.home.mkdir(parents=True, exist_ok=True)
        (configuration.home / "alerts.toml").write_text(text)
        settings = AlertSettings.load(configuration.home)
        try_channels(configuration.home, settings)
        confirm(configuration.home, webhook.messages[0].body.split("confirm ")[1].split("`")[0], settings)


def test_the_gate_wants_somebody_to_be_reached(configuration):
    """Without a confirmed channel live trading is refused; a named waiver lets it be missing."""
    kept(configuration, LIVE)
    assert any("alerts reach nobody" in reason for reason in objections(configuration, data=Source.LIVE))
    today = ist_date(bound.time.time_ns())
    record.waive(configuration.home, "alerts", "R. Iyer", "a person sits beside it", today, today)
    assert not any("alerts reach nobody" in reason for reason in objections(configuration, data=Source.LIVE))


@pytest.mark.usefixtures("reached")
def test_the_gate_opens_for_a_live_signed_fresh_pass_only(configuration, monkeypatch):
    """With a broker, LIVE data, no fail, a signature and a channel that reaches somebody nothing is left to say."""
    from aitrade import brokers

    assert any("has not run" in reason for reason in objections(configuration, data=Source.LIVE))
    monkeypatch.setitem(brokers.ADAPTERS, "one", "somewhere:One")
    done = kept(configuration, LIVE)
    assert [r for r in objections(configuration, data=Source.LIVE) if "signed" not in r] == []
    record.sign(configuration.home, done, "R. Iyer", "compliance officer", "all seen")
    assert record.signatures(configuration.home, done)[0].name == "R. Iyer"
    assert objections(configuration, data=Source.LIVE) == []
    assert "The data are REPLAY" in objections(configuration, data=Source.REPLAY)[0]
    (configuration.home / "limits.toml").write_text("order_units = 5\n")
    assert "limits changed" in objections(configuration, data=Source.LIVE)[0]


def test_a_newer_run_wants_its_own_signature(configuration, monkeypatch):
    """A signature stands under one run."""
    from aitrade import brokers

    monkeypatch.setitem(brokers.ADAPTERS, "one", "somewhere:One")
    record.sign(configuration.home, kept(configuration, LIVE), "R. Iyer", "officer", "seen")
    kept(configuration, LIVE)
    assert any("Nobody has signed" in reason for reason in objections(configuration, data=Source.LIVE))


@pytest.mark.usefixtures("reached")
def test_a_section_that_fails_after_the_signed_pass_shuts_the_gate(configuration, monkeypatch):
    """What has failed since counts until its section, or the whole checklist, passes again."""
    from aitrade import brokers

    monkeypatch.setitem(brokers.ADAPTERS, "one", "somewhere:One")
    record.sign(configuration.home, kept(configuration, LIVE), "R. Iyer", "officer", "seen")
    failed = msgspec.structs.replace(LIVE, status=Status.FAIL)
    assert objections(configuration, data=Source.LIVE) == []
    record.keep(configuration.home, run(configuration, [Probe(lambda _: failed, ROWS[0].id)]), "Security")
    assert f"{ROWS[0].id} has failed since" in objections(configuration, data=Source.LIVE)[0]
    record.keep(configuration.home, run(configuration, [Probe(lambda _: LIVE, ROWS[0].id)]), "Security")
    assert objections(configuration, data=Source.LIVE) == []


def test_a_newer_waiver_ends_a_longer_one(tmp_path):
    """A waiver is shortened by another one of the same item: the newest counts, also once it has run out."""
    today = date(2026, 11, 23)
    for days in (365, 1):
        record.waive(tmp_path, "npu", "R. Iyer", "no such device", today + timedelta(days), today)
    assert record.waivers(tmp_path, today)["npu"].until == "2026-11-24"
    assert record.waivers(tmp_path, today + timedelta(2)) == {}


@pytest.mark.usefixtures("reached")
def test_a_fail_cannot_be_waived_and_a_simulated_proof_wants_a_waiver(configuration, monkeypatch):
    """A fail refuses whatever is waived; a pass on simulated data passes with a named waiver until its last day."""
    from aitrade import brokers

    monkeypatch.setitem(brokers.ADAPTERS, "one", "somewhere:One")
    failed, simulated = (
        msgspec.structs.replace(LIVE, status=Status.FAIL),
        msgspec.structs.replace(LIVE, source=Source.SIMULATED),
    )
    done = kept(configuration, failed, simulated)
    record.sign(configuration.home, done, "R. Iyer", "officer", "seen")
    today = ist_date(bound.time.time_ns())
    says = objections(configuration, data=Source.LIVE)
    assert [one.split()[0] for one in says] == [ROWS[0].id, ROWS[1].id]
    for row in ROWS[:2]:
        record.waive(configuration.home, row.id, "R. Iyer", "simulator only", today + timedelta(2), today)
    assert [one.split()[0] for one in objections(configuration, data=Source.LIVE)] == [ROWS[0].id]
    later = objections(configuration, data=Source.LIVE, ts=bound.time.time_ns() + 4 * DAY)
    assert any(one.startswith(ROWS[1].id) for one in later)


@pytest.mark.parametrize(
    ("item", "name", "until", "says"),
    [
        ("no-such", "R. Iyer", date(2030, 1, 1), "no item"),
        ("secrets", " ", date(2030, 1, 1), "name and a reason"),
        ("secrets", "R. Iyer", date(2020, 1, 1), "is past"),
    ],
)
def test_a_waiver_wants_an_item_a_name_and_a_day_to_come(tmp_path, item, name, until, says):
    """Each refusal says what is missing, and nothing is written."""
    with pytest.raises(Refused, match=says):
        record.waive(tmp_path, item, name, "because", until, date(2026, 1, 1))
    assert record.waivers(tmp_path, date(2026, 1, 1)) == {}


def cli(configuration, *words):
    """What the command prints, and its exit status."""
    return CliRunner().invoke(main, [*words, "--data-folder", str(configuration.home)])


def test_the_command_prints_one_object_writes_a_page_and_exits_by_the_verdict(configuration, tmp_path, monkeypatch):
    """`--json` is exactly the promised shape; a fail gives exit status 1, none 0; HTML has every item."""
    from aitrade.ops.preflight import checklist

    for finding, status in ((LIVE, 0), (msgspec.structs.replace(LIVE, status=Status.FAIL), 1)):
        monkeypatch.setattr(checklist, "items", lambda _, found=finding: [Probe(lambda _: found)])
        page = tmp_path / "run.html"
        done = cli(configuration, "preflight", "--json", "--html", str(page))
        assert done.exit_code == status
        said = msgspec.json.decode(done.stdout)
        assert list(said) == ["items"]
        assert [list(row) for row in said["items"]] == [["id", "section", "item", "status", "evidence", "measured"]]
        assert "It works." in page.read_text()


def test_a_page_that_cannot_be_written_is_refused_before_the_run(configuration, tmp_path):
    """Nobody waits two minutes for a run whose page has no folder to lie in."""
    done = cli(configuration, "preflight", "--html", str(tmp_path / "nowhere" / "run.html"))
    assert (done.exit_code, "There is no folder" in done.output) == (2, True)
    assert record.last(configuration.home) is None


def test_sign_and_waive_put_a_name_into_the_journal(configuration):
    """Signing without a run, or a stale one, is refused in a sentence."""
    person = ("--name", "R. Iyer", "--reason", "seen")
    assert "no run" in cli(configuration, "preflight", "sign", *person, "--role", "officer").output
    kept(configuration, LIVE)
    assert "signed by R. Iyer" in cli(configuration, "preflight", "sign", *person, "--role", "officer").output
    (signed,) = record.signatures(configuration.home, record.last(configuration.home))
    assert (signed.name, signed.role, signed.reason) == ("R. Iyer", "officer", "seen")
    assert "A role is needed" in cli(configuration, "preflight", "sign", *person, "--role", " ").output
    (configuration.home / "limits.toml").write_text("order_units = 5\n")
    assert "limits changed" in cli(configuration, "preflight", "sign", *person, "--role", "officer").output
    waived = cli(configuration, "preflight", "waive", "npu", *person, "--until", "2199-01-01")
    assert waived.exit_code == 0
    assert record.waivers(configuration.home, date(2030, 1, 1))["npu"].name == "R. Iyer"


def test_up_live_is_refused_with_each_reason_and_starts_nothing(configuration):
    """No broker, other data, a fail, no signature, an item without a waiver: each is said; nothing is left running."""
    done = cli(configuration, "up", "--live")
    assert done.exit_code == 2
    assert "No broker adapter is registered" in done.output
    assert "The data are SIMULATED" in done.output
    kept(
        configuration, msgspec.structs.replace(LIVE, status=Status.FAIL), msgspec.structs.replace(LIVE, source="PAPER")
    )
    done = cli(configuration, "up", "--live")
    assert f"{ROWS[0].id} failed: It works." in done.output
    assert f"{ROWS[1].id} was proven on PAPER data only" in done.output
    assert "Nobody has signed this preflight" in done.output
    today = ist_date(bound.time.time_ns())
    record.waive(configuration.home, ROWS[1].id, "R. Iyer", "a broker's paper account", today, today)
    assert "on PAPER data only" not in cli(configuration, "up", "--live").output
    assert not (configuration.home / "run" / "engine.json").exists()


def test_a_run_is_read_on_a_terminal_by_section(configuration):
    """Verdict, id and words stand on a line, evidence under it, counts at the end."""
    done = kept(configuration, LIVE, msgspec.structs.replace(LIVE, status=Status.FAIL)).run
    text = "\n".join(paper.lines(done))
    assert "FAIL  secrets" in text
    assert "2 items, 1 passed, 1 failed, 0 not provable here" in text
