"""Files that are ours alone: locks that end with their process, and files that only their owner reads."""

import os
import sys
from pathlib import Path
from typing import Self, TextIO

from aitrade.core.errors import Conflict


class FileLock:
    """Holds a file for one process; the operating system lets go when the process ends, however it ends."""

    def __init__(self, path: Path, *, wait: bool = False, taken: str = "") -> None:
        """Take the lock, waiting for it or not; raise Conflict saying `taken` when another process holds it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: TextIO = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "a+")
        try:
            _lock(self._file, wait=wait)
        except OSError:
            self._file.close()
            raise Conflict(taken or f"Another process holds {path}; wait for it, or stop it.") from None

    def __enter__(self) -> Self:
        """Hold the lock for a while."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Let go."""
        self.release()

    def release(self) -> None:
        """Let go."""
        self._file.close()


def held(path: Path) -> bool:
    """Return whether another process holds the lock of a file."""
    try:
        FileLock(path).release()
    except Conflict:
        return True
    return False


def _lock(file: TextIO, *, wait: bool) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def write_private(path: Path, data: str | bytes, *, durable: bool = False) -> None:
    """Write a file that only its owner can read, replacing it in one step; `durable` waits until it is on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    temporary.replace(path)
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the folder's names are on disk; Windows does so by itself."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
