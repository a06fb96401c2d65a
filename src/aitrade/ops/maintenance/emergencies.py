"""Emergencies: what a person would do first, done at once. None of them touches orders, positions or trading state."""

import time
from collections.abc import Callable
from pathlib import Path

from aitrade.core.clock import ist
from aitrade.core.errors import AitradeError
from aitrade.core.files import write_private
from aitrade.engine.messages import Health, Profile
from aitrade.ops import doors
from aitrade.ops.alerts import Severity, raise_alert
from aitrade.ops.maintenance.databases import databases, eased
from aitrade.ops.maintenance.engine_state import ask, engine_address
from aitrade.ops.maintenance.task import Done, Ground, Measured

PROFILE_SECONDS = 2.0
SHED_SECONDS = 600.0
_MEBIBYTE = 1 << 20


class MemoryLeak:
    """Restarts what holds memory and no trading state: the chart worker, then the page."""

    name = "memory_leak"

    def plan(self, ground: Ground) -> list[str]:
        """Name the services and what they hold."""
        return [
            f"Restart {service}, which holds {_held(ground.home, service)} MiB; the engine goes on."
            for service in doors.RESTARTABLE
        ]

    def run(self, ground: Ground) -> Done:
        """Restart each and see it serve; the engine has to be the same process after it."""
        engine = engine_address(ground.home)
        measured = restarted(ground, self.name)
        if engine_address(ground.home) != engine:
            raise AitradeError("The engine is another process than before; look into its log.")
        freed = sum(int(measured[f"{one}_mib_before"]) - int(measured[f"{one}_mib_after"]) for one in doors.RESTARTABLE)
        return Done(f"Chart worker and page serve again, {freed} MiB less; the engine was not touched.", measured)


class ApiFailure:
    """Connects to the venue or broker anew, logs in where that needs no person, and compares its orders with ours."""

    name = "api_failure"

    def plan(self, ground: Ground) -> list[str]:  # noqa: ARG002 - every plan is asked so
        """Say what would be asked of the engine."""
        return ["Have the engine connect to its venue anew and compare the day's orders with it."]

    def run(self, ground: Ground) -> Done:
        """Do it through the engine; a difference is an alert, never a guess."""
        with ground.step("reset connections and reconcile"), ask(ground.home) as engine:
            found = engine.reconcile()
        differ = len(found.differences)
        if differ:
            text = f"{found.venue} and the book differ: {' '.join(found.differences[:3])} Settle it at the venue."
            raise_alert(ground.home, "reconciliation", Severity.CRITICAL, text, subject=found.venue)
        measured: Measured = {"venue": found.venue, "orders": found.orders, "differences": differ}
        return Done(f"{found.connection} {found.orders} orders compared, {differ} differ.", measured)


class PerformanceDegradation:
    """Looks first, then sheds load in this order, then makes what is left quick.

    1. background jobs: the running maintenance task was stopped before this one began;
    2. a profile of the engine while it is slow, into `logs/profiles/`;
    3. the pages' frames: four a second instead of twenty, for ten minutes;
    4. the chart worker: a new one has no old documents;
    5. the databases' write-ahead logs folded in, their plans freshened.
    Never: orders, risk, journal, market data.
    """

    name = "performance_degradation"

    def plan(self, ground: Ground) -> list[str]:  # noqa: ARG002 - every plan is asked so
        """Name the steps in their order."""
        return [f"{number}. {words}." for number, (words, _do) in enumerate(self._steps(), 1)]

    def run(self, ground: Ground) -> Done:
        """Do each step; one that fails is told at the end, and the others are done."""
        measured: Measured = {}
        failed: list[str] = []
        for words, do in self._steps():
            with ground.step(words):
                try:
                    measured |= do(ground)
                except (AitradeError, OSError) as error:
                    failed.append(f"{words}: {error}")
        if failed:
            ground.at_step = failed[0].partition(":")[0]
            raise AitradeError(" ".join(failed))
        return Done(f"Load is shed for {SHED_SECONDS:g} s; the profile is {measured['profile']}.", measured)

    def _steps(self) -> tuple[tuple[str, Callable[[Ground], Measured]], ...]:
        return (
            ("profile the engine", _profiled),
            ("slow the pages' frames", _shed),
            ("restart the chart worker", lambda ground: restarted(ground, self.name, ("charts",))),
            ("ease the databases", _eased),
        )


def restarted(ground: Ground, why: str, services: tuple[str, ...] = doors.RESTARTABLE) -> Measured:
    """Restart services in order; return what each held before and after, MiB."""
    measured: Measured = {}
    for service in services:
        with ground.step(f"restart {service}"):
            measured[f"{service}_mib_before"] = _held(ground.home, service)
            doors.restart(ground.home, service, why)
            measured[f"{service}_mib_after"] = _held(ground.home, service)
    return measured


def _held(home: Path, service: str) -> int:
    return doors.resident(doors.process_of(home, service)) // _MEBIBYTE


def _profiled(ground: Ground) -> Measured:
    with ask(ground.home) as engine:
        health, found = engine.health(), engine.profile(PROFILE_SECONDS)
    path = ground.home / "logs" / "profiles" / f"{ist(ground.now):%Y-%m-%d-%H%M%S}.txt"
    write_private(path, "\n".join(_told(health, found)) + "\n")
    return {
        "profile": str(path.relative_to(ground.home)),
        "order_p99_us": health.latency["total"].p99,
        "cpu": health.cpu,
    }


def _told(health: Health, found: Profile) -> list[str]:
    latencies = [f"{stage}: p99 {one.p99:.0f} µs of {one.count} orders" for stage, one in health.latency.items()]
    stacks = [f"{one.samples:6} of {found.samples}  {one.thread}: {one.frames}" for one in found.stacks]
    return [f"CPU {health.cpu} %, memory {health.ram} %, engine {health.engine_mb:.0f} MiB", *latencies, "", *stacks]


def _shed(ground: Ground) -> Measured:
    with ask(ground.home) as engine:
        return {"shed_s": engine.shed(SHED_SECONDS)["seconds"]}


def _eased(ground: Ground) -> Measured:
    began = time.monotonic()
    for one in databases(ground):
        eased(one)
    return {"databases": len(databases(ground)), "ease_s": round(time.monotonic() - began, 3)}
