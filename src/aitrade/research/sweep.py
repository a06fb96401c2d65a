"""A parameter sweep over a kernel: many compiled runs, and the winner played again in a replay.

Charges are subtracted before anything is ranked. A winner whose replay trades otherwise fails the sweep: a figure that
cannot be had again is worth nothing.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context
from typing import Any, Protocol

import msgspec

from aitrade.core.errors import AitradeError, Refused
from aitrade.core.money import PAISE
from aitrade.core.quotes import Bar
from aitrade.core.strategy import Kernel
from aitrade.research import compiled
from aitrade.research.columns import Columns, columns
from aitrade.research.compare import compare, trades_of
from aitrade.research.replay import Leg, Replay, Result
from aitrade.research.stepping import Stepping
from aitrade.research.tear_sheet import TearSheet, tear_sheet

Parameters = dict[str, int]


class Outcome(msgspec.Struct, frozen=True):
    """What one set of parameters did."""

    parameters: Parameters
    sheet: TearSheet


class Chunk(msgspec.Struct, frozen=True):
    """A part of a sweep: what one worker does at a time."""

    kernel: Kernel
    bars: Columns
    quantity: int
    charged: Leg
    parameters: list[Parameters]

    def run(self) -> list[Outcome]:
        """Return an outcome for each set of parameters."""
        return [Outcome(one, self._sheet(one)) for one in self.parameters]

    def _sheet(self, parameters: Parameters) -> TearSheet:
        orders = compiled.run(self.kernel, self.bars, self.quantity, **parameters)
        return tear_sheet(orders.trades(self.bars), self.charged, int(self.bars.close[-1]))


class Executor(Protocol):
    """What runs chunks; a cluster's client needs no more than this."""

    def map(self, chunks: Sequence[Chunk]) -> Iterable[list[Outcome]]:
        """Return what each chunk's `run` returns, in order."""
        ...


class Here:
    """Runs chunks in this process."""

    def map(self, chunks: Sequence[Chunk]) -> Iterable[list[Outcome]]:
        """Run one after another."""
        return [chunk.run() for chunk in chunks]


class Processes:
    """Runs chunks in fresh processes of this machine, by default one a core."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or os.cpu_count() or 1

    def map(self, chunks: Sequence[Chunk]) -> Iterable[list[Outcome]]:
        """Run them side by side; raise Refused for a kernel that another process cannot import."""
        if any(chunk.kernel.step.__module__ == "__main__" for chunk in chunks):
            raise Refused(
                "Other processes cannot see a kernel of the notebook; put it into a file, or use executor=Here()."
            )
        with ProcessPoolExecutor(min(self.workers, len(chunks)), get_context("spawn")) as pool:
            return list(pool.map(Chunk.run, chunks))


class Sweep(msgspec.Struct, frozen=True):
    """What a sweep found, best first, and the replay that proved the winner."""

    outcomes: list[Outcome]
    replayed: Result

    @property
    def winner(self) -> Outcome:
        """The parameters with the highest profit after charges."""
        return self.outcomes[0]

    def frame(self) -> Any:
        """Return a pandas frame, a set of parameters a row, best first, money in rupees."""
        import pandas as pd

        return pd.DataFrame([_row(one) for one in self.outcomes])


def grid(**values: Iterable[int]) -> list[Parameters]:
    """Return every combination of the values of each parameter."""
    return [dict(zip(values, chosen, strict=True)) for chosen in product(*values.values())]


def sweep(
    kernel: Kernel, bars: Sequence[Bar], parameters: Sequence[Parameters], *,
    quantity: int, charged: Leg, executor: Executor | None = None, chunk: int = 50,
) -> Sweep:  # fmt: skip
    """Run `kernel` over bars of one instrument with each set of `parameters` and replay the winner.

    Raises Refused without bars or parameters, AitradeError where the replay of the winner trades otherwise.
    """
    if not bars or not parameters:
        raise Refused("A sweep needs bars and at least one set of parameters.")
    table, tried = columns(bars), list(parameters)
    parts = [tried[first : first + chunk] for first in range(0, len(tried), chunk)]
    chunks = [Chunk(kernel, table, quantity, charged, part) for part in parts]
    outcomes = [one for part in (executor or Processes()).map(chunks) for one in part]
    ranked = sorted(outcomes, key=lambda one: -one.sheet.net)
    return Sweep(ranked, _proved(kernel, bars, table, ranked[0], quantity, charged))


def _proved(
    kernel: Kernel, bars: Sequence[Bar], table: Columns, winner: Outcome, quantity: int, charged: Leg
) -> Result:
    """Return the winner's replay; raise AitradeError where it differs from what the sweep counted."""
    swept = compiled.run(kernel, table, quantity, **winner.parameters).trades(table)
    replayed = Replay(Stepping(kernel, quantity, **winner.parameters), charged).run(bars)
    found = compare(swept, trades_of(replayed.fills), ("sweep", "replay"))
    same = replayed.charges == winner.sheet.charges and len(replayed.fills) == winner.sheet.trades
    if not (found.same and same):
        raise AitradeError(
            f"The winner {winner.parameters} trades otherwise in a replay ({found.text()}); trust neither."
        )
    return replayed


def _row(one: Outcome) -> Mapping[str, object]:
    sheet = one.sheet
    money = {"profit after charges ₹": sheet.net, "charges ₹": sheet.charges, "deepest fall ₹": sheet.drawdown}
    return {**one.parameters, "trades": sheet.trades, **{name: paise / PAISE for name, paise in money.items()}}
