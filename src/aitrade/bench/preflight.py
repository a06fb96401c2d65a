"""`aitrade bench ops`, preflight: the whole deployment checklist on a fresh install."""

import time

from aitrade.bench import Figures, Say, scaled
from aitrade.core.config import load
from aitrade.ops.preflight.checklist import items
from aitrade.ops.preflight.run import run
from aitrade.ops.rig import scratch

ENOUGH = "functionality"
"""Of a scaled bench, which only shows that it runs: this section's last item."""


def preflight_s(say: Say) -> Figures:
    """Run every item once; its verdicts are no matter of a bench, its time is."""
    with scratch() as home:
        chosen = items() if scaled(len(items())) == len(items()) else items(ENOUGH)[-1:]
        say(f"preflight, {len(chosen)} items …")
        began = time.perf_counter()
        run(load(home=home), chosen, lambda item: say(f"  {item.id}"))
    return {"preflight_s": time.perf_counter() - began}
