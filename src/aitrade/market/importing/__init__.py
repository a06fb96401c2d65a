"""Reading real market data: formats recognised by content, checked row by row, stored all or not at all."""

from aitrade.market.importing.importer import FileResult, ImportReport, Outcome, import_path

__all__ = ["FileResult", "ImportReport", "Outcome", "import_path"]
