"""The gate before live trading: every reason why `aitrade up --live` does not start."""

import time
from collections.abc import Iterator

from aitrade import brokers
from aitrade.core.clock import ist, ist_date
from aitrade.core.config import Configuration
from aitrade.ops.preflight.binding import binding
from aitrade.ops.preflight.check import Source, Status
from aitrade.ops.preflight.record import Kept, Result, last, signatures, since, waivers

_OWN = frozenset({Source.LIVE, Source.SYSTEM})
"""Evidence that speaks for live trading by itself."""


def objections(configuration: Configuration, *, data: Source, ts: int = 0) -> list[str]:
    """Return every reason against trading live on `data` at `ts` (ns UTC; 0 is now), each with what to do; none is go.

    The newest run over the whole checklist counts, bound to what is installed now and to this trading day.
    """
    ts = ts or time.time_ns()
    found = [] if data is Source.LIVE else [f"The data are {data}: live orders want LIVE data; connect a live feed."]
    if not getattr(brokers, "ADAPTERS", {}):
        found.append("No broker adapter is registered: there is nobody to send a live order to.")
    run = last(configuration.home)
    if run is None:
        return [*found, "Preflight has not run here: run `aitrade preflight`."]
    return [*found, *_stale(configuration, run, ts), *_failed(configuration, run), *_unsigned(configuration, run),
            *_unwaived(configuration, run, ts), *_unreached(configuration, ts)]  # fmt: skip


def _stale(configuration: Configuration, run: Kept, ts: int) -> Iterator[str]:
    changes = run.run.bound.changes(binding(configuration, ts))
    if changes:
        when = ist(run.at).strftime("%d %b %Y %H:%M")
        yield f"The preflight of {when} IST is stale ({', '.join(changes)} changed since): run it again."


def _failed(configuration: Configuration, run: Kept) -> Iterator[str]:
    """Yield what failed in the run, and what has failed since when its section was run again."""
    then = {result.id for result in run.run.failed}
    yield from (f"{result.id} failed: {result.evidence}" for result in run.run.failed)
    newest = {result.id: result for one in since(configuration.home, run) for result in one.run.items}
    for result in newest.values():
        if result.status == Status.FAIL and result.id not in then:
            yield f"{result.id} has failed since, in a run of its section: {result.evidence}"


def _unsigned(configuration: Configuration, run: Kept) -> Iterator[str]:
    if not signatures(configuration.home, run):
        yield "Nobody has signed this preflight: `aitrade preflight sign --name … --role … --reason …`."


def _unwaived(configuration: Configuration, run: Kept, ts: int) -> Iterator[str]:
    waived = waivers(configuration.home, ist_date(ts))
    for result in run.run.items:
        if result.status != Status.FAIL and result.id not in waived and (short := _short(result)):
            how = f"`aitrade preflight waive {result.id} --name … --reason … --until …`"
            yield f"{result.id} {short}: prove it there, or let a person answer for it: {how}."


def _unreached(configuration: Configuration, ts: int) -> Iterator[str]:
    from aitrade.ops.alerts.proof import reaches_somebody
    from aitrade.ops.alerts.settings import AlertSettings

    home = configuration.home
    if "alerts" not in waivers(home, ist_date(ts)) and not reaches_somebody(home, AlertSettings.in_force(home)[0], ts):
        yield (
            "alerts reach nobody away from this machine: name a channel in alerts.toml, run `aitrade alerts test` and "
            "confirm what arrives, within the last seven days."
        )


def _short(result: Result) -> str:
    """Return what an item that did not fail lacks for live trading; empty when it lacks nothing."""
    if result.status == Status.NOT_PROVABLE:
        return "was not provable here"
    source = str(result.measured.get("source", ""))
    return "" if source in _OWN else f"was proven on {source or 'unknown'} data only"
