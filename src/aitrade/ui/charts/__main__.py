"""`python -m aitrade.ui.charts HOME [PORT]` runs a chart worker on a data folder."""

import sys

from aitrade.ui.charts.worker import ChartSettings, serve

if __name__ == "__main__":
    serve(ChartSettings(home=sys.argv[1], port=int(sys.argv[2]) if len(sys.argv) > 2 else 0))  # noqa: PLR2004
