"""How long each stage of an order took: the newest samples, and percentiles when somebody asks; all, as a histogram."""

from aitrade.core.metrics import Buckets
from aitrade.engine.messages import Latency

KEPT = 4096
STAGES = ("risk", "journal", "venue", "total")


class Stage:
    """The newest `KEPT` samples of one stage, ns, and how all of them are spread."""

    __slots__ = ("_samples", "buckets", "count")

    def __init__(self) -> None:
        self.count = 0
        self._samples = [0] * KEPT
        self.buckets = Buckets()

    def add(self, nanoseconds: int) -> None:
        """Take a sample; the oldest goes."""
        self._samples[self.count % KEPT] = nanoseconds
        self.count += 1
        self.buckets.add(nanoseconds)

    def summary(self) -> Latency:
        """Return percentiles in microseconds, zeros before the first sample."""
        samples = sorted(self._samples[: min(self.count, KEPT)]) or [0]
        at = [samples[min(int(len(samples) * share), len(samples) - 1)] / 1000 for share in (0.50, 0.95, 0.99)]
        return Latency(count=self.count, p50=at[0], p95=at[1], p99=at[2])


class Latencies:
    """The stages of an order's way, from the request to the venue."""

    __slots__ = STAGES

    def __init__(self) -> None:
        self.risk, self.journal, self.venue, self.total = Stage(), Stage(), Stage(), Stage()

    def add(self, began: int, checked: int, written: int, sent: int) -> None:
        """Take the four moments of one order, ns of a monotonic counter."""
        self.risk.add(checked - began)
        self.journal.add(written - checked)
        self.venue.add(sent - written)
        self.total.add(sent - began)

    def summary(self) -> dict[str, Latency]:
        """Return the percentiles of each stage."""
        return {stage: getattr(self, stage).summary() for stage in STAGES}
