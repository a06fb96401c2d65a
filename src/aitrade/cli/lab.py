"""`aitrade lab`: JupyterLab on the notebooks, on this machine only, beside whatever trades.

The lab has a data folder of its own (`lab` in the data folder), so that its replays never touch a trading book; the
imported market data it reads where they are. Its kernel and Jupyter's files lie there too, none among the user's own.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Mapping
from pathlib import Path

import click
import msgspec

import aitrade
from aitrade.cli.options import data_folder, kind
from aitrade.core.config import load
from aitrade.core.errors import Conflict, Unreachable

LOOPBACK = "127.0.0.1"
KERNEL = "aitrade"
START_SECONDS, STOP_SECONDS = 60, 15
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; connect-src 'self' data: blob:; "
    "frame-ancestors 'self'; form-action 'self'; base-uri 'self'"
)
"""No request of a notebook's output leaves the machine; widgets and charts evaluate scripts of their own."""


class Lab(msgspec.Struct, frozen=True):
    """Where a lab keeps what."""

    folder: Path
    """Its data folder, AITRADE_HOME of its notebooks."""
    market: Path
    """Imported market data, which it reads."""

    @property
    def jupyter(self) -> Path:
        """Everything that Jupyter keeps: kernel, settings, history."""
        return self.folder / "jupyter"

    def environment(self, token: str = "") -> dict[str, str]:
        """Return the environment of the server and its kernels."""
        own = {
            "AITRADE_HOME": self.folder,
            "AITRADE_MARKET": self.market,
            "JUPYTER_DATA_DIR": self.jupyter,
            "JUPYTER_CONFIG_DIR": self.jupyter / "config",
            "JUPYTER_RUNTIME_DIR": self.jupyter / "runtime",
            "JUPYTERLAB_SETTINGS_DIR": self.jupyter / "settings",
            "JUPYTERLAB_WORKSPACES_DIR": self.jupyter / "workspaces",
            "IPYTHONDIR": self.jupyter / "ipython",
            "JUPYTER_TOKEN": token,
        }
        return {**os.environ, **{name: str(value) for name, value in own.items()}}

    def prepare(self) -> Path:
        """Install the kernel and the settings; return the folder of the notebooks."""
        from ipykernel.kernelspec import write_kernel_spec

        kernel = self.jupyter / "kernels" / KERNEL
        shutil.rmtree(kernel, ignore_errors=True)
        kernel.parent.mkdir(parents=True, exist_ok=True)
        write_kernel_spec(kernel, {"display_name": KERNEL})
        for name, content in SETTINGS.items():
            path = self.jupyter / "config" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(msgspec.json.format(msgspec.json.encode(content)))
        return self._notebooks()

    def _notebooks(self) -> Path:
        """Return the checkout's notebooks, or a copy of the installed ones; a copy that was worked on stays."""
        package = Path(aitrade.__file__).parent
        installed, copied = package / "notebooks", self.folder / "notebooks"
        if not installed.is_dir():
            return package.parents[1] / "notebooks"
        for path in installed.rglob("*.ipynb"):
            own = copied / path.relative_to(installed)
            own.parent.mkdir(parents=True, exist_ok=True)
            if not own.exists():
                shutil.copyfile(path, own)
        return copied


SETTINGS: Mapping[str, object] = {
    "jupyter_server_config.json": {
        "ServerApp": {
            "answer_yes": True,
            "open_browser": False,
            "port_retries": 0,
            "tornado_settings": {"headers": {"Content-Security-Policy": POLICY}},
        },
        "LabApp": {
            "news_url": None,
            "check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
            "extension_manager": "readonly",
        },
        "KernelSpecManager": {"ensure_native_kernel": False, "allowed_kernelspecs": [KERNEL]},
        "MultiKernelManager": {"default_kernel_name": KERNEL},
    },
    "labconfig/page_config.json": {
        "disabledExtensions": {
            "@jupyterlab/apputils-extension:announcements": True,
            "@jupyterlab/extensionmanager-extension": True,
        }
    },
}
"""No news, no look for updates, no extension manager; one kernel."""


@click.command()
@click.option("--port", default=8888, show_default=True, help="Port on 127.0.0.1; 0 takes a free one.")
@click.option("--no-browser", is_flag=True, help="Do not open the browser.")
@data_folder
@kind
def lab(*, port: int, no_browser: bool, home: Path | None) -> None:
    """Open JupyterLab on the notebooks; it may run beside a trading engine."""
    configuration = load(home=home)
    one = Lab(configuration.home.resolve() / "lab", configuration.market_folder.resolve())
    port = _free(port)
    notebooks, token = one.prepare(), secrets.token_urlsafe(24)
    server = _start(one, notebooks, port, token)
    try:
        _wait(server, port, one)
        link = f"http://{LOOPBACK}:{port}/lab?token={token}"
        click.echo(f"JupyterLab shows {notebooks}. Ctrl-C stops it.\n\n    {link}\n")
        if configuration.open_browser and not no_browser:
            webbrowser.open(link)
        server.wait()
    except (KeyboardInterrupt, SystemExit):
        click.echo("Stopping …")
    finally:
        _stop(server)


def _free(port: int) -> int:
    """Return `port`, or a free one for 0; raise Conflict for one that is taken."""
    with socket.socket() as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            raise Conflict(
                f"Port {port} is taken, maybe by another lab; stop that one or choose another with --port, 0 for any."
            ) from None
        return int(probe.getsockname()[1])


def _start(one: Lab, notebooks: Path, port: int, token: str) -> subprocess.Popen[bytes]:
    """Start the server out of reach of the terminal's Ctrl-C, which is ours to pass on; its log goes to a file."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: sys.exit(0))
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.ip={LOOPBACK}", f"--ServerApp.port={port}"]
    if os.name != "nt" and os.geteuid() == 0:
        command.append("--allow-root")
    with (one.folder / "lab.log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - our own interpreter
            [*command, f"--ServerApp.root_dir={notebooks}"],
            env=one.environment(token),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _wait(server: subprocess.Popen[bytes], port: int, one: Lab) -> None:
    """Wait until the server listens; raise Unreachable when it ended or takes too long."""
    end = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex((LOOPBACK, port)) == 0:
                return
        time.sleep(0.1)
    raise Unreachable(f"JupyterLab did not start; {one.folder / 'lab.log'} says why.")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Ask the server to end, which ends its kernels; insist after a while."""
    if server.poll() is None:
        server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
