"""What the registry's models are, and how a person makes one active."""

from pathlib import Path

import msgspec

from aitrade.compliance.operations import note
from aitrade.core.errors import DataRefused, Refused
from aitrade.intelligence.btst import WEIGHTS_MODEL, Weights
from aitrade.market.simulated.universe import CALIBRATION_MODEL, read_calibration
from aitrade.store.models import PACKAGED, Models

WHAT = "configuration"
"""The operation that an activation is: what trades afterwards is configured otherwise."""
KINDS = {
    CALIBRATION_MODEL: "Calibration of the simulated session; a new book begins with the active one and keeps it",
    WEIGHTS_MODEL: "Points of the BTST rule's parts; the engine reads the active ones when it starts",
}


class Activation(msgspec.Struct, frozen=True):
    """Which version took which one's place; 0 is the package's own."""

    model: str
    version: int
    before: int
    sha256: str


def activate(home: Path, name: str, version: int, *, actor: str, reason: str) -> Activation:
    """Make a version the active one, in a person's name; recorded, and the last preflight pass ends with it.

    Raises Refused without a name or a reason, for an unknown model or version, and for one that cannot be read.
    """
    if name not in KINDS:
        raise Refused(f"There is no model {name!r}; there are: {', '.join(KINDS)}.")
    if not actor.strip() or not reason.strip():
        raise Refused("Activating a model takes the name of the person who does it, and the reason.")
    models = Models(home)
    before = models.active(name)
    if version != PACKAGED:
        check(name, models.read(models.find(name, version)))
    model = models.activate(name, version)
    done = Activation(name, version, before.version if before else PACKAGED, model.sha256 if model else "")
    note(home, WHAT, f"model {name}", "activated", done, actor=actor, reason=reason)
    return done


def check(name: str, data: bytes) -> None:
    """Raise DataRefused for bytes that the model's reader does not take."""
    if name == CALIBRATION_MODEL:
        read_calibration(data, f"model {name}")
        return
    try:
        msgspec.json.decode(data, type=Weights)
    except msgspec.DecodeError as error:
        raise DataRefused(f"Model {name}: {error}. Make a new candidate.") from None
