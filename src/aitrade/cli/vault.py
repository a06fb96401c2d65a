"""`aitrade vault`: keep, list, rotate and remove secrets. They are typed or piped in, and never shown again."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from aitrade.cli.options import data_folder, kind
from aitrade.cli.trading import table
from aitrade.compliance.operations import note
from aitrade.core.clock import ist
from aitrade.core.config import load
from aitrade.core.errors import Refused
from aitrade.store.vault import METHODS, SEALING_KEY, Vault
from aitrade.store.vault_file import path_of


class Given:
    """What opens the vault, as the command line says: nothing means whatever key answers without asking."""

    def __init__(self, home: Path, key_file: Path | None, *, passphrase: bool, recovery: bool) -> None:
        self.home = home
        self.key_file = key_file
        self._passphrase = passphrase
        self._recovery = recovery

    def opened(self) -> Vault:
        """Open the vault, asking for what is to be typed."""
        passphrase = secret_from("Passphrase of the vault") if self._passphrase else ""
        recovery = secret_from("Recovery key") if self._recovery else ""
        return Vault.open(self.home, passphrase=passphrase, key_file=self.key_file, recovery=recovery)

    def opened_or_made(self) -> Vault:
        """Open the vault, or make the first one."""
        if path_of(self.home).exists():
            return self.opened()
        if self._recovery:
            raise Refused("There is no vault yet for a recovery key to open; leave --recovery out.")
        passphrase = secret_from("New passphrase of the vault", again=True) if self._passphrase else ""
        vault = Vault.create(self.home, passphrase=passphrase, key_file=self.key_file)
        click.echo(f"Made the vault {path_of(self.home)}, opened by {vault.opened_by}.")
        note(self.home, "vault", "vault", "made")
        return vault


def secret_from(prompt: str, *, again: bool = False, last: bool = False) -> str:
    """Ask for a secret without showing it, or take one line of standard input; raise Refused for an empty one.

    After the `last` one nothing may follow: of a file of many lines the first would be kept, and the rest lost.
    """
    if sys.stdin.isatty():
        return str(click.prompt(prompt, hide_input=True, confirmation_prompt=again, err=True))
    try:
        line = sys.stdin.readline().rstrip("\r\n")
        line.encode()
    except UnicodeError:
        raise Refused(f"{prompt} is no text; pipe bytes in as text, by `base64 -w0`.") from None
    if not line:
        raise Refused(f"{prompt}: standard input holds no line for it; type it, or pipe it in.")
    if last and sys.stdin.read().strip():
        raise Refused(f"{prompt} is one line and more came: nothing was kept; pipe a file in as one, by `base64 -w0`.")
    return line


def opens(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that open the vault, as one argument `given`."""

    @click.option("--key-file", type=click.Path(dir_okay=False, path_type=Path), help="Open with this key file.")
    @click.option("--passphrase", is_flag=True, help="Ask for the passphrase.")
    @click.option("--recovery", is_flag=True, help="Ask for the offline recovery key.")
    @data_folder
    @kind
    @wraps(command)
    def run(key_file: Path | None, passphrase: bool, recovery: bool, home: Path | None, **rest: Any) -> None:
        given = Given(load(home=home).home, key_file, passphrase=passphrase, recovery=recovery)
        command(given=given, **rest)

    return run


@click.group()
def vault() -> None:
    """Keep secrets, AES-256-GCM encrypted."""


@vault.command()
@click.argument("name")
@click.option("--purpose", default="", help="What it is for; shown in the list.")
@opens
def add(given: Given, name: str, purpose: str) -> None:
    """Keep a new secret as NAME; it is typed, or one line of standard input."""
    opened = given.opened_or_made()
    opened.add(name, purpose, secret_from(f"Secret {name}", again=True, last=True))
    note(given.home, "vault", name, "added")
    click.echo(f"The vault keeps {name}.")


@vault.command("list")
@opens
def list_names(given: Given) -> None:
    """List names, purposes and ages; secrets are not shown."""
    opened = given.opened()
    rows = [(entry.name, entry.purpose, _day(entry.added), _day(entry.changed)) for entry in opened.entries()]
    table(rows, ("name", "purpose", "added", "changed"))
    click.echo(f"\nOpens by: {', '.join(opened.methods())}. Opened now by: {opened.opened_by}.")


@vault.command()
@click.argument("name", required=False)
@opens
def rotate(given: Given, name: str | None) -> None:
    """Give NAME a new value; without NAME, replace the vault's own keys."""
    opened = given.opened()
    if name is None:
        opened.rotate()
    elif name == SEALING_KEY:
        opened.new_sealing_key()
    else:
        opened.read(name)
        opened.replace(name, secret_from(f"New secret {name}", again=True, last=True))
    note(given.home, "vault", name or "vault", "rotated")
    click.echo(f"Rotated {name or 'the keys of the vault; every secret is sealed anew'}.")
    if name is None:
        _tell_the_service(opened)


@vault.command()
@click.argument("name")
@opens
def remove(given: Given, name: str) -> None:
    """Remove NAME for good."""
    given.opened().remove(name)
    note(given.home, "vault", name, "removed")
    click.echo(f"Removed {name}.")


@vault.command()
@click.option("--check", is_flag=True, help="Try a recovery key instead of making a new one.")
@opens
def recovery(given: Given, check: bool) -> None:
    """Make the offline key, shown once: it opens the vault, and so every backup, with nothing else."""
    if check:
        Vault.open(given.home, recovery=secret_from("Recovery key"))
        note(given.home, "vault", "recovery", "checked")
        click.echo("That recovery key opens the vault.")
        return
    text = given.opened_or_made().new_recovery_key()
    note(given.home, "vault", "recovery", "made")
    click.echo("Write this down and keep it away from this machine; it is not shown again, and ends any older one:\n")
    click.echo(f"    {text}\n\nTry it: aitrade vault recovery --check")


@vault.command()
@click.argument("methods", nargs=-1, required=True, type=click.Choice(METHODS))
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), help="Where a new key file lies.")
@opens
def protect(given: Given, methods: tuple[str, ...], to: Path | None) -> None:
    """Open the vault by METHODS from now on, such as `keyring key-file`, and by the recovery key as before."""
    opened = given.opened()
    passphrase = secret_from("New passphrase of the vault", again=True) if "passphrase" in methods else ""
    opened.protect(methods, passphrase=passphrase, key_file=to)
    note(given.home, "vault", "vault", "protected", reason=", ".join(methods))
    click.echo(f"The vault opens by: {', '.join(opened.methods())}.")
    _tell_the_service(opened)


def _tell_the_service(opened: Vault) -> None:
    """Say that systemd gives a unit the credential of one number, and that this one is new."""
    if "systemd" in opened.methods():
        click.echo("The credential is a new one: run `aitrade service install --apply`, then restart the service.")


def _day(at: int) -> str:
    return f"{ist(at):%Y-%m-%d %H:%M}"
