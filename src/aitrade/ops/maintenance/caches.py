"""The weekly look at caches: imported data whole, half-written files gone, the chart worker with an empty memory.

What there is: the input store's parts and manifests, what a cut-off write left in `run/`, and the bars that the chart
worker keeps. Compiled kernels live in their processes' memory only. Market data is under retention: a part that no
manifest names (its import was cut off) is counted and left.
"""

import time
from collections.abc import Iterator
from pathlib import Path

from aitrade.core.errors import AitradeError
from aitrade.market.input_store import InputStore
from aitrade.ops import doors
from aitrade.ops.maintenance.emergencies import restarted
from aitrade.ops.maintenance.task import Done, Ground, Measured

AGE_SECONDS = 24 * 3600.0
"""Younger files may belong to a write that still runs."""


class OptimizeCaches:
    """Moves what is left over aside first and deletes it last, so that a failure puts it back."""

    name = "optimize_caches"

    def plan(self, ground: Ground) -> list[str]:
        """Name what would go."""
        left = list(left_over(ground.home))
        size = sum(path.stat().st_size for path in left)
        return [f"Check the imported data; remove {len(left)} leftovers of {size:,} bytes.", *_worker(ground)]

    def run(self, ground: Ground) -> Done:
        """Check the store, remove leftovers, let the chart worker begin anew."""
        with ground.step("check the imported data"):
            parts, unknown = _checked(InputStore(ground.configuration.market_folder))
        with ground.step("remove leftovers"):
            left = list(left_over(ground.home))
            size = sum(path.stat().st_size for path in left)
            for number, path in enumerate(left):
                _aside(ground, path, number)
        measured: Measured = {"parts": parts, "unnamed_parts": unknown, "removed": len(left), "bytes": size}
        if _worker(ground):
            measured |= restarted(ground, self.name, ("charts",))
        return Done(
            f"{parts} parts of imported data are whole, {unknown} that no manifest names are left; "
            f"{len(left)} leftovers of {size:,} bytes went.",
            measured,
        )


def left_over(home: Path) -> Iterator[Path]:
    """Yield what a cut-off write left behind in `run/`, a day old or more."""
    for path in sorted(home.glob("run/*.new")):
        if time.time() - path.stat().st_mtime > AGE_SECONDS:
            yield path


def _checked(store: InputStore) -> tuple[int, int]:
    """Return how many parts there are, and how many no manifest names; raise AitradeError for those that are gone."""
    parts = {store.folder / part.path for source in store.sources for part in source.parts}
    gone = sorted(path for path in parts if not path.is_file())
    if gone:
        raise AitradeError(f"{len(gone)} parts of imported data are gone, such as {gone[0]}; import their files again.")
    return len(parts), sum(path not in parts for path in store.folder.glob("*/**/*.parquet"))


def _aside(ground: Ground, path: Path, number: int) -> None:
    """Move a file into the scratch folder, which is emptied when the task has succeeded; remember the way back."""
    ground.scratch.mkdir(parents=True, exist_ok=True)
    kept = ground.scratch / f"{number}-{path.name}"
    path.replace(kept)
    ground.undo(lambda: kept.replace(path))


def _worker(ground: Ground) -> list[str]:
    running = doors.resident(doors.process_of(ground.home, "charts"))
    return [f"Restart the chart worker, which holds {running >> 20} MiB."] if running else []
