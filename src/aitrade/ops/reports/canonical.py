"""The canonical form of an executed notebook, and its hash: what was asked, computed and shown, and nothing of when.

Left out are papermill's times, durations, paths and version, cell ids, execution counts, and what the kernel says of
itself. All that a reader sees stays: sources, outputs, parameters.
"""

import hashlib
from pathlib import Path
from typing import Any

import msgspec

_OUTPUT = ("output_type", "name", "text", "data", "ename", "evalue")


def content_hash(notebook: dict[str, Any]) -> str:
    """Return SHA-256 of the canonical form of a notebook (format 4, as decoded from JSON), hex."""
    cells = [_cell(cell) for cell in notebook["cells"]]
    return hashlib.sha256(msgspec.json.encode(cells, order="sorted")).hexdigest()


def file_hash(path: Path) -> str:
    """Return SHA-256 of a file's bytes, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _cell(cell: dict[str, Any]) -> dict[str, Any]:
    outputs = [_output(output) for output in cell.get("outputs", ())]
    tags = sorted(cell.get("metadata", {}).get("tags", ()))
    return {"type": cell["cell_type"], "source": _joined(cell["source"]), "tags": tags, "outputs": outputs}


def _output(output: dict[str, Any]) -> dict[str, Any]:
    kept = {name: output[name] for name in _OUTPUT if name in output}
    if "text" in kept:
        kept["text"] = _joined(kept["text"])
    if "data" in kept:
        kept["data"] = {kind: _joined(data) for kind, data in kept["data"].items()}
    return kept


def _joined(text: Any) -> Any:
    """A notebook keeps a text as one string or as its lines; both are the same text."""
    return "".join(text) if isinstance(text, list) and all(isinstance(line, str) for line in text) else text
