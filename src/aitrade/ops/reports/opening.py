"""Opens every report that was made, as its reader would, and says which is not whole or shows an error."""

from html.parser import HTMLParser
from pathlib import Path

import msgspec

from aitrade.ops.reports.canonical import content_hash
from aitrade.ops.reports.catalogue import report
from aitrade.ops.reports.production import Manifest, altered, manifests

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
"""Elements of HTML that have no end."""


def faults(home: Path) -> list[str]:
    """Return what is wrong with the reports of a data folder, a sentence each: hashes, notebooks, pages, prints."""
    gone = altered(home)
    found = [f"{name} is gone or altered since it was made." for name in gone]
    for made in manifests(home):
        for name in set(made.files) - set(gone):
            words = _OPEN[Path(name).suffix](home / "reports" / name, made)
            found += [f"{name} {words}."] if words else []
    return found


def _notebook(path: Path, made: Manifest) -> str:
    try:
        notebook = msgspec.json.decode(path.read_bytes())
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        shown = [output["output_type"] for cell in code for output in cell["outputs"]]
        ran = all(cell["execution_count"] is not None for cell in code)
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        return f"is no notebook: {error}"
    if "error" in shown or not ran:
        return "has a cell that failed or did not run"
    return "" if content_hash(notebook) == made.content_hash else "has another content than its manifest names"


def _page(path: Path, made: Manifest) -> str:
    text = path.read_text(encoding="utf-8")
    if not _whole(text):
        return "ends before its elements do"
    wanted = (report(made.report).title, made.day, made.content_hash)
    missing = [words for words in wanted if words not in text]
    if missing:
        return f"does not say {missing[0]!r}"
    return "shows an error" if "Traceback (most recent call last)" in text else ""


def _print(path: Path, _made: Manifest) -> str:
    data = path.read_bytes()
    return "" if data.startswith(b"%PDF") and b"%%EOF" in data[-1024:] else "is not a whole PDF"


_OPEN = {".ipynb": _notebook, ".html": _page, ".pdf": _print}


def _whole(text: str) -> bool:
    parser = _Elements()
    parser.feed(text)
    parser.close()
    return parser.seen > 0 and not parser.open


class _Elements(HTMLParser):
    """Counts elements; `open` are those that have begun and not ended."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's
        self.seen += 1
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                continue
