"""`python -m aitrade.ui.charts` runs a chart worker with its `ChartSettings` as JSON on standard input.

Exit status: 0 after a clean stop, 3 when it cannot start (the reason is the last line on standard error).
"""

import sys

import msgspec

from aitrade.core.errors import AitradeError
from aitrade.ui.charts.worker import ChartSettings, serve

REFUSED = 3


def main() -> None:
    """Read settings from standard input and serve."""
    try:
        serve(msgspec.json.decode(sys.stdin.buffer.readline(), type=ChartSettings))
    except (AitradeError, OSError, msgspec.MsgspecError) as error:
        sys.stderr.write(f"The chart worker cannot start: {error}\n")
        sys.exit(REFUSED)


if __name__ == "__main__":
    main()
