"""`aitrade restore`: bring a data folder back, to its newest record or to a moment."""

from datetime import datetime
from pathlib import Path

import click

from aitrade.cli.backup import absent, books
from aitrade.cli.options import data_folder, kind
from aitrade.cli.vault import secret_from
from aitrade.core.clock import IST
from aitrade.core.config import load
from aitrade.core.errors import Refused


@click.command()
@click.argument("backup_id", required=False, default="")
@click.option(
    "--to",
    "moment",
    help='Stop at this moment of the machine\'s clock, IST: "2026-03-27 14:05:00", or with a fraction.',
)
@click.option(
    "--from", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where the backups lie, when the configuration is lost.",
)  # fmt: skip
@click.option("--key-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Key file of the vault.")
@click.option("--passphrase", is_flag=True, help="Ask for the vault's passphrase.")
@click.option("--recovery", is_flag=True, help="Ask for the offline recovery key: nothing else is needed.")
@data_folder
@kind
def restore(
    backup_id: str, moment: str | None, folder: Path | None, key_file: Path | None, *, passphrase: bool,
    recovery: bool, home: Path | None,
) -> None:  # fmt: skip
    """Bring the data folder back from BACKUP_ID (the newest) and the copies of the journals.

    All of it is rebuilt and verified first; what is there now is then moved into archive/, never overwritten.
    """
    from aitrade.ops.backup.restoring import restore as bring_back

    at = load(home=home).home
    restored = bring_back(
        at, backup_id, to=_moment(moment), folder=folder, key_file=key_file,
        passphrase=secret_from("Passphrase of the vault") if passphrase else "",
        recovery=secret_from("Recovery key") if recovery else "",
    )  # fmt: skip
    books(restored.books)
    if restored.resumed:
        click.echo("\nThis ended a restore that was cut off; run `aitrade restore` again for a newer state.")
    click.echo(f"\nRestored from {restored.backup} in {restored.seconds} s; {restored.from_copies:,} bytes of journal "
               "came from the copies.")  # fmt: skip
    if restored.filled_from:
        click.echo(f"Reports, market data and the rest came from {restored.filled_from}, where they were not there.")
    if restored.unfilled:
        click.echo(f"Passed over for those: {restored.unfilled}", err=True)
    absent(restored.left_out)
    for sentence in restored.passed_over:
        click.echo(sentence, err=True)
    if restored.to:
        click.echo(
            "Later backups are of a past that is no longer this one: `aitrade up` makes a new one "
            "within a minute, `aitrade backup run` at once."
        )
    if restored.trouble:
        click.echo(restored.trouble, err=True)
    if restored.set_aside:
        click.echo(f"What was there lies in {at / restored.set_aside}")


def _moment(text: str | None) -> int:
    if not text:
        return 0
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f'{text!r} is not a moment; write it as "2026-03-27 14:05:00.250" (IST).') from None
    seconds = int(found.replace(microsecond=0, tzinfo=found.tzinfo or IST).timestamp())
    return seconds * 10**9 + (found.microsecond * 1000 + 999 if "." in text else 10**9 - 1)
