"""The checklist's items on health, metrics and errors: something is killed, moved and planted, and has to be seen."""

import http.client
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

import msgspec
import psutil

from aitrade.core import logs
from aitrade.core.errors import Refused
from aitrade.core.metrics import TARGETS
from aitrade.engine.client import EngineClient
from aitrade.ops.errors import ErrorGroup, errors
from aitrade.ops.health import State, SystemHealth, health
from aitrade.ops.preflight.audit_logging import probe
from aitrade.ops.preflight.check import Finding, Measured, Section, Source, finding
from aitrade.ops.preflight.ground import Ground

SEEN_SECONDS = 5.0
"""Within this each thing has to be seen."""
BACK_SECONDS = 30.0
PROCESSES = ("engine", "page", "charts", "supervisor")
KILLED, KILLED_FILE = "watcher", "alerts.json"
T = TypeVar("T")


class HealthMonitoring:
    """The scratch watcher of alerts is killed: health and the page's endpoint name it, and tell when it is back."""

    id = "health"
    section = Section.MONITORING
    words = "Health monitoring active"
    seconds = 150.0

    def examine(self, ground: Ground) -> Finding:
        """Kill it and look; whatever comes of it, wait until everything is well again."""
        home = _served(ground)
        before = awaited(lambda: health(home), _well, BACK_SECONDS)[0]
        if before.of(KILLED).state is not State.OK:
            raise Refused(f"The scratch {KILLED} did not start within {BACK_SECONDS:g} s.")
        _kill(home)
        seen, seen_s = awaited(lambda: health(home), lambda found: not found.of(KILLED).ok, SEEN_SECONDS)
        status, told = _endpoint(home)
        after, back_s = awaited(lambda: health(home), _well, BACK_SECONDS)
        wrong = [f"before anything was killed: {reason}" for reason in before.reasons]
        wrong += [] if not seen.of(KILLED).ok else [f"the killed {KILLED} was not seen within {SEEN_SECONDS:g} s"]
        if seen.reasons and (status, KILLED in told) != (HTTPStatus.SERVICE_UNAVAILABLE, True):
            wrong.append(f"the page's health endpoint answered {status} without naming it")
        wrong += [f"afterwards: {reason}" for reason in after.reasons]
        says = (
            f"Of {len(before.components)} parts the {KILLED} was killed and seen after {seen_s:.2f} s "
            f"({seen.of(KILLED).reason}); the endpoint named it; all were well again after {back_s:.1f} s."
        )
        measured: Measured = {"seen_s": round(seen_s, 3), "back_s": round(back_s, 2)}
        return finding(wrong, says, measured, Source.SIMULATED, len(before.components))


class MetricsCollected:
    """An order, prices and time move the counters of the scratch engine; page and chart worker are scraped as well."""

    id = "metrics"
    section = Section.MONITORING
    words = "Performance metrics collected"
    seconds = 120.0
    moves = (
        "aitrade_orders_sent_total", 'aitrade_order_stage_seconds_count{stage="total"}', "aitrade_ticks_total",
        'aitrade_venue_updates_total{what="FILL"}', "aitrade_orders_refused_total", "aitrade_journal_records_total",
        "aitrade_request_seconds_count", 'aitrade_process_cpu_seconds_total{process="engine"}',
    )  # fmt: skip
    there = (
        'aitrade_process_memory_bytes{process="engine"}', "aitrade_machine_memory_used_ratio",
        "aitrade_disk_free_bytes", "aitrade_order_rate_limit",
    )  # fmt: skip

    def examine(self, ground: Ground) -> Finding:
        """Scrape, have orders filled and refused, and scrape until everything has moved."""
        home = _served(ground)
        before = scraped(home, "engine")
        probe(ground, f"metrics-{uuid.uuid4().hex[:8]}")
        now, took = awaited(lambda: scraped(home, "engine"), lambda found: not self._still(before, found), SEEN_SECONDS)
        others = {name: len(scraped(home, name)) for name in ("page", "charts")}
        wrong = [f"{name} did not move within {SEEN_SECONDS:g} s" for name in self._still(before, now)]
        wrong += [f"{name} is nothing" for name in self.there if not now.get(name)]
        wrong += [f"{name} tells no metric" for name, count in others.items() if not count]
        says = (
            f"{len(self.moves)} counters moved with a filled and a refused order within {took:.2f} s; engine, page and "
            f"chart worker tell {len(now)}, {others['page']} and {others['charts']} values."
        )
        examined = len(now) + sum(others.values())
        measured: Measured = {"values": examined, "moved": len(self.moves), "moved_s": round(took, 3)}
        return finding(wrong, says, measured, Source.SIMULATED, examined)

    def _still(self, before: dict[str, float], now: dict[str, float]) -> list[str]:
        return [name for name in self.moves if now.get(name, 0.0) <= before.get(name, 0.0)]


class ErrorsTracked:
    """An error is planted twice: it is one group with its count and times, without its secret; every process logs."""

    id = "errors"
    section = Section.MONITORING
    words = "Error tracking and logging work"
    seconds = 120.0

    def examine(self, ground: Ground) -> Finding:
        """Plant and look."""
        home, nonce, canary = _served(ground), f"planted{uuid.uuid4().hex}", uuid.uuid4().hex
        said = [plant(home, nonce, canary) for _ in range(2)]
        groups, seen_s = awaited(
            lambda: _planted(home, nonce), lambda found: sum(g.count for g in found) > 1, SEEN_SECONDS
        )
        with EngineClient.of(home, actor=nonce) as client:
            client.set_speed(speed=1)
        _line, line_s = awaited(lambda: _spoken(home, nonce), bool, SEEN_SECONDS)
        counts = {name: _lines(home, name) for name in PROCESSES}
        wrong = list(_wrong_groups(groups)) + ([] if _line else ["the engine's event is not in logs/engine.jsonl"])
        wrong += [] if all(nonce in words for words in said) else ["the process did not end with the error's words"]
        wrong += [f"{name} has logged nothing" for name, count in counts.items() if not count]
        wrong += [f"a secret stands in {name}" for name in _files_with(home, canary)]
        says = (
            f"An error that was planted twice is one group of two, first and last apart, seen {seen_s:.2f} s after; "
            f"the engine's event was in its log after {line_s:.2f} s; {len(PROCESSES)} processes have logged "
            f"{sum(counts.values())} lines, and the secret in the error is in none of them."
        )
        measured: Measured = {
            "seen_s": round(seen_s, 3),
            "lines": sum(counts.values()),
            "groups_here": len(errors(ground.home)),
        }
        return finding(wrong, says, measured, Source.SIMULATED, sum(counts.values()) + len(groups))


PLANTED = """
import sys
from pathlib import Path
from aitrade.core import logs
logs.configure("preflight", Path(sys.argv[1]) / "logs")
def planted():
    raise RuntimeError(f"{sys.argv[2]} token={sys.argv[3]}")
planted()
"""


def plant(home: Path, nonce: str, canary: str) -> str:
    """Have a process of ours end by an error on a data folder; return its last words."""
    command = [sys.executable, "-c", PLANTED, str(home), nonce, canary]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603 - our own
    return (done.stderr.strip().splitlines() or [""])[-1]


def scraped(home: Path, process: str) -> dict[str, float]:
    """Return a process's metrics as Prometheus would scrape them, by name and labels."""
    target = msgspec.json.decode((home / TARGETS / f"{process}.json").read_bytes())[0]["targets"][0]
    text = _get(home, int(target.rpartition(":")[2]), "/metrics")[1]
    rows = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in rows}


def _served(ground: Ground) -> Path:
    ground.trading.link  # noqa: B018 - waits until it serves
    return ground.trading.home


def awaited(look: Callable[[], T], enough: Callable[[T], bool], seconds: float) -> tuple[T, float]:
    """Look until it is enough or the time is over; return what was seen last, and the seconds that it took."""
    began = time.monotonic()
    while not enough(seen := look()) and time.monotonic() - began < seconds:
        time.sleep(0.02)
    return seen, time.monotonic() - began


def _well(found: SystemHealth) -> bool:
    """Whether nothing is wrong, and what is to be killed is there: it starts when the page serves already."""
    return found.ok and found.of(KILLED).state is State.OK


def _kill(home: Path) -> None:
    pid = msgspec.json.decode((home / "run" / KILLED_FILE).read_bytes())["pid"]
    psutil.Process(pid).kill()


def _endpoint(home: Path) -> tuple[int, str]:
    """What the page's health endpoint says of everything: the status and the names of what is not well."""
    port = msgspec.json.decode((home / "run" / "page.json").read_bytes())["port"]
    status, text = _get(home, port, "/health")
    found = msgspec.json.decode(text, type=SystemHealth) if text.startswith('{"at') else None
    return status, " ".join(found.reasons) if found else text


def _get(home: Path, port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {(home / 'run' / 'token').read_text()}"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError as error:
        raise Refused(f"Port {port} does not answer {path}: {error}.") from error
    finally:
        connection.close()


def _planted(home: Path, nonce: str) -> list[ErrorGroup]:
    return [group for group in errors(home) if nonce in group.text]


def _wrong_groups(groups: list[ErrorGroup]) -> Iterator[str]:
    if len(groups) != 1:
        yield f"the planted error makes {len(groups)} groups"
        return
    group = groups[0]
    if group.count != 2 or group.first >= group.last:  # noqa: PLR2004 - it was planted twice
        yield f"the planted error counts {group.count}, first {group.first}, last {group.last}"


def _spoken(home: Path, nonce: str) -> bool:
    path = home / "logs" / "engine.jsonl"
    return path.is_file() and any(nonce in str(row["event"]) for row in logs.lines(path))


def _lines(home: Path, process: str) -> int:
    """How many whole events a process has logged: each with its time in ns and in IST, level, process and words."""
    path = home / "logs" / f"{process}.jsonl"
    needed = {"ts", "ist", "process", "level", "event"}
    return sum(needed <= row.keys() for row in logs.lines(path)) if path.is_file() else 0


def _files_with(home: Path, canary: str) -> list[str]:
    files = [path for path in (home / "logs").iterdir() if path.is_file()]
    return [path.name for path in files if canary.encode() in path.read_bytes()]
