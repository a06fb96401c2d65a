"""The checklist's section Security: each check passes on what is whole, and is seen to fail on what is broken."""

import base64
import gzip
import subprocess
from pathlib import Path

import pytest

from aitrade.compliance.operations import note
from aitrade.core.config import load
from aitrade.core.errors import Refused, VaultDamaged, VaultLocked
from aitrade.ops import configuration_history, secret_scan
from aitrade.ops.preflight.check import Status
from aitrade.ops.preflight.ground import Ground
from aitrade.ops.preflight.plants import planted_lines
from aitrade.ops.preflight.security_items import AccessControls, Credentials, DataEncrypted, HardCodedSecrets
from aitrade.ops.preflight.vault_probes import accepted_flips
from aitrade.store import vault_file
from aitrade.store.vault import Vault

WORD = "tr0mbone-in-the-attic"


@pytest.fixture
def ground(tmp_path):
    """A fresh installation, as the first `aitrade up` leaves it."""
    home = tmp_path / "home"
    Vault.ensure(home)
    return Ground(load(home=home), tmp_path / "scratch")


@pytest.fixture
def small(tmp_path):
    """A small installation: a package, a notebook folder, the data folder, and a checkout with one commit."""
    where = secret_scan.Places(
        tmp_path / "package", (tmp_path / "books",), (tmp_path / "home",), (tmp_path / "checkout",)
    )
    for folder in (where.package, *where.notebooks, *where.configuration, *where.histories):
        folder.mkdir(exist_ok=True)
        (folder / "plain.py").write_text("import this\n")
    commit(where.histories[0])
    return where


def commit(checkout):
    """Commit what lies in a checkout."""
    who = ("-c", "user.name=x", "-c", "user.email=x@localhost")
    for words in (("init", "-q"), ("add", "-A"), (*who, "commit", "-q", "-m", "work")):
        subprocess.run(["git", *words], cwd=checkout, check=True, capture_output=True)


def test_a_fresh_installation_has_credentials_that_are_encrypted(ground):
    """The key of the backups is in the vault, AES-256-GCM; the evidence names the weakness of the key file."""
    Vault.open(ground.home).add("mail", "alerts", WORD)
    found = Credentials().examine(ground)
    assert found.status is Status.PASS
    assert found.examined == 2
    assert found.measured["cipher"] == "AES-256-GCM"
    assert found.measured["bits_flipped"] == 4
    assert "service account's files" in found.evidence


def test_an_empty_vault_is_a_fail(tmp_path):
    """Nothing kept is nothing examined; no vault at all is a refusal that says how to make one."""
    ground = Ground(load(home=tmp_path / "home"), tmp_path / "scratch")
    with pytest.raises(Refused, match="vault add"):
        Credentials().examine(ground)
    Vault.create(ground.home)
    found = Credentials().examine(ground)
    assert (found.status, found.examined) == (Status.FAIL, 0)


def in_base64(word):
    """Spell a word in base64."""
    return base64.b64encode(word.encode()).decode()


def in_hex(word):
    """Spell a word in hexadecimal digits."""
    return word.encode().hex()


@pytest.mark.parametrize("spelled", [str, in_base64, in_hex])
def test_a_credential_in_clear_is_found(ground, spelled):
    """A file that holds a secret, spelled plainly, in base64 or in hexadecimal digits, fails it; it is named."""
    Vault.open(ground.home).add("mail", "alerts", WORD)
    log = ground.home / "logs" / "engine.log"
    log.parent.mkdir()
    log.write_text(f"connecting with {spelled(WORD)} …\n")
    found = Credentials().examine(ground)
    assert found.status is Status.FAIL
    assert "logs/engine.log" in found.evidence
    assert WORD not in found.evidence


@pytest.mark.parametrize(
    ("secret", "name", "written"),
    [
        ("ab,cd ef/gh", "engine.log", "ab,cd ef/gh"),
        ("ab,cd ef/gh", "engine.log", "https://x/ab%2Ccd%20ef%2Fgh"),
        ('say "so" now', "engine.jsonl", r'{"event": "say \"so\" now"}'),
        (WORD, "engine.jsonl.2026-11-20.gz", WORD),
    ],
    ids=["with commas", "in an address", "in JSON", "gzipped"],
)
def test_a_credential_is_found_however_it_is_written(ground, secret, name, written):
    """Commas in it, an address or JSON around it, or a log of an earlier day do not hide it."""
    Vault.open(ground.home).add("mail", "alerts", secret)
    log = ground.home / "logs" / name
    log.parent.mkdir()
    log.write_bytes(gzip.compress(written.encode()) if name.endswith(".gz") else written.encode())
    assert f"logs/{name}" in Credentials().examine(ground).evidence


def test_a_credential_too_short_to_search_for_is_told(ground):
    """Four digits stand in many files by chance: the evidence does not say that they stand nowhere."""
    Vault.open(ground.home).add("pin", "a telephone's", "4711")
    found = Credentials().examine(ground)
    assert (found.status, found.measured["too_short_to_search"]) == (Status.PASS, 1)
    assert "1 too short to search for" in found.evidence


def test_a_credential_in_the_journal_is_found(ground):
    """The operations journal is searched, too."""
    Vault.open(ground.home).add("mail", "alerts", WORD)
    note(ground.home, "vault", "mail", "added", reason=f"the password is {WORD}")
    assert "operations/journal" in Credentials().examine(ground).evidence


def test_the_sealing_key_in_clear_is_found(ground):
    """A backup key that lies beside what it seals is a leak, as bytes or as text."""
    (ground.home / "backups").mkdir()
    (ground.home / "backups" / "key.bin").write_bytes(Vault.open(ground.home).sealing_keys()[0])
    assert "backups/key.bin" in Credentials().examine(ground).evidence


def test_files_that_others_can_read_are_found(ground):
    """The vault is its owner's alone."""
    vault_file.path_of(ground.home).chmod(0o644)
    found = Credentials().examine(ground)
    assert found.status is Status.FAIL
    assert "vault/vault.json can be read by others" in found.evidence


def test_a_damaged_vault_is_a_fail(ground):
    """A vault that does not verify, or says another cipher, is a crash of the check, which the runner calls a fail."""
    path = vault_file.path_of(ground.home)
    whole = path.read_text()
    for change in (("backups", "backupz"), ("AES-256-GCM", "AES-128-GCM")):
        path.write_text(whole.replace(*change, 1))
        with pytest.raises(VaultDamaged):
            Credentials().examine(ground)


def test_a_vault_that_takes_flipped_bits_is_noticed(ground, monkeypatch):
    """With a cipher that does not authenticate, every flipped bit is read, and each is reported."""
    vault = Vault.open(ground.home)
    vault.add("mail", "alerts", WORD)
    file = vault_file.read(ground.home)
    for module in ("vault", "vault_file"):
        monkeypatch.setattr(f"aitrade.store.{module}.decrypt", lambda *_: b"whatever")
    assert len(accepted_flips(vault, file, ground.scratch)) == 4


def test_a_copy_that_never_opens_is_no_proof(ground, monkeypatch):
    """Flipped bits are refused by a vault that refuses everything, too: the whole copy has to open first."""
    vault = Vault.open(ground.home)
    file = vault_file.read(ground.home)
    monkeypatch.setattr(vault_file.VaultFile, "proves", lambda *_: False)
    with pytest.raises((VaultDamaged, VaultLocked)):
        accepted_flips(vault, file, ground.scratch)


def test_planted_secrets_are_found_and_what_is_whole_has_none(ground, small):
    """The check finds its own plants in package, notebook, configuration and history, and nothing in a clean place."""
    found = HardCodedSecrets(lambda _home: small).examine(ground)
    assert found.status is Status.PASS, found.evidence
    assert found.examined == sum(found.measured[part] for part in ("package", "notebooks", "configuration", "history"))


@pytest.mark.parametrize(("part", "name"), [("package", "a.py"), ("home", "aitrade.toml"), ("checkout", "a.py")])
def test_a_hard_coded_secret_is_a_fail(ground, small, tmp_path, part, name):
    """A password in the package, in the configuration or in a commit fails it; the evidence says where, not what."""
    line = planted_lines()[0]
    (tmp_path / part / name).write_text(f"{line}\n")
    if part == "checkout":
        commit(tmp_path / part)
        (tmp_path / part / name).write_text("gone = True\n")
        commit(tmp_path / part)
    found = HardCodedSecrets(lambda _home: small).examine(ground)
    assert found.status is Status.FAIL
    assert name in found.evidence
    assert line.split('"')[1] not in found.evidence


@pytest.mark.parametrize("name", [".env", "keys.env", ".env.local", "broker.yml", "broker.cfg", "broker.conf"])
def test_a_secret_in_a_file_that_people_keep_settings_in_is_a_fail(ground, small, name):
    """What lies beside aitrade.toml is searched under each name that settings usually have."""
    (small.configuration[0] / name).write_text("\n".join(planted_lines()))
    found = HardCodedSecrets(lambda _: small).examine(ground)
    assert found.status is Status.FAIL
    assert name in found.evidence


def test_a_secret_in_an_earlier_configuration_is_a_fail(ground, small):
    """What a configuration once held is in its history; it fails until a person has looked at it."""
    home = small.configuration[0]
    (home / "aitrade.toml").write_text(f"{planted_lines()[0]}\n")
    configuration_history.keep(home)
    (home / "aitrade.toml").write_text("seed = 1\n")
    configuration_history.keep(home)
    found = HardCodedSecrets(lambda _home: small).examine(ground)
    assert found.status is Status.FAIL
    assert "history" in found.evidence


def test_a_history_that_cannot_be_read_is_a_refusal(small, tmp_path):
    """A checkout without commits, or no git, is not passed over in silence."""
    broken = secret_scan.Places(small.package, (), (), (tmp_path / "package",))
    with pytest.raises(Refused, match="does not read the history"):
        secret_scan.scan(broken, tmp_path / "scan")


def test_a_remark_does_not_hide_a_secret(small, tmp_path):
    """A secret whose line asks to be passed over is found all the same."""
    (small.package / "a.py").write_text(f"{planted_lines()[0]}  # pragma: allowlist secret\n")
    found = secret_scan.scan(small, tmp_path / "scan").found
    assert {Path(one.where).name for one in found} == {"a.py"}


def test_a_blind_search_is_a_fail(ground, small):
    """A search that does not find what was planted proves nothing, and names where it was blind."""
    found = HardCodedSecrets(lambda _home: small, plants=lambda: ["harmless = True"]).examine(ground)
    assert found.status is Status.FAIL
    assert "package, notebooks, configuration, history" in found.evidence


@pytest.mark.timeout(300)
def test_this_checkout_has_no_hard_coded_secret(tmp_path):
    """Package, notebooks and configuration are clean; a suspicion is looked at, then taken out or reviewed."""
    where = secret_scan.places(tmp_path)
    found = secret_scan.scan(secret_scan.Places(where.package, where.notebooks, where.configuration, ()), tmp_path)
    assert found.files > 200
    assert not found.found


def test_access_controls_are_said_to_be_not_built(ground):
    """Until users and roles are registered, one honest sentence, with what others can read of the running system."""
    run = ground.home / "run"
    run.mkdir()
    for name, mode in (("engine.json", 0o600), ("page.json", 0o644)):
        (run / name).write_text("{}")
        (run / name).chmod(mode)
    found = AccessControls().examine(ground)
    assert found.status is Status.FAIL
    assert found.evidence.startswith("not built: no users and roles")
    assert found.measured == {"private_files": 2, "readable_by_others": 1}
    assert "page.json" in found.evidence


def test_data_in_clear_are_counted(ground):
    """Until data are encrypted, one honest sentence with how many databases and journals lie in clear."""
    (ground.home / "books.db").write_bytes(b"SQLite format 3\0 and so on")
    (ground.home / "sealed.db").write_bytes(b"\x13\x37 not in clear")
    note(ground.home, "vault", "mail", "added")
    found = DataEncrypted().examine(ground)
    assert found.status is Status.FAIL
    assert found.evidence.startswith("not built: 1 databases and 1 journal segments lie in clear")


def passing(_folder):
    """A drill that holds."""
    from aitrade.core.drills import Drilled

    return Drilled(passed=True, evidence="It holds.", measured={}, source="SYSTEM", examined=1)


@pytest.mark.parametrize(
    ("item", "package"), [(AccessControls, "aitrade.compliance"), (DataEncrypted, "aitrade.store")]
)
def test_a_part_that_registers_is_judged_by_its_drill(ground, monkeypatch, item, package):
    """Nothing changes here when the part is built: its drill decides."""
    module = __import__(package, fromlist=["x"])
    monkeypatch.setattr(module, "DRILLS", {item.id: f"{__name__}:passing"}, raising=False)
    assert item().examine(ground).status is Status.PASS
