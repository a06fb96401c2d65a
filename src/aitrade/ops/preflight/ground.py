"""What checks stand on: the installation under test, read only, and a scratch place for drills."""

from pathlib import Path

from aitrade.core.config import Configuration


class Ground:
    """`home` and `configuration` are the installation's; drills write under `scratch` only."""

    def __init__(self, configuration: Configuration, scratch: Path) -> None:
        self.configuration = configuration
        self.home = configuration.home
        self.scratch = scratch
