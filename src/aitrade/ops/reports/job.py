"""The job child that makes reports: papermill runs the notebook, nbconvert writes the page, a browser prints it.

Lines with a JSON list of `Job` come on standard input; a line with a JSON `Made` goes to standard output after each.
It runs apart from whatever trades.
"""

import gc
import os
import re
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from aitrade.core import logs
from aitrade.core.config import load
from aitrade.core.errors import AitradeError
from aitrade.ops.reports.canonical import content_hash, file_hash
from aitrade.ops.reports.catalogue import Value, report

_log = logs.get(__name__)
NOT_NEEDED = ("rfc3987_syntax", "pyarrow")
"""Optional packages of papermill's own imports that take 1.5 s: a grammar of web addresses, remote file systems.

They are kept from it while it is imported, and no longer: a report of imported market data reads it with pyarrow.
"""
WATCH_SECONDS = 0.5
"""How soon a copy whose parent was ended ends, too."""
_IMPORTS = re.compile(r"from (aitrade\.[\w.]+) import")


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to make. `stem` is the file's name without version and ending."""

    report: str
    day: str
    book: str
    parameters: dict[str, Value]
    folder: str
    stem: str
    known: dict[str, str]
    """Content hash by version of those made before."""
    kept: dict[str, str] = {}
    """SHA-256 by name of their files, as the manifests have them."""
    pdf: bool = True


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it; with an `error` the notebook is the partial one."""

    notebook: str
    html: str = ""
    pdf: str = ""
    no_pdf: str = ""
    """Why there is no PDF."""
    version: int = 0
    content_hash: str = ""
    file_hash: str = ""
    totals: dict[str, int] = {}
    seconds: float = 0.0
    error: str = ""


def main() -> None:
    """Make the reports that each line of standard input asks for; progress goes to standard error."""
    with os.fdopen(os.dup(1), "wb", buffering=0) as answers:
        os.dup2(2, 1)
        logs.configure("jobs", load().home / "logs")
        for line in sys.stdin.buffer:
            for job in msgspec.json.decode(line, type=list[Job]):
                answers.write(apart(job))


def apart(job: Job) -> bytes:
    """Make a report in a copy of this process, where the system has copies, and return its answer, a line of JSON.

    So each begins with everything imported and nothing computed, and one that crashes ends none but itself.
    """
    warm(job)
    if not hasattr(os, "fork"):
        return _answer(attempt(job))
    gc.freeze()  # else the first collection in the copy would copy every page
    reads, writes = os.pipe()
    copy = os.fork()
    if not copy:
        _watch(os.getppid())
        with os.fdopen(writes, "wb") as answer:
            answer.write(_answer(attempt(job)))
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads, "rb") as answer:
        said = answer.read()
    status = os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
    return said or _answer(Made(notebook="", error=f"its process ended with status {status}"))


def warm(job: Job) -> None:
    """Import what making a report takes; whatever cannot be imported its notebook will tell."""
    with _without(NOT_NEEDED):
        from aitrade.ops.reports import engine, page

        page.warm()
    engine.CellShell.instance(config=engine.QUIET)
    with suppress(AitradeError, ImportError, OSError):
        for name in _IMPORTS.findall(report(job.report).notebook.read_text(encoding="utf-8")):
            import_module(name)


@contextmanager
def _without(names: Iterable[str]) -> Iterator[None]:
    """Let modules be missing while a block imports others; those that are there already stay."""
    missing = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(missing))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]


def attempt(job: Job) -> Made:
    """Make a report; whatever goes wrong is in the answer, so that those after it are made."""
    said = {"report": job.report, "day": job.day, "book": job.book}
    try:
        made = make(job)
    except Exception as failed:
        _log.exception("report failed", **said)
        return Made(notebook="", error=f"{type(failed).__name__}: {failed}")
    if made.error:
        _log.error("report failed", error=made.error, **said)
    else:
        _log.info("report made", version=made.version, seconds=made.seconds, **said)
    return made


def make(job: Job) -> Made:
    """Run the notebook and write its page; a version that is there already is left as it is."""
    began = time.monotonic()
    folder = Path(job.folder)
    draft = folder / f".{job.stem}.{os.getpid()}.ipynb"
    error = _execute(job, draft)
    if error:
        return Made(notebook=str(draft.replace(folder / f"{job.stem}.failed.ipynb")), error=error)
    notebook = msgspec.json.decode(draft.read_bytes())
    content = content_hash(notebook)
    version = _version(job.known, content)
    final = folder / f"{job.stem}{_suffix(version)}.ipynb"
    _set_aside(job, final)
    _keep(draft, final, content)
    page, printed, why = _pages(job, final, version, content)
    return Made(
        notebook=str(final), html=str(page), pdf=printed, no_pdf=why, version=version, content_hash=content,
        file_hash=file_hash(final), totals=totals(notebook), seconds=round(time.monotonic() - began, 2),
    )  # fmt: skip


def totals(notebook: dict[str, Any]) -> dict[str, int]:
    """Return the control totals that a notebook's cells left."""
    found: dict[str, int] = {}
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            found.update(output.get("data", {}).get("application/json", {}))
    return found


def _execute(job: Job, draft: Path) -> str:
    """Run the notebook into `draft`; return what went wrong, or ""."""
    import papermill

    from aitrade.ops.reports import engine

    wanted = report(job.report)
    parameters = {"book": job.book, "day": job.day, **job.parameters}
    try:
        papermill.execute_notebook(
            str(wanted.notebook), str(draft), parameters, engine_name=engine.NAME, cwd=str(draft.parent),
            execution_timeout=wanted.seconds, progress_bar=sys.stderr.isatty(), log_output=False,
            request_save_on_cell_execute=False,
        )  # fmt: skip
    except papermill.PapermillExecutionError as failed:
        return f"cell {failed.exec_count}: {failed.ename}: {failed.evalue}"
    except Exception as failed:
        return f"{type(failed).__name__}: {failed}"
    return ""


def _answer(made: Made) -> bytes:
    return msgspec.json.encode(made) + b"\n"


def _watch(parent: int) -> None:
    """End this copy when its parent is gone."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()


def _version(known: dict[str, str], content: str) -> int:
    """Return the version whose content this is, or the next one."""
    same = [int(version) for version, hash_ in known.items() if hash_ == content]
    return max(same) if same else max((int(version) for version in known), default=0) + 1


def _suffix(version: int) -> str:
    return f"-v{version}" if version > 1 else ""


def _set_aside(job: Job, notebook: Path) -> None:
    """Put what is not as its manifest has it out of the way; with a notebook that is not go the pages made of it."""
    files = [notebook.with_suffix(suffix) for suffix in (".ipynb", ".html", ".pdf")]
    there = {path: file_hash(path) for path in files if path.exists()}
    altered = [path for path, found in there.items() if job.kept.get(path.name, found) != found]
    for path in there if notebook in altered else altered:
        path.replace(path.with_suffix(f".altered{path.suffix}"))


def _keep(draft: Path, final: Path, content: str) -> None:
    """Make `draft` the version, unless that is there already; one that was altered since is set aside."""
    if final.exists() and content_hash(msgspec.json.decode(final.read_bytes())) == content:
        draft.unlink()
        return
    if final.exists():
        final.replace(final.with_suffix(".altered.ipynb"))
    draft.replace(final)


def _pages(job: Job, notebook: Path, version: int, content: str) -> tuple[Path, str, str]:
    from aitrade.ops.reports.page import printed, written

    page = written(report(job.report), notebook, version, content)
    wanted = job.pdf and load().print_reports
    pdf, why = printed(page) if wanted else ("", "not asked for")
    return page, pdf, why


if __name__ == "__main__":
    main()
