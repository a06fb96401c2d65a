"""Proof that a channel reaches a person: a code goes out on it, and whoever reads it there gives it back.

Only the code's hash is recorded, so that it cannot be had from here. A proof holds for the channel's address as it was,
for the days that `alerts.toml` says (seven at most). The desktop of this very machine reaches nobody who is away.
"""

import hashlib
import secrets
import time
from enum import StrEnum
from pathlib import Path

import msgspec

from aitrade.compliance.operations import note, noted
from aitrade.core.clock import DAY
from aitrade.core.errors import Refused
from aitrade.ops.alerts.alert import Severity
from aitrade.ops.alerts.book import WHAT
from aitrade.ops.alerts.channels import here, send
from aitrade.ops.alerts.settings import AlertSettings, Channel

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_LENGTH = 8
TESTED, FAILED, CONFIRMED = "tested", "test failed", "confirmed"


class State(StrEnum):
    """How well a channel is proven."""

    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    EXPIRED = "expired"
    NOT_HERE = "not on this machine"


class Trial(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a test's or a confirmation's record holds."""

    channel: str
    address: str
    """Hash of the channel's address, as alerts.toml has it."""
    code: str
    """Hash of the code."""
    why: str = ""
    """Why it did not go out."""


class Proven(msgspec.Struct, frozen=True):
    """A channel and its proof; times are ns UTC, 0 where there is none."""

    channel: str
    external: bool
    state: State
    by: str = ""
    at: int = 0
    until: int = 0


def new_code() -> str:
    """Return a code that a person can read out and type."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def try_channels(home: Path, settings: AlertSettings, *, actor: str = "") -> dict[str, str]:
    """Send a code of its own to each channel of this machine; return by channel why it did not go out, "" where it did.

    Raises Refused where there is no channel.
    """
    channels = [one for one in settings.channel if here(one)]
    if not channels:
        raise Refused("No channel is set; name one in alerts.toml of the data folder, as docs/alerts.md shows.")
    return {one.name: _test(home, one, actor) for one in channels}


def _test(home: Path, channel: Channel, actor: str) -> str:
    code = new_code()
    body = f"This is a test. Give this code back with `aitrade alerts confirm {code}`; it proves that alerts reach you."
    failed = send(home, channel, "aitrade test alert", body, Severity.INFO)
    trial = Trial(channel.name, _hash(channel.url), _hash(code), failed)
    note(home, WHAT, channel.name, FAILED if failed else TESTED, trial, actor=actor)
    return failed


def confirm(home: Path, code: str, settings: AlertSettings, *, actor: str = "") -> Proven:
    """Record that a person received a code; raise Refused for one that was not sent, was used or no longer holds."""
    given, now = _hash(code.strip().upper().replace("-", "")), time.time_ns()
    sent = [one for one in noted(home, WHAT) if one.operation.outcome == TESTED and one.detail(Trial).code == given]
    used = any(one.operation.outcome == CONFIRMED and one.detail(Trial).code == given for one in noted(home, WHAT))
    if not sent:
        raise Refused("That code was not sent by `aitrade alerts test`; send a new one and type what arrives.")
    if used:
        raise Refused("That code has proven its channel already; `aitrade alerts test` sends a new one.")
    trial = sent[-1].detail(Trial)
    if now - sent[-1].at > settings.proof.valid_days * DAY:
        raise Refused(f"That code is older than {settings.proof.valid_days} days; run `aitrade alerts test` again.")
    if trial.address not in {_hash(one.url) for one in settings.channel if one.name == trial.channel}:
        raise Refused(f"Channel {trial.channel} has another address since; run `aitrade alerts test` again.")
    note(home, WHAT, trial.channel, CONFIRMED, trial, actor=actor)
    return next(one for one in proofs(home, settings, now) if one.channel == trial.channel)


def proofs(home: Path, settings: AlertSettings, now: int) -> list[Proven]:
    """Return how well each channel is proven at `now` (ns UTC), in the order of alerts.toml."""
    found = {
        (noted_.operation.name, noted_.detail(Trial).address): noted_
        for noted_ in noted(home, WHAT)
        if noted_.operation.outcome == CONFIRMED
    }
    rows = []
    for channel in settings.channel:
        last = found.get((channel.name, _hash(channel.url)))
        until = last.at + settings.proof.valid_days * DAY if last else 0
        state = State.NOT_HERE if not here(channel) else _state(until, now)
        by, at = (last.actor, last.at) if last else ("", 0)
        rows.append(Proven(channel.name, channel.external, state, by, at, until))
    return rows


def reaches_somebody(home: Path, settings: AlertSettings, now: int) -> bool:
    """Return whether a person away from this machine has confirmed a channel; live trading asks for one."""
    return any(one.external and one.state is State.CONFIRMED for one in proofs(home, settings, now))


def _state(until: int, now: int) -> State:
    if not until:
        return State.UNCONFIRMED
    return State.CONFIRMED if now <= until else State.EXPIRED


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
