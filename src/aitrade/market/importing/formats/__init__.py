"""The formats that an import knows, a file each; the first that recognises a document reads it."""

from aitrade.market.importing.formats import minute_index, minute_stock, notes
from aitrade.market.importing.reading import Format

FORMATS: tuple[Format, ...] = (
    minute_stock.FORMAT,
    minute_index.FORMAT,
    notes.PROVENANCE,
    notes.CHECKSUMS,
)
