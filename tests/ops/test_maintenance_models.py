"""Tests for updating models, activating them, and the engine that then uses them."""

import os
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from aitrade.cli import main
from aitrade.compliance.operations import note, noted
from aitrade.core.clock import ReplayClock, at
from aitrade.core.config import load
from aitrade.core.errors import DataRefused, Refused
from aitrade.engine.service import Service
from aitrade.engine.settings import EngineSettings
from aitrade.intelligence.btst import Weights
from aitrade.market.importing import import_path
from aitrade.market.input_store import InputStore
from aitrade.market.simulated.universe import load_calibration, packaged_calibration, read_calibration
from aitrade.ops import MaintenanceManager
from aitrade.ops.maintenance import models as models_module
from aitrade.ops.maintenance.job import perform
from aitrade.ops.maintenance.models import UpdateModels
from aitrade.ops.maintenance.task import Ground, Outcome, Status
from aitrade.ops.models import Activation, activate
from aitrade.ops.preflight.binding import binding
from aitrade.store.models import Models

NOW = at("2026-11-25", "18:30")
REAL = Path(os.environ.get("AITRADE_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))


def update(home, **more):
    """Run the task on a folder."""
    return UpdateModels().run(Ground(load(home=home, **{"real_data": "", **more}), NOW))


def updated(home):
    """Run the task as the schedule does, recorded, after a backup of the same moment."""
    clock = ReplayClock(NOW)
    note(home, "task", "backup_database", "done", at=NOW)
    done = MaintenanceManager(home, clock=clock, perform=lambda job, _seconds: perform(job)).update_ai_models()
    assert done.status is Status.DONE, done.says
    return done


def calibration(home, shock):
    """Keep a candidate whose India VIX moves otherwise."""
    lines = packaged_calibration().decode().splitlines()
    data = "\n".join(f"shock = {shock}" if line.startswith("shock =") else line for line in lines)
    return Models(home).add("simulated-session", data.encode(), "calibration.toml", made=1, source="a test", metrics={})


def weights(home, **points):
    """Keep a candidate of the rule's points."""
    data = msgspec.json.encode(Weights(**points))
    return Models(home).add("btst-rule", data, "weights.json", made=1, source="a test", metrics={})


def service(home, book="simulated-1"):
    """Start an engine of the simulated market."""
    return Service(EngineSettings(home=str(home), book=book, day="2026-11-23", start="14:20"))


def prices(home, book="simulated-1"):
    """Return what the simulated day's first shares cost yesterday on a book."""
    running = service(home, book)
    found = [running.feed.history(key, 1, 5, NOW)[-1].close for key in running.feed.watchlist[:3]]
    running.abandon()
    return found


def test_without_data_there_is_nothing_to_update_and_it_says_so(tmp_path):
    """Both models name what is missing; nothing is made up."""
    done = update(tmp_path)
    assert "no folder of real data is set" in done.says
    assert "0 nights of shares" in done.says
    assert Models(tmp_path).all() == []


def test_a_folder_without_the_sets_fails_and_names_itself(tmp_path):
    """A wrong setting is told, not passed over."""
    with pytest.raises(Exception, match="does not have the sets"):
        update(tmp_path, real_data=str(tmp_path))


@pytest.mark.skipif(not REAL.is_dir(), reason="the real data are not here")
def test_the_calibration_of_the_package_is_what_its_data_give(tmp_path):
    """Where another one is active, a fit to the same data is a candidate, says the same, and stays one."""
    calibration(tmp_path, "0.5")
    activate(tmp_path, "simulated-session", 1, actor="a person", reason="a test")
    assert update(tmp_path, real_data=str(REAL)).measured["simulated-session_candidate"] == 2
    models = Models(tmp_path)
    made = models.find("simulated-session", 2)
    assert read_calibration(models.read(made), "candidate") == load_calibration()
    assert made.metrics["largest_change"] > 0
    assert models.active("simulated-session").version == 1


@pytest.mark.skipif(not REAL.is_dir(), reason="the real data are not here")
def test_an_update_with_the_same_data_does_nothing_and_says_so(tmp_path, monkeypatch):
    """The second run fits nothing, names the candidate that the first one made, and makes no other."""
    monkeypatch.setenv("AITRADE_REAL_DATA", str(REAL))
    calibration(tmp_path, "0.5")
    activate(tmp_path, "simulated-session", 1, actor="a person", reason="a test")
    first, second = updated(tmp_path), updated(tmp_path)
    assert first.measured == second.measured
    assert "candidate 2 is made" in first.says
    same = "nothing is done: the data, the active model and aitrade are those of the last update, which gave"
    assert f"simulated-session: {same} candidate 2, which is there." in second.says
    assert f"btst-rule: {same} no candidate." in second.says
    assert [one.version for one in Models(tmp_path).all("simulated-session")] == [1, 2]


def inputs(home, name, **more):
    """Return what a model would be fitted to, as a hash."""
    return models_module._UPDATES[name][0](Ground(load(home=home, **{"real_data": "", **more}), NOW))


def test_what_a_fit_rests_on_is_every_file_of_its_data(tmp_path):
    """One byte, one name, one file more or another active model is another fit; the same bytes are the same."""
    real = tmp_path / "real"
    real.mkdir()
    (real / "a.csv").write_text("1\n")
    seen = [inputs(tmp_path, "simulated-session", real_data=str(real))]
    for change in (
        lambda: (real / "a.csv").write_text("2\n"),
        lambda: (real / "a.csv").rename(real / "b.csv"),
        lambda: (real / "c.csv").write_text(""),
        lambda: (calibration(tmp_path, "0.5"), activate(tmp_path, "simulated-session", 1, actor="me", reason="a test")),
    ):
        change()
        seen.append(inputs(tmp_path, "simulated-session", real_data=str(real)))
        assert seen[-1] == inputs(tmp_path, "simulated-session", real_data=str(real))
    assert len(set(seen)) == len(seen)


def test_a_candidate_that_is_gone_is_made_again(tmp_path, monkeypatch):
    """What the last update gave has to be there; else the model is looked at again."""
    monkeypatch.delenv("AITRADE_REAL_DATA", raising=False)
    updated(tmp_path)
    assert "nothing is done" in updated(tmp_path).says
    gave = noted_last(tmp_path)
    gone = {**gave.measured, "simulated-session_candidate": 7}
    note(tmp_path, "task", "update_ai_models", "done", msgspec.structs.replace(gave, measured=gone), at=NOW)
    says = updated(tmp_path).says
    assert "simulated-session: no folder of real data is set" in says
    assert "btst-rule: nothing is done" in says


def noted_last(home):
    """Return how the last update ended."""
    return list(noted(home, "task", "update_ai_models"))[-1].detail(Outcome)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real data are not here")
def test_imports_that_came_are_looked_at(tmp_path, monkeypatch):
    """Day bars that were imported since the last update are counted; then there is nothing to do again."""
    monkeypatch.delenv("AITRADE_REAL_DATA", raising=False)
    assert "0 nights of shares" in updated(tmp_path).says
    import_path(REAL / "dhan-5min-2026" / "nifty_daily.csv", InputStore(tmp_path / "market"))
    assert "0 nights of shares" in updated(tmp_path).says
    assert "btst-rule: nothing is done" in updated(tmp_path).says


@pytest.mark.skipif(not REAL.is_dir(), reason="the real data are not here")
def test_the_rule_is_weighed_by_real_nights(tmp_path):
    """Over imported day bars of real shares the outcome has its figures, candidate or not."""
    store = InputStore(tmp_path / "market")
    import_path(REAL / "daily-nifty50", store)
    import_path(REAL / "dhan-5min-2026" / "nifty_daily.csv", store)
    done = update(tmp_path)
    assert "are needed" not in done.says
    assert done.measured["simulated-session_candidate"] == 0


def test_activation_is_a_named_persons_act(tmp_path):
    """Name and reason are needed, and stand in the operations journal with both versions."""
    weights(tmp_path, change=1.0, place=3.0)
    for actor, reason in (("", "why"), ("a person", " ")):
        with pytest.raises(Refused, match="name of the person"):
            activate(tmp_path, "btst-rule", 1, actor=actor, reason=reason)
    activate(tmp_path, "btst-rule", 1, actor="a person", reason="it ordered last year better")
    (record,) = noted(tmp_path, "configuration")
    assert (record.actor, record.reason) == ("a person", "it ordered last year better")
    assert record.detail(Activation).version == 1


def test_what_the_engine_could_not_read_is_not_activated(tmp_path):
    """Points that do not make ten stay a candidate."""
    Models(tmp_path).add("btst-rule", b'{"change": 9.0}', "weights.json", made=1, source="a test", metrics={})
    with pytest.raises(DataRefused, match="make 10"):
        activate(tmp_path, "btst-rule", 1, actor="a person", reason="a test")
    assert Models(tmp_path).active("btst-rule") is None


def test_the_engine_scores_with_the_active_points(tmp_path):
    """The list says which version, and each part is out of what the model gives it."""
    weights(tmp_path, change=1.0, place=3.0)
    activate(tmp_path, "btst-rule", 1, actor="a person", reason="a test")
    running = service(tmp_path)
    running.step(60)
    listed = running.btst()()
    running.abandon()
    assert "model version 1" in listed.scorer
    assert [factor.out_of for factor in listed.candidates[0].factors][:2] == [1.0, 3.0]


def test_a_new_book_begins_with_the_active_calibration_and_keeps_it(tmp_path):
    """An old book's days repeat to the paisa; a new one has other prices, and keeps them when the model goes back."""
    before = prices(tmp_path, "old")
    calibration(tmp_path, "0.2")
    activate(tmp_path, "simulated-session", 1, actor="a person", reason="a test")
    assert prices(tmp_path, "old") == before
    changed = prices(tmp_path, "new")
    assert changed != before
    activate(tmp_path, "simulated-session", 0, actor="a person", reason="a test")
    assert prices(tmp_path, "new") == changed


def test_the_commands_list_and_activate(tmp_path):
    """Candidates with their state; a reason is asked for."""
    weights(tmp_path, change=1.0, place=3.0)
    where = ["--data-folder", str(tmp_path)]
    assert "candidate" in CliRunner().invoke(main, ["model", "list", *where]).output
    assert CliRunner().invoke(main, ["model", "activate", "btst-rule", "1", *where]).exit_code == 2
    done = CliRunner().invoke(main, ["model", "activate", "btst-rule", "1", "--by", "me", "--reason", "a test", *where])
    assert "version 1 is active, 0 was" in done.output


def test_an_activation_ends_the_preflight_pass(tmp_path):
    """What a pass is bound to is another configuration afterwards."""
    weights(tmp_path, change=1.0, place=3.0)
    before = binding(load(home=tmp_path), NOW)
    activate(tmp_path, "btst-rule", 1, actor="a person", reason="a test")
    assert before.changes(binding(load(home=tmp_path), NOW)) == ["configuration"]
