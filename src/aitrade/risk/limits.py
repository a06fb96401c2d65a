"""The desk's own limits: `limits.toml` of this package, each line overridden by the data folder's `limits.toml`."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any

import msgspec

from aitrade.core.errors import DataRefused
from aitrade.core.money import PAISE

FILE = "limits.toml"
_PACKAGED = Path(__file__).with_name(FILE)
_Count = Annotated[int, msgspec.Meta(ge=0)]


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one order and one day may be. The file's comments say what each line does."""

    order_value_rupees: _Count
    order_units: _Count
    order_lots: _Count
    day_orders: _Count
    day_loss_rupees: _Count
    stale_price_seconds: _Count
    duplicate_window_ms: _Count
    exit_reserve_per_second: _Count
    stop_market_on_options: bool
    trade_for_trade: tuple[str, ...]
    crashes_to_halt: Annotated[int, msgspec.Meta(ge=1)]

    @property
    def order_value(self) -> int:
        """The largest order's value, paise; 0 is no limit."""
        return self.order_value_rupees * PAISE

    @property
    def day_loss(self) -> int:
        """The day's loss from which on only exits pass, paise; 0 is no limit."""
        return self.day_loss_rupees * PAISE

    @classmethod
    def load(cls, folder: Path | None = None) -> "Limits":
        """Return the limits in force; raise DataRefused that names the file, the line and what is wrong."""
        values = _read(_PACKAGED)
        own = folder / FILE if folder else None
        source = own if own is not None and own.is_file() else _PACKAGED
        if source is not _PACKAGED:
            values |= _read(source)
        try:
            return msgspec.convert(values, cls)
        except msgspec.ValidationError as error:
            raise DataRefused(_explained(source, str(error))) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataRefused(f"{path} is not read: {error}. Correct that line, or remove the file.") from None


def _explained(path: Path, error: str) -> str:
    """Return the sentence for a value that does not fit, with the line of its field."""
    named = re.search(r"`\$?\.?(\w+)", error.rsplit(" - at ", 1)[-1]) or re.search(r"`(\w+)`", error)
    field = named[1] if named else ""
    lines = path.read_text(encoding="utf-8").splitlines()
    at = next((number for number, line in enumerate(lines, 1) if re.match(rf"\s*{field}\s*=", line)), 0)
    where = f"{path}, line {at}" if at else str(path)
    return f"{where}: {field or 'a line'} does not fit ({error}). Correct it, or remove the line to use the default."
