"""Canary secrets in the vault, every command exercised, and nothing that was written or said holds one of them."""

import base64
import http.server
import secrets
import subprocess
import sys
import threading
import time
from urllib.parse import quote

import click
import psutil
import pytest
from click.testing import CliRunner

from aitrade.cli import main
from aitrade.ops.visit import trading
from aitrade.store.vault import Vault

TODAY = time.strftime("%Y-%m-%d")
AFTER = ("restore", "store rebuild")
"""What needs the engine stopped."""
LINES = (
    "alerts list", "alerts rules", "alerts channels", "alerts test", "alerts ack 1", "alerts confirm AAAA-AAAA",
    "audit verify", "audit show operations", "backup run", "backup list", "backup verify", "backup mirror --once",
    "book list", "book new other", "book reset other", "data import {home}/aitrade.toml", "data list", "data report",
    "halt --reason canary", "resume", "reduce", "resume", "incident open canary", "incident list",
    "incident show {number}", "incident assign {number} me", "incident cause {number} none",
    "incident reported {number} preliminary", "incident close {number} done", "maintain schedule",
    "maintain daily --task backup_database", "maintain weekly --task scan_security --dry-run",
    "maintain monthly --task perform_full_backup", "maintain emergency memory_leak --dry-run", "open",
    "order buy RELIANCE 1", "order sell RELIANCE 1", "order list", "order cancel all", "positions",
    "preflight --section Environment", "preflight sign --name me --role officer --reason canary",
    f"preflight waive npu --name me --reason canary --until {TODAY}", "report list", "report schedule", "report verify",
    f"report trade-register --date {TODAY} --no-pdf", "vault list", "vault rotate mail", "vault rotate",
    "vault remove fax", "vault recovery --check", "vault recovery", "vault list --passphrase", "vault protect key-file",
)  # fmt: skip
"""What is exercised by name; a command that is not here is run without words."""
APART = {"up", "vault add", "lab", "bench", "service start", "service stop"}
"""Run as processes of their own: `up` below all others, `vault add` with its secret piped in; the lab and the benches
open no vault and write to folders of their own, which their own tests hold; the service's manager is the machine's."""


def leaves(command, name=""):
    """Every command there is, by its whole name."""
    if not isinstance(command, click.Group):
        return [name]
    context = click.Context(command)
    return [
        leaf for sub in command.list_commands(context)
        for leaf in leaves(command.get_command(context, sub), f"{name} {sub}".strip())
    ]  # fmt: skip


class Canary:
    """A secret of one kind, in every spelling in which it could stand somewhere."""

    def __init__(self, kind):
        self.text = f"canary/{kind} {secrets.token_hex(12)}"
        raw = self.text.encode()
        spelled = (self.text, quote(self.text), quote(self.text, safe=""), quote(self.text, safe=":"), raw.hex())
        self.forms = {*(form.encode() for form in spelled), *(base64.b64encode(raw[at:])[4:-4] for at in range(3))}

    def seen_in(self, data):
        """Whether bytes hold it."""
        return any(form in data for form in self.forms)


class Watch(threading.Thread):
    """Notes what the process list shows of this process's family: command lines and environments."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen, self.ending, self.looks = set(), threading.Event(), 0

    def run(self):
        """Look until told to end."""
        while not self.ending.wait(0.02):
            self.looks += 1
            for process in psutil.Process().children(recursive=True):
                try:
                    self.seen.update(process.cmdline())
                    self.seen.update(f"{name}={value}" for name, value in process.environ().items())
                except psutil.Error:
                    continue


@pytest.fixture
def webhook():
    """A webhook on loopback that takes everything; gives its port and what it was sent."""
    taken = []

    class Take(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            """Take a message."""
            taken.append(self.path + self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_words):
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Take)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, taken
    server.shutdown()
    server.server_close()


def configured(home, port):
    """A data folder whose alerts go out by two channels with secrets, one of which nobody answers."""
    home.mkdir()
    channels = (("heard", port, "hook"), ("unheard", 9, "mail"))
    (home / "alerts.toml").write_text(
        "".join(
            f'[[channel]]\nname = "{name}"\nurl = "json://127.0.0.1:{to}/{{{key}}}"\n' for name, to, key in channels
        )
    )
    (home / "aitrade.toml").write_text('strategy = ""\n')


def piped(home, *words, given):
    """Run a command as a process of its own with lines of standard input."""
    command = [sys.executable, "-m", "aitrade", *words, "--data-folder", str(home)]
    done = subprocess.run(
        command, input="".join(f"{line}\n" for line in given), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def every_line():
    """The lines above, and every command that is in none of them."""
    named = tuple(f"{line} " for line in (*LINES, *AFTER))
    return (
        *LINES,
        *(leaf for leaf in leaves(main) if leaf not in APART and not any(f"{leaf} " in line for line in named)),
    )


def exercised(home, lines, given):
    """Run commands, with what it is given to read; return what each said, but the recovery key that one prints."""
    said, number = [], "1"
    for line in lines:
        options = ["--passphrase"] if line == "vault rotate" else []
        words = [*line.format(home=home, number=number).split(), *options, "--data-folder", str(home)]
        done = CliRunner().invoke(main, words, input=f"{given.get(line, '')}\n")
        assert done.exception is None or isinstance(done.exception, SystemExit), (line, done.exc_info)
        assert line not in given or done.exit_code == 0, (line, done.output)
        if line.startswith("incident open"):
            number = done.output.split()[1]
        said.append("" if line == "vault recovery" else done.output)
    return said


@pytest.mark.timeout(900)
def test_no_command_writes_or_says_a_secret(tmp_path, webhook):
    """Secrets, passphrase and recovery key are in no file, no output and no process list after all commands ran."""
    home, (port, taken) = tmp_path / "home", webhook
    canaries = {kind: Canary(kind) for kind in ("mail", "hook", "fax", "passphrase", "new")}
    configured(home, port)
    watch = Watch()
    watch.start()
    said = [piped(home, "vault", "add", name, given=[canaries[name].text]) for name in ("mail", "hook", "fax")]
    said.append(piped(home, "vault", "protect", "key-file", "passphrase", given=[canaries["passphrase"].text]))
    recovery = Vault.open(home).new_recovery_key()
    sealing = Vault.ensure(home).sealing_keys()
    given = {
        "vault rotate mail": canaries["new"].text, "vault rotate": canaries["passphrase"].text,
        "vault recovery --check": recovery, "vault list --passphrase": canaries["passphrase"].text,
    }  # fmt: skip
    with trading(home, "--start", "10:30", "--speed", "1") as running:
        running.link  # noqa: B018 - waits until it serves
        said += exercised(home, every_line(), given) + running.stop()
    said += exercised(home, AFTER, dict.fromkeys(AFTER, ""))
    watch.ending.set()
    watch.join()
    assert any(canaries["hook"].seen_in(path.encode()) for path in taken), "the webhook heard nothing"
    places = {str(path): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert len(places) > 20
    assert watch.looks > 20
    places |= {"what was said": "\n".join(said).encode(), "process list": "\n".join(sorted(watch.seen)).encode()}
    keys = [part.encode() for key in sealing for part in (key.hex(), base64.b64encode(key).decode())]
    for name, data in places.items():
        assert not [kind for kind, canary in canaries.items() if canary.seen_in(data)], name
        assert not any(secret in data for secret in (recovery.encode(), *keys)), name


@pytest.mark.parametrize(
    "spell", [str.encode, lambda text: base64.b64encode(b"xx" + text.encode()), lambda text: quote(text).encode()]
)
def test_a_canary_is_seen(spell):
    """The search would have found it, in the middle of a base64 text too."""
    canary = Canary("mail")
    assert canary.seen_in(b"before " + spell(canary.text) + b" after")
    assert not canary.seen_in(spell(Canary("mail").text))
