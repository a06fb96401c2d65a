"""Who gets in: a link with a one-time token, exchanged for a short-lived cookie.

Links are made by whoever can read the key file of the data folder: its owner. A token is nonce.expiry.signature
(HMAC-SHA256); each is good once and for ten minutes. The cookie is signed, HttpOnly, SameSite=Strict and ends after a
trading day's hours.
"""

import hashlib
import hmac
import secrets
import time
from pathlib import Path
from typing import Any

from jupyter_server.auth.identity import IdentityProvider, User
from tornado.web import RequestHandler

from aitrade.core.errors import Unreachable
from aitrade.core.files import write_private

COOKIE = "aitrade"
LINK_SECONDS = 600
COOKIE_DAYS = 0.75
TRIES, WINDOW_SECONDS = 10, 60.0
"""Wrong links in a window before the door stays shut for the rest of it."""


class Door:
    """Makes and checks links; keeps what was used, and counts wrong ones."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._used: dict[str, float] = {}
        self._wrong: list[float] = []

    @classmethod
    def new(cls, path: Path) -> "Door":
        """Write a fresh key into `path`, readable by its owner only."""
        key = secrets.token_hex(32)
        write_private(path, key)
        return cls(key.encode())

    @classmethod
    def of(cls, path: Path) -> "Door":
        """Return the door of a running page server; raise Unreachable when none runs."""
        try:
            return cls(path.read_text().encode())
        except FileNotFoundError:
            raise Unreachable("No page runs on this data folder; start it with `aitrade up`.") from None

    def token(self) -> str:
        """Return a new one-time token."""
        body = f"{secrets.token_urlsafe(12)}.{int(time.time()) + LINK_SECONDS}"
        return f"{body}.{self._signed(body)}"

    def opens(self, token: str) -> bool:
        """Return whether `token` lets somebody in now; it does so once."""
        now = time.time()
        self._wrong = [at for at in self._wrong if now - at < WINDOW_SECONDS]
        if len(self._wrong) >= TRIES:
            return False
        if not self._is_good(token, now):
            self._wrong.append(now)
            return False
        self._used = {used: until for used, until in self._used.items() if until > now}
        self._used[token] = now + LINK_SECONDS
        return True

    def _is_good(self, token: str, now: float) -> bool:
        body, _dot, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signed(body).encode()):
            return False
        return float(body.rpartition(".")[2]) > now and token not in self._used

    def _signed(self, body: str) -> str:
        return hmac.new(self._key, body.encode(), "sha256").hexdigest()


def cookie_secret(path: Path) -> bytes:
    """Return the key that signs cookies, kept in `path` for its owner only: a log-in outlives the page server."""
    if not path.is_file():
        write_private(path, secrets.token_hex(32))
    return path.read_bytes()


class CookieIdentity(IdentityProvider):
    """Knows a visitor by the cookie that the log-in set, and by nothing else: no token in a header or an address."""

    token = ""
    need_token = False

    def get_user(self, handler: RequestHandler) -> User | None:
        """Return the visitor, or None."""
        name = handler.get_signed_cookie(COOKIE, max_age_days=COOKIE_DAYS)
        return User(username=name.decode()) if name else None

    def get_handlers(self) -> list[Any]:
        """Nothing of Jupyter's log-in is served."""
        return []

    def should_check_origin(self, handler: RequestHandler) -> bool:  # noqa: ARG002 - jupyter_server's signature
        """Return True: a request from another origin is refused."""
        return True


def session_of(handler: RequestHandler) -> str:
    """Return what names a visitor's log-in in the audit trail: of its cookie only a hash, which logs nobody in."""
    cookie = handler.get_cookie(COOKIE, "") or ""
    return hashlib.sha256(cookie.encode()).hexdigest()[:16]


def let_in(handler: RequestHandler, user: str) -> None:
    """Set the cookie that keeps `user` logged in."""
    handler.set_signed_cookie(COOKIE, user, expires_days=COOKIE_DAYS, httponly=True, samesite="Strict", path="/")
