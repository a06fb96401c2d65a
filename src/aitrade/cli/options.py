"""Options and error handling that commands share."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from aitrade.core.errors import AitradeError

F = TypeVar("F", bound=Callable[..., Any])
REFUSED = 2
"""Exit status of a refusal."""

data_folder = click.option(
    "--data-folder",
    "home",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="AITRADE_HOME",
    help="Data folder; the default is the user's own.",
)


def kind(command: F) -> F:
    """Turn an AitradeError into one sentence on standard error and exit status 2."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except AitradeError as error:
            click.echo(str(error), err=True)
            raise SystemExit(REFUSED) from None

    return run  # type: ignore[return-value]
