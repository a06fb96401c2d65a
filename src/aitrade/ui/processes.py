"""The page's processes, as the supervisor starts them, and the link that opens the page."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from aitrade.core.config import Configuration
from aitrade.core.errors import Refused
from aitrade.ops.children import Child
from aitrade.ui.login import Door
from aitrade.ui.server import PageAddress, PageSettings


class _Address(msgspec.Struct):
    port: int
    pid: int


def page_children(configuration: Configuration) -> list[Child]:
    """Return the chart worker and the page server."""
    home = str(configuration.home)
    run = configuration.home / "run"
    page = PageSettings(home=home, port=configuration.page_port)
    return [
        Child(
            "charts", "aitrade.ui.charts", msgspec.json.encode({"home": home}), _listens(run / "charts.json"), tied=True
        ),
        Child("page", "aitrade.ui.server", msgspec.json.encode(page), _listens(run / "page.json"), tied=True),
    ]


def page_link(configuration: Configuration) -> str:
    """Return a link that logs its bearer in, once; raise Refused or Unreachable when no page is served."""
    run = configuration.home / "run"
    try:
        address = msgspec.json.decode((run / "page.json").read_bytes(), type=PageAddress)
    except (FileNotFoundError, msgspec.DecodeError):
        raise Refused("No page is served on this data folder; start it with `aitrade up`.") from None
    return f"http://127.0.0.1:{address.port}/login?token={Door.of(run / 'page.key').token()}"


def _listens(path: Path) -> Callable[[int], bool]:
    def listens(pid: int) -> bool:
        try:
            return msgspec.json.decode(path.read_bytes(), type=_Address).pid == pid
        except (FileNotFoundError, msgspec.DecodeError):
            return False

    return listens
