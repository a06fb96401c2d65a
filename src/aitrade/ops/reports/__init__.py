"""Reports: a catalogue of notebooks that papermill runs, the pages that people are handed, and proof of both."""

from aitrade.ops.reports.catalogue import CATALOGUE, Cadence, Report, Span, report
from aitrade.ops.reports.production import (
    Manifest,
    Produced,
    ReportFailed,
    altered,
    book_of,
    due,
    folder_of,
    gone,
    manifests,
    produce,
    run,
    settled,
)

__all__ = [
    "CATALOGUE",
    "Cadence",
    "Manifest",
    "Produced",
    "Report",
    "ReportFailed",
    "Span",
    "altered",
    "book_of",
    "due",
    "folder_of",
    "gone",
    "manifests",
    "produce",
    "report",
    "run",
    "settled",
]
