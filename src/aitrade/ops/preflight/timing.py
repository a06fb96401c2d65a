"""Samples of a time and what is said of them: how many, mean and percentiles, in milliseconds."""

from collections.abc import Sequence
from statistics import fmean

import msgspec

from aitrade.ops.machine import machine
from aitrade.ops.percentiles import percentile
from aitrade.ops.preflight.check import Finding, Measured, Source, Status

NS_PER_MS = 1e6


class Timing(msgspec.Struct, frozen=True):
    """What samples in milliseconds come to."""

    n: int
    mean: float
    p95: float
    p99: float
    worst: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> "Timing":
        """Return the figures of samples in ms; all 0 where there are none."""
        if not samples:
            return cls(0, 0.0, 0.0, 0.0, 0.0)
        return cls(len(samples), fmean(samples), percentile(samples, 0.95), percentile(samples, 0.99), max(samples))

    @classmethod
    def of_ns(cls, samples: Sequence[int]) -> "Timing":
        """Return the same of samples in nanoseconds."""
        return cls.of([sample / NS_PER_MS for sample in samples])

    def __str__(self) -> str:
        """Return the figures in words."""
        return f"n {self.n:,}, mean {self.mean:.2f} ms, p95 {self.p95:.2f} ms, p99 {self.p99:.2f} ms"

    def measured(self, name: str) -> Measured:
        """Return the figures by key, each beginning with `name`."""
        figures = {"mean_ms": self.mean, "p95_ms": self.p95, "p99_ms": self.p99, "worst_ms": self.worst}
        return {f"{name}_n": self.n, **{f"{name}_{key}": round(value, 4) for key, value in figures.items()}}


def timed(status: Status, text: str, measured: Measured, source: Source, examined: int) -> Finding:
    """Return a finding whose evidence and figures name the machine that they were taken on, and its load."""
    on = on_machine()
    words = f"{text} On {on['machine']}, load {on['load']}."
    return Finding(status, words, {**measured, **on}, source, examined)


def on_machine() -> Measured:
    """Return the machine that figures were taken on, in words."""
    found = machine()
    words = f"{found['processor']}, {found['cores']} cores, {found['memory_gib']} GiB, {found['system']}"
    return {"machine": words, "load": found["load"]}
