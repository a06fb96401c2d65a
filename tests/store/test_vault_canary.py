"""Canary secrets in the vault, every command exercised, and nothing that was written or said holds one of them."""

import base64
import http.server
import itertools
import os
import re
import secrets
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from urllib.parse import quote

import click
import psutil
import pytest
from click.testing import CliRunner

from aitrade.cli import main
from aitrade.ops.service import linux
from aitrade.ops.visit import trading
from aitrade.store.vault import Vault

TODAY, SOON = time.strftime("%Y-%m-%d"), time.strftime("%Y-%m-%d", time.localtime(time.time() + 30 * 86_400))
PRODUCED = tuple(
    f"report {name} --date {TODAY} --no-pdf"
    for name in ("trade-register", "compliance-pack", "system-audit", "preflight")
)
OF_NO_BOOK = (
    "order-log", "audit-trail", "charges", "positions-and-limits", "risk", "profit-and-tax", "tear-sheet",
    "system-performance", "daily-summary",
)  # fmt: skip
"""Reports that are asked for of a book that there is not; those above go the same way to their notebooks' end."""
LINES = (
    "alerts list", "alerts rules", "alerts channels", "alerts test", "alerts ack 1", "alerts confirm {code}",
    "audit verify", "audit show operations", "audit reconcile", "backup run", "backup list", "backup verify",
    "backup archive", "backup configuration", "backup models", "book list", "book new other", "book reset other",
    "data import {home}/aitrade.toml", "data list", "data report", "errors", "halt --reason canary", "health", "resume",
    "reduce", "resume", "incident open canary", "incident list", "incident show {number}",
    "incident assign {number} me", "incident cause {number} none", "incident reported {number} 'first report'",
    "incident reported {number} 'preliminary report'", "incident reported {number} 'root cause analysis'",
    "incident close {number} done", "maintain schedule", "maintain daily --task backup_database",
    "maintain weekly --task scan_security --dry-run", "maintain monthly --task perform_full_backup",
    "maintain emergency memory_leak --dry-run", "maintain rehearse --month none",
    "model list", "model activate btst-rule 9 --reason canary", "open",
    "order buy RELIANCE 1", "order sell RELIANCE 1", "order list", "order cancel all", "positions", "prometheus",
    "preflight --section Environment", "preflight sign --name me --role officer --reason canary",
    f"preflight waive npu --name me --reason canary --until {SOON}", "report list", "report schedule",
    *PRODUCED, *(f"report {name} --date {TODAY} -p book=none" for name in OF_NO_BOOK), "report verify",
    "service render", "service render --for windows", "service install --apply", "service start", "service status",
    "service stop", "service uninstall --apply", "update --check --from {wheel}",
    "update --apply --from {wheel}", "vault list", "vault rotate mail", "vault rotate", "vault remove fax",
    "vault recovery --check", "vault recovery", "vault list --passphrase", "vault protect key-file",
)  # fmt: skip
"""Beside a running `aitrade up`."""
AFTER = ("stop", "backup mirror --once", "restore", "store rebuild")
"""When it has ended."""
APART = ("up", "vault add", "lab", "bench")
"""As processes of their own: `up` below the lines above, the lab and a bench beside it, `vault add` before them."""
REFUSED = {
    "alerts ack 1": "There is no alert 1",
    "data import {home}/aitrade.toml": "not a format that we know",
    "data list": "Nothing is imported yet",
    "maintain rehearse --month none": "is not a month",
    "stop": "Nothing runs on this data folder",
    "data report": "There is no quality report yet",
    "model activate btst-rule 9 --reason canary": "9",
    "preflight sign --name me --role officer --reason canary": "no run over the whole checklist",
    "update --apply --from {wheel}": "",
    **{f"report {name} --date {TODAY} -p book=none": "book" for name in OF_NO_BOOK},
}
"""What is understood and not done on this data folder, and in which words; the market's hours decide of an update."""
NO_FOLDER = ("service status", "maintain rehearse --month none")
"""Have no data folder: one asks the machine, the other lives in a scratch folder, for minutes, in its own test."""
FAILS = ("alerts test", "preflight --section Environment", "update --check --from {wheel}")
"""What may end with another status than 0: a channel that nobody answers, no second device, the hour."""


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


def exercised(home, lines, given, facts):
    """Run commands, with what it is given to read; return what each said, but the recovery key that one prints."""
    said, wrong = [], []
    for line in lines:
        options = ["--passphrase"] if line == "vault rotate" else []
        folder = [] if line in NO_FOLDER else ["--data-folder", str(home)]
        words = [*shlex.split(line.format(home=home, **facts)), *options, *folder]
        done = CliRunner().invoke(main, words, input=f"{given.get(line, '')}\n")
        assert done.exception is None or isinstance(done.exception, SystemExit), (line, done.exc_info)
        as_told = (done.exit_code == 2) == (line in REFUSED) or line in FAILS
        if "Usage:" in done.output or not as_told or REFUSED.get(line, "") not in done.output:
            wrong.append((line, done.exit_code, done.output))
        if line.startswith("incident open"):
            facts["number"] = done.output.split()[1]
        if line == "alerts test":
            facts["code"] = re.search(r"alerts confirm (\w+)", " ".join(facts["taken"])).group(1)
        said.append("" if line == "vault recovery" else done.output)
    assert wrong == []
    return said


def unexercised(commands):
    """The commands that stand in none of the lines above."""
    words = [line.split() for line in (*LINES, *AFTER, *APART)]
    return {name for name in commands if not any(line[: len(name.split())] == name.split() for line in words)}


def test_every_command_is_exercised():
    """A command that is new is missed until it stands above, and what stands above is a command."""
    commands = leaves(main)
    assert len(commands) > 60
    assert unexercised(commands) == set()
    assert unexercised([*commands, "vault burn", "burn"]) == {"vault burn", "burn"}
    first = {line.split()[0] for line in (*LINES, *AFTER, *APART)}
    assert first <= set(main.list_commands(None))


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A machine whose service manager writes down what it is asked and what it sees; and a user of it."""
    tools, user = tmp_path / "tools", tmp_path / "user"
    for folder in (tools, user, tmp_path / "tmp"):
        folder.mkdir()
    for name in ("systemctl", "useradd", "install", "chown", "runuser"):
        script = tools / name
        script.write_text(f'#!/bin/sh\n{{ echo "$@"; env; }} >> "{tools}/{name}.asked"\necho ActiveState=active\n')
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(linux, "UNIT", str(tmp_path / "etc" / "unit"))
    monkeypatch.setattr(linux, "UPDATES", str(tmp_path / "etc" / "updates"))
    return tools


@contextmanager
def beside(home, *words, until):
    """Run a command as a process of its own while the block does, once it has said something; end it as Ctrl-C does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "aitrade", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "AITRADE_HOME": str(home), "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    said = []
    try:
        said += itertools.takewhile(lambda line: until not in line, process.stdout)
        yield said
    finally:  # asked, not killed, so that it ends its own server also where the block has failed
        process.send_signal(signal.SIGINT)
        said.append(process.communicate(timeout=60)[0])
    assert process.returncode == 0, said


@pytest.mark.timeout(900)
def test_no_command_writes_or_says_a_secret(tmp_path, webhook, system):
    """Secrets, passphrase and recovery key are in no file, no output and no process list after all commands ran."""
    home, (port, taken) = tmp_path / "home", webhook
    canaries = {kind: Canary(kind) for kind in ("mail", "hook", "fax", "passphrase", "new")}
    configured(home, port)
    wheel = tmp_path / "aitrade-99.0-py3-none-any.whl"
    wheel.touch()
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
    facts = {"wheel": wheel, "taken": taken}
    with (
        beside(home, "lab", "--port", "0", "--no-browser", until="/lab?token=") as lab,
        trading(home, "--start", "10:30", "--speed", "1") as running,
    ):
        running.link  # noqa: B018 - waits until it serves
        said += [benched(home), *exercised(home, LINES, given, facts), *running.stop()]
    said += [*lab, *exercised(home, AFTER, given, facts)]
    watch.ending.set()
    watch.join()
    assert any(canaries["hook"].seen_in(path.encode()) for path in taken), "the webhook heard nothing"
    assert "start AITradingEngine" in (system / "systemctl.asked").read_text()
    places = {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(places) > 20
    assert (home / "lab" / "lab.log").is_file()
    assert watch.looks > 20
    assert any("jupyterlab" in words for words in watch.seen)
    places |= {"what was said": "\n".join(said).encode(), "process list": "\n".join(sorted(watch.seen)).encode()}
    keys = [part.encode() for key in sealing for part in (key.hex(), base64.b64encode(key).decode())]
    for name, data in places.items():
        assert not [kind for kind, canary in canaries.items() if canary.seen_in(data)], name
        assert not any(secret in data for secret in (recovery.encode(), *keys)), name


def benched(home):
    """Run a short bench on that data folder; return what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "aitrade", "bench", "orders", "--json"], capture_output=True, text=True, check=False,
        env={**os.environ, "AITRADE_HOME": str(home), "AITRADE_BENCH_SCALE": "0.01"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "spell", [str.encode, lambda text: base64.b64encode(b"xx" + text.encode()), lambda text: quote(text).encode()]
)
def test_a_canary_is_seen(spell):
    """The search would have found it, in the middle of a base64 text too."""
    canary = Canary("mail")
    assert canary.seen_in(b"before " + spell(canary.text) + b" after")
    assert not canary.seen_in(spell(Canary("mail").text))
