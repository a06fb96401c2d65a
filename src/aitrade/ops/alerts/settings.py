"""Alert rules and channels: `alerts.toml` of this package, each line overridden by the data folder's `alerts.toml`."""

import re
import string
import tomllib
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

import msgspec

from aitrade.core.clock import MINUTE, ist
from aitrade.core.errors import DataRefused
from aitrade.ops.alerts.alert import Severity
from aitrade.ops.alerts.observation import FIGURES

FILE = "alerts.toml"
DESKTOP = "desktop"
_PACKAGED = Path(__file__).with_name(FILE)
_OPEN = ("json", "jsons", "xml", "xmls", "form", "forms", "syslog")
"""Kinds of addresses that need no secret of their own."""
_LOCAL = (DESKTOP, "dbus", "qt", "glib", "gnome", "kde", "windows", "macosx", "syslog")
"""Kinds that nobody sees who is not at this machine."""
_SECRET = re.compile(r"pass|token|secret|key|auth", re.IGNORECASE)
HELD = re.compile(r"\{([\w.-]+)\}")
"""The name of a vault secret in an address."""
_Positive = Annotated[float, msgspec.Meta(gt=0)]


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an alert is raised. The file's comments say what each line does."""

    watches: str
    says: str
    severity: Severity
    above: float | None = None
    below: float | None = None
    for_s: Annotated[float, msgspec.Meta(ge=0)] = 0
    when: Literal["always", "market"] = "always"
    outage: bool = False
    on: bool = True

    @property
    def limit(self) -> float:
        """What the figure must not pass."""
        return self.above if self.above is not None else self.below or 0.0

    def broken_by(self, value: float) -> bool:
        """Return whether a reading breaks the rule."""
        return value > self.above if self.above is not None else value < self.limit

    def words(self, subject: str, value: float, text: str) -> str:
        """Return the alert's sentence."""
        return self.says.format(value=value, limit=self.limit, subject=subject, text=text)


class Channel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where alerts go: an apprise URL, with {names} of vault secrets in place of what must not be read."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[\w-]+$")]
    url: str
    severity: Severity = Severity.WARNING
    escalation: bool = False
    """It gets only what nobody acknowledged."""

    @property
    def external(self) -> bool:
        """Whether it reaches a person away from this machine."""
        return self.url.partition("://")[0].lower() not in _LOCAL


class Quiet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """Hours in which only the worst goes out."""

    start: str
    until: str
    severity: Severity

    def holds(self, severity: Severity, at: int) -> bool:
        """Return whether a message of this severity waits at `at` (ns UTC)."""
        if not self.start or severity.rank >= self.severity.rank:
            return False
        start, until, now = time.fromisoformat(self.start), time.fromisoformat(self.until), ist(at).time()
        return start <= now < until if start <= until else now >= start or now < until


class Escalation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens to an alert that nobody acknowledges."""

    severity: Severity
    after_minutes: _Positive
    times: Annotated[int, msgspec.Meta(ge=0)]

    @property
    def after(self) -> int:
        """How long it may wait, ns."""
        return int(self.after_minutes * MINUTE)


class Proof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a person's word for a channel lasts."""

    valid_days: Annotated[int, msgspec.Meta(gt=0, le=7)]


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An outside address that misses us when we are gone."""

    url: str
    every_s: _Positive


class AlertSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that alerts.toml says."""

    again_minutes: Annotated[float, msgspec.Meta(ge=0)]
    rules: dict[str, Rule]
    quiet: Quiet
    escalation: Escalation
    proof: Proof
    heartbeat: Heartbeat
    channel: list[Channel] = []

    @property
    def again(self) -> int:
        """Least time between two first messages about the same thing, ns."""
        return int(self.again_minutes * MINUTE)

    @classmethod
    def load(cls, home: Path | None = None) -> "AlertSettings":
        """Return what is in force; raise DataRefused that names the file, the place and what is wrong."""
        values = _read(_PACKAGED)
        own = home / FILE if home else None
        source = own if own is not None and own.is_file() else _PACKAGED
        if source is not _PACKAGED:
            values = _over(values, _read(source))
        try:
            settings = msgspec.convert(values, cls)
        except msgspec.ValidationError as error:
            raise DataRefused(f"{source} does not fit: {error}. Correct that line, or remove it.") from None
        for problem in settings.problems():
            raise DataRefused(f"{source}: {problem}")
        return settings

    @classmethod
    def in_force(cls, home: Path) -> tuple["AlertSettings", str]:
        """Return what is in force and "", or the shipped rules and why the data folder's file was not taken."""
        try:
            return cls.load(home), ""
        except DataRefused as refused:
            return cls.load(), str(refused)

    def problems(self) -> list[str]:
        """Return what is wrong beyond types, a sentence each with what to do."""
        found = [f"rule {name}: {why}" for name, rule in self.rules.items() for why in _wrong_rule(rule)]
        found += [f"channel {one.name}: {why}" for one in self.channel for why in _wrong_channel(one)]
        names = [one.name for one in self.channel]
        found += [f"two channels are called {name}; rename one." for name in {n for n in names if names.count(n) > 1}]
        return found + _wrong_hours(self.quiet)


def shipped_rules() -> list[str]:
    """Return the names of the rules that ship."""
    return list(AlertSettings.load().rules)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataRefused(f"{path} is not read: {error}. Correct that line, or remove the file.") from None


def _over(packaged: Any, own: Any) -> Any:
    """Lay a file's lines over the package's; lists replace."""
    if not (isinstance(packaged, dict) and isinstance(own, dict)):
        return own
    return packaged | {key: _over(packaged.get(key), value) for key, value in own.items()}


def _wrong_rule(rule: Rule) -> list[str]:
    found = []
    if rule.watches not in FIGURES:
        found.append(f"there is no figure {rule.watches}; there are: {', '.join(FIGURES)}.")
    if (rule.above is None) == (rule.below is None):
        found.append("give `above` or `below`, one of them.")
    try:
        rule.words("subject", 1.0, "text")
    except (KeyError, ValueError, IndexError, AttributeError):
        fields = ", ".join(sorted({str(part[1]) for part in _parsed(rule.says)})) or rule.says
        found.append(f"`says` uses {fields}; it may use value, limit, subject and text.")
    return found


def _parsed(text: str) -> list[tuple[str, str | None, str | None, str | None]]:
    try:
        return [part for part in string.Formatter().parse(text) if part[1] is not None]
    except ValueError:
        return []


def _wrong_channel(channel: Channel) -> list[str]:
    if channel.url == DESKTOP:
        return []
    scheme, separator, _rest = channel.url.partition("://")
    if not separator:
        return [] if HELD.fullmatch(channel.url) else ["its url is no apprise address such as json://host/path."]
    if _in_clear(channel.url):
        return ["its url holds a secret in clear; put it into the vault and write its {name} instead."]
    if scheme.lower() not in _OPEN and not HELD.search(channel.url):
        return [f"an address of kind {scheme} carries a secret; put it into the vault and write its {{name}} instead."]
    return []


def _in_clear(url: str) -> bool:
    parts = urlsplit(HELD.sub("", url))
    return bool(parts.password) or any(_SECRET.search(key) and value for key, value in parse_qsl(parts.query))


def _wrong_hours(quiet: Quiet) -> list[str]:
    try:
        times = [time.fromisoformat(one) for one in (quiet.start, quiet.until) if one]
    except ValueError:
        times = []
    given = bool(quiet.start) + bool(quiet.until)
    return [] if len(times) == given != 1 else ['quiet hours need `from` and `until` such as "22:00" and "07:00".']
