"""The deployment checklist as it is printed: every item in its order, and which may be not provable, and why.

Items register themselves in `<section>_items.ITEMS`. One that nobody registers is on the list all the same, and fails.
"""

from importlib import import_module
from typing import NamedTuple

from aitrade.core.errors import Refused
from aitrade.ops.preflight.check import Finding, Item, Section, Source, Status
from aitrade.ops.preflight.ground import Ground


class Row(NamedTuple):
    """A line of the checklist; `elsewhere` says when it may be not provable here, empty for never."""

    id: str
    section: Section
    words: str
    elsewhere: str = ""


_BROWSER = "no browser is here"
_SYSTEM = "this machine has no service manager, or this account may not ask it"

ROWS = (
    Row("credentials", Section.SECURITY, "Credentials encrypted with AES-256"),
    Row("secrets", Section.SECURITY, "No hard-coded secrets or credentials"),
    Row("audit-logging", Section.SECURITY, "Audit logging works"),
    Row("access-controls", Section.SECURITY, "Access controls set"),
    Row("data-encrypted", Section.SECURITY, "Data encrypted at rest and in transit"),
    Row("order-execution", Section.PERFORMANCE, "Order execution < 30 ms average"),
    Row("front-end", Section.PERFORMANCE, "Front-end response < 50 ms", _BROWSER),
    Row("charts", Section.PERFORMANCE, "Chart rendering < 100 ms", _BROWSER),
    Row("npu", Section.PERFORMANCE, "NPU utilisation > 90 % efficiency", "no NPU is in this machine"),
    Row("memory", Section.PERFORMANCE, "Memory < 70 % of RAM", _BROWSER),
    Row("six-tabs", Section.FUNCTIONALITY, "All six tabs work on real-time data", _BROWSER),
    Row("failover", Section.FUNCTIONALITY, "Multi-API failover works"),
    Row("paper-is-live", Section.FUNCTIONALITY, "Paper trading identical to live"),
    Row("risk-controls", Section.FUNCTIONALITY, "Risk controls active"),
    Row("learning", Section.FUNCTIONALITY, "Learning features present"),
    Row("btst", Section.FUNCTIONALITY, "BTST active after 14:15 only"),
    Row("sebi-trail", Section.COMPLIANCE, "SEBI audit trail complete"),
    Row("position-limits", Section.COMPLIANCE, "Position limits enforced"),
    Row("regulatory-reports", Section.COMPLIANCE, "Regulatory reports produced"),
    Row("retention", Section.COMPLIANCE, "Retention policies in force"),
    Row("health", Section.MONITORING, "Health monitoring active"),
    Row("metrics", Section.MONITORING, "Performance metrics collected"),
    Row("alerts", Section.MONITORING, "Alerts configured and tested"),
    Row("errors", Section.MONITORING, "Error tracking and logging work"),
    Row("service", Section.ENVIRONMENT, "Service AITradingEngine installed, automatic, restarts on failure", _SYSTEM),
    Row("backup", Section.ENVIRONMENT, "Database backed up daily, restorable, on a second device"),
    Row("configuration", Section.ENVIRONMENT, "Configuration versioned"),
    Row("logs", Section.ENVIRONMENT, "Logs kept 90 days"),
    Row("models", Section.ENVIRONMENT, "Models checkpointed weekly"),
    Row("ports", Section.ENVIRONMENT, "Only the needed ports open"),
    Row("antivirus", Section.ENVIRONMENT, "Antivirus exclusions", "only Windows has Defender"),
    Row("security-updates", Section.ENVIRONMENT, "Security updates", _SYSTEM),
    Row("service-account", Section.ENVIRONMENT, "Service account", _SYSTEM),
)
MODULES = tuple(f"aitrade.ops.preflight.{section.lower()}_items" for section in Section)


class Missing:
    """What stands on the list where nobody has registered a check."""

    seconds = 1.0

    def __init__(self, row: Row) -> None:
        self.id, self.section, self.words = row.id, row.section, row.words

    def examine(self, _ground: Ground) -> Finding:
        """Say so."""
        text = f"not built: no check is registered for {self.words!r}."
        return Finding(Status.FAIL, text, {}, Source.SYSTEM, 0)


def row_of(item: str) -> Row:
    """Return an item's line; raise Refused for one that is not on the checklist."""
    found = next((row for row in ROWS if row.id == item), None)
    if found is None:
        raise Refused(f"The checklist has no item {item!r}; it has {', '.join(row.id for row in ROWS)}.")
    return found


def items(section: str = "") -> list[Item]:
    """Return the checklist's items in its order, of one section when it is named (any case); raise Refused for another.

    A module that does not load is an error: its items would be lost without a word.
    """
    names = [name.value for name in Section]
    if section and section.title() not in names:
        raise Refused(f"There is no section {section!r}; there are {', '.join(names)}.")
    known: dict[str, Item] = {item.id: item for name in MODULES for item in import_module(name).ITEMS}
    wanted = [row for row in ROWS if section.title() in ("", row.section)]
    return [known.get(row.id) or Missing(row) for row in wanted]
