"""Who gets in: each door of the page server, tried from outside, from another site, and with a log-in."""

import asyncio
import http.cookies
import json
import re
import subprocess
import sys

import aiohttp
import msgspec
import pytest

from aitrade.compliance.journal import frames, segments
from aitrade.ui.server import REFUSED, PageSettings

KERNEL = "00000000-0000-0000-0000-000000000000"


def message(kind):
    """A message to a kernel as a page sends it."""
    content = {"code": "print('in')", "silent": False} if kind == "execute_request" else {}
    header = {"msg_id": kind, "msg_type": kind, "session": "s", "username": "", "version": "5.3", "date": ""}
    return {
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
        "channel": "shell",
        "buffers": [],
    }


class Visitor:
    """Asks the page server, following no redirect."""

    def __init__(self, trading):
        self.origin = trading.origin
        self.cookies = {}

    def log_in(self, link):
        """Take the cookies that a link gives, and the page's."""
        for url in (link, f"{self.origin}/"):
            _status, headers, _text = self.ask("GET", url.removeprefix(self.origin))
            for header in headers.getall("Set-Cookie", []):
                self.cookies.update({name: crumb.value for name, crumb in http.cookies.SimpleCookie(header).items()})
        return self

    def ask(self, method, path, body=None, headers=None):
        """Return (status, headers, text)."""
        return asyncio.run(self._ask(method, path, body, headers or {}))

    def joins(self, path, headers=None):
        """Return the status that a WebSocket handshake is answered with, 101 when it is let in."""
        return asyncio.run(self._joins(path, headers or {}))

    @property
    def xsrf(self):
        """The header that a change carries."""
        return {"X-XSRFToken": self.cookies["_xsrf"]}

    def answers(self, kernel, kinds):
        """Send a message of each kind to a kernel; return the kinds of the answers that came."""
        return asyncio.run(self._answers(kernel, kinds))

    async def _answers(self, kernel, kinds):
        url = f"{self.origin}/api/kernels/{kernel}/channels"
        async with aiohttp.ClientSession(cookies=self.cookies) as session, session.ws_connect(url) as socket:
            for kind in kinds:
                await socket.send_json(message(kind))
            answers = []
            while "kernel_info_reply" not in answers:
                answers.append((await socket.receive_json())["msg_type"])
            return answers

    async def _ask(self, method, path, body, headers):
        async with (
            aiohttp.ClientSession(cookies=self.cookies, headers=headers) as session,
            session.request(method, self.origin + path, json=body, allow_redirects=False) as answer,
        ):
            return answer.status, answer.headers, await answer.text()

    async def _joins(self, path, headers):
        async with aiohttp.ClientSession(cookies=self.cookies, headers=headers) as session:
            try:
                async with session.ws_connect(self.origin + path):
                    return 101
            except aiohttp.WSServerHandshakeError as error:
                return error.history[0].status if error.history else error.status


@pytest.fixture
def anonymous(trading):
    """Nobody."""
    return Visitor(trading)


@pytest.fixture(scope="module")
def trader(trading):
    """Somebody with a log-in."""
    return Visitor(trading).log_in(trading.link())


PAGES = [
    "/", "/anything", "/aitrade/static/page.js", "/aitrade/static/page.css", "/aitrade/static/stamp",
    "/static/favicon.ico", "/voila/templates/lab/static/voila.js", "/voila/files/aitrade.ipynb",
    "/voila/static/voila.js", "/aitrade.ipynb", "/voila/render/aitrade.ipynb", "/voila/tree",
    f"/voila/query/{KERNEL}", "/api",
]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_sent_to_the_log_in(anonymous, path):
    """Pages, files and Jupyter's own addresses alike: nothing but the way to the log-in."""
    status, headers, text = anonymous.ask("GET", path)
    assert (status, headers["Location"].partition("?")[0], text) == (302, "/login", "")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/aitrade/api/snapshot"),
        ("GET", "/aitrade/chart/"),
        ("POST", "/aitrade/api/emergency_stop"),
        ("POST", "/aitrade/api/orders"),
        ("DELETE", "/aitrade/api/orders"),
        ("GET", f"/api/kernels/{KERNEL}"),
        ("DELETE", f"/api/kernels/{KERNEL}"),
        ("POST", f"/voila/api/shutdown/{KERNEL}"),
    ],
)
def test_a_stranger_commands_nothing(anonymous, method, path):
    """The engine's, the chart worker's and the kernels' interfaces are closed to who is not logged in."""
    status, _headers, text = anonymous.ask(method, path)
    assert status == 403
    assert "instrument" not in text


@pytest.mark.parametrize("path", ["/metrics", "/health"])
def test_a_stranger_is_told_no_figure(anonymous, path):
    """Prometheus and monitors bring the data folder's token."""
    status, _headers, text = anonymous.ask("GET", path)
    assert status == 401
    assert "aitrade_" not in text
    assert "engine" not in text


def test_an_order_of_the_page_names_its_log_in_in_the_journal(trading, trader):
    """The audit trail has address and session of whoever asked; the session is no cookie and logs nobody in."""
    order = {"instrument": "NSE:TCS", "side": "BUY", "quantity": 1, "product": "MIS"}
    status, _headers, text = trader.ask("POST", "/aitrade/api/orders", order, trader.xsrf)
    assert status == 200, text
    folder = next((trading.home / "books").iterdir()) / "journal"
    records = [frame.record for path in segments(folder) for frame in frames(path)]
    sent = next(record for record in records if record.order_id == json.loads(text)["id"])
    assert sent.source == "127.0.0.1"
    assert len(sent.session) == 16
    assert not any(sent.session in value for value in trader.cookies.values())


@pytest.mark.parametrize("path", ["/aitrade/stream", f"/api/kernels/{KERNEL}/channels", f"/voila/query/{KERNEL}"])
def test_a_stranger_hears_nothing(anonymous, path):
    """No WebSocket opens without a log-in."""
    assert anonymous.joins(path) in (302, 403)


def test_the_log_in_page_is_ours(anonymous):
    """It says in our words how to get a link, and names no software underneath."""
    status, headers, text = anonymous.ask("GET", "/login")
    assert status == 200
    assert "aitrade open" in text
    assert not {"jupyter", "voila"} & set(text.lower().split())
    assert "default-src 'self'" in headers["Content-Security-Policy"]


def test_a_wrong_or_used_link_is_refused_in_words(anonymous, trading):
    """A link lets in once; what is wrong is said, and no cookie is given."""
    link = trading.link().removeprefix(trading.origin)
    assert anonymous.ask("GET", link)[0] == 302
    status, headers, text = anonymous.ask("GET", link)
    assert status == 403
    assert "Set-Cookie" not in headers or "aitrade" not in headers["Set-Cookie"]
    assert "aitrade open" in text


def test_the_cookie_is_kept_from_scripts_and_other_sites(anonymous, trading):
    """HttpOnly, SameSite=Strict, and it ends within a day."""
    _status, headers, _text = anonymous.ask("GET", trading.link().removeprefix(trading.origin))
    cookie = http.cookies.SimpleCookie(headers["Set-Cookie"])["aitrade"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"


def test_the_trader_reads(trader, trading):
    """With a log-in the engine answers, and its own token is nowhere in what the browser gets."""
    status, headers, text = trader.ask("GET", "/aitrade/api/snapshot")
    assert status == 200
    assert json.loads(text)["world"]["mode"] == "simulated"
    token = (trading.home / "run" / "token").read_text()
    assert token not in text + str(headers)
    assert trader.joins("/aitrade/stream", {"Origin": trader.origin}) == 101


def test_a_change_needs_the_page_s_own_token(trader):
    """A log-in alone, as a forged form would bring it, changes nothing."""
    assert trader.ask("POST", "/aitrade/api/halt", {"reason": "forged"})[0] == 403
    assert json.loads(trader.ask("GET", "/aitrade/api/health")[2])["state"] == "ACTIVE"


@pytest.mark.parametrize("site", ["http://127.0.0.1:1", "https://elsewhere.example", "null"])
def test_another_site_commands_nothing(trader, site):
    """Even with cookie and token: another site, another port of this machine included, is refused."""
    headers = {**trader.xsrf, "Origin": site}
    assert trader.ask("POST", "/aitrade/api/halt", {"reason": "foreign"}, headers)[0] in (403, 404)
    assert trader.joins("/aitrade/stream", {"Origin": site}) == 403
    assert trader.joins(f"/api/kernels/{KERNEL}/channels", {"Origin": site}) in (403, 404)
    assert json.loads(trader.ask("GET", "/aitrade/api/health")[2])["state"] == "ACTIVE"


def test_another_name_for_this_machine_is_refused(trader):
    """A name that was bent to 127.0.0.1 gets nothing, cookie or not."""
    assert trader.ask("GET", "/aitrade/api/snapshot", headers={"Host": "evil.example"})[0] == 403


def test_the_trader_commands(trader):
    """With cookie and token the engine is halted and resumed."""
    assert trader.ask("POST", "/aitrade/api/halt", {"reason": "test"}, trader.xsrf)[0] == 200
    assert json.loads(trader.ask("GET", "/aitrade/api/health")[2])["state"] == "HALTED"
    assert trader.ask("POST", "/aitrade/api/resume", {"reason": "test"}, trader.xsrf)[0] == 200


def test_what_is_not_there_says_so(trader):
    """A wrong address is answered by our own page."""
    status, _headers, text = trader.ask("GET", "/nothing-here")
    assert status == 404
    assert "There is no such page" in text
    assert "jupyter" not in text.lower()


@pytest.mark.parametrize(
    "path", [path for path in PAGES if path.startswith(("/voila", "/aitrade.ipynb", "/api", "/metrics"))]
)
def test_nothing_of_the_software_underneath_is_served(trader, path):
    """Not even to the trader: no files, no tree, no notebook, none of Jupyter's own interfaces."""
    assert trader.ask("GET", path)[0] == 404


def test_a_taken_port_is_said_in_words(trading, tmp_path):
    """A second page server on the same port ends with one sentence that says what to do."""
    port = int(trading.origin.rpartition(":")[2])
    settings = msgspec.json.encode(PageSettings(home=str(tmp_path), port=port))
    done = subprocess.run([sys.executable, "-m", "aitrade.ui.server"], input=settings, capture_output=True, check=False)
    assert done.returncode == REFUSED
    assert done.stderr.decode().strip().splitlines()[-1].startswith(f"Port {port} is taken: close what uses it")


def test_nobody_runs_code_in_a_page_s_kernel(trader):
    """A log-in speaks to widgets: a request to execute code is dropped, and no answer to it comes."""
    kernel = re.search(r'"kernelId": ?"([0-9a-f-]+)"', trader.ask("GET", "/")[2])[1]
    answers = trader.answers(kernel, ["execute_request", "kernel_info_request"])
    assert not {"execute_reply", "execute_input", "stream"} & set(answers)
