"""Update models: a candidate from what data there are. Activating one is a person's act (`aitrade model activate`)."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec

import aitrade
from aitrade.compliance.operations import noted
from aitrade.core.errors import AitradeError
from aitrade.core.instruments import Kind
from aitrade.intelligence.btst import DAY_MINUTES, WEIGHTS_MODEL, Weights
from aitrade.market.simulated.universe import CALIBRATION_MODEL, packaged_calibration, read_calibration
from aitrade.ops.maintenance.task import Done, Ground, Measured, Outcome, Status
from aitrade.ops.reports.canonical import file_hash
from aitrade.store.models import PACKAGED, Model, Models

INDEX = "NSE:NIFTY"
_EVER = 1 << 62


class UpdateModels:
    """Fits each model whose data changed.

    A candidate is kept where it comes out different, and better where that can be judged.
    """

    name = "update_ai_models"

    def plan(self, ground: Ground) -> list[str]:
        """Say what each model would be fitted to, or what is missing for it."""
        real, market = ground.configuration.real_data, ground.configuration.market_folder
        sets = f"Fit the simulated session to {real}." if real else "No real_data folder is set: the calibration stays."
        return [sets, f"Weigh the BTST rule's parts by the imported day bars under {market}."]

    def run(self, ground: Ground) -> Done:
        """Fit what has other data than at its last fit; nothing that is active changes."""
        measured: Measured = {}
        says = []
        before = _before(ground.home)
        for name, (inputs, update) in _UPDATES.items():
            with ground.step(f"fit {name}"):
                rests_on = inputs(ground)
                words = _same(ground.home, name, rests_on, before)
                candidate = before.measured.get(f"{name}_candidate", 0)
                if not words:
                    words, model = update(ground)
                    candidate = model.version if model else 0
                says.append(f"{name}: {words}")
                measured |= {f"{name}_candidate": candidate, f"{name}_inputs": rests_on}
        return Done(" ".join(says), measured)


def _calibration(ground: Ground) -> tuple[str, Model | None]:
    real = ground.configuration.real_data
    if not real:
        return "no folder of real data is set (real_data), so there is nothing to fit to.", None
    from aitrade.market.simulated.calibrate import fit, write

    target = ground.scratch / "calibration.toml"
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        write(fit(Path(real)), target)
    except (FileNotFoundError, KeyError, ValueError) as error:
        raise AitradeError(f"{real} does not have the sets that the calibration needs: {error}.") from None
    data, present = target.read_bytes(), _present(ground, CALIBRATION_MODEL, packaged_calibration)
    new, old = read_calibration(data, str(target)), read_calibration(present, "the active calibration")
    if new == old:
        return "the fit gives the calibration that is active.", None
    metrics = {"largest_change": _largest_change(msgspec.to_builtins(old), msgspec.to_builtins(new))}
    return _candidate(ground, CALIBRATION_MODEL, data, "calibration.toml", f"real data in {real}", metrics)


def _weights(ground: Ground) -> tuple[str, Model | None]:
    from aitrade.intelligence.btst_fit import LEAST, Night, fit, nights
    from aitrade.market.input_store import InputStore
    from aitrade.market.symbols import kind_of

    store = InputStore(ground.configuration.market_folder)
    subjects = {one.subject for one in store.sets() if one.table == "bars" and one.minutes == DAY_MINUTES}
    index = store.bars(INDEX, DAY_MINUTES, 0, _EVER) if INDEX in subjects else []
    found: list[Night] = []
    for subject in sorted(one for one in subjects if kind_of(one) is Kind.EQUITY):
        found += nights(store.bars(subject, DAY_MINUTES, 0, _EVER), index)
    if len(found) < LEAST:
        return f"{len(found)} nights of shares with {INDEX} are imported, {LEAST} are needed.", None
    present = msgspec.json.decode(_present(ground, WEIGHTS_MODEL, _packaged_weights), type=Weights)
    fitted = fit(found, present)
    if fitted is None or fitted.after <= fitted.before:
        return f"over {len(found)} nights nothing orders them better than the active points.", None
    metrics = {"nights": float(fitted.nights), "before": fitted.before, "after": fitted.after, **fitted.worth}
    data = msgspec.json.format(msgspec.json.encode(fitted.weights))
    return _candidate(ground, WEIGHTS_MODEL, data, "weights.json", "imported day bars", metrics)


def _real_files(ground: Ground) -> str:
    """Return SHA-256, hex, over what the calibration is fitted to and compared with."""
    real = Path(ground.configuration.real_data) if ground.configuration.real_data else None
    files = sorted(path for path in real.rglob("*") if path.is_file()) if real else []
    parts = [f"{path.relative_to(real).as_posix()} {file_hash(path)}" for path in files if real]
    return _digest(ground, CALIBRATION_MODEL, parts)


def _imported(ground: Ground) -> str:
    """Return SHA-256, hex, over what the rule's points are fitted to and compared with."""
    from aitrade.market.input_store import InputStore

    return _digest(
        ground, WEIGHTS_MODEL, sorted(one.sha256 for one in InputStore(ground.configuration.market_folder).sources)
    )


def _digest(ground: Ground, name: str, parts: list[str]) -> str:
    active = Models(ground.home).active(name)
    lines = [aitrade.__version__, active.sha256 if active else "the package's own", *parts]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


_UPDATES: dict[str, tuple[Callable[[Ground], str], Callable[[Ground], tuple[str, Model | None]]]] = {
    CALIBRATION_MODEL: (_real_files, _calibration),
    WEIGHTS_MODEL: (_imported, _weights),
}


def _before(home: Path) -> Outcome:
    """Return how the last update that went well ended, as the operations journal has it."""
    found = [one.detail(Outcome) for one in noted(home, "task", UpdateModels.name)]
    nothing = Outcome(task=UpdateModels.name, status=Status.SKIPPED, says="")
    return next((one for one in reversed(found) if one.status is Status.DONE), nothing)


def _same(home: Path, name: str, rests_on: str, before: Outcome) -> str:
    """Return that nothing is to be done, where the last update had the same data and what it made is there; else ""."""
    candidate = before.measured.get(f"{name}_candidate", 0)
    known = [PACKAGED, *(model.version for model in Models(home).all(name))]
    if before.measured.get(f"{name}_inputs") != rests_on or candidate not in known:
        return ""
    gave = f"candidate {candidate}, which is there" if candidate else "no candidate"
    return f"nothing is done: the data, the active model and aitrade are those of the last update, which gave {gave}."


def _candidate(
    ground: Ground, name: str, data: bytes, file: str, source: str, metrics: dict[str, float]
) -> tuple[str, Model]:
    models = Models(ground.home)
    known = models.all(name)
    model = models.add(name, data, file, made=ground.now, source=source, metrics=metrics)
    if model in known:
        return f"the fit gives candidate {model.version} again.", model
    ground.undo(lambda: models.remove(model))
    return f"candidate {model.version} is made; `aitrade model activate {name} {model.version}` puts it to use.", model


def _present(ground: Ground, name: str, packaged: Callable[[], bytes]) -> bytes:
    models = Models(ground.home)
    active = models.active(name)
    return models.read(active) if active else packaged()


def _packaged_weights() -> bytes:
    return msgspec.json.encode(Weights())


def _largest_change(old: object, new: object) -> float:
    """Return the largest relative change of any number, 0 where both say the same; a new shape counts as 1."""
    if isinstance(old, dict) and isinstance(new, dict):
        return max((_largest_change(old.get(key), new.get(key)) for key in old | new), default=0.0)
    if isinstance(old, list | tuple) and isinstance(new, list | tuple):
        if len(old) != len(new):
            return 1.0
        return max((_largest_change(one, other) for one, other in zip(old, new, strict=True)), default=0.0)
    if isinstance(old, int | float) and isinstance(new, int | float):
        return abs(new - old) / max(abs(old), abs(new), 1e-12)
    return float(old != new)
