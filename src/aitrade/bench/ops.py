"""`aitrade bench ops`: the figures of operations, each measured by the bench of the part that owns it."""

from importlib import import_module

from aitrade.bench import Figures, Say

FIGURES = (
    "aitrade.bench.alerts:alert_s",
    "aitrade.bench.backups:backups",
    "aitrade.bench.preflight:preflight_s",
    "aitrade.bench.reports:daily_report_s",
)
"""Where each part's figures are measured."""


def ops(say: Say) -> Figures:
    """Measure them all, one part after the other."""
    figures: Figures = {}
    for place in FIGURES:
        module, function = place.split(":")
        figures |= getattr(import_module(module), function)(say)
    return figures
