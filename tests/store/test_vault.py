"""The vault: what it keeps, who opens it, and what it refuses."""

import ctypes.util
import json
import os
import shutil
import stat
import statistics
import subprocess
import sys
import time
from contextlib import nullcontext

import keyring
import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keyring.backend import KeyringBackend

from aitrade.core.errors import AitradeError, Refused, VaultDamaged, VaultLocked
from aitrade.store import vault_keys, vault_ways
from aitrade.store.vault import SEALING_KEY, Vault, can_open_unattended
from aitrade.store.vault_file import path_of

PASSPHRASE = "correct horse battery"


class MemoryKeyring(KeyringBackend):
    """A keyring that keeps its passwords in this process."""

    priority = 1

    def __init__(self):
        super().__init__()
        self.kept = {}

    def get_password(self, service, username):
        """Return a password."""
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        """Keep a password."""
        self.kept[service, username] = password

    def delete_password(self, service, username):
        """Forget a password."""
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError


@pytest.fixture
def vault(tmp_path):
    """A vault with one secret, opened by a key file."""
    made = Vault.create(tmp_path, method="key-file")
    made.add("mail", "alerts by mail", "s3cret-of-mail")
    return made


@pytest.fixture
def memory_keyring():
    """This process's keyring is one in memory."""
    before, backend = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


def edited(home, change):
    """Change the vault's file as text of JSON."""
    path = path_of(home)
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_a_secret_comes_back_and_is_nowhere_in_clear(vault, tmp_path):
    """What was added is read by who opens the vault anew; no file below the data folder holds it."""
    assert Vault.open(tmp_path).read("mail") == "s3cret-of-mail"
    texts = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert texts
    assert not any(b"s3cret-of-mail" in text for text in texts)


def test_the_file_says_what_it_is(vault, tmp_path):
    """The file names its cipher, and only its owner can read it, the key and the folder."""
    assert json.loads(path_of(tmp_path).read_text())["cipher"] == "AES-256-GCM"
    for path in (path_of(tmp_path), tmp_path / "vault" / "key", tmp_path / "vault"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=st.text(min_size=1, max_size=300), purpose=st.text(max_size=40))
def test_any_text_is_kept(tmp_path_factory, secret, purpose):
    """Whatever text a secret and its purpose are, they come back as they were, after a rotation too."""
    try:
        secret.encode()
        purpose.encode()
    except UnicodeEncodeError:
        return
    home = tmp_path_factory.mktemp("vault")
    vault = Vault.create(home, method="key-file")
    vault.add("any", purpose, secret)
    vault.rotate()
    assert Vault.open(home).read("any") == secret
    assert vault.entries()[0].purpose == purpose


def test_every_flipped_bit_is_refused(vault, tmp_path):
    """A bit flipped anywhere in the sealed parts is damage, never another secret."""
    whole = json.loads(path_of(tmp_path).read_text())["entries"][0]["sealed"]
    for part in ("nonce", "data"):
        for at in range(len(whole[part])):
            letter = "A" if whole[part][at] != "A" else "B"
            changed = whole[part][:at] + letter + whole[part][at + 1 :]
            edited(
                tmp_path,
                lambda document, part=part, text=changed: document["entries"][0]["sealed"].update({part: text}),
            )
            with pytest.raises((VaultDamaged, VaultLocked)):
                Vault.open(tmp_path).read("mail")
            edited(tmp_path, lambda document: document["entries"][0]["sealed"].update(whole))
    assert Vault.open(tmp_path).read("mail") == "s3cret-of-mail"


@pytest.mark.parametrize("field", ["name", "purpose", "added", "changed"])
def test_name_purpose_and_times_are_bound_to_the_secret(vault, tmp_path, field):
    """A secret under another name, purpose or time is refused."""
    edited(
        tmp_path, lambda document: document["entries"][0].update({field: 7 if field in ("added", "changed") else "x"})
    )
    with pytest.raises(VaultDamaged):
        Vault.open(tmp_path)


def test_nothing_is_taken_out_of_the_list(vault, tmp_path):
    """An entry that was cut out of the file, or put back into it after its removal, is noticed."""
    before = path_of(tmp_path).read_bytes()
    edited(tmp_path, lambda document: document["entries"].clear())
    with pytest.raises(VaultDamaged):
        Vault.open(tmp_path)
    path_of(tmp_path).write_bytes(before)
    kept = json.loads(before)["entries"][0]
    vault.remove("mail")
    edited(tmp_path, lambda document: document["entries"].append(kept))
    with pytest.raises(VaultDamaged):
        Vault.open(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda document, other: document["wraps"].__setitem__(1, other["wraps"][1]),
        lambda document, other: document["wraps"].append(other["wraps"][1]),
        lambda document, _: document["wraps"].pop(1),
        lambda document, _: document["wraps"][0].update(place="/tmp/elsewhere"),
        lambda document, _: document["retired"].append(document["wraps"][0]),
    ],
    ids=["exchanged", "added", "taken out", "held elsewhere", "retired"],
)
def test_no_way_to_open_it_is_exchanged(vault, tmp_path, change):
    """Another's recovery key put into the file, or a place of another's, is damage: no rotation lets its owner in."""
    vault.new_recovery_key()
    other = Vault.create(tmp_path / "other", method="key-file")
    theirs = other.new_recovery_key()
    foreign = json.loads(path_of(other.home).read_text())
    edited(tmp_path, lambda document: change(document, foreign))
    with pytest.raises((VaultDamaged, VaultLocked)):
        vault.rotate()
    with pytest.raises((VaultDamaged, VaultLocked)):
        Vault.open(tmp_path, recovery=theirs)


@pytest.mark.parametrize("text", ["", "{}", "[1", "\x00\xff", '{"format": "aitrade-vault-1"}'])
def test_what_is_no_vault_is_damage(vault, tmp_path, text):
    """A file that was cut short, emptied or overwritten is called damaged."""
    path_of(tmp_path).write_text(text, encoding="latin-1")
    with pytest.raises(VaultDamaged):
        Vault.open(tmp_path)


def test_another_cipher_is_refused(vault, tmp_path):
    """A file that says a weaker cipher is not read."""
    edited(tmp_path, lambda document: document.update(cipher="AES-128-GCM"))
    with pytest.raises(VaultDamaged, match="AES-128-GCM"):
        Vault.open(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A vault with two secrets and a recovery key: its folder, its file's bytes and the recovery key."""
    home = tmp_path_factory.mktemp("whole")
    vault = Vault.create(home, method="key-file")
    vault.add("mail", "alerts", "one")
    vault.add("hook", "alerts", "two")
    recovery = vault.new_recovery_key()
    return home, path_of(home).read_bytes(), recovery


@given(at=st.integers(min_value=0), byte=st.integers(0, 255), how=st.sampled_from(["change", "cut", "insert", "drop"]))
def test_whatever_becomes_of_the_file_a_secret_is_right_or_refused(whole, at, byte, how):
    """A byte changed, put in or left out, or the rest cut off: what is read is right, or a refusal of ours."""
    home, data, recovery = whole
    at %= len(data)
    spoilt = {
        "change": data[:at] + bytes([byte]) + data[at + 1 :], "cut": data[:at],
        "insert": data[:at] + bytes([byte]) + data[at:], "drop": data[:at] + data[at + 1 :],
    }[how]  # fmt: skip
    path_of(home).write_bytes(spoilt)
    for by in ({}, {"recovery": recovery}):
        try:
            vault = Vault.open(home, **by)
            assert (vault.names(), vault.read("mail"), vault.read("hook")) == (["hook", "mail"], "one", "two")
        except AitradeError:
            continue


@pytest.mark.parametrize("cost", [{"iterations": 1}, {"memory": 8}, {"memory": 1 << 30}, {"lanes": 0}])
def test_the_file_cannot_ask_for_other_work(tmp_path, cost):
    """Too little work would weaken the passphrase, too much would hang whoever opens: both are damage."""
    Vault.create(tmp_path, passphrase=PASSPHRASE)
    edited(tmp_path, lambda document: document["wraps"][0]["cost"].update(cost))
    with pytest.raises(VaultDamaged, match="asks for"):
        Vault.open(tmp_path, passphrase=PASSPHRASE)


def test_names_are_taken_once(vault):
    """A name that is taken, none, or no name is refused, and nothing is lost."""
    with pytest.raises(Refused, match="rotate mail"):
        vault.add("mail", "", "other")
    with pytest.raises(Refused, match="no telegram"):
        vault.read("telegram")
    for name in ("", "Mail", "../mail", "a" * 65, "a b"):
        with pytest.raises(Refused, match="no name"):
            vault.add(name, "", "x")
    for secret in ("", "x" * 70_000):
        with pytest.raises(Refused, match="1 to 65536 bytes"):
            vault.add("new", "", secret)
    assert vault.names() == ["mail"]
    assert vault.read("mail") == "s3cret-of-mail"


def test_replace_and_remove(vault):
    """A new value keeps name, purpose and the day it was added; a removed secret is gone."""
    before = vault.entries()[0]
    vault.replace("mail", "new")
    after = vault.entries()[0]
    assert vault.read("mail") == "new"
    assert (before.purpose, before.added) == (after.purpose, after.added)
    assert after.changed > before.changed
    vault.remove("mail")
    assert vault.names() == []


def test_a_vault_is_made_once(vault, tmp_path):
    """A second vault never replaces the first."""
    with pytest.raises(Refused, match="already"):
        Vault.create(tmp_path)
    assert Vault.open(tmp_path).names() == ["mail"]


def test_ensure_makes_what_backups_need(tmp_path):
    """The first use makes the vault with the sealing key; the second finds them."""
    key = Vault.ensure(tmp_path).sealing_keys()
    assert Vault.ensure(tmp_path).sealing_keys() == key
    assert Vault.open(tmp_path).names() == [SEALING_KEY]


def test_a_moved_data_folder_keeps_its_vault(vault, tmp_path):
    """The default key file is found beside the vault wherever the data folder lies."""
    (tmp_path / "vault").rename(tmp_path / "elsewhere")
    (tmp_path / "new").mkdir()
    (tmp_path / "elsewhere").rename(tmp_path / "new" / "vault")
    assert Vault.open(tmp_path / "new").read("mail") == "s3cret-of-mail"


def test_a_key_file_that_others_can_read_is_refused(vault, tmp_path):
    """The vault does not open by a key that is not its owner's alone."""
    (tmp_path / "vault" / "key").chmod(0o644)
    with pytest.raises(VaultLocked, match="chmod 600"):
        Vault.open(tmp_path)
    assert can_open_unattended(tmp_path)[0] is False


def test_a_lost_or_foreign_key_file_is_refused(vault, tmp_path):
    """Without its key the vault stays shut, and says how else to open it."""
    key = tmp_path / "vault" / "key"
    key.rename(tmp_path / "kept")
    with pytest.raises(VaultLocked, match="recovery key"):
        Vault.open(tmp_path)
    assert Vault.open(tmp_path, key_file=tmp_path / "kept").read("mail") == "s3cret-of-mail"
    key_id = (tmp_path / "kept").read_text().split()[0]
    key.write_text(f"{key_id} {os.urandom(32).hex()}\n")
    key.chmod(0o600)
    with pytest.raises(VaultLocked, match="does not open"):
        Vault.open(tmp_path)
    key.write_text(f"{key_id} not-hexadecimal\n")
    with pytest.raises(VaultLocked, match="is none"):
        Vault.open(tmp_path)
    key.write_text("what is this")
    with pytest.raises(VaultLocked, match="not a key file"):
        Vault.open(tmp_path)


def test_a_key_file_elsewhere(tmp_path):
    """A key file on another device is remembered, and its keys are replaced there."""
    place = tmp_path / "device" / "key"
    vault = Vault.create(tmp_path / "home", key_file=place)
    vault.add("mail", "", "x")
    before = place.read_text()
    Vault.open(tmp_path / "home").rotate()
    assert place.read_text() != before
    assert Vault.open(tmp_path / "home").read("mail") == "x"
    assert not (tmp_path / "home" / "vault" / "key").exists()


def test_the_keyring_opens_it(memory_keyring, tmp_path):
    """The wrapping key lies in the keyring, is replaced there by a rotation, and a person must be logged in."""
    vault = Vault.create(tmp_path)
    assert vault.opened_by == "keyring"
    vault.add("mail", "", "x")
    before = dict(memory_keyring.kept)
    vault.rotate()
    assert len(memory_keyring.kept) == 1
    assert memory_keyring.kept != before
    assert Vault.open(tmp_path).read("mail") == "x"
    assert can_open_unattended(tmp_path) == (False, "keyring needs a person")
    memory_keyring.kept.clear()
    with pytest.raises(VaultLocked):
        Vault.open(tmp_path)


def test_without_a_keyring_the_key_is_a_file(tmp_path):
    """Where no keyring answers, a new vault has an owner-only key file, whose weakness is named."""
    assert Vault.create(tmp_path).opened_by == "key-file"
    opens, weakness = can_open_unattended(tmp_path)
    assert opens
    assert "service account's files" in weakness


def test_a_keyring_that_takes_nothing_is_refused(vault):
    """Asking for the keyring where there is none says what to do, and the vault opens as before."""
    with pytest.raises(Refused, match="protect key-file"):
        vault.protect(["keyring"])
    assert Vault.open(vault.home).methods() == ["key-file"]


def test_a_passphrase_opens_it(tmp_path):
    """The right passphrase opens the vault, a wrong one says so, none says what there is; a service cannot."""
    Vault.create(tmp_path, passphrase=PASSPHRASE).add("mail", "", "x")
    assert Vault.open(tmp_path, passphrase=PASSPHRASE).read("mail") == "x"
    with pytest.raises(VaultLocked, match="That passphrase"):
        Vault.open(tmp_path, passphrase=PASSPHRASE + " ")
    with pytest.raises(VaultLocked, match="opens by passphrase"):
        Vault.open(tmp_path)
    assert can_open_unattended(tmp_path) == (False, "passphrase needs a person")


def test_a_wrong_passphrase_takes_the_time_of_a_right_one(tmp_path):
    """Argon2id is most of the work either way: the medians lie within half of each other."""
    Vault.create(tmp_path, passphrase=PASSPHRASE)
    times = {PASSPHRASE: [], "wrong horse battery": []}
    for text in list(times) * 7:
        begin = time.perf_counter()
        try:
            Vault.open(tmp_path, passphrase=text)
        except VaultLocked:
            assert text != PASSPHRASE
        times[text].append(time.perf_counter() - begin)
    right, wrong = map(statistics.median, times.values())
    assert 0.5 < right / wrong < 2


@pytest.mark.parametrize("text", [PASSPHRASE, "wrong horse battery", "short", "", PASSPHRASE[:-1], "x" * 10_000])
def test_every_passphrase_costs_the_same_work(tmp_path, monkeypatch, text):
    """Whatever was typed, Argon2id is derived once with the vault's cost before it is said whether it opens."""
    Vault.create(tmp_path, passphrase=PASSPHRASE)
    costs = []

    def derived(**cost):
        costs.append({name: cost[name] for name in ("iterations", "lanes", "memory_cost", "length")})
        return Argon2id(**cost)

    monkeypatch.setattr(vault_ways, "Argon2id", derived)
    with nullcontext() if text == PASSPHRASE else pytest.raises(VaultLocked):
        Vault.open(tmp_path, passphrase=text)
    assert costs == ([{"iterations": 3, "lanes": 4, "memory_cost": 65_536, "length": 32}] if text else [])


def test_a_short_passphrase_is_refused(tmp_path):
    """Eleven characters protect nothing."""
    with pytest.raises(Refused, match="12 characters"):
        Vault.create(tmp_path, passphrase="eleven char")
    assert not path_of(tmp_path).exists()


def test_a_rotation_needs_the_passphrase_too(vault, tmp_path):
    """A vault with two ways keeps both over a rotation, or is not rotated."""
    vault.protect(["key-file", "passphrase"], passphrase=PASSPHRASE)
    with pytest.raises(Refused, match="--passphrase"):
        Vault.open(tmp_path).rotate()
    Vault.open(tmp_path, passphrase=PASSPHRASE).rotate()
    assert Vault.open(tmp_path, passphrase=PASSPHRASE).read("mail") == "s3cret-of-mail"
    assert Vault.open(tmp_path).read("mail") == "s3cret-of-mail"


def test_the_recovery_key_opens_it_alone(vault, tmp_path):
    """The recovery key needs the vault's file and nothing else, after a rotation too, whose new keys it opens."""
    text = vault.new_recovery_key()
    vault.rotate()
    lonely = tmp_path / "restored"
    path_of(lonely).parent.mkdir(parents=True)
    path_of(lonely).write_bytes(path_of(tmp_path).read_bytes())
    with pytest.raises(VaultLocked):
        Vault.open(lonely)
    opened = Vault.open(lonely, recovery=text.lower().replace("-", " "))
    assert opened.read("mail") == "s3cret-of-mail"
    opened.protect(["key-file"])
    assert Vault.open(lonely).methods() == ["key-file", "recovery"]
    assert text not in path_of(tmp_path).read_text()


def test_a_mistyped_or_replaced_recovery_key_is_refused(vault, tmp_path):
    """A wrong letter is told from a key that a newer one has replaced."""
    old = vault.new_recovery_key()
    new = vault.new_recovery_key()
    wrong = ("A" if new[0] != "A" else "B") + new[1:]
    for text in (wrong, "", new[:-1], "!" * 63):
        if text:
            with pytest.raises(VaultLocked, match="compare it with the paper"):
                Vault.open(tmp_path, recovery=text)
    with pytest.raises(VaultLocked, match="replaced"):
        Vault.open(tmp_path, recovery=old)
    assert Vault.open(tmp_path, recovery=new).names() == ["mail"]


def test_an_open_vault_sees_what_others_did(vault, tmp_path):
    """A process that holds the vault open reads on after another has rotated and changed it."""
    other = Vault.open(tmp_path)
    other.rotate()
    other.replace("mail", "new")
    assert vault.read("mail") == "new"
    vault.add("telegram", "", "y")
    assert other.read("telegram") == "y"


KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from aitrade.store.vault import Vault

template, folder, work = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
WORK = {
    "rotate": lambda vault: vault.rotate(),
    "protect": lambda vault: vault.protect(["key-file"]),
    "replace": lambda vault: vault.replace("fax", "new"),
    "add": lambda vault: vault.add("new", "", "new"),
    "remove": lambda vault: vault.remove("fax"),
    "recovery": lambda vault: vault.new_recovery_key(),
}

def counted(kill_at, after):
    seen = 0
    def watched(real):
        def call(*arguments, **named):
            nonlocal seen
            seen += 1
            if seen == kill_at and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*arguments, **named)
            if seen == kill_at and after:
                os.kill(os.getpid(), signal.SIGKILL)
            return result
        return call
    for name in ("replace", "fsync", "open", "write", "unlink"):
        setattr(os, name, watched(getattr(os, name)))

for after in (False, True):
    step, status = 0, -9
    while status:
        step += 1
        home = folder / f"{after}-{step}"
        shutil.copytree(template, home)
        child = os.fork()
        if not child:
            vault = Vault.open(home)
            counted(step, after)
            WORK[work](vault)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status not in (0, -9):
            sys.exit(f"step {step}: {status}")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kill -9 at a step is done by fork, which Windows has not")
@pytest.mark.parametrize("work", ["rotate", "protect", "replace", "add", "remove", "recovery"])
def test_a_change_killed_at_any_step_leaves_one_key_that_opens_everything(tmp_path, work):
    """Killed before and after each write, each flush and each renaming, the vault opens with all its secrets."""
    template, folder = tmp_path / "template", tmp_path / "homes"
    vault = Vault.create(template, method="key-file")
    vault.add("mail", "", "one")
    vault.add("fax", "", "two")
    recovery = vault.new_recovery_key()
    done = subprocess.run(
        [sys.executable, "-c", KILLED, template, folder, work], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    homes = list(folder.iterdir())
    assert len(homes) > 6
    for home in homes:
        opened = Vault.open(home)
        assert opened.read("mail") == "one"
        assert "fax" not in opened.names() or opened.read("fax") in ("two", "new")
        if work != "recovery":
            assert Vault.open(home, recovery=recovery).read("mail") == "one"
        opened.rotate()
        in_use = {wrap["key"] for wrap in json.loads(path_of(home).read_text())["wraps"]}
        held = {line.split()[0] for line in (home / "vault" / "key").read_text().splitlines()}
        assert in_use - {""} <= held
        assert Vault.open(home).read("mail") == "one"


def test_a_killed_rotation_is_tidied_by_the_next(vault, tmp_path, monkeypatch):
    """A retired key that a killed rotation left is forgotten by the next one."""

    def killed(_holder, _key_id):
        raise KeyboardInterrupt

    key = tmp_path / "vault" / "key"
    retired = key.read_text().split()[0]
    with monkeypatch.context() as patch:
        patch.setattr(vault_keys.KeyFile, "forget", killed)
        with pytest.raises(KeyboardInterrupt):
            vault.rotate()
    assert retired in key.read_text()
    Vault.open(tmp_path).rotate()
    assert retired not in key.read_text()
    assert Vault.open(tmp_path).read("mail") == "s3cret-of-mail"


def test_secrets_do_not_show_in_errors(vault, tmp_path):
    """No refusal carries a secret, a passphrase or a recovery key."""
    recovery = vault.new_recovery_key()
    vault.protect(["passphrase"], passphrase=PASSPHRASE)
    for given_way in ({"passphrase": PASSPHRASE + "?"}, {"recovery": recovery[:-1] + "?"}):
        with pytest.raises(VaultLocked) as refused:
            Vault.open(tmp_path, **given_way)
        assert not any(text[:8] in str(refused.value) for text in given_way.values())


def test_a_systemd_credential_opens_it(vault, tmp_path, monkeypatch):
    """Inside its unit a service finds the key in the credentials folder; outside it the vault stays shut."""
    store, inside = tmp_path / "credstore", tmp_path / "inside"
    inside.mkdir()
    wrap_key = os.urandom(32)
    holder = vault_keys.SystemdCredential(store)
    (inside / "aitrade-vault-key-ab").write_text(wrap_key.hex() + "\n")
    assert holder.get("ab") is None
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(inside))
    assert holder.get("ab") == wrap_key
    assert holder.get("cd") is None


ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.mark.skipif(not (ROOT and shutil.which("systemd-creds")), reason="only root has systemd encrypt a credential")
def test_systemd_encrypts_the_key_to_the_machine(tmp_path):
    """What systemd-creds made opens here, is not the key in clear, and is gone when it is forgotten."""
    holder, key = vault_keys.SystemdCredential(tmp_path / "credstore"), os.urandom(32)
    holder.put("ab", key)
    assert holder.get("ab") == key
    stored = (tmp_path / "credstore" / "aitrade-vault-key-ab").read_bytes()
    assert key.hex().encode() not in stored
    holder.forget("ab")
    assert holder.get("ab") is None


def test_dpapi_is_windows_own(vault):
    """Elsewhere DPAPI says so; on Windows it opens the vault for this account."""
    if ctypes.util.find_library("crypt32"):
        vault.protect(["dpapi"])
        assert Vault.open(vault.home).opened_by == "dpapi"
        assert can_open_unattended(vault.home)[0]
    else:
        with pytest.raises(Refused, match="key-file"):
            vault.protect(["dpapi"])
        assert Vault.open(vault.home).methods() == ["key-file"]
