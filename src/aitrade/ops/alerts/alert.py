"""What an alert is, and what happens to it: raised, sent, escalated, acknowledged, resolved."""

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How bad it is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Its place, info first."""
        return list(Severity).index(self)


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an alert's operations record holds beside rule and outcome; empty where it does not apply."""

    alert: int = 0
    """The number of the record that raised it; 0 in that record itself."""
    subject: str = ""
    severity: Severity = Severity.WARNING
    text: str = ""
    lasting: bool = False
    channels: tuple[str, ...] = ()
    """Names of the channels that took a message."""
    failed: dict[str, str] = {}
    """Channel to why it did not."""


class Alert(msgspec.Struct):
    """One alert as it stands; times are ns UTC, 0 where it has not happened."""

    id: int
    rule: str
    subject: str
    """What of the rule's kind it is about, such as an order's number; empty where there is only one."""
    severity: Severity
    text: str
    raised: int
    lasting: bool
    """It ends when its condition does; otherwise when it is acknowledged."""
    count: int = 1
    """How often it was raised while it stood."""
    noted: int = 0
    """When it was last raised, as far as it is recorded."""
    sent: tuple[str, ...] = ()
    sent_at: int = 0
    failed: dict[str, str] = {}
    tries: int = 0
    tried_at: int = 0
    escalations: int = 0
    acknowledged: int = 0
    acknowledged_by: str = ""
    resolved: int = 0
    told: bool = False
    """Those who were told of it were told that it is over."""

    @property
    def stands(self) -> bool:
        """Whether it still wants somebody's eye."""
        return not self.resolved and (self.lasting or not self.acknowledged)
