"""A run on paper: lines for a terminal, and one self-contained page of HTML."""

import shutil
import textwrap
from collections import Counter
from collections.abc import Iterator
from html import escape
from itertools import groupby

from aitrade.core.clock import ist
from aitrade.ops.preflight.check import Section, Status
from aitrade.ops.preflight.record import Result, Run

WORDS = {Status.PASS: "pass", Status.FAIL: "FAIL", Status.NOT_PROVABLE: "not provable here"}
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}
table{border-collapse:collapse;width:100%}td,th{padding:.45rem .6rem;border-bottom:1px solid #d8dde3;text-align:left;
vertical-align:top}.pass{color:#116329}.fail{color:#b3261e;font-weight:600}.not_provable_here{color:#7a5b00}
code{font-size:.85em}details{color:#57606a}
"""


def summary(run: Run) -> str:
    """Return what came of it in one line: the checklist's items, and those of the environment beside them."""
    own = [result for result in run.items if result.section != Section.ENVIRONMENT]
    beside = [result for result in run.items if result.section == Section.ENVIRONMENT]
    parts = [("Checklist", own), ("Environment, beside it", beside)]
    counted = "; ".join(f"{title}: {_counts(part)}" for title, part in parts if part)
    return f"{counted}. {run.seconds:.0f} s, for {run.bound.day}."


def _counts(results: list[Result]) -> str:
    found = Counter(result.status for result in results)
    return (
        f"{len(results)} items, {found[Status.PASS]} passed, {found[Status.FAIL]} failed, "
        f"{found[Status.NOT_PROVABLE]} not provable here"
    )


def lines(run: Run) -> Iterator[str]:
    """Yield the run for a terminal, by section, evidence under each item."""
    width = min(shutil.get_terminal_size((110, 24)).columns, 140)
    for section, results in groupby(run.items, key=lambda result: result.section):
        yield f"\n{section}"
        for result in results:
            yield f"  {WORDS[Status(result.status)]:<5} {result.id:<18} {result.item}"
            yield from textwrap.wrap(result.evidence, width, initial_indent=" " * 8, subsequent_indent=" " * 8)
    yield f"\n{summary(run)}"


def page(run: Run, ts: int) -> str:
    """Return the run as HTML that needs nothing else; `ts` is when it ran, ns UTC."""
    parts = "".join(
        f"<h2>{escape(section)}</h2><table>{''.join(_row(result) for result in results)}</table>"
        for section, results in groupby(run.items, key=lambda result: result.section)
    )
    bound = "".join(f"<tr><td>{name}</td><td><code>{value}</code></td></tr>" for name, value in _bound(run))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>aitrade preflight</title><style>{_STYLE}</style>'
        f"<h1>aitrade preflight</h1><p>{ist(ts):%d %b %Y %H:%M:%S} IST. {escape(summary(run))}</p>{parts}"
        f"<h2>What this run is bound to</h2><table>{bound}</table></html>\n"
    )


def _bound(run: Run) -> Iterator[tuple[str, str]]:
    yield from ((name, getattr(run.bound, name)) for name in run.bound.__struct_fields__)


def _row(result: Result) -> str:
    measured = "".join(f"<li>{escape(name)}: {escape(str(value))}</li>" for name, value in result.measured.items())
    return (
        f'<tr><td class="{result.status}">{WORDS[Status(result.status)]}</td><td>{escape(result.item)}<br>'
        f"<code>{result.id}</code></td><td>{escape(result.evidence)}"
        f"<details><summary>measured</summary><ul>{measured}</ul></details></td></tr>"
    )
