"""The configuration's history: each change is a commit that any git reads, and is in the operations journal."""

import shutil
import subprocess

import pytest

from aitrade.compliance.operations import noted
from aitrade.ops.configuration_history import Change, at_change, changes, folder, keep, unkept


@pytest.fixture
def home(tmp_path):
    """Return a data folder with settings and facts of its own."""
    (tmp_path / "facts").mkdir()
    (tmp_path / "aitrade.toml").write_text("seed = 1\n")
    (tmp_path / "facts" / "rules.toml").write_text("# ours\n")
    return tmp_path


def test_each_change_is_a_commit(home):
    """Added, changed and removed files are named; without a change there is no commit."""
    first = keep(home)
    assert keep(home) is None
    (home / "aitrade.toml").write_text("seed = 2\n")
    (home / "limits.toml").write_text("day_orders = 1\n")
    second = keep(home, at=1_700_000_000_000_000_000)
    (home / "facts" / "rules.toml").unlink()
    third = keep(home)
    assert first.files == ("aitrade.toml", "facts/rules.toml")
    assert second.files == ("aitrade.toml", "limits.toml")
    assert third.files == ("facts/rules.toml",)
    assert {change.id for change in changes(home)} == {first.id, second.id, third.id}
    assert [row.detail(Change).id for row in noted(home, "configuration")] == [first.id, second.id, third.id]


def test_a_folder_without_settings_has_no_change(tmp_path):
    """A fresh data folder has a history without commits, which reads as empty."""
    assert keep(tmp_path) is None
    assert folder(tmp_path).exists()
    assert list(changes(tmp_path)) == []


def test_any_change_can_be_read_back(home):
    """The files are as they were, byte by byte."""
    first = keep(home)
    (home / "aitrade.toml").write_text("seed = 2\n")
    second = keep(home)
    assert at_change(home, first.id) == {"aitrade.toml": b"seed = 1\n", "facts/rules.toml": b"# ours\n"}
    assert at_change(home, second.id)["aitrade.toml"] == b"seed = 2\n"


def test_what_is_not_kept_is_named(home):
    """Before the first commit everything, later only what differs from the newest."""
    assert unkept(home) == ["aitrade.toml", "facts/rules.toml"]
    keep(home)
    assert unkept(home) == []
    (home / "limits.toml").write_text("day_orders = 1\n")
    (home / "aitrade.toml").unlink()
    assert unkept(home) == ["aitrade.toml", "limits.toml"]


def test_secrets_and_journals_are_not_in_it(home):
    """Only settings, limits, rules, facts and parameters are kept."""
    for name in ("vault/vault.json", "run/token", "books/b/journal/000001-first.aij"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("x")
    assert keep(home).files == ("aitrade.toml", "facts/rules.toml")


def test_git_itself_reads_the_history(home):
    """Its own check finds nothing, and it shows the change."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    keep(home)
    (home / "aitrade.toml").write_text("seed = 2\n")
    keep(home)

    def git(*arguments):
        command = ["git", "-c", "safe.directory=*", "-C", str(folder(home)), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    git("fsck", "--strict")
    assert "-seed = 1\n+seed = 2" in git("log", "-p", "-1")
    assert len(git("log", "--format=%H").split()) == 2
