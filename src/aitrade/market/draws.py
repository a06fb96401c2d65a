"""Random numbers that are functions of their names, not of the order in which they are asked for.

A draw is a hash of (seed, names): whoever asks for minute 200 of an instrument gets the same numbers whether or not
minutes 0..199, or other instruments, were asked for before. The mixing step is SplitMix64 (Steele, Lea and Flood,
"Fast splittable pseudorandom number generators", OOPSLA 2014). Same machine, same numbers; across machines the last
bits of log and cos may differ.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Key = int | str | Ints | Words | Sequence[int]

_GOLDEN = np.array([0x9E3779B97F4A7C15], np.uint64)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def word(text: str) -> int:
    """Return 63 bits that stand for `text`, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def _words(key: Key) -> Words:
    if isinstance(key, str):
        key = word(key)
    return np.atleast_1d(np.asarray(key)).astype(np.uint64)


def _mix(words: Words) -> Words:
    words = (words ^ (words >> np.uint64(30))) * _FIRST
    words = (words ^ (words >> np.uint64(27))) * _SECOND
    return words ^ (words >> np.uint64(31))


def stream(*keys: Key) -> Words:
    """Return the hash of `keys`, broadcast against each other: one word an element, each a name for more draws."""
    state = _GOLDEN
    for key in keys:
        state = _mix(state * _FIRST + _words(key) + _GOLDEN)
    return state


def uniform(*keys: Key) -> Floats:
    """Return one number in (0, 1) for each element of the broadcast `keys`."""
    return ((stream(*keys) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def normal(*keys: Key) -> Floats:
    """Return one standard normal number for each element of the broadcast `keys` (Box and Muller, 1958)."""
    named = stream(*keys)
    return np.sqrt(-2.0 * np.log(uniform(named, 1))) * np.cos(2.0 * np.pi * uniform(named, 2))
