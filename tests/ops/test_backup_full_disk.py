"""A disk that takes no more: backup and restore are refused in one sentence, and nothing that was there is lost."""

import os
import shutil
import subprocess
import sys

import pytest
from traded_home import BOOK, traded

from aitrade.core import unfinished
from aitrade.core.errors import Refused
from aitrade.ops import backup, ledger
from aitrade.ops.backup.restoring import restore
from aitrade.ops.backup.shelf import Shelf
from aitrade.ops.backup.verifying import verify
from aitrade.store.vault import Vault

if not hasattr(os, "fork"):
    pytest.skip("the size of a process's files is limited by setrlimit, which Windows has not", allow_module_level=True)

LIMITED = """
import os, resource, shutil, sys
from pathlib import Path
from aitrade.core.errors import AitradeError
from aitrade.ops import backup
from aitrade.ops.backup.restoring import restore

work = {"backup": backup.run, "restore": restore}[sys.argv[1]]
template, folder = Path(sys.argv[2]), Path(sys.argv[3])
for limit in sys.argv[4:]:
    home = folder / limit
    shutil.copytree(template, home)
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
        status = 0
        try:
            work(home)
        except AitradeError as error:
            print(limit, error, flush=True)
            status = 2
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            status = 1
        os._exit(status)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1:
        sys.exit(f"{limit} bytes: it did not say so kindly")
"""
LIMITS = [str(size) for size in (0, 500, 2_000, 5_000, 9_000, 20_000, 60_000, 100_000, 10_000_000)]


def limited(work, template, folder):
    """Do something with files of at most so many bytes; return the sentence of each size that was too small."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, work, template, folder, *LIMITS], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def contents(home):
    """The bytes of every file of books, settings and vault."""
    paths = [path for path in home.rglob("*") if path.is_file() and path.name != "lock"]
    kept = [path.relative_to(home) for path in paths if path.relative_to(home).parts[0] not in ("run", "operations")]
    return {name: (home / name).read_bytes() for name in kept if name.suffix != ".lock"}


@pytest.fixture
def template(tmp_path):
    """A data folder with a backup beside it, which traded on."""
    home = tmp_path / "home"
    book = traded(home, tmp_path / "second")
    backup.run(home)
    book.trade("NSE:INFY", -7, 1_950_10)
    book.journal.close()
    return home


def test_a_backup_that_finds_no_room_leaves_the_others(template, tmp_path):
    """Whichever file is cut short, it says so; what lies on the shelf verifies, and the data folder is as it was."""
    before = contents(template)
    said = limited("backup", template, tmp_path / "homes")
    assert LIMITS[-1] not in said
    assert len(said) >= 5
    assert all(len(sentence.splitlines()) == 1 and sentence.endswith(".") for sentence in said.values())
    for limit in said:
        assert before.items() <= contents(tmp_path / "homes" / limit).items()
    made = backup.listed(template)
    assert len(made) == 1 + len(LIMITS) - len(said)
    assert all(verify(template, one.id).differences == () for one in made)


def test_a_restore_that_finds_no_room_touches_nothing(template, tmp_path):
    """Before the moves it leaves all as it was; with room again it goes through."""
    before, told = contents(template), limited("restore", template, tmp_path / "homes")
    assert LIMITS[-1] not in told
    assert len(told) >= 5
    for limit, sentence in told.items():
        home = tmp_path / "homes" / limit
        assert "choose another backup" not in sentence, sentence
        assert unfinished.found(home) or contents(home) == before, limit
        restore(home)
        assert [day.head for day in ledger.walk(home, BOOK)] == [
            day.head for day in ledger.walk(tmp_path / "homes" / LIMITS[-1], BOOK)
        ]


@pytest.fixture
def small(tmp_path):
    """A disk of one megabyte, where this machine lets us make one."""
    folder = tmp_path / "small"
    folder.mkdir()
    if (
        not shutil.which("mount")
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("only root may mount a small disk; the limits above are the same refusals without one")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_second_device_that_is_full(template, small, tmp_path):
    """A real disk without room: the backup before stays and verifies, and the next one goes through when there is."""
    (template / "aitrade.toml").write_text(f'backup_folder = "{small.as_posix()}"\n')
    Vault.ensure(template)
    first = backup.run(template)
    left = os.statvfs(small).f_bavail * os.statvfs(small).f_frsize
    (small / "ballast").write_bytes(bytes(left - 4096))
    with pytest.raises(Refused, match=r"Nothing was backed up .*No space left.*free space"):
        backup.run(template)
    assert Shelf(small).all() == [first]
    assert verify(template).differences == ()
    (small / "ballast").unlink()
    assert backup.run(template).id != first.id
