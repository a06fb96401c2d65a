"""Our subclass of Voila's application: its kernels and its rendering, our doors.

Import it only after `server` has set JUPYTER_PATH. Depends on insides of Voila 0.5 (`init_settings`, `init_handlers`,
`listen`), which is why its version is bounded.
"""

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any

import jinja2
import msgspec
import tornado.ioloop
from jupyter_server.auth.decorator import allow_unauthenticated, authorized
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.services.kernels.handlers import KernelHandler, _kernel_id_regex
from tornado.web import HTTPError, StaticFileHandler, authenticated
from traitlets import Any as AnyTrait
from voila.app import Voila
from voila.handler import VoilaHandler
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from aitrade.core import logs, metrics
from aitrade.core.errors import Conflict
from aitrade.core.files import write_private
from aitrade.ui.login import CookieIdentity, Door, cookie_secret, let_in
from aitrade.ui.observed import COUNTS, HealthHandler, MetricsHandler
from aitrade.ui.operations import DOES, Lookout, Operations, OperationsDone
from aitrade.ui.relay import ApiRelay, StreamRelay
from aitrade.ui.server import HERE, POLICY, STOCK_POLICY, Handlers, PageAddress, bundle_is_there, notebook
from aitrade.ui.upstream import Upstream

CULL_IDLE_SECONDS, CULL_EVERY_SECONDS = 900, 60
FIRST_POOL = 1
"""Kernels that are started before the first page is asked for: each one more would make that page wait."""
PATIENCE_SECONDS = (20.0, 40.0)
"""How long a kernel may take to render the page, and then another one."""
_SINGLE_PAGE = r"/(.*)"
_log = logs.get(__name__)
_STOCK = ("/voila/templates/", "/voila/static/", "/voila/api/themes/", "/voila/labextensions/")


class PageApplication(Voila):
    """Serves the page. `settings` is a `server.PageSettings`."""

    settings = AnyTrait()
    name = "aitrade"

    def initialize(self, argv: list[str] | None = None) -> None:
        """Set Voila up for one notebook, our template and kernels that wait."""
        self.notebook_path = str(notebook())
        self.ip = "127.0.0.1"
        self.port = self.settings.port
        self.open_browser = False
        self.log_level = 30
        self.identity_provider_class = CookieIdentity
        self.config_file_paths = []
        configuration = self.config.VoilaConfiguration
        configuration.template = "aitrade" if bundle_is_there() else "lab"
        configuration.preheat_kernel = True
        configuration.default_pool_size = FIRST_POOL
        configuration.file_allowlist = []
        configuration.file_denylist = [".*"]
        configuration.show_tracebacks = False
        configuration.allow_template_override = "NO"
        configuration.allow_theme_override = "NO"
        self.config.MappingKernelManager.cull_idle_timeout = CULL_IDLE_SECONDS
        self.config.MappingKernelManager.cull_interval = CULL_EVERY_SECONDS
        self.config.MappingKernelManager.cull_connected = False
        self._run = Path(self.settings.home) / "run"
        self.cookie_secret = cookie_secret(self._run / "cookie.key")
        super().initialize(argv)
        self.log.addHandler(logs.PythonHandler())
        self.door = Door.new(self._run / "page.key")

    def init_settings(self) -> dict[str, Any]:
        """Add what Voila leaves out: XSRF protection, compression, a content security policy, our own pages."""
        settings = super().init_settings()
        templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader([HERE / "share" / "voila" / "templates" / "aitrade"]), autoescape=True
        )
        settings.update(
            xsrf_cookies=True,
            xsrf_cookie_kwargs={"samesite": "Strict"},
            compress_response=True,
            headers={
                "Content-Security-Policy": POLICY if bundle_is_there() else STOCK_POLICY,
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
            },
            aitrade_templates=templates,
            door=self.door,
            allow_remote_access=False,
            local_hostnames=["localhost", "127.0.0.1"],
        )
        return settings

    def init_handlers(self) -> Handlers:
        """Serve these and nothing else: every door but the log-in's asks who is there."""
        engine = Upstream("The engine", self._run / "engine.json", self._run / "token")
        charts = Upstream("The chart worker", self._run / "charts.json", self._run / "token")
        operations = {"lookout": Lookout(Path(self.settings.home))}
        page = {
            "notebook_path": os.path.relpath(self.notebook_path, self.root_dir),
            "template_paths": self.template_paths,
            "config": self.config,
            "voila_configuration": self.voila_configuration,
            "pool": self.settings.pool,
        }
        return [
            (rf"/api/kernels/{_kernel_id_regex}", KernelHandler),
            (rf"/api/kernels/{_kernel_id_regex}/channels", KernelSocket),
            (rf"/voila/api/shutdown/{_kernel_id_regex}", ShutdownHandler),
            (r"/aitrade/stream", StreamRelay, {"upstream": engine}),
            (r"/aitrade/api/(.*)", ApiRelay, {"upstream": engine}),
            (r"/aitrade/chart/(.*)", ApiRelay, {"upstream": charts}),
            (r"/aitrade/operations", Operations, operations),
            (rf"/aitrade/operations/({'|'.join(DOES)})", OperationsDone, operations),
            (r"/aitrade/static/(plain\.css|icon\.svg)", Asset, {"path": str(HERE / "assets")}),
            (r"/aitrade/static/(.*)", BundleFile, {"path": str(HERE / "static")}),
            (r"/login", LoginHandler),
            (r"/metrics", MetricsHandler, {"home": self._run.parent}),
            (r"/health", HealthHandler, {"home": self._run.parent}),
            *([] if bundle_is_there() else self._stock_handlers()),
            (_SINGLE_PAGE, PageHandler, page),
        ]

    def _stock_handlers(self) -> Handlers:
        """What the stock template loads; none of it is ours or a secret, so it asks for no log-in."""
        return [handler for handler in super().init_handlers() if handler[0].startswith(_STOCK)]

    def listen(self) -> None:
        """Listen on 127.0.0.1, say where, and run; raise Conflict when the port is taken."""
        sockets = self._bound()
        tornado.httpserver.HTTPServer(self.app).add_sockets(sockets)
        self.port = sockets[0].getsockname()[1]
        address = PageAddress(self.port, os.getpid())
        write_private(self._run / "page.json", msgspec.json.encode(address).decode())
        metrics.announce(self._run.parent, "page", self.port)
        self.ioloop = tornado.ioloop.IOLoop.current()
        _log.info("page serves", port=self.port, pid=os.getpid())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.ioloop.add_callback_from_signal(self.ioloop.stop))
        try:
            self.ioloop.start()
        finally:
            (self._run / "page.json").unlink(missing_ok=True)
            self.stop()
            _log.info("page stops")

    def _bound(self) -> list[Any]:
        """Bind the port; 0 takes the one from before a crash, so that open pages find it again, or any free one."""
        before = [self._port_before(), 0] if self.settings.port == 0 else [self.settings.port]
        for port in before:
            with contextlib.suppress(OSError):
                return list(tornado.netutil.bind_sockets(port, self.ip))
        raise Conflict(f"Port {self.settings.port} is taken: close what uses it, or choose another by --port.")

    def _port_before(self) -> int:
        try:
            return msgspec.json.decode((self._run / "page.json").read_bytes(), type=PageAddress).port
        except (OSError, msgspec.DecodeError):
            return 0

    def stop(self) -> None:
        """End the kernels."""
        try:
            super().stop()
        except (RuntimeError, asyncio.CancelledError):
            self.log.warning("A kernel was still starting when the page server ended.")


class PageHandler(VoilaHandler):
    """The page, to whom is logged in."""

    def initialize(self, pool: int, **more: Any) -> None:
        """Take how many kernels wait from the first visit on."""
        super().initialize(**more)
        self._pool = pool

    @authenticated
    @authorized(action="execute", resource="kernels")
    async def get(self, path: str | None = None) -> None:
        """Render the notebook with a kernel that waited; any other path is not there."""
        if path:
            raise HTTPError(404)
        _ = self.xsrf_token
        self.kernel_manager.kernel_pools_config["default"]["pool_size"] = self._pool
        began = time.perf_counter_ns()
        for seconds in PATIENCE_SECONDS:
            with contextlib.suppress(TimeoutError):
                self.write(await asyncio.wait_for(self._rendered(), seconds))
                COUNTS.renders.add(time.perf_counter_ns() - began)
                return
        raise HTTPError(503)

    async def _rendered(self) -> str:
        return "".join([html async for html in self.get_generator(path=None)])

    def write_error(self, status_code: int, **_more: Any) -> None:
        """Say in plain words what went wrong."""
        words = {
            404: ("There is no such page", "The trading page is at the address without anything behind it."),
            503: ("The page takes too long", "This machine is busy; the engine trades on. Load the page again."),
        }
        title, text = words.get(
            status_code, ("The page could not be made", "Look at logs/page.log in the data folder.")
        )
        self.finish(message(self, title, text))


class LoginHandler(JupyterHandler):
    """Exchanges a one-time token for a cookie."""

    @allow_unauthenticated
    def get(self) -> None:
        """Let the bearer of a good token in; say to all others how to get one."""
        token = self.get_argument("token", "")
        opens = bool(token) and self.settings["door"].opens(token)
        if token:
            _log.info("log-in by a link", let_in=opens, address=self.request.remote_ip)
        if opens:
            let_in(self, "trader")
            self.redirect("/")
            return
        if self.current_user is not None:
            self.redirect("/")
            return
        self.set_status(403 if token else 200)
        text = "This link was used, has ended or is not ours. " if token else ""
        text += "The trading page opens by a link that is good once. Make a new one on this machine:"
        self.finish(message(self, "Log in", text, "aitrade open"))


class KernelSocket(VoilaKernelWebsocketHandler):
    """The page's way to its kernel; an answer is several small messages, and none waits for the one before."""

    async def open(self, kernel_id: str) -> None:
        """Send at once: with Nagle's algorithm every tenth click took 40 ms longer, a delayed acknowledgement."""
        self.set_nodelay(True)
        await super().open(kernel_id)


class ShutdownHandler(VoilaShutdownKernelHandler):
    """Ends a kernel whose page was closed."""

    @authenticated
    @authorized(action="write", resource="kernels")
    async def post(self, kernel_id: str) -> None:
        """End it; one that is gone is fine."""
        if kernel_id in self.kernel_manager:
            await self.kernel_manager.shutdown_kernel(kernel_id)
        self.set_status(204)
        self.finish()


class BundleFile(JupyterHandler, StaticFileHandler):
    """A file of the bundle, to whom is logged in."""

    @authenticated
    async def get(self, path: str, include_body: bool = True) -> None:
        """Serve it; the browser asks each time whether it changed."""
        self.set_header("Cache-Control", "private, no-cache")
        await StaticFileHandler.get(self, path, include_body)


class Asset(StaticFileHandler):
    """The two files that the log-in page needs."""


def message(handler: JupyterHandler, title: str, text: str, command: str = "") -> str:
    """Return a plain page with a title and a sentence."""
    template = handler.settings["aitrade_templates"].get_template("message.html")
    return str(template.render(title=title, text=text, command=command))
