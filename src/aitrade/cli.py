"""The `aitrade` command and the composition root: the only place that builds the whole from its parts."""

import click

from aitrade import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aitrade")
def main() -> None:
    """Trade, research and operate on the Indian markets."""
