"""No secret in a log: values under secret-looking names, and what looks like a credential inside any text."""

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "[redacted]"
_NAMES = re.compile(
    r"pass(word|wd|phrase|code)?$|secret|token|api_?key|access_?key|private_?key|master_?key|data_?key|credential"
    r"|authori[sz]ation|cookie|bearer|(^|_)(pin|otp|totp|pwd|key)$",
    re.IGNORECASE,
)
_IN_TEXT = (
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+(@)"), rf"\1{HIDDEN}\2"),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (
        re.compile(
            r"\b([\w-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|otp)[\w-]*[\"']?\s*[=:]\s*[\"']?)"
            r"(?!\[redacted\])[^\s\"'&,;]+",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
)


def secret_name(name: str) -> bool:
    """Return whether what stands under `name` is a secret by its look."""
    return bool(_NAMES.search(name))


def redacted(name: str, value: Any) -> Any:
    """Return `value` as it may be written under `name`, structures gone through; what is no plain value is its text."""
    if secret_name(name) and value not in (None, "", 0, False):
        return HIDDEN
    if isinstance(value, Mapping):
        return {str(key): redacted(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted("", inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return clean(value if isinstance(value, str) else str(value))


def clean(text: str) -> str:
    """Return `text` without credentials in it."""
    for pattern, instead in _IN_TEXT:
        text = pattern.sub(instead, text)
    return text
