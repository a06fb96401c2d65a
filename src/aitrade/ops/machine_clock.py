"""Whether the machine's clock is kept in step with network time: asked of the operating system, not of the network."""

import ctypes
import struct
import sys
from typing import NamedTuple

_SIZE = 512
"""More than `struct timex` takes anywhere."""
_OFFSET, _MOST_ERROR, _STATUS = 8, 24, 40
"""Where its fields lie on 64-bit Linux: offset, maxerror (both long), status (int); adjtimex(2)."""
_UNSYNCHRONISED, _NANOSECONDS = 0x0040, 0x2000


class MachineClock(NamedTuple):
    """What the kernel knows. `offset_ms` is the correction that is still to be made, None where nobody knows."""

    synchronised: bool | None
    offset_ms: float | None
    says: str


def machine_clock() -> MachineClock:
    """Return how the machine's clock is kept."""
    if not sys.platform.startswith("linux") or struct.calcsize("P") != 8:  # noqa: PLR2004 - bytes of a 64-bit pointer
        return MachineClock(None, None, "this system does not say whether its clock follows network time")
    answer = ctypes.create_string_buffer(_SIZE)
    if ctypes.CDLL(None, use_errno=True).adjtimex(answer) < 0:
        return MachineClock(None, None, "the kernel does not tell how its clock is kept")
    return read(answer.raw)


def read(timex: bytes) -> MachineClock:
    """Return what a `struct timex` says."""
    (offset,) = struct.unpack_from("@q", timex, _OFFSET)
    (status,) = struct.unpack_from("@i", timex, _STATUS)
    if status & _UNSYNCHRONISED:
        return MachineClock(False, None, "the clock follows no network time: switch a time service on")
    milliseconds = offset / (1e6 if status & _NANOSECONDS else 1e3)
    return MachineClock(True, milliseconds, f"the clock follows network time, {milliseconds:+.3f} ms to correct")
