"""DPAPI: Windows encrypts for the account that asks (CryptProtectData, dpapi.h), with nothing to type after a boot."""

import ctypes
import sys
from ctypes import POINTER, byref, c_char, c_char_p, c_uint32, c_void_p, c_wchar_p

from aitrade.core.errors import Refused

UI_FORBIDDEN = 0x1
"""CRYPTPROTECT_UI_FORBIDDEN: a service has no desktop to ask on."""
PURPOSE = b"aitrade vault"


class _Blob(ctypes.Structure):
    _fields_ = (("size", c_uint32), ("data", POINTER(c_char)))


def protect(key: bytes) -> bytes:
    """Return the key encrypted for this account on this machine; raise OSError with Windows' reason."""
    sealed = _call("CryptProtectData", key)
    if sealed is None:
        raise OSError(ctypes.get_last_error(), "CryptProtectData encrypted nothing")  # type: ignore[attr-defined, unused-ignore]
    return sealed


def unprotect(stored: bytes) -> bytes | None:
    """Return the key, or None where another account or machine encrypted it."""
    return _call("CryptUnprotectData", stored)


def _call(function: str, data: bytes) -> bytes | None:
    if sys.platform != "win32":
        raise Refused("DPAPI is Windows' own; use `aitrade vault protect key-file` or `systemd` here.")
    crypt, kernel = ctypes.WinDLL("crypt32", use_last_error=True), ctypes.WinDLL("kernel32")
    call = getattr(crypt, function)
    call.argtypes = (
        POINTER(_Blob), c_wchar_p, POINTER(_Blob), c_void_p, c_void_p, c_uint32, POINTER(_Blob),
    )  # fmt: skip
    result = _Blob()
    if not call(byref(_blob(data)), None, byref(_blob(PURPOSE)), None, None, UI_FORBIDDEN, byref(result)):
        return None
    try:
        return ctypes.string_at(result.data, result.size)
    finally:
        kernel.LocalFree.argtypes = (c_void_p,)
        kernel.LocalFree(result.data)


def _blob(data: bytes) -> _Blob:
    return _Blob(len(data), ctypes.cast(c_char_p(data), POINTER(c_char)))
