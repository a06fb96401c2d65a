"""Checks of the checklist's section Performance."""

from collections.abc import Sequence
from pathlib import Path

from aitrade.npu import devices
from aitrade.ops import ledger
from aitrade.ops.preflight import chart_probe, input_probe, memory_probe, order_probe
from aitrade.ops.preflight.awaited import Awaited
from aitrade.ops.preflight.chart_probe import Shape, Switched
from aitrade.ops.preflight.check import Finding, Item, Section, Source, Status
from aitrade.ops.preflight.ground import SHOWN, Ground
from aitrade.ops.preflight.memory_probe import Played, Sample
from aitrade.ops.preflight.observing import awaited, scraped
from aitrade.ops.preflight.timing import Timing, timed

ORDER_MS, INPUT_MS, CHART_MS, MEMORY_SHARE = 30.0, 50.0, 100.0, 0.7
INPUT_ROUNDS = 12
KERNEL_SECONDS = 30.0
PLAY_SECONDS = 10.0
"""How long a session is played for its memory: some fifty samples."""
SESSION_SECONDS = 375 * 60


class OrderExecution:
    """Probe orders at speed 1 beside live prices, from the request to the venue's acknowledgement over a socket."""

    id, section, words, seconds = "order-execution", Section.PERFORMANCE, "Order execution < 30 ms average", 60.0

    def __init__(self, orders: int = order_probe.ORDERS, delay_ms: float = 0.0) -> None:
        """`delay_ms` is how slow the probes' venue is."""
        self._orders, self._delay = orders, delay_ms

    def examine(self, ground: Ground) -> Finding:
        """Send the probe orders on a scratch engine, and read the last trading day's orders beside them."""
        durability = ground.configuration.durability
        probed = order_probe.probe(ground.scratch / self.id, self._orders, durability=durability, delay_ms=self._delay)
        total = Timing.of_ns([sent.total for sent in probed.sent])
        leg = Timing.of_ns([sent.leg for sent in probed.sent])
        book, journaled = last_orders(ground.home)
        text = (
            f"Request to acknowledgement: {total}; the venue's leg of it: mean {leg.mean:.2f} ms; {probed.load}, "
            f"journal={durability}. Last trading day: {book or 'no order yet'}"
            f"{f', {journaled}' if book else ''}."
        )
        measured = {
            **total.measured("order"), **leg.measured("venue_leg"), **journaled.measured("journal"),
            "prices": probed.ticks, **probed.load.measured,
        }  # fmt: skip
        good = bool(total.n) and probed.load.enough and total.mean < ORDER_MS
        return timed(Status.of(good), text, measured, Source.SIMULATED, total.n)


class FrontEnd:
    """Inputs over all six tabs under load, from the key or click to the painted frame that answers it."""

    id, section, words, seconds = "front-end", Section.PERFORMANCE, "Front-end response < 50 ms", 120.0

    def __init__(self, rounds: int = INPUT_ROUNDS) -> None:
        self._rounds = rounds

    def examine(self, ground: Ground) -> Finding:
        """Use the scratch page by keyboard and mouse while prices come in."""
        page = ground.page
        with ground.client() as client:
            answered = input_probe.probe(page, client, self._rounds)
        timing = Timing.of(answered.all)
        tabs = {f"{tab}_mean_ms": round(Timing.of(took).mean, 2) for tab, took in answered.took.items()}
        text = f"Input to painted frame over six tabs: {timing}; {answered.load}."
        good = answered.load.enough and timing.mean < INPUT_MS and timing.p95 < INPUT_MS
        measured = {**timing.measured("input"), **tabs, **answered.load.measured}
        return timed(Status.of(good), text, measured, Source.SIMULATED, timing.n)


class Charts:
    """Switches under load, with 375 and with 100,000 bars in sight and on six charts, until all is drawn."""

    id, section, words, seconds = "charts", Section.PERFORMANCE, "Chart rendering < 100 ms", 180.0

    def __init__(self, shapes: Sequence[Shape] = chart_probe.SHAPES) -> None:
        self._shapes = shapes

    def examine(self, ground: Ground) -> Finding:
        """Switch the charts of a page on a replayed day of busy prices."""
        page, keys = ground.replay_page, [f"NSE:{symbol}" for symbol in SHOWN]
        home = ground.replaying.home
        return charts_drawn(list(chart_probe.probe(page, keys, self._shapes, lambda: _kernels_wait(home))))


def _kernels_wait(home: Path) -> None:
    """Wait until the page server starts no kernel any more."""
    awaited(lambda: scraped(home, "page"), lambda seen: not seen["aitrade_page_kernels_starting"], KERNEL_SECONDS)


def charts_drawn(found: Sequence[Switched]) -> Finding:
    """Judge what switches took, layout by layout, beside how much load."""
    timings = {one.shape.name: Timing.of(one.took) for one in found}
    measured = {key: value for name, timing in timings.items() for key, value in timing.measured(name).items()}
    for one in found:
        more = {"bars": int(one.fewest), **one.load.measured}
        measured |= {f"{one.shape.name}_{key}": value for key, value in more.items()}
    text = "; ".join(
        f"{one.shape.grid} x {one.fewest:,.0f} bars: {timings[one.shape.name]} {one.load}" for one in found
    )
    short = ", ".join(one.shape.name for one in found if one.fewest < one.shape.bars)
    text += f". Fewer bars were drawn than wanted: {short}." if short else "."
    fast = all(timing.p95 < CHART_MS for timing in timings.values())
    good = fast and not short and all(one.load.enough for one in found)
    count = sum(timing.n for timing in timings.values())
    return timed(Status.of(good), text, measured, Source.REPLAY, count)


class Memory:
    """The most that our processes and the whole machine use over a session that is played with the page open."""

    id, section, words, seconds = "memory", Section.PERFORMANCE, "Memory < 70 % of RAM", 180.0

    def __init__(self, limit: int = 0, play_seconds: float = PLAY_SECONDS) -> None:
        """`limit` is the bytes that may be used; 0 takes the machine's, or its container's."""
        self._limit, self._play_seconds = limit, play_seconds

    def examine(self, ground: Ground) -> Finding:
        """Play the newest imported session, the simulated one where none is, beside an open page, and sample."""
        running, page = ground.played
        with ground.client_of(running) as client, memory_probe.Watch(running.process.pid) as watch:
            played = memory_probe.play(client, page, self._play_seconds)
        return memory_used(watch.samples, played, self._limit or memory_probe.limit())


def memory_used(samples: list[Sample], played: Played, limit: int) -> Finding:
    """Judge what was used over a session: the most of it, and with as much again as a whole session adds."""
    peak, size = memory_probe.peak(samples), memory_probe.MEBIBYTE
    slope = memory_probe.slope(samples)
    grown = max(slope, 0.0) * SESSION_SECONDS / played.pace
    ours, whole, next_one = peak.ours / limit, peak.machine / limit, (peak.ours + grown) / limit
    text = (
        f"Of {limit / size:,.0f} MiB, at the most {peak.ours / size:,.0f} MiB ({ours:.0%}) by our processes and "
        f"{peak.machine / size:,.0f} MiB ({whole:.0%}) in all; our growth over the second half: "
        f"{slope / size:+.2f} MiB a second, which is {grown / size:,.0f} MiB ({next_one:.0%} then) a session. "
        f"n {len(samples)} samples over {played}, {played.pace:,} times real time, with the page open."
    )
    measured = {
        "limit_mib": limit // size, "ours_mib": peak.ours // size, "machine_mib": peak.machine // size,
        "ours_share": round(ours, 4), "machine_share": round(whole, 4), "growth_mib_per_s": round(slope / size, 3),
        "growth_mib_per_session": round(grown / size, 1), "share_after_a_session": round(next_one, 4),
        "samples": len(samples), "session": played.day, "data": played.data, "speed": played.pace,
        "played_s": round(played.took, 1),
    }  # fmt: skip
    good = max(ours, whole, next_one) < MEMORY_SHARE
    return timed(Status.of(good), text, measured, Source(played.mode.upper()), len(samples))


class Npu:
    """The part's own drill on the accelerator of this machine, which is named; a CPU's figure is never a pass."""

    id, section, words, seconds = "npu", Section.PERFORMANCE, "NPU utilisation > 90 % efficiency", 120.0

    def examine(self, ground: Ground) -> Finding:
        """Run the drill that `aitrade.npu` registers, once it does."""
        device = devices.found()
        missing = (
            f"not built: no model session is registered that an accelerator could run; the device here is {device}."
        )
        found = Awaited(self.id, self.section, self.words, "aitrade.npu", missing).examine(ground)
        measured = {"device": device, **found.measured}
        if found.status is Status.PASS and measured["device"] == devices.PROCESSOR:
            text = f"No NPU is in this machine, so this is the processor's: {found.evidence}"
            return Finding(Status.NOT_PROVABLE, text, measured, found.source, found.examined)
        return Finding(found.status, found.evidence, measured, found.source, found.examined)


def last_orders(home: Path) -> tuple[str, Timing]:
    """Return the newest trading day with orders, as "book, day", and what their acknowledgements took by the journal.

    Times are the machine's when each record was written; "" where no book has an order yet.
    """
    newest = sorted(((day, book) for book in ledger.books(home) for day in ledger.days(home, book)), reverse=True)
    for day, book in newest:
        stories = ledger.read(home, book, day).stories.values()
        took = [story.updates[0].at.wall - story.sent.wall for story in stories if story.sent and story.updates]
        if took:
            return f"{book}, {day}", Timing.of_ns(took)
    return "", Timing.of([])


ITEMS: tuple[Item, ...] = (
    OrderExecution(),
    FrontEnd(),
    Charts(),
    Npu(),
    Memory(),
)  # fmt: skip
