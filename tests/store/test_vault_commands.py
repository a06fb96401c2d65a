"""`aitrade vault`: what is typed stays unseen, what is refused says why, and what was done stands in the journal."""

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from aitrade.cli import main
from aitrade.compliance.operations import noted
from aitrade.store.vault import SEALING_KEY, Vault
from aitrade.store.vault_file import path_of

PASSPHRASE = "correct horse battery"


@pytest.fixture
def vault(tmp_path):
    """The command on a data folder: words and lines of standard input to exit status and output."""

    def run(*words, given=""):
        done = CliRunner().invoke(main, ["vault", *words, "--data-folder", str(tmp_path)], input=given)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    return run


def test_add_list_rotate_remove(vault, tmp_path):
    """A secret is piped in, listed by name and purpose, given a new value, and removed; each act is in the journal."""
    assert vault("add", "mail", "--purpose", "alerts by mail", given="first\n")[0] == 0
    status, text = vault("list")
    assert status == 0
    assert "alerts by mail" in text
    assert "first" not in text
    assert vault("rotate", "mail", given="second\n")[0] == 0
    assert Vault.open(tmp_path).read("mail") == "second"
    assert vault("remove", "mail")[0] == 0
    assert Vault.open(tmp_path).names() == []
    acts = [(one.operation.name, one.operation.outcome) for one in noted(tmp_path, "vault")]
    assert acts == [("vault", "made"), ("mail", "added"), ("mail", "rotated"), ("mail", "removed")]


def test_rotating_keeps_every_secret(vault, tmp_path):
    """Without a name the vault's own keys are replaced; the key of the backups gets a successor unasked."""
    vault("add", "mail", given="first\n")
    before = path_of(tmp_path).read_bytes()
    assert vault("rotate")[0] == 0
    assert path_of(tmp_path).read_bytes() != before
    assert Vault.open(tmp_path).read("mail") == "first"
    Vault.ensure(tmp_path)
    assert vault("rotate", SEALING_KEY)[0] == 0
    assert len(Vault.open(tmp_path).sealing_keys()) == 2


@pytest.mark.parametrize(
    ("words", "given", "says"),
    [
        (("list",), "", "There is no vault"),
        (("add", "Mail"), "x\n", "no name for a secret"),
        (("add", "mail"), "", "standard input holds no line"),
        (("add", "mail", "--recovery"), "x\n", "leave --recovery out"),
        (("add", "mail", "--passphrase"), "too short\nx\n", "12 characters"),
    ],
)
def test_refusals_say_what_to_do(vault, words, given, says):
    """Each refusal is one sentence with exit status 2."""
    status, text = vault(*words, given=given)
    assert status == 2
    assert says in text


def test_a_taken_name_and_one_that_is_not_there(vault, tmp_path):
    """A taken name keeps its secret; a name that is not there is refused before anything is asked."""
    vault("add", "mail", given="first\n")
    for words, says in (
        (("add", "mail"), "rotate mail"),
        (("rotate", "fax"), "has no fax"),
        (("remove", "fax"), "has no fax"),
        (("remove", SEALING_KEY), "Every backup is sealed"),
    ):
        status, text = vault(*words, given="second\n")
        assert (status, says in text) == (2, True), text
    assert Vault.open(tmp_path).read("mail") == "first"


def test_a_file_of_many_lines_is_refused_whole(vault, tmp_path):
    """A key in PEM is many lines: its first is not kept for the whole of it, and an older value stays."""
    pem = "-----BEGIN KEY-----\nAAAA\n-----END KEY-----\n"
    vault("add", "mail", given="first\n")
    for words in (("add", "pem"), ("rotate", "mail")):
        status, text = vault(*words, given=pem)
        assert (status, "more came" in text) == (2, True), text
    assert Vault.open(tmp_path).names() == ["mail"]
    assert Vault.open(tmp_path).read("mail") == "first"
    assert vault("add", "padded", given="one\n\n")[0] == 0


def test_bytes_that_are_no_text_are_refused(vault, tmp_path):
    """A secret that cannot be read back as text is not taken; the sentence says how to keep it."""
    vault("add", "mail", given="first\n")
    command = [sys.executable, "-m", "aitrade", "vault", "add", "bytes", "--data-folder", str(tmp_path)]
    for encoding in ("utf-8:strict", "utf-8:surrogateescape"):
        environment = {**os.environ, "PYTHONIOENCODING": encoding}
        done = subprocess.run(command, input=b"\xff\xfe\n", capture_output=True, check=False, env=environment)
        assert (done.returncode, b"base64 -w0" in done.stderr, b"Traceback" in done.stderr) == (2, True, False)
    assert Vault.open(tmp_path).names() == ["mail"]


@pytest.mark.parametrize("file", ["key", "vault.json"])
def test_a_disk_that_takes_nothing_loses_nothing(vault, tmp_path, file):
    """Where the key file or the vault cannot be written it is one sentence, and every secret is still there."""
    vault("add", "mail", given="first\n")
    stuck = (tmp_path / "vault" / file).with_suffix(".new")
    stuck.mkdir()
    status, text = vault("rotate")
    assert (status, f"{file} cannot be written" in text) == (2, True), text
    assert Vault.open(tmp_path).read("mail") == "first"
    stuck.rmdir()
    assert vault("rotate")[0] == 0
    assert Vault.open(tmp_path).read("mail") == "first"


def test_a_passphrase_is_asked_for(vault):
    """A vault made with a passphrase opens with it alone."""
    assert vault("add", "mail", "--passphrase", given=f"{PASSPHRASE}\nfirst\n")[0] == 0
    assert vault("list")[0] == 2
    status, text = vault("list", "--passphrase", given="correct horse staple\n")
    assert status == 2
    assert "That passphrase does not open" in text
    assert vault("list", "--passphrase", given=f"{PASSPHRASE}\n")[0] == 0


def test_a_key_file_elsewhere(vault, tmp_path):
    """A vault can be made with a key file of one's own, and opened with it from another place."""
    place = tmp_path / "stick" / "key"
    assert vault("add", "mail", "--key-file", str(place), given="first\n")[0] == 0
    place.rename(tmp_path / "moved")
    assert vault("list")[0] == 2
    assert vault("list", "--key-file", str(tmp_path / "moved"))[0] == 0


def test_the_recovery_key_is_shown_once_and_opens_a_vault_that_lost_its_key(vault, tmp_path):
    """Without key file, keyring and passphrase the printed key opens the vault and gives it a new key."""
    vault("add", "mail", given="first\n")
    _, text = vault("recovery")
    key = next(line.strip() for line in text.splitlines() if line.count("-") == 7)
    (tmp_path / "vault" / "key").unlink()
    assert vault("list")[0] == 2
    assert vault("recovery", "--check", given=f"{key}\n") == (0, "That recovery key opens the vault.\n")
    assert vault("protect", "key-file", "--recovery", given=f"{key}\n")[0] == 0
    assert Vault.open(tmp_path).read("mail") == "first"
    assert not any(key in path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file())


def test_a_secret_that_was_asked_for_never_shows(tmp_path):
    """On a terminal the secret is typed twice and not echoed."""
    pty = pytest.importorskip("pty", reason="terminals of this kind are not on Windows")
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "aitrade", "vault", "add", "mail", "--data-folder", str(tmp_path)]
    process = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, start_new_session=True)
    os.close(follower)
    seen = b""
    for prompt, typed in ((b"Secret mail", b"typed-by-hand\n"), (b"Repeat for confirmation", b"typed-by-hand\n")):
        while prompt not in seen:
            seen += os.read(leader, 1024)
        os.write(leader, typed)
    process.wait(30)
    os.close(leader)
    assert process.returncode == 0
    assert b"typed-by-hand" not in seen
    assert Vault.open(tmp_path).read("mail") == "typed-by-hand"
