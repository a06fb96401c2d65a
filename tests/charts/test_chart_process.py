"""The chart worker as a process: it leaves its address, takes it away, and says why it cannot start."""

import os
import signal
import socket
import subprocess
import sys
import time

import msgspec
import pytest

from aitrade.ui.charts.worker import ChartSettings, address_of


def start(settings):
    """Start a worker with its settings on standard input."""
    process = subprocess.Popen(
        [sys.executable, "-m", "aitrade.ui.charts"], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdin.write(msgspec.json.encode(settings) + b"\n")
    process.stdin.close()
    return process


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without asking it")
def test_comes_and_goes(tmp_path):
    """Started, it leaves its address; told to stop, it takes it away."""
    with start(ChartSettings(home=str(tmp_path))) as process:
        try:
            while not (address := address_of(tmp_path, process.pid)):
                assert process.poll() is None
                time.sleep(0.05)
            assert address.port > 0
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
            assert address_of(tmp_path, 0) is None
        finally:
            process.kill()


def test_taken_port_is_said(tmp_path):
    """A port that another process holds ends it with status 3 and a sentence."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with start(ChartSettings(home=str(tmp_path), port=taken.getsockname()[1])) as process:
            words = process.stderr.read().decode()
        assert process.returncode == 3
        assert "The chart worker cannot start" in words.splitlines()[-1]
