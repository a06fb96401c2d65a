"""The channels: one message to one of them by apprise, its secrets out of the vault only while it is sent."""

import importlib.util
import logging
import sys
import threading
import warnings
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aitrade.core.errors import AitradeError
from aitrade.ops.alerts.alert import Severity
from aitrade.ops.alerts.settings import DESKTOP, HELD, Channel

_KIND = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.CRITICAL: "failure"}
_DESKTOPS = {"win32": "windows://", "darwin": "macosx://"}
_LOADING = threading.Lock()


def here(channel: Channel) -> bool:
    """Return whether this machine can use a channel at all; a server without a desktop has no notifications."""
    return channel.url != DESKTOP or sys.platform in _DESKTOPS or importlib.util.find_spec("dbus") is not None


def send(home: Path, channel: Channel, title: str, body: str, severity: Severity) -> str:
    """Send a message; return "" when the channel took it, else why not, without any secret."""
    try:
        secrets = _secrets(home, channel.url)
    except (AitradeError, OSError) as error:
        return str(error)
    apprise = loaded_apprise()
    with apprise.LogCapture(level=30, fmt="%(message)s") as said:
        sender = apprise.Apprise()
        taken = sender.add(_address(channel, secrets)) and sender.notify(
            body=body, title=title, notify_type=_KIND[severity]
        )
        words = said.getvalue().strip().splitlines()
    return "" if taken else _without(secrets, words[-1] if words else "It was not taken, and nothing says why.")


def with_secrets(home: Path, url: str) -> str:
    """Return an address with the vault's secrets in place of their {names}; raise Refused where one is not there."""
    return _filled(url, _secrets(home, url))


def _address(channel: Channel, secrets: dict[str, str]) -> str:
    return _DESKTOPS.get(sys.platform, "dbus://") if channel.url == DESKTOP else _filled(channel.url, secrets)


def _filled(url: str, secrets: dict[str, str]) -> str:
    """A secret that is the whole address stands as it is; inside one it is written as URLs want it."""
    whole = HELD.fullmatch(url)
    return secrets[whole[1]] if whole else HELD.sub(lambda name: quote(secrets[name[1]], safe=":"), url)


def _secrets(home: Path, url: str) -> dict[str, str]:
    names = HELD.findall(url)
    if not names:
        return {}
    from aitrade.store.vault import Vault

    vault = Vault.open(home)
    return {name: vault.read(name) for name in names}


def _without(secrets: dict[str, str], words: str) -> str:
    for secret in secrets.values():
        for form in (secret, quote(secret, safe=":"), quote(secret, safe="")):
            words = words.replace(form, "•••")
    return words


@cache
def _loaded() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its plugins import modules that Python deprecates
        import apprise

        apprise.Apprise.instantiate("json://localhost")
    for name in ("apprise", "urllib3"):
        logging.getLogger(name).propagate = False  # their lines hold addresses, and addresses hold secrets
        logging.getLogger(name).addHandler(logging.NullHandler())
    return apprise


def loaded_apprise() -> Any:
    """Return apprise, loaded once: its first use takes a second, which the first alert must not wait for."""
    with _LOADING:
        return _loaded()
