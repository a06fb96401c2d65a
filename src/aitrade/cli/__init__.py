"""The `aitrade` command: subcommands are imported when they are called, so that each starts fast."""

from importlib import import_module

import click

from aitrade import __version__

COMMANDS = {
    "alerts": "aitrade.cli.alerts:alerts",
    "audit": "aitrade.cli.audit:audit",
    "backup": "aitrade.cli.backup:backup",
    "bench": "aitrade.cli.bench:bench",
    "book": "aitrade.cli.book:book",
    "data": "aitrade.cli.data:data",
    "errors": "aitrade.cli.monitoring:errors",
    "halt": "aitrade.cli.trading:halt",
    "incident": "aitrade.cli.incident:incident",
    "health": "aitrade.cli.monitoring:health",
    "lab": "aitrade.cli.lab:lab",
    "maintain": "aitrade.cli.maintain:maintain",
    "model": "aitrade.cli.model:model",
    "open": "aitrade.cli.up:open_page",
    "order": "aitrade.cli.trading:order",
    "positions": "aitrade.cli.trading:positions",
    "preflight": "aitrade.cli.preflight:preflight",
    "prometheus": "aitrade.cli.monitoring:prometheus",
    "reduce": "aitrade.cli.trading:reduce",
    "report": "aitrade.cli.report:report",
    "restore": "aitrade.cli.restore:restore",
    "resume": "aitrade.cli.trading:resume",
    "stop": "aitrade.cli.up:stop",
    "store": "aitrade.cli.store:store",
    "service": "aitrade.cli.service:service",
    "up": "aitrade.cli.up:up",
    "update": "aitrade.cli.update:update",
    "vault": "aitrade.cli.vault:vault",
}
"""Command to where its click object lives."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the commands' names, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """Import and return a command, or None for a name that there is not."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aitrade")
def main() -> None:
    """Trade, research and operate on the Indian markets."""
