"""Checks of the checklist's section Performance."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aitrade.npu import devices
from aitrade.ops import ledger
from aitrade.ops.preflight import chart_probe, input_probe, memory_probe, order_probe
from aitrade.ops.preflight.awaited import Awaited
from aitrade.ops.preflight.chart_probe import Shape
from aitrade.ops.preflight.check import Finding, Item, Section, Source, Status
from aitrade.ops.preflight.ground import SHOWN, Ground
from aitrade.ops.preflight.timing import Timing, timed

if TYPE_CHECKING:
    from playwright.sync_api import Page

ORDER_MS, INPUT_MS, CHART_MS, MEMORY_SHARE = 30.0, 50.0, 100.0, 0.7
INPUT_ROUNDS = 12
MEMORY_PATIENCE_MS = 90_000


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
            f"Request to acknowledgement: {total}; the venue's leg of it: mean {leg.mean:.2f} ms; beside "
            f"{probed.ticks:,} prices, journal={durability}. Last trading day: {book or 'no order yet'}"
            f"{f', {journaled}' if book else ''}."
        )
        measured = {
            **total.measured("order"), **leg.measured("venue_leg"), **journaled.measured("journal"),
            "prices": probed.ticks,
        }  # fmt: skip
        status = Status.PASS if total.n and total.mean < ORDER_MS else Status.FAIL
        return timed(status, text, measured, Source.SIMULATED, total.n)


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
        load = {"frames_per_s": round(answered.hertz, 1), "symbols_per_frame": round(answered.symbols)}
        text = (
            f"Input to painted frame over six tabs: {timing}; beside {answered.hertz:.0f} frames a second "
            f"of {answered.symbols:.0f} symbols."
        )
        if not answered.loaded:
            text += (
                f" That is less than the {input_probe.HERTZ} frames of {input_probe.SYMBOLS} symbols to measure under."
            )
        good = answered.loaded and timing.mean < INPUT_MS and timing.p95 < INPUT_MS
        measured = {**timing.measured("input"), **tabs, **load}
        return timed(Status.PASS if good else Status.FAIL, text, measured, Source.SIMULATED, timing.n)


class Charts:
    """Switches between symbols, with 375 and with 100,000 bars in sight and on six charts, until all is drawn."""

    id, section, words, seconds = "charts", Section.PERFORMANCE, "Chart rendering < 100 ms", 180.0

    def __init__(self, shapes: Sequence[Shape] = chart_probe.SHAPES) -> None:
        self._shapes = shapes

    def examine(self, ground: Ground) -> Finding:
        """Switch the charts of a page on a replayed day."""
        page, keys = ground.replay_page, [f"NSE:{symbol}" for symbol in SHOWN]
        found = list(chart_probe.probe(page, keys, self._shapes))
        timings = {one.shape.name: Timing.of(one.took) for one in found}
        measured = {key: value for name, timing in timings.items() for key, value in timing.measured(name).items()}
        measured |= {f"{one.shape.name}_bars": int(one.fewest) for one in found}
        short = [one for one in found if one.fewest < one.shape.bars]
        text = "; ".join(f"{one.shape.grid} x {one.fewest:,.0f} bars: {timings[one.shape.name]}" for one in found) + "."
        if short:
            text += f" Fewer bars were drawn than wanted: {', '.join(one.shape.name for one in short)}."
        good = not short and all(timing.p95 < CHART_MS for timing in timings.values())
        count = sum(timing.n for timing in timings.values())
        status = Status.PASS if good else Status.FAIL
        return timed(status, text, measured, Source.REPLAY, count)


class Memory:
    """The most that our processes and the whole machine use over a replayed session with the page open."""

    id, section, words, seconds = "memory", Section.PERFORMANCE, "Memory < 70 % of RAM", 180.0

    def __init__(self, limit: int = 0) -> None:
        """`limit` is the bytes that may be used; 0 takes the machine's, or its container's."""
        self._limit = limit

    def examine(self, ground: Ground) -> Finding:
        """Play a replayed session to its end beside an open page, and sample."""
        page, running, limit = ground.replay_page, ground.replaying, self._limit or memory_probe.limit()
        with ground.client_of(running) as client, memory_probe.Watch(running.process.pid) as watch:
            client.set_speed(speed=0)
            page.wait_for_function("aitrade.state.time.done", timeout=MEMORY_PATIENCE_MS)
            memory_probe.settle()
        peak, size = watch.peak, memory_probe.MEBIBYTE
        ours, whole = peak.ours / limit, peak.machine / limit
        text = (
            f"Of {limit / size:,.0f} MiB, at the most {peak.ours / size:,.0f} MiB ({ours:.0%}) by our processes and "
            f"{peak.machine / size:,.0f} MiB ({whole:.0%}) in all, over a session of {_day(page)}; our growth: "
            f"{watch.growth / size:+,.0f} MiB."
        )
        measured = {
            "limit_mib": limit // size, "ours_mib": peak.ours // size, "machine_mib": peak.machine // size,
            "ours_share": round(ours, 4), "machine_share": round(whole, 4), "growth_mib": watch.growth // size,
            "samples": len(watch.samples),
        }  # fmt: skip
        status = Status.PASS if ours < MEMORY_SHARE and whole < MEMORY_SHARE else Status.FAIL
        return timed(status, text, measured, Source.REPLAY, len(watch.samples))


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


def _day(page: "Page") -> str:
    """Return the day that a page shows, ISO."""
    return str(page.evaluate("aitrade.state.world.session"))


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
