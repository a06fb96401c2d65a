"""`python -m aitrade.ui.charts` runs a chart worker with its `ChartSettings` as JSON on standard input.

Exit status: 0 after a clean stop, 3 when it cannot start (the reason is the last line on standard error).
"""

import sys
from pathlib import Path

import msgspec

from aitrade.core import logs
from aitrade.core.errors import AitradeError
from aitrade.core.lifeline import tie
from aitrade.ui.charts.worker import ChartSettings, serve

REFUSED = 3
_log = logs.get(__name__)


def main() -> None:
    """Read settings from standard input and serve."""
    try:
        settings = msgspec.json.decode(sys.stdin.buffer.readline(), type=ChartSettings)
        tie()
        logs.configure("charts", Path(settings.home) / "logs")
        _log.info("chart worker starts")
        serve(settings)
        _log.info("chart worker stops")
    except (AitradeError, OSError, msgspec.MsgspecError) as error:
        _log.warning("chart worker refuses to start", reason=str(error))
        logs.shut()
        sys.stderr.write(f"The chart worker cannot start: {error}\n")
        sys.exit(REFUSED)


if __name__ == "__main__":
    main()
