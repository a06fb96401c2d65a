"""`aitrade bench ops`, alerts: from a threshold that is crossed to the message on a loopback webhook."""

from pathlib import Path
from tempfile import TemporaryDirectory

from aitrade.bench import Figures, Say, scaled
from aitrade.engine.settings import EngineSettings
from aitrade.ops.alerts.drill import broken_chain_s, watched
from aitrade.ops.supervisor import Supervisor

CROSSINGS = 20


def alert_s(say: Say) -> Figures:
    """Damage a journal again and again beside a trading engine; return the longest time until it was told of."""
    with TemporaryDirectory(prefix="aitrade-bench-") as folder:
        home = Path(folder)
        engine = Supervisor(EngineSettings(home=folder, start="10:30"), [], say)
        engine.start()
        try:
            with watched(home, home) as webhook:
                count = scaled(CROSSINGS)
                say(f"{count} journals damaged, one after the other, beside a trading engine …")
                took = [broken_chain_s(home, webhook, f"broken-{number:02}") for number in range(count)]
        finally:
            engine.stop()
    return {"alert_s": max(took)}
