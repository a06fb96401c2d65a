"""What Windows runs as the service: `aitrade up` as a child, ended gently, started again by Windows when it fails."""

import os
import subprocess
import time
import winreg
from pathlib import Path

import servicemanager
import win32event
import win32service
import win32serviceutil

from aitrade.ops import doors
from aitrade.ops.service import NAME
from aitrade.ops.service.plan import STOP_SECONDS, WATCHDOG_SECONDS
from aitrade.ops.supervisor import BEAT

LOOK_MS = 1_000
START_SECONDS = 180.0
KEY = rf"SYSTEM\CurrentControlSet\Services\{NAME}"


class AITradingEngine(win32serviceutil.ServiceFramework):
    """The service; its end with an error lets Windows restart it (sc.exe failureflag)."""

    _svc_name_ = NAME
    _svc_display_name_ = NAME
    _svc_description_ = "aitrade: trading engine, page and schedule"

    def __init__(self, args: list[str]) -> None:
        super().__init__(args)
        self._stopping = win32event.CreateEvent(None, 0, 0, None)

    def SvcStop(self) -> None:  # noqa: N802 - pywin32's name
        """Windows asks for the end."""
        self.ReportServiceStatus(win32service.SERVICE_STOP_PENDING, waitHint=(STOP_SECONDS + 2) * 1000)
        win32event.SetEvent(self._stopping)

    SvcShutdown = SvcStop

    def SvcDoRun(self) -> None:  # noqa: N802 - pywin32's name
        """Run until Windows asks for the end, or the child ends or falls silent."""
        home = Path(_kept("Home"))
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [_kept("Python"), "-m", "aitrade", "up", "--no-browser", "--data-folder", str(home)],
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        began = time.monotonic()
        while win32event.WaitForSingleObject(self._stopping, LOOK_MS) == win32event.WAIT_TIMEOUT:
            if child.poll() is not None or (time.monotonic() - began > START_SECONDS and _silent(home)):
                servicemanager.LogErrorMsg(f"{NAME} ended or fell silent (exit status {child.poll()})")
                child.kill()
                os._exit(1)
        _end(child, home)


def _silent(home: Path) -> bool:
    try:
        return time.time() - (home / BEAT).stat().st_mtime > WATCHDOG_SECONDS
    except FileNotFoundError:
        return True


def _kept(name: str) -> str:
    return winreg.QueryValue(winreg.HKEY_LOCAL_MACHINE, rf"{KEY}\{name}")


def _end(child: subprocess.Popen[bytes], home: Path) -> None:
    """Ask through the supervisor's door: a service has no console to send a break from."""
    doors.ask_to_end(home)
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    win32serviceutil.HandleCommandLine(AITradingEngine)
