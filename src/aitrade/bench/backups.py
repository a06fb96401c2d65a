"""`aitrade bench ops`, backups: a book of a million orders that trades on while it is backed up, lost and restored.

An engine process trades on the book at a steady rate through its API; the copier runs as `aitrade up` runs it. An
order's latency is the API call's, from the request until the engine has checked, journaled and sent it.
"""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import msgspec

from aitrade.bench import Figures, Say, scaled
from aitrade.bench.big_book import BigBook
from aitrade.bench.process import Process
from aitrade.compliance.journal import frames, segments
from aitrade.core.events import Kind
from aitrade.core.orders import OrderRequest, Product, Side
from aitrade.engine.client import EngineClient
from aitrade.engine.settings import EngineSettings
from aitrade.ops.backup.heads import head_of
from aitrade.ops.backup.mirror import FOLDER, SECONDS, Mirror, copied_segments, parts
from aitrade.ops.backup.process import Settings
from aitrade.ops.backup.restoring import restore
from aitrade.ops.backup.shelf import BookHead, last
from aitrade.ops.percentiles import percentile
from aitrade.ops.rig import scratch
from aitrade.store.projection import FILE

ORDERS, BOOK = 1_000_000, "big"
A_SECOND = 100
WARM_SECONDS = 5
BACKUPS = 3
"""Each after a quiet while, so that what else the machine does tells on both; orders enough to tell a hundredth."""
QUIET_SECONDS = 10
ROUNDS = 2
"""Copies that are waited for while trading goes on."""
_RULES = '[[order_rate]]\nfrom = 2025-01-01\nper_second = 100000\nsource = "bench"\nconfidence = "A"\n'
_LIMITS = "day_orders = 0\nday_loss_rupees = 0\nduplicate_window_ms = 0\n"
_HISTORY = {"orders": "id", "fills": "seq", "cash": "seq", "positions": "day, instrument, product", "marks": "seq"}


def backups(say: Say) -> Figures:
    """Build, trade, back up under load, lose the data disk, restore, compare."""
    with scratch() as folder:
        home, seconds = folder / "home", max(SECONDS * scaled(100) / 100, 1.0)
        key = _prepare(home, folder / "second", say)
        desk = _Desk(home, seconds)
        try:
            say("orders without a backup, then while it is made …")
            desk.trade_for(scaled(WARM_SECONDS))
            quiet, beside = [], []
            for _ in range(scaled(BACKUPS)):
                quiet += desk.trade_for(scaled(QUIET_SECONDS))
                beside += desk.trade_while(_backing_up(home))
            say(f"trading on until the journal was copied {ROUNDS} times more …")
            desk.trade_until(ROUNDS)
        finally:
            desk.kill()
        lost = folder / "lost"
        home.rename(lost)
        say("the data disk is gone: restore …")
        restored = restore(home, folder=folder / "second", recovery=key)
        head = next(head for head in restored.books if head.book == BOOK)
        exposed = max(_exposed(lost, folder / "second"), desk.acknowledged - head.wall, 0) / 1e9
        return {
            "backup_order_delay_p99_ms": max(percentile(beside, 0.99) - percentile(quiet, 0.99), 0.0),
            "backup_order_p99_ms": percentile(beside, 0.99),
            "quiet_order_p99_ms": percentile(quiet, 0.99),
            "backup_order_p50_ms": percentile(beside, 0.5),
            "quiet_order_p50_ms": percentile(quiet, 0.5),
            "backup_orders_timed": len(beside),
            "backup_s": _newest(lost, folder / "second"),
            "restore_s": restored.seconds,
            "restore_differences": _differences(home, lost, head),
            "restored_orders": _count(home),
            "rpo_s": exposed,
        }


class _Desk:
    """An engine that trades and a copier beside it."""

    def __init__(self, home: Path, seconds: float) -> None:
        self.home = home
        self.acknowledged = 0
        """The machine's time at which the newest order was acknowledged, ns UTC."""
        self._engine = Process(EngineSettings(home=str(home), book=BOOK, start="10:30"))
        self._client: EngineClient = self._engine.client()
        self._keys = self._client.snapshot().watchlist
        self._sent = 0
        self._copier = _child("aitrade.ops.backup.process", msgspec.json.encode(Settings(str(home), seconds)))

    def trade_for(self, seconds: float) -> list[float]:
        """Trade for so long; return each order's latency, ms."""
        until = time.monotonic() + seconds
        return self._trade(lambda: time.monotonic() < until)

    def trade_while(self, process: "subprocess.Popen[bytes]") -> list[float]:
        """Trade while a process runs; raise where it fails."""
        samples = self._trade(lambda: process.poll() is None)
        if process.returncode:
            raise RuntimeError(f"The backup failed with exit status {process.returncode}.")
        return samples

    def trade_until(self, rounds: int) -> None:
        """Trade until the newest segment was copied so many times more."""
        folder = self.home.parent / "second" / FOLDER / BOOK
        before = _copies(folder)
        self._trade(lambda: _copies(folder) < before + rounds)

    def kill(self) -> None:
        """End both as a power cut does."""
        self._engine.end()
        self._copier.kill()
        self._copier.wait()

    def _trade(self, going: Callable[[], bool]) -> list[float]:
        samples, due = [], time.monotonic()
        while going():
            time.sleep(max(due - time.monotonic(), 0))
            due += 1 / A_SECOND
            began = time.perf_counter_ns()
            self._client.place(self._request())
            samples.append((time.perf_counter_ns() - began) / 1e6)
            self.acknowledged = time.time_ns()
        return samples

    def _request(self) -> OrderRequest:
        number, self._sent = self._sent, self._sent + 1
        side = Side.BUY if number // len(self._keys) % 2 == 0 else Side.SELL
        key = self._keys[number % len(self._keys)]
        return OrderRequest(instrument=key, side=side, quantity=1, product=Product.MIS, actor="bench")


def _prepare(home: Path, second: Path, say: Say) -> str:
    """Make the book, its rules, its vault, its first copy and backup; return the vault's recovery key."""
    from aitrade.store.vault import Vault

    (home / "facts").mkdir(parents=True)
    (home / "facts" / "rules.toml").write_text(_RULES, encoding="utf-8")
    (home / "limits.toml").write_text(_LIMITS, encoding="utf-8")
    (home / "aitrade.toml").write_text(f'backup_folder = "{second.as_posix()}"\n', encoding="utf-8")
    key = Vault.create(home, method="key-file").new_recovery_key()
    BigBook(home, BOOK, scaled(ORDERS)).write(say)
    say("the first copy of its journal, the first backup: the copier beside the engine would make it else …")
    Mirror(home).copy()
    _backing_up(home).wait()
    return key


def _backing_up(home: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "aitrade", "backup", "run", "--data-folder", str(home)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _child(module: str, settings: bytes) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen([sys.executable, "-m", module], stdin=subprocess.PIPE, env=dict(os.environ))
    assert process.stdin is not None
    process.stdin.write(settings + b"\n")
    process.stdin.close()
    return process


def _copies(folder: Path) -> int:
    """Return how often the newest segment was copied."""
    there = list(copied_segments(folder).values())
    return len(parts(there[-1])) if there else 0


def _exposed(lost: Path, second: Path) -> int:
    """Return the longest time of trading that only the data disk had, ns: up to each copy, since the one before."""
    path = segments(lost / "books" / BOOK / "journal")[-1]
    there = parts(second / FOLDER / BOOK / path.stem)
    ends = {part.end for part in there}
    walls = {frame.end: frame.record.wall for frame in frames(path) if frame.end in ends}
    written = [(part.path.stat().st_mtime_ns, walls[part.end]) for part in there]
    return max((at - wall for (_, wall), (at, _) in pairwise(written)), default=0)


def _newest(lost: Path, second: Path) -> float:
    newest = last(lost)
    if newest is None or not second.is_dir():
        raise RuntimeError("No backup was made; the figures would mean nothing.")
    return newest.seconds


def _differences(home: Path, lost: Path, head: BookHead) -> int:
    """Return in how many rows, segments and states what was lost and what was restored differ, at its last record."""
    own, other = (segments(folder / "books" / BOOK / "journal") for folder in (home, lost))
    sizes = {path: copy.stat().st_size for path, copy in zip(other, own, strict=True)}
    states = head_of(BOOK, other[-1].parent, sizes) != head
    pairs = zip(sizes.items(), own, strict=True)
    damaged = sum(path.read_bytes()[:size] != copy.read_bytes() for (path, size), copy in pairs)
    return states + damaged + _rows_differing(home, lost)


def _rows_differing(home: Path, lost: Path) -> int:
    """Count the rows of finished days that are in one database and not in the other."""
    with closing(sqlite3.connect(home / "books" / BOOK / FILE)) as connection:
        connection.execute("ATTACH DATABASE ? AS lost", (str(lost / "books" / BOOK / FILE),))
        newest = connection.execute("SELECT max(day) FROM main.orders").fetchone()[0]
        count = 0
        for table in _HISTORY:
            for one, other in (("main", "lost"), ("lost", "main")):
                wanted = [f"SELECT * FROM {name}.{table} WHERE day < ?" for name in (one, other)]  # noqa: S608 - ours
                rows = f"SELECT count(*) FROM ({' EXCEPT '.join(wanted)})"  # noqa: S608 - ours
                count += connection.execute(rows, (newest, newest)).fetchone()[0]
    return int(count)


def _count(home: Path) -> int:
    """Return how many orders the restored journal has: the figure says what was restored."""
    journal = home / "books" / BOOK / "journal"
    return sum(frame.record.kind is Kind.INTENT for path in segments(journal) for frame in frames(path))
