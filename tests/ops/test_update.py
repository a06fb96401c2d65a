"""An update goes through with everything checked, or leaves everything as it was."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from aitrade.compliance.operations import noted
from aitrade.core import unfinished
from aitrade.core.clock import ReplayClock, at
from aitrade.core.errors import Conflict, Refused
from aitrade.core.files import FileLock
from aitrade.ops.supervisor import LOCK
from aitrade.ops.update import Checkout, Updated, Wheel, apply, checked, take_back
from aitrade.ops.update import installation as installation_module
from aitrade.ops.update.applying import run_migrations

NIGHT = ReplayClock(at("2026-11-23", "23:58"))
GOOD = {"one": "pass", "two": "pass", "three": "fail"}


class Swap:
    """An installation whose version is a word."""

    def __init__(self, offered="new"):
        self.now, self._offered = "old", offered

    def current(self):
        """The word."""
        return self.now

    def offered(self):
        """The other word."""
        return self._offered

    def install(self):
        """Take it."""
        self.now = self._offered

    def put_back(self, before):
        """Take the old one."""
        self.now = before


@pytest.fixture
def home(tmp_path):
    """A data folder with a book's database from before there was a schema."""
    folder = tmp_path / "home"
    (folder / "books" / "one").mkdir(parents=True)
    with sqlite3.connect(folder / "books" / "one" / "book.db") as database:
        database.execute("create table kept (word text)")
    return folder


def revision(home):
    """The schema's revision of the book's database, nothing where it has none."""
    with sqlite3.connect(home / "books" / "one" / "book.db") as database:
        found = database.execute("select count(*) from sqlite_master where name = 'alembic_version'").fetchone()[0]
        return database.execute("select version_num from alembic_version").fetchone()[0] if found else ""


def answers(*runs):
    """Preflights that come out as told, one after the other."""
    waiting = list(runs)
    return lambda: waiting.pop(0)


def test_an_update_backs_up_installs_migrates_and_says_so(home):
    """What failed before may go on failing; the databases have the newest schema, and the journal has it all."""
    swap, said = Swap(), []
    done = apply(home, NIGHT, swap, answers(GOOD, GOOD), said.append)
    assert (swap.now, done.before, done.after) == ("new", "old", "new")
    assert revision(home) == "0001"
    assert [line.split()[0] for line in said] == ["Preflight", "Backup", "Installing", "Migrating", "Preflight"]
    (kept,) = noted(home, "update")
    assert (kept.operation.outcome, kept.detail(Updated)) == ("passed", done)
    assert next(noted(home, "backup")).operation.outcome == "passed"


def test_an_item_that_is_lost_takes_everything_back(home):
    """Version and databases are the old ones; the sentence names the item."""
    swap = Swap()
    with pytest.raises(Refused, match=r"taken back.*no longer passing: two"):
        apply(home, NIGHT, swap, answers(GOOD, {**GOOD, "two": "fail", "three": "pass"}), lambda _: None)
    assert (swap.now, revision(home)) == ("old", "")
    (kept,) = noted(home, "update")
    assert (kept.operation.outcome, kept.detail(Updated).lost) == ("rolled back", ["two"])


def test_a_migration_that_fails_takes_everything_back(home):
    """A database that cannot be read is named, and left as it was."""

    class Damages(Swap):
        def install(self):
            """Break a database on the way."""
            super().install()
            (home / "books" / "one" / "book.db").write_bytes(b"not a database" * 100)

    swap = Damages()
    with pytest.raises(Refused, match="could not be migrated"):
        apply(home, NIGHT, swap, answers(GOOD), lambda _: None)
    assert (swap.now, revision(home)) == ("old", "")


@pytest.mark.parametrize(("time", "words"), [("11:00", "the market trades"), ("08:50", "soon will")])
def test_nothing_is_updated_in_market_hours(home, time, words):
    """Nor shortly before; what is installed stays."""
    swap = Swap()
    with pytest.raises(Refused, match=words):
        apply(home, ReplayClock(at("2026-11-23", time)), swap, answers(), lambda _: None)
    assert swap.now == "old"


def test_a_running_engine_is_stopped_by_a_person_first(home):
    """An update never stops trading by itself."""
    for lock, words in ((Path("engine.lock"), "stop it first"), (LOCK, "end it by `aitrade stop`")):
        with FileLock(home / lock), pytest.raises(Conflict, match=words):
            apply(home, NIGHT, Swap(), answers(), lambda _: None)


def test_the_newest_version_needs_nothing(home):
    """Looking says so; applying is refused."""
    assert checked(home, NIGHT, Swap("old")) == ("old", "old")
    with pytest.raises(Refused, match="nothing to do"):
        apply(home, NIGHT, Swap("old"), answers(), lambda _: None)


KILLED = """
import os, signal, sys
from pathlib import Path
from aitrade.core import unfinished
from aitrade.core.clock import ReplayClock, at
from aitrade.ops.update import apply

home, point = Path(sys.argv[1]), sys.argv[2]
version, seen = home.parent / "version", set()

def here(name):
    seen.add(name)
    if name == point:
        os.kill(os.getpid(), signal.SIGKILL)

class Kept:
    def current(self):
        return version.read_text()

    def offered(self):
        return "new"

    def install(self):
        here("install")
        version.write_text("new")
        here("installed")

    def put_back(self, before):
        here("put back")
        version.write_text(before)

def verdicts():
    here("second preflight" if "installed" in seen else "first preflight")
    return {"one": "fail" if "installed" in seen else "pass"}

apply(home, ReplayClock(at("2026-11-23", "23:58")), Kept(), verdicts, print)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kill -9 is not on Windows")
@pytest.mark.parametrize("point", ["first preflight", "install", "second preflight", "put back"])
def test_an_update_killed_on_its_way_is_taken_back_by_the_next(home, tmp_path, point):
    """Nothing trades on it until then, `--apply` puts version and databases back, and the record says so."""
    version = tmp_path / "version"
    version.write_text("old")
    before = (home / "books" / "one" / "book.db").read_bytes()
    done = subprocess.run([sys.executable, "-c", KILLED, home, point], capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    swap = Swap()
    swap.now = version.read_text()
    if point == "first preflight":
        assert (swap.now, unfinished.found(home), take_back(home, swap)) == ("old", None, None)
        return
    for refused in (lambda: apply(home, NIGHT, swap, answers(), print), lambda: unfinished.refuse(home)):
        with pytest.raises(Conflict, match="run `aitrade update --apply` to have old"):
            refused()
    assert take_back(home, swap).before == "old"
    assert (swap.now, revision(home), unfinished.found(home)) == ("old", "", None)
    assert (home / "books" / "one" / "book.db").read_bytes() == before
    assert [row.operation.outcome for row in noted(home, "update")] == ["rolled back"]


def test_a_way_back_that_fails_can_be_taken_again(home, tmp_path):
    """The sentence names the backup; the mark stays, and the next attempt puts everything back."""

    class Stuck(Swap):
        def put_back(self, before):
            """Fail as a full disk does."""
            raise OSError(28, "No space left on device")

    stuck, lost = Stuck(), {**GOOD, "one": "fail"}
    with pytest.raises(Refused, match=r"could not be put back .*No space left.* then `aitrade restore daily-"):
        apply(home, NIGHT, stuck, answers(GOOD, lost), print)
    swap = Swap()
    swap.now = stuck.now
    assert take_back(home, swap).after == "new"
    assert (swap.now, revision(home), unfinished.found(home)) == ("old", "", None)
    assert apply(home, NIGHT, swap, answers(GOOD, GOOD), print).after == "new"


def test_a_preflight_that_does_not_run_takes_everything_back(home):
    """So does a person who interrupts it; before the first preflight nothing is begun."""

    def broken():
        raise Refused("Preflight did not run: no word.")

    def interrupted():
        raise KeyboardInterrupt

    swap = Swap()
    with pytest.raises(Refused, match="did not run"):
        apply(home, NIGHT, swap, broken, print)
    for second, words in ((broken, "did not run"), (interrupted, "interrupted")):
        runs = iter([lambda: GOOD, second])
        with pytest.raises(Refused, match=f"taken back, old is as it was.*{words}"):
            apply(home, NIGHT, swap, lambda runs=runs: next(runs)(), print)
        assert (swap.now, revision(home), unfinished.found(home)) == ("old", "", None)


def test_a_wheel_goes_back_to_the_files_that_were_there(tmp_path, monkeypatch):
    """The copy counts only when it is whole: a kill before that leaves what is installed alone."""
    site, kept = tmp_path / "site", tmp_path / "kept"
    about = site / "aitrade-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "aitrade.py").write_text("old")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: aitrade\nVersion: 1.0\n")
    (about / "RECORD").write_text("aitrade.py,,\naitrade-1.0.dist-info/METADATA,,\naitrade-1.0.dist-info/RECORD,,\n")
    found = Distribution.at(about)
    monkeypatch.setattr(installation_module, "distribution", lambda _name: found)
    monkeypatch.setattr(installation_module.sysconfig, "get_path", lambda _name: str(site))

    def pip(*words):
        if words[0] == "install" and words[-1].endswith(".whl"):
            (site / "aitrade.py").write_text("half new")
            raise Refused("pip install failed: killed")
        return ""

    wheel = Wheel(tmp_path / "aitrade-2.0-py3-none-any.whl", kept, pip)
    wheel.put_back("1.0")
    assert (site / "aitrade.py").read_text() == "old"
    with pytest.raises(Refused):
        wheel.install()
    wheel.put_back("1.0")
    assert (site / "aitrade.py").read_text() == "old"
    with pytest.raises(Refused, match=r"1\.0 is there instead"):
        wheel.put_back("0.9")


def test_a_damaged_database_is_a_sentence(home):
    """The migrating process ends with its reason."""
    (home / "books" / "one" / "book.db").write_bytes(b"x" * 4096)
    with pytest.raises(Refused, match="could not be migrated"):
        run_migrations(home)


def test_a_migration_that_is_killed_is_a_sentence(home, monkeypatch):
    """A process that leaves no last words is told by its status, so that the update is taken back."""
    monkeypatch.setattr("sys.executable", shutil.which("false"))
    with pytest.raises(Refused, match="without a word, status 1"):
        run_migrations(home)


def git(folder, *words):
    """Run git as somebody."""
    who = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"]
    return subprocess.run(
        ["git", "-C", str(folder), *who, *words], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    """A clone that is one commit behind its upstream."""
    if shutil.which("git") is None:
        pytest.skip("no git here; a checkout needs it")
    upstream, clone = tmp_path / "upstream", tmp_path / "clone"
    upstream.mkdir()
    git(upstream, "init", "--quiet", "--initial-branch", "main")
    for text in ("first", "second"):
        (upstream / "file").write_text(text)
        git(upstream, "add", "file")
        git(upstream, "commit", "--quiet", "--message", text)
        if text == "first":
            git(tmp_path, "clone", "--quiet", str(upstream), str(clone))
    return clone


def test_a_checkout_goes_forward_and_back(checkout):
    """To its upstream's commit and back to its own, installed both times."""
    calls = []
    installation = Checkout(checkout, lambda *words: calls.append(words) or "")
    before, offered = installation.current(), installation.offered()
    assert before != offered
    installation.install()
    assert (installation.current(), (checkout / "file").read_text()) == (offered, "second")
    installation.put_back(before)
    assert (installation.current(), (checkout / "file").read_text()) == (before, "first")
    assert [call[0] for call in calls] == ["install", "install"]


def test_changed_files_are_not_overwritten(checkout):
    """A person's own changes are named and kept."""
    (checkout / "file").write_text("mine")
    with pytest.raises(Refused, match="changed here"):
        Checkout(checkout).offered()
    assert (checkout / "file").read_text() == "mine"


def test_only_our_wheels_are_taken(tmp_path):
    """A file of another name is refused; ours says its version."""
    other, ours = tmp_path / "other-1.0-py3-none-any.whl", tmp_path / "aitrade-9.9-py3-none-any.whl"
    for path in (other, ours):
        path.touch()
    with pytest.raises(Refused, match="no wheel of aitrade"):
        Wheel(other, tmp_path / "kept").offered()
    assert Wheel(ours, tmp_path / "kept").offered() == "9.9"
