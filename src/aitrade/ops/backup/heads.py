"""Where a journal stands, and the engine's state that it leads to: what two copies of a book are compared by."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from aitrade.compliance.journal import HEADER, Frame, frames, segments
from aitrade.compliance.operations import BOOK
from aitrade.engine.state import Book, State
from aitrade.ops.backup.shelf import BookHead


def head_of(book: str, folder: Path, sizes: Mapping[Path, int] | None = None) -> BookHead:
    """Return where a journal stands, as recovery reads it: the newest segment, from its snapshot on.

    With `sizes`, only those segments count, and of each only so many bytes. Raises JournalBroken where one is damaged.
    """
    known = dict(sizes) if sizes is not None else {path: path.stat().st_size for path in segments(folder)}
    for path in sorted(known, reverse=True):
        if known[path] > HEADER.size:
            state, newest = _replayed(path, known[path], keep=book != BOOK)
            if newest is not None:
                return _head(book, state, newest)
    return BookHead(book=book, seq=0, head="", wall=0)


def _replayed(path: Path, size: int, *, keep: bool) -> tuple[Book, Frame | None]:
    state, newest = Book(), None
    for frame in frames(path):
        newest = frame
        if keep:
            state.restore(frame.record)
        if frame.end >= size:
            break
    return state, newest


def _head(book: str, replayed: Book, newest: Frame) -> BookHead:
    state, record = replayed.state, newest.record
    if book == BOOK:
        return BookHead(book=book, seq=record.seq, head=newest.head.hex(), wall=record.wall)
    return BookHead(
        book=book, seq=record.seq, head=newest.head.hex(), wall=record.wall, state=_digest(state),
        orders=len(state.orders),
        cash=state.opening + state.realised + state.day.realised - sum(state.day.charges),
    )  # fmt: skip


def _digest(state: State) -> str:
    return hashlib.sha256(msgspec.msgpack.encode(state)).hexdigest()
