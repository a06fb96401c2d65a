"""Backups of a data folder: made while it trades, sealed, checked, rotated, and brought back to any moment."""

from aitrade.ops.backup.making import run
from aitrade.ops.backup.shelf import Backup, last, listed

__all__ = ["Backup", "last", "listed", "run"]
