"""`aitrade alerts`: what stands, who has seen it, which rules hold, and whether the channels reach anybody."""

import getpass
import time
from pathlib import Path

import click

from aitrade.cli.options import data_folder, kind
from aitrade.cli.trading import table
from aitrade.core.clock import ist
from aitrade.core.config import load
from aitrade.ops.alerts import Alert, acknowledge, standing
from aitrade.ops.alerts.book import book_of
from aitrade.ops.alerts.proof import confirm, proofs, try_channels
from aitrade.ops.alerts.settings import AlertSettings, Rule

FAILED = 1
"""Exit status when a channel did not take the test."""


@click.group()
def alerts() -> None:
    """See, acknowledge and test alerts."""


@alerts.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are over, too.")
@data_folder
@kind
def list_alerts(*, everything: bool, home: Path | None) -> None:
    """Print the alerts that stand, the worst first."""
    folder = load(home=home).home
    found = book_of(folder).all() if everything else standing(folder)
    if not found:
        click.echo("No alert stands.")
        return
    table([_row(alert) for alert in found], ("id", "raised (IST)", "severity", "rule", "state", "what"))


def _row(alert: Alert) -> tuple[str, ...]:
    times = f" ({alert.count} times)" if alert.count > 1 else ""
    raised = f"{ist(alert.raised):%d %b %H:%M:%S}"
    return str(alert.id), raised, alert.severity, alert.rule, _state(alert), alert.text + times


def _state(alert: Alert) -> str:
    if alert.resolved:
        return "over"
    if alert.acknowledged:
        return f"seen by {alert.acknowledged_by}"
    return "stands" if alert.sent or not alert.failed else "stands, not sent"


@alerts.command("ack")
@click.argument("number", type=int)
@click.option("--reason", default="", help="What you do about it, for the record.")
@data_folder
@kind
def ack(number: int, reason: str, home: Path | None) -> None:
    """Acknowledge alert NUMBER: you have seen it and take care of it."""
    alert = acknowledge(load(home=home).home, number, actor=getpass.getuser(), reason=reason)
    after = "it stands until its cause is gone." if alert.stands else "it is closed."
    click.echo(f"Alert {number} ({alert.rule}) is acknowledged by {alert.acknowledged_by}; {after}")


@alerts.command("test")
@data_folder
@kind
def test_alerts(home: Path | None) -> None:
    """Send a code to every channel; give back what arrives with `aitrade alerts confirm CODE`."""
    folder = load(home=home).home
    answers = try_channels(folder, AlertSettings.load(folder), actor=getpass.getuser())
    for name, why in answers.items():
        click.echo(f"{name}: not sent: {why}" if why else f"{name}: sent; give its code back to prove it arrived")
    if any(answers.values()):
        raise SystemExit(FAILED)


@alerts.command("confirm")
@click.argument("code")
@data_folder
@kind
def confirm_code(code: str, home: Path | None) -> None:
    """Say that CODE arrived: its channel counts as proven for seven days."""
    folder = load(home=home).home
    proven = confirm(folder, code, AlertSettings.load(folder), actor=getpass.getuser())
    click.echo(f"Channel {proven.channel} is confirmed by {proven.by} until {ist(proven.until):%d %b %Y %H:%M} IST.")


@alerts.command()
@data_folder
@kind
def channels(home: Path | None) -> None:
    """Print the channels and how well each is proven."""
    folder = load(home=home).home
    settings = AlertSettings.load(folder)
    rows = [
        (
            one.channel, "a person" if one.external else "this machine", one.state, one.by,
            f"{ist(one.until):%d %b %H:%M}" if one.until else "",
        )
        for one in proofs(folder, settings, time.time_ns())
    ]  # fmt: skip
    table(rows, ("channel", "reaches", "state", "by", "until (IST)"))


@alerts.command()
@data_folder
@kind
def rules(home: Path | None) -> None:
    """Print the rules in force; exit status 2 names what is wrong with alerts.toml."""
    settings = AlertSettings.load(load(home=home).home)
    table([_rule(name, rule) for name, rule in settings.rules.items()], ("rule", "raised when", "severity", "on"))


def _rule(name: str, rule: Rule) -> tuple[str, ...]:
    way = "above" if rule.above is not None else "below"
    lasting = f" for {rule.for_s:g} s" if rule.for_s else ""
    hours = " in market hours" if rule.when == "market" else ""
    return name, f"{rule.watches} {way} {rule.limit:g}{lasting}{hours}", rule.severity, "on" if rule.on else "off"
