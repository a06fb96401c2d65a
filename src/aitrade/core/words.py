"""Words of the trade as constants: what every enumeration of this package is made of."""

from enum import StrEnum


class Word(StrEnum):
    """A word that equals its text and is hashed as it: an Enum hashes its name, in Python, on every look-up."""

    __hash__ = str.__hash__
