"""Plants secrets in copies, to see that the search for hard-coded ones finds them."""

import base64
import os
import secrets
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec

from aitrade.ops import secret_scan


def planted_lines() -> list[str]:
    """Return lines with secrets of several kinds, made up anew each time.

    The password begins with a letter: detect-secrets takes a word that begins with a dash for no secret.
    """
    token = f"t{secrets.token_urlsafe(24)}"
    return [
        f'api_password = "{token}"',
        f'aws = "AKIA{base64.b32encode(os.urandom(10)).decode()}"',
        "-----BEGIN " + "RSA PRIVATE KEY-----",
    ]


def plant(scratch: Path, parts: list[str], lines: Callable[[], list[str]]) -> None:
    """Write lines into a copied module, a notebook, a configuration file, and a commit that another undoes."""
    module = Path(secret_scan.__file__).read_text("utf-8")
    for part, name, dressed in (
        ("package", "copy.py", lambda text: module + text),
        ("notebooks", "copy.ipynb", _notebook),
        ("configuration", "aitrade.toml", str),
    ):
        (scratch / part).mkdir(parents=True)
        (scratch / part / name).write_text(dressed(_text(lines())), "utf-8")
    if "history" in parts:
        _undone_commit(scratch / "history", _text(lines()))


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _notebook(text: str) -> str:
    cell = {"cell_type": "code", "source": [text], "outputs": [], "metadata": {}, "execution_count": None}
    return msgspec.json.encode({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).decode()


def _undone_commit(folder: Path, text: str) -> None:
    folder.mkdir()
    git(folder, "init", "-q")
    for content, message in ((text, "plant"), ("", "undo")):
        (folder / "copy.py").write_text(content, "utf-8")
        git(folder, "add", "copy.py")
        git(folder, "-c", "user.name=preflight", "-c", "user.email=preflight@localhost", "commit", "-q", "-m", message)


def git(folder: Path, *arguments: str) -> bool:
    """Run git, without this user's own settings; return whether there is a git and it did so."""
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    folder.mkdir(parents=True, exist_ok=True)
    try:
        command = ["git", *arguments]
        return subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True).returncode == 0  # noqa: S603 - git, in a scratch folder
    except FileNotFoundError:
        return False
