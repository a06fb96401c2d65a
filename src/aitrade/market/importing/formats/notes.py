"""What lies beside data: where it came from, its checksums."""

import re

from aitrade.market.importing.documents import Document
from aitrade.market.importing.reading import Skipped

_SUM = re.compile(r"^[0-9a-f]{32,128} [ *]\S")


def _is_provenance(document: Document) -> bool:
    return document.is_text and document.text.startswith("repo: ") and "\nlicence: " in document.text


def _is_checksums(document: Document) -> bool:
    return document.is_text and all(_SUM.match(line) for line in document.text.splitlines())


PROVENANCE = Skipped("note of origin", _is_provenance, "a note of where data came from, no market data")
CHECKSUMS = Skipped("checksums", _is_checksums, "a list of checksums, no market data")
