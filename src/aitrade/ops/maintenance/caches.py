"""The weekly look at caches: what cut-off work left behind goes, the chart worker begins with an empty memory.

What there is: the input store's parts (one that no manifest names was never imported), files that a cut-off write left,
old profiles, and the bars that the chart worker keeps. Compiled kernels live in their processes' memory only.
"""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from aitrade.core.errors import AitradeError
from aitrade.market.input_store import InputStore
from aitrade.ops import doors
from aitrade.ops.maintenance.emergencies import restarted
from aitrade.ops.maintenance.task import Done, Ground, Measured

AGE_SECONDS = 24 * 3600.0
"""Younger files may belong to an import or a write that still runs."""
PROFILES_KEPT = timedelta(days=30)


class OptimizeCaches:
    """Moves what is left over aside first and deletes it last, so that a failure puts it back."""

    name = "optimize_caches"

    def plan(self, ground: Ground) -> list[str]:
        """Name what would go."""
        left = list(left_over(ground))
        return [
            f"Remove {len(left)} leftovers of {sum(path.stat().st_size for path in left):,} bytes.",
            *_worker(ground),
        ]

    def run(self, ground: Ground) -> Done:
        """Check the store, remove leftovers, let the chart worker begin anew."""
        with ground.step("check the input store"):
            parts = _checked(InputStore(ground.configuration.market_folder))
        with ground.step("remove leftovers"):
            left = list(left_over(ground))
            size = sum(path.stat().st_size for path in left)
            for number, path in enumerate(left):
                _aside(ground, path, number)
        measured: Measured = {"parts": parts, "removed": len(left), "bytes": size}
        if _worker(ground):
            measured |= restarted(ground, self.name, ("charts",))
        return Done(
            f"{parts} parts of imported data are whole; {len(left)} leftovers of {size:,} bytes went.", measured
        )


def left_over(ground: Ground) -> Iterator[Path]:
    """Yield parts without a manifest and half-written files, a day old or more, and old profiles."""
    market = ground.configuration.market_folder
    known = {market / part.path for source in InputStore(market).sources for part in source.parts}
    unknown = [path for path in market.glob("*/**/*.parquet") if path not in known]
    half = [*market.glob("**/.*.tmp"), *ground.home.glob("run/*.new"), *ground.home.glob("books/*/*.new")]
    yield from (path for path in sorted({*unknown, *half}) if _old(path, AGE_SECONDS))
    profiles = sorted(ground.home.glob("logs/profiles/*.txt"))
    yield from (path for path in profiles if _old(path, PROFILES_KEPT.total_seconds()))


def _old(path: Path, seconds: float) -> bool:
    return time.time() - path.stat().st_mtime > seconds


def _checked(store: InputStore) -> int:
    """Return how many parts there are; raise AitradeError naming those that are gone."""
    parts = [part.path for source in store.sources for part in source.parts]
    gone = [path for path in parts if not (store.folder / path).is_file()]
    if gone:
        raise AitradeError(f"{len(gone)} parts of imported data are gone, such as {gone[0]}; import their files again.")
    return len(parts)


def _aside(ground: Ground, path: Path, number: int) -> None:
    """Move a file into the scratch folder, which is emptied when the task has succeeded; remember the way back."""
    ground.scratch.mkdir(parents=True, exist_ok=True)
    kept = ground.scratch / f"{number}-{path.name}"
    path.replace(kept)
    ground.undo(lambda: kept.replace(path))


def _worker(ground: Ground) -> list[str]:
    running = doors.resident(doors.process_of(ground.home, "charts"))
    return [f"Restart the chart worker, which holds {running >> 20} MiB."] if running else []
