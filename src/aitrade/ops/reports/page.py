"""A report as people are handed it: one HTML file that fetches nothing, and its print where a browser is there."""

import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from aitrade.core.clock import ist
from aitrade.ops.reports.canonical import file_hash
from aitrade.ops.reports.catalogue import Report

LOOK = Path(__file__).parent / "look"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
WINDOWS = (r"Google\Chrome\Application\chrome.exe", r"Microsoft\Edge\Application\msedge.exe")
PRINT_SECONDS = 60
LARGEST_PRINT = 3 << 20
"""A longer page, bytes, is not printed by itself: thousands of pages take minutes."""
_HEADING = re.compile(r"^## +(.+?) *$", re.MULTILINE)


def warm() -> None:
    """Make an empty page, so that copies of this process have what a page is made with."""
    from nbconvert import TemplateExporter
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    empty = new_notebook(cells=[new_markdown_cell("## Nothing"), new_code_cell("nothing")])
    TemplateExporter.from_notebook_node(_exporter(), empty, {})


@cache
def _exporter() -> Any:
    """Return what makes pages; it compiles its templates once."""
    from nbconvert import HTMLExporter

    return HTMLExporter(
        template_name="report", extra_template_basedirs=[str(LOOK)], exclude_anchor_links=False, embed_images=True
    )


def written(report: Report, notebook: Path, version: int, content: str) -> Path:
    """Write the page of an executed notebook beside it, unless it is there, and return its path."""
    import nbformat
    from nbconvert import TemplateExporter

    page = notebook.with_suffix(".html")
    if page.exists() and content in page.read_text():
        return page
    executed = nbformat.read(notebook, as_version=4)
    asked = executed.metadata.papermill.parameters
    resources: dict[str, Any] = {
        "report": report,
        "day": asked["day"],
        "book": asked["book"],
        "again": _again(asked),
        "version": version,
        "made": _made(executed),
        "content_hash": content,
        "file_hash": file_hash(notebook),
        "contents": _contents(executed),
        "style": (LOOK / "report" / "report.css").read_text(),
    }
    # HTMLExporter's own method parses the page once more to complete images and tables: 30 s for 10,000 orders.
    body, _ = TemplateExporter.from_notebook_node(_exporter(), executed, resources)
    page.write_text(body)
    return page


def printed(page: Path) -> tuple[str, str]:
    """Print the page as PDF beside it; return its path, or "" and why there is none."""
    pdf = page.with_suffix(".pdf")
    if pdf.exists() and pdf.stat().st_mtime_ns >= page.stat().st_mtime_ns:
        return str(pdf), ""
    if page.stat().st_size > LARGEST_PRINT:
        return "", f"the page has {page.stat().st_size >> 20} MiB; open it in a browser and print what you need"
    found = browser()
    if not found:
        return "", "no Chromium, Chrome or Edge is on this machine"
    return _print(found, page, pdf)


def browser() -> str:
    """Return a browser that can print, or ""."""
    on_path = (shutil.which(name) for name in BROWSERS)
    roots = (os.environ.get(name, "") for name in ("PROGRAMFILES", "PROGRAMFILES(X86)"))
    installed = (str(Path(root) / tail) for root in roots if root for tail in WINDOWS)
    return next((path for path in (*on_path, *installed) if path and Path(path).exists()), "")


def _print(found: str, page: Path, pdf: Path) -> tuple[str, str]:
    root = os.name != "nt" and os.geteuid() == 0
    with tempfile.TemporaryDirectory() as profile:
        command = [
            found, "--headless", "--disable-gpu", "--disable-background-networking", "--no-first-run",
            f"--user-data-dir={profile}", "--no-pdf-header-footer", f"--print-to-pdf={pdf}",
            *(["--no-sandbox"] if root else []), page.resolve().as_uri(),
        ]  # fmt: skip
        try:
            subprocess.run(command, check=True, timeout=PRINT_SECONDS, capture_output=True)  # noqa: S603 - a browser
        except (subprocess.SubprocessError, OSError) as error:
            return "", f"the browser did not print: {type(error).__name__}"
    return (str(pdf), "") if pdf.exists() else ("", "the browser printed nothing")


def _contents(notebook: Any) -> list[tuple[str, str]]:
    """Return the second-level headings with their anchors, which nbconvert makes of the words."""
    headings = [
        heading for cell in notebook.cells if cell.cell_type == "markdown" for heading in _HEADING.findall(cell.source)
    ]
    return [(heading, heading.replace(" ", "-")) for heading in headings]


def _made(notebook: Any) -> str:
    """Return when papermill finished, in IST."""
    from datetime import datetime

    ended = datetime.fromisoformat(notebook.metadata.papermill.end_time)
    return f"{ist(int(ended.timestamp()) * 10**9):%Y-%m-%d %H:%M:%S} IST"


def _again(asked: Any) -> str:
    return "".join(f" -p {name}={value}" for name, value in asked.items() if name != "day" and value != "")
