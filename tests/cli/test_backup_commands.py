"""The commands of backups: what they print, what they refuse, and that a restore needs the recovery key and no more."""

import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from aitrade.cli import main
from aitrade.cli.restore import _moment
from aitrade.compliance.operations import note
from aitrade.core.clock import at

sys.path.insert(0, str(Path(__file__).parents[1] / "ops"))
from traded_home import BOOK, traded


@pytest.fixture
def home(tmp_path):
    """Return a data folder that has traded."""
    traded(tmp_path / "home", tmp_path / "second").journal.close()
    return tmp_path / "home"


@pytest.fixture
def say(home):
    """Return a function that runs a command on the data folder and returns its result."""

    def run(*words, given=None):
        return CliRunner().invoke(main, [*words, "--data-folder", str(home)], input=given)

    return run


def test_a_backup_is_made_listed_and_proven(say):
    """And it is said that it lies on the data's own device."""
    made = say("backup", "run")
    assert made.exit_code == 0, made.output
    assert "own device" in made.output
    id_ = made.output.split(":")[0]
    assert id_ in say("backup", "list").output
    proven = say("backup", "verify")
    assert proven.exit_code == 0, proven.output
    assert "every book as backed up" in proven.output


def test_the_whole_way_back_with_the_recovery_key_alone(say, home, tmp_path):
    """Backup, copies, loss of the data folder, restore from the second device."""
    say("backup", "run", "--full")
    key = next(line.strip() for line in say("vault", "recovery").output.splitlines() if line.startswith("    "))
    say("backup", "run")
    assert "bytes copied" in say("backup", "mirror", "--once").output
    shutil.rmtree(home)
    refused = say("restore", "--from", str(tmp_path / "second"))
    assert refused.exit_code == 2
    done = say("restore", "--from", str(tmp_path / "second"), "--recovery", given=key + "\n")
    assert done.exit_code == 0, done.output
    assert BOOK in done.output
    assert (home / "books" / BOOK / "journal").is_dir()
    assert say("audit", "verify").exit_code == 0


def test_what_is_in_no_backup_is_said(say, home, tmp_path):
    """Market data in a folder of their own are named when a backup is made, proven and restored."""
    (tmp_path / "market").mkdir()
    with (home / "aitrade.toml").open("a") as settings:
        settings.write(f'market = "{(tmp_path / "market").as_posix()}"\n')
    for words in (("backup", "run"), ("backup", "verify"), ("restore",)):
        said = say(*words)
        assert said.exit_code == 0, said.output
        assert f"{tmp_path / 'market'} (0 files, 0 bytes) is in no backup" in said.output


def test_a_folder_that_takes_nothing_is_one_sentence(say, home, tmp_path):
    """A file lies where the backups' folder should be: each command says so, and what is past its term stays."""
    (tmp_path / "second").write_text("in the way")
    old = home / "logs" / "engine.jsonl.2020-01-01.gz"
    old.parent.mkdir()
    old.write_bytes(b"")
    for words in (("backup", "run"), ("backup", "mirror", "--once"), ("backup", "archive"), ("backup", "models")):
        refused = say(*words)
        assert (refused.exit_code, refused.output.count("try again") + refused.output.count("run it again")) == (2, 1)
        assert isinstance(refused.exception, SystemExit)
    assert old.exists()


def test_a_damaged_backup_is_refused_by_its_name(say, tmp_path):
    """In one sentence, exit status 2."""
    say("backup", "run")
    path = next((tmp_path / "second" / "daily").glob("*.aib"))
    path.write_bytes(path.read_bytes()[:-1])
    for words in (("backup", "verify"), ("restore",)):
        refused = say(*words)
        assert refused.exit_code == 2
        assert path.name in refused.output
        assert "Traceback" not in refused.output


def test_moments_and_names_that_there_are_not_are_refused(say):
    """A moment that is none, a backup that is not there, nothing backed up yet."""
    assert "no backup yet" in say("restore").output
    say("backup", "run")
    assert say("restore", "--to", "yesterday").exit_code == 2
    assert "daily-none" in say("restore", "daily-none").output


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("2026-03-27 14:05:00", 999_999_999),
        ("2026-03-27 14:05:00.250", 250_000_999),
        ("2026-03-27 14:05:00.000001", 1_999),
        ("2026-03-27T08:35:00.25+00:00", 250_000_999),
    ],
)
def test_a_moment_is_taken_to_its_last_written_digit(text, nanoseconds):
    """A second means all of it; a fraction, as between two orders of one second, means itself."""
    assert _moment(text) - at("2026-03-27", "14:05:00") == nanoseconds


def test_the_moment_between_two_orders_is_read_off_the_journal(say):
    """`audit show` has the machine's time beside the market's: given to restore, that record is the last."""
    say("backup", "run")
    lines = [line.split() for line in say("audit", "show", BOOK).output.splitlines()]
    before = lines[max(number for number, line in enumerate(lines) if line[5] == "intent") - 1]
    restored = say("restore", "--to", f"{before[3]} {before[4]}")
    assert restored.exit_code == 0, restored.output
    again = [line.split() for line in say("audit", "show", BOOK).output.splitlines()]
    assert again[-1] == before


def test_models_configuration_archive_and_store(say, home):
    """A checkpoint, the history, what is past its term (nothing), the database anew."""
    assert "files" in say("backup", "models").output
    assert "limits.toml" in say("backup", "configuration").output
    assert say("backup", "archive", "--dry-run").exit_code == 0
    assert say("backup", "archive").exit_code == 0
    (home / "books" / BOOK / "aitrade.db").unlink()
    rebuilt = say("store", "rebuild")
    assert rebuilt.exit_code == 0, rebuilt.output
    assert f"{BOOK}: " in rebuilt.output
    assert say("store", "rebuild", "--book", "none").exit_code == 2


def test_nothing_to_copy_is_said(tmp_path):
    """A data folder that never traded has no journal."""
    refused = CliRunner().invoke(main, ["backup", "mirror", "--once", "--data-folder", str(tmp_path / "empty")])
    assert refused.exit_code == 2
    assert "no journal" in refused.output


def test_the_operations_journal_comes_back_too(say, home):
    """What was done to the system is kept as the books are."""
    note(home, "drill", "a drill", "passed")
    say("backup", "run")
    shutil.rmtree(home / "operations")
    say("restore")
    assert "a drill" in say("audit", "show", "operations").output
