"""Saved layouts and drawings: one file in the data folder, replaced whole so that a crash leaves the old or the new."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from aitrade.core.errors import DataRefused, Refused
from aitrade.ui.charts.bars import TIME_FRAMES

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
Shape = Literal["line", "ray", "level", "box", "fibonacci"]


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One chart of a layout."""

    instrument: Annotated[str, msgspec.Meta(max_length=80)] = ""
    minutes: int = 5
    count: Annotated[float, msgspec.Meta(ge=5, le=200_000)] = 150
    """How many bars it shows."""
    studies: Annotated[str, msgspec.Meta(max_length=600)] = ""


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """What the charts of a layout share."""

    symbol: bool = False
    frame: bool = False
    time: bool = True
    crosshair: bool = True


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How many charts, what each shows, and what they share."""

    grid: Literal[1, 2, 4, 6] = 1
    cells: Annotated[list[Cell], msgspec.Meta(max_length=6)] = []
    links: Links = Links()


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """Something a person drew on a symbol: points of (ns UTC, paise)."""

    id: Annotated[str, msgspec.Meta(max_length=40)]
    shape: Shape
    points: Annotated[list[tuple[float, float]], msgspec.Meta(min_length=1, max_length=2)]
    colour: Annotated[int, msgspec.Meta(ge=0, le=9)] = 0


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """All layouts by name, the one in use, and the drawings of each symbol."""

    current: str = "Default"
    layouts: dict[str, Layout] = {}
    drawings: dict[str, list[Drawing]] = {}


class Layouts:
    """The workspace on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Workspace:
        """Return the workspace, empty at first; one that cannot be read is set aside and named, never deleted."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Workspace)
        except FileNotFoundError:
            return Workspace()
        except msgspec.MsgspecError:
            self._path.replace(self._path.with_suffix(".unreadable"))
            return Workspace()

    def save(self, name: str, body: bytes) -> Workspace:
        """Keep a layout under a name and make it the current one; raise DataRefused for what is not a layout."""
        layout = _read(body, Layout)
        for cell in layout.cells:
            if cell.minutes not in TIME_FRAMES:
                raise DataRefused(f"{cell.minutes} minutes is not a time frame; choose one of {TIME_FRAMES}.")
        if not 0 < len(name.strip()) <= 60:  # noqa: PLR2004 -- what fits the list on the page
            raise Refused("A layout needs a name of 1 to 60 letters.")
        old = self.read()
        return self._write(msgspec.structs.replace(old, current=name, layouts={**old.layouts, name: layout}))

    def use(self, name: str) -> Workspace:
        """Make a saved layout the current one."""
        old = self.read()
        self._known(old, name)
        return self._write(msgspec.structs.replace(old, current=name))

    def delete(self, name: str) -> Workspace:
        """Forget a layout; another one becomes current."""
        old = self.read()
        self._known(old, name)
        kept = {key: layout for key, layout in old.layouts.items() if key != name}
        current = old.current if old.current in kept else next(iter(kept), "Default")
        return self._write(msgspec.structs.replace(old, current=current, layouts=kept))

    def draw(self, instrument: str, body: bytes) -> Workspace:
        """Replace the drawings of a symbol."""
        drawings = _read(body, list[Drawing])
        old = self.read()
        return self._write(msgspec.structs.replace(old, drawings={**old.drawings, instrument: drawings}))

    @staticmethod
    def _known(workspace: Workspace, name: str) -> None:
        if name not in workspace.layouts:
            raise Refused(f"There is no layout “{name}”; saved are: {', '.join(workspace.layouts) or 'none yet'}.")

    def _write(self, workspace: Workspace) -> Workspace:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(workspace)))
        fresh.replace(self._path)
        return workspace


def _read(body: bytes, kind: type) -> Layout | list[Drawing]:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise DataRefused(f"This cannot be saved: {error}.") from None
