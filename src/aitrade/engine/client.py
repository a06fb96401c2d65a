"""How everything else talks to the running engine: commands, the page's controls, tests."""

import http.client
import uuid
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlencode

import msgspec

from aitrade.brokers.venue import VenueOrder
from aitrade.core.errors import OrderRefused, Refused, Unreachable
from aitrade.core.instruments import Instrument
from aitrade.core.orders import OrderRequest
from aitrade.core.quotes import Bar, Depth
from aitrade.engine.messages import (
    EmergencyReport,
    Health,
    OrderRow,
    Performance,
    Placed,
    PositionRow,
    Preview,
    Problem,
    Profile,
    Reconciled,
    Refusals,
    Snapshot,
    Terms,
)
from aitrade.intelligence.btst import Btst
from aitrade.options.chain import Chain

T = TypeVar("T")
_encode = msgspec.json.Encoder().encode


class Address(msgspec.Struct, frozen=True):
    """Where a running engine listens, as it wrote it into run/engine.json."""

    port: int
    pid: int
    book: str


class RefusedByEngine(OrderRefused):
    """The engine refused; `problems` has each rule and its sentence."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(" ".join(problem.text for problem in problems))
        self.problems = problems


class EngineClient:
    """A client over one kept-alive loopback connection; not for use from several threads at once."""

    def __init__(
        self, port: int, token: str, *, actor: str = "trader", role: str = "trader", seconds: float = 10
    ) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "X-Actor": actor,
            "X-Role": role,
            "X-Session": uuid.uuid4().hex,
        }

    @classmethod
    def of(cls, home: Path, **more: Any) -> "EngineClient":
        """Return a client of the engine that runs on a data folder; raise Unreachable when none does."""
        try:
            address = msgspec.json.decode((home / "run" / "engine.json").read_bytes(), type=Address)
            token = (home / "run" / "token").read_text()
        except FileNotFoundError:
            raise Unreachable("No engine runs on this data folder; start one with `aitrade up`.") from None
        return cls(address.port, token, **more)

    def __enter__(self) -> Self:
        """Use the client for a while."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def snapshot(self) -> Snapshot:
        """Return everything that a page begins with."""
        return self._ask("GET", "/snapshot", Snapshot)

    def health(self) -> Health:
        """Return how the engine is."""
        return self._ask("GET", "/health", Health)

    def search(self, text: str, limit: int = 30) -> list[Instrument]:
        """Return instruments of the day that match `text`."""
        return self._ask("GET", f"/instruments?{urlencode({'q': text, 'limit': limit})}", list[Instrument])

    def history(self, instrument: str, minutes: int = 1, count: int = 375, before: int = 0) -> list[Bar]:
        """Return bars, oldest first, the forming one last; `minutes` 1440 is a day bar."""
        query = urlencode({"instrument": instrument, "minutes": minutes, "count": count, "before": before})
        return self._ask("GET", f"/history?{query}", list[Bar])

    def depth(self, instrument: str) -> Depth:
        """Return the book's levels at the last print."""
        return self._ask("GET", f"/depth?{urlencode({'instrument': instrument})}", Depth)

    def chain(self, underlying: str, expiry: str = "") -> Chain:
        """Return an option chain; an empty expiry is the nearest."""
        return self._ask("GET", f"/chain?{urlencode({'underlying': underlying, 'expiry': expiry})}", Chain)

    def underlyings(self) -> list[str]:
        """Return the keys of what has options today, indices first."""
        return self._ask("GET", "/underlyings", list[str])

    def btst(self) -> Btst:
        """Return the BTST list, or that it is locked."""
        return self._ask("GET", "/btst", Btst)

    def performance(self) -> Performance:
        """Return the book's record."""
        return self._ask("GET", "/performance", Performance)

    def orders(self) -> list[OrderRow]:
        """Return the day's orders."""
        return self._ask("GET", "/orders", list[OrderRow])

    def positions(self) -> list[PositionRow]:
        """Return the day's positions."""
        return self._ask("GET", "/positions", list[PositionRow])

    def preview(self, request: OrderRequest) -> Preview:
        """Return what an order would cost and why it would be refused."""
        return self._ask("POST", "/preview", Preview, request)

    def place(self, request: OrderRequest) -> Placed:
        """Place an order; raise RefusedByEngine with every broken rule."""
        return self._ask("POST", "/orders", Placed, request)

    def basket(self, requests: list[OrderRequest]) -> list[Placed]:
        """Place several orders; all pass the checks or none is sent."""
        return self._ask("POST", "/baskets", list[Placed], requests)

    def preview_basket(self, requests: list[OrderRequest]) -> Preview:
        """Return what a basket would cost, its legs margined together, and why it would be refused."""
        return self._ask("POST", "/baskets/preview", Preview, requests)

    def modify(self, order_id: str, terms: Terms) -> OrderRow:
        """Ask for new terms."""
        return self._ask("PUT", f"/orders/{order_id}", OrderRow, terms)

    def cancel(self, order_id: str) -> OrderRow:
        """Ask for a cancellation."""
        return self._ask("DELETE", f"/orders/{order_id}", OrderRow)

    def cancel_all(self) -> dict[str, int]:
        """Ask for the cancellation of everything that works."""
        return self._ask("DELETE", "/orders", dict[str, int])

    def square_off(self, instrument: str = "", product: str = "") -> list[Placed]:
        """Send exits for a position, or for all."""
        return self._ask("POST", "/square_off", list[Placed], {"instrument": instrument, "product": product})

    def convert(self, instrument: str, product: str, to: str, quantity: int) -> PositionRow:
        """Change the product of units of a position."""
        body = {"instrument": instrument, "product": product, "to": to, "quantity": quantity}
        return self._ask("POST", "/convert", PositionRow, body)

    def emergency_stop(self, reason: str) -> EmergencyReport:
        """Stop strategies, halt, cancel everything; positions stay."""
        return self._ask("POST", "/emergency_stop", EmergencyReport, {"reason": reason})

    def set_trading(self, verb: str, reason: str) -> dict[str, str]:
        """`halt`, `reduce` or `resume`."""
        return self._ask("POST", f"/{verb}", dict[str, str], {"reason": reason})

    def start_strategy(self, name: str, instruments: list[str], quantity: int, **parameters: int) -> Any:
        """Start a strategy."""
        body = {"instruments": instruments, "quantity": quantity, "parameters": parameters}
        return self._ask("POST", f"/strategies/{name}/start", dict[str, Any], body)

    def stop_strategy(self, name: str) -> Any:
        """Stop a strategy; its positions stay."""
        return self._ask("POST", f"/strategies/{name}/stop", dict[str, Any])

    def set_speed(self, *, speed: int | None = None, paused: bool | None = None) -> Any:
        """Change the market's speed (0 is as fast as it goes) or pause it."""
        body = {key: value for key, value in (("speed", speed), ("paused", paused)) if value is not None}
        return self._ask("POST", "/speed", dict[str, Any], body)

    def stop_feed(self, *, stopped: bool) -> dict[str, bool]:
        """Let no price into a scratch engine (`aitrade up --drill`), or let them in again."""
        return self._ask("POST", "/drill/feed", dict[str, bool], {"stopped": stopped})

    def jump(self, to: str) -> Any:
        """Run forward to a time of the market day, such as 14:15."""
        return self._ask("POST", "/jump", dict[str, Any], {"to": to})

    def venue_orders(self) -> list[VenueOrder]:
        """Return the day's orders as the venue's own book has them."""
        return self._ask("GET", "/venue_orders", list[VenueOrder])

    def reconcile(self) -> Reconciled:
        """Connect to the venue anew and compare its orders with the book's."""
        return self._ask("POST", "/reconcile", Reconciled)

    def shed(self, seconds: float) -> dict[str, float]:
        """Send pages fewer frames for a while; 0 ends it."""
        return self._ask("POST", "/shed", dict[str, float], {"seconds": seconds})

    def profile(self, seconds: float = 1.0) -> Profile:
        """Return what the engine's threads do, sampled for `seconds`."""
        return self._ask("GET", f"/profile?seconds={seconds:g}", Profile)

    def shutdown(self) -> Any:
        """Stop the engine cleanly; the answer says what stays open."""
        return self._ask("POST", "/shutdown", dict[str, Any])

    def metrics(self) -> str:
        """Return the metrics as Prometheus text."""
        return self._send("GET", "/metrics", None)[1].decode()

    def _ask(self, method: str, path: str, answer: type[T] | Any, body: Any = None) -> T:
        status, data = self._send(method, path, body)
        if status >= HTTPStatus.BAD_REQUEST:
            raise self._problem(status, data)
        decoded: T = msgspec.json.decode(data, type=answer)
        return decoded

    def _send(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        try:
            self._connection.request(method, path, _encode(body) if body is not None else None, self._headers)
            response = self._connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise Unreachable(f"The engine does not answer ({error}); start it with `aitrade up`.") from error

    @staticmethod
    def _problem(status: int, data: bytes) -> Exception:
        try:
            problems = msgspec.json.decode(data, type=Refusals).problems
        except msgspec.DecodeError:
            return Refused(f"The engine answered {status}: {data[:200].decode(errors='replace')}")
        return RefusedByEngine(problems)
