"""What the rules look at: one observation of engine, machine and records; each field is a figure that a rule may watch.

A number is one reading. A table is a reading a subject: seconds in doubt by order, or a sentence by what it is about,
which reads as 1. None is unknown: it raises nothing and ends nothing.
"""

import msgspec


class Reading(msgspec.Struct, frozen=True):
    """A figure's value, and the sentence behind it where it has one."""

    value: float
    text: str = ""


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at one moment."""

    at: int
    """Wall time, ns UTC."""
    market: bool = False
    """Whether the market is in continuous trading."""
    engine_silent_s: float | None = None
    """Since the engine was last heard of."""
    feed_age_s: float | None = None
    """Market time since the newest price."""
    order_in_doubt_s: dict[str, float] | None = None
    """By order."""
    rejections: int | None = None
    """Orders rejected in the last five minutes of market time."""
    loss_percent: float | None = None
    """The day's loss, of its limit."""
    disk_free_gb: float | None = None
    disk_used_percent: float | None = None
    memory_percent: float | None = None
    """Of the machine."""
    cpu_percent: float | None = None
    clock_off_ms: float | None = None
    """Against network or broker time, or how far the clock jumped in the last minute, the larger."""
    backup_age_h: float | None = None
    """Since the last good backup; without any, since there is something to back up."""
    broken_chain: dict[str, str] | None = None
    """By journal: what does not verify."""
    engine_alert: dict[str, str] | None = None
    """By source: what the engine's own log says at level alert, for a minute."""


FIGURES = tuple(name for name in Observation.__struct_fields__ if name not in ("at", "market"))
"""Names of the figures."""


def readings(observation: Observation, figure: str) -> dict[str, Reading] | None:
    """Return a figure's readings by subject, "" for a single one; None where it is unknown."""
    value = getattr(observation, figure)
    if value is None:
        return None
    table = value if isinstance(value, dict) else {"": value}
    return {key: Reading(1.0, one) if isinstance(one, str) else Reading(float(one)) for key, one in table.items()}
