"""A restore killed at each of its steps: old or new state whole, nothing lost, and the next command says what to do."""

import os
import shutil
import subprocess
import sys

import msgspec
import pytest
from click.testing import CliRunner
from traded_home import BOOK, traded

from aitrade.cli import main
from aitrade.compliance.operations import noted
from aitrade.core import unfinished
from aitrade.core.errors import Refused
from aitrade.engine.settings import EngineSettings
from aitrade.ops import backup, ledger
from aitrade.ops.backup import exchange
from aitrade.ops.backup.exchange import Restored
from aitrade.ops.backup.restoring import restore
from aitrade.store.vault import Vault

if not hasattr(os, "fork"):
    pytest.skip("kill -9 at a step is done by fork, which Windows has not", allow_module_level=True)

KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from aitrade.ops.backup.restoring import restore

template, folder = Path(sys.argv[1]), Path(sys.argv[2])

def run(home, kill_at):
    seen = 0
    def counted(real):
        def call(*arguments, **named):
            nonlocal seen
            seen += 1
            if seen == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **named)
        return call
    for name in ("rename", "replace", "unlink"):
        setattr(os, name, counted(getattr(os, name)))
    restore(home)
    os._exit(0)

step, status = 0, -9
while status:
    step += 1
    home = folder / str(step)
    shutil.copytree(template, home)
    child = os.fork()
    if not child:
        try:
            run(home, step)
        except BaseException as error:
            print(error, file=sys.stderr)
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status not in (0, -9):
        sys.exit(f"step {step}: {status}")
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A data folder that was backed up and traded on; its configuration and limits changed since."""
    folder = tmp_path_factory.mktemp("template")
    home = folder / "home"
    book = traded(home, folder / "second")
    backup.run(home)
    (home / "limits.toml").write_text("day_orders = 7\n")
    book.trade("NSE:INFY", -7, 1_950_10)
    book.journal.close()
    return home


@pytest.fixture(scope="module")
def wanted(template, tmp_path_factory):
    """What a restore that nobody disturbs brings back."""
    home = tmp_path_factory.mktemp("wanted") / "home"
    shutil.copytree(template, home)
    restore(home)
    return whole(home)


def whole(home):
    """The state of a data folder: each day of the book, and what its limits say."""
    days = [(day.day, day.after, day.head) for day in ledger.walk(home, BOOK)]
    return days, (home / "limits.toml").read_text(), Vault.open(home).sealing_keys()


def contents(home):
    """The bytes of every file that a person would miss, wherever it lies now."""
    left_out = ("run", "operations", "logs")
    names = [path for path in home.rglob("*") if path.is_file() and path.suffix != ".lock" and path.name != "lock"]
    return {path.read_bytes() for path in names if path.relative_to(home).parts[0] not in left_out}


def test_a_restore_killed_at_any_step_leaves_old_or_new_and_loses_nothing(template, wanted, tmp_path):
    """Before the mark all is as it was; after it nothing trades, and the next restore brings the new state whole."""
    old, before = whole(template), contents(template)
    assert old != wanted
    done = subprocess.run(
        [sys.executable, "-c", KILLED, template, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    homes = sorted(tmp_path.iterdir(), key=lambda home: int(home.name))
    marked = [home for home in homes if unfinished.found(home)]
    untouched = homes[: homes.index(marked[0])]
    assert all(before <= contents(home) for home in homes)
    assert all(whole(home) == old for home in untouched)
    assert restore(untouched[-1]).resumed is False
    for home in marked:
        assert restore(home).resumed
        assert before <= contents(home), home
    for home in [untouched[-1], *homes[len(untouched) :]]:
        assert whole(home) == wanted, home
        assert {row.operation.outcome for row in noted(home, "restore")} == {"passed"}
        assert unfinished.found(home) is None
    assert len(untouched) > 3
    assert len(marked) > 10


@pytest.fixture
def cut(template, tmp_path, monkeypatch):
    """A data folder whose restore was cut off by the disk between two moves."""
    home = tmp_path / "home"
    shutil.copytree(template, home)
    moves, real = [], exchange._rename

    def full(source, target):
        moves.append(target)
        if len(moves) > 3:
            raise OSError(28, "No space left on device")
        real(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(exchange, "_rename", full)
        with pytest.raises(Refused, match=r"No space left.*run `aitrade restore` again"):
            restore(home)
    return home


def test_nothing_begins_on_a_folder_whose_restore_was_cut_off(cut):
    """Neither engine, `up`, backup nor verification: each says what to do, and changes nothing."""
    before = contents(cut)
    settings = EngineSettings(home=str(cut), book=BOOK)
    engine = subprocess.run(
        [sys.executable, "-m", "aitrade.engine.process"], input=msgspec.json.encode(settings), capture_output=True,
        check=False,
    )  # fmt: skip
    assert (engine.returncode, engine.stderr.decode().splitlines()[-1][:12]) == (3, "A restore of")
    for words in (("up", "--no-browser"), ("backup", "run"), ("backup", "verify")):
        said = CliRunner().invoke(main, [*words, "--data-folder", str(cut)])
        assert (said.exit_code, "run `aitrade restore`" in said.output) == (2, True), words
    assert contents(cut) == before


def test_the_next_restore_ends_it_and_then_does_what_is_asked(cut, wanted):
    """Without a word it only ends the other; with a backup or a moment it then restores that as well."""
    said = CliRunner().invoke(main, ["restore", "--data-folder", str(cut)])
    assert said.exit_code == 0, said.output
    assert "This ended a restore that was cut off" in said.output
    assert whole(cut) == wanted
    first = next(noted(cut, "restore")).detail(Restored)
    assert first.resumed
    assert restore(cut, first.backup).resumed is False


def test_a_restore_that_is_cut_off_twice_keeps_what_came_between(cut, wanted):
    """What was written after the cut is set aside beside what was there before, never over it."""
    (cut / "operations").mkdir(exist_ok=True)
    (cut / "operations" / "between").write_text("x")
    aside = cut / restore(cut).set_aside
    assert len([*aside.rglob("between"), *(cut / "operations").glob("between")]) == 1
    assert whole(cut) == wanted
