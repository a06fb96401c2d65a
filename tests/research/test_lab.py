"""The lab: JupyterLab on this machine only, with its own kernel and data folder, ended cleanly."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import psutil
import pytest
from click.testing import CliRunner

from aitrade.cli import lab as lab_module
from aitrade.cli import main


def get(address, token=""):
    """Return status, headers and body of a GET."""
    request = urllib.request.Request(address, headers={"Authorization": f"token {token}"} if token else {})
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.headers, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, ""


@pytest.fixture
def running(tmp_path):
    """A lab on a free port: its process, address, token and data folder; ended whatever happens."""
    command = [sys.executable, "-m", "aitrade", "lab", "--port", "0", "--no-browser", "--data-folder", str(tmp_path)]
    own = {**os.environ, "HOME": str(tmp_path / "user"), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=own)
    try:
        found = None
        for line in process.stdout:
            found = re.search(r"(http://127\.0\.0\.1:\d+)/lab\?token=(\S+)", line)
            if found:
                break
        assert found, "the lab printed no link"
        yield process, found[1], found[2], tmp_path
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()
        process.stdout.close()


def test_the_lab_opens_for_its_token_only(running):
    """With it 200, without it 403; one kernel, its own; no word of other machines; nothing in the user's folder."""
    _, address, token, home = running
    assert get(f"{address}/api/status", token)[0] == 200
    assert get(f"{address}/api/status")[0] == 403
    listed = json.loads(get(f"{address}/api/kernelspecs", token)[2])["kernelspecs"]
    assert list(listed) == ["aitrade"]
    assert listed["aitrade"]["spec"]["argv"][0] == sys.executable
    names = [one["name"] for one in json.loads(get(f"{address}/api/contents/research", token)[2])["content"]]
    assert "first-strategy.ipynb" in names
    _, headers, page = get(f"{address}/lab", token)
    assert "connect-src 'self'" in headers["Content-Security-Policy"]
    assert re.findall(r"(?:src|href)=\"https?://", page) == []
    settings = json.loads(re.search(r"<script id=\"jupyter-config-data\"[^>]*>(.*?)</script>", page, re.DOTALL)[1])
    assert settings["news"] == {"disabled": True}
    assert any("announcements" in name for name in settings["disabledExtensions"])
    assert not (home / "user").exists()


def test_ctrl_c_ends_the_server_and_its_kernels(running):
    """Status 0, no process left, nothing listens, and the token stands in no log."""
    process, address, token, home = running
    post = urllib.request.Request(
        f"{address}/api/kernels", data=b"{}", headers={"Authorization": f"token {token}"}, method="POST"
    )
    with urllib.request.urlopen(post) as answered:
        assert json.load(answered)["name"] == "aitrade"
    own = psutil.Process(process.pid).children(recursive=True)
    assert len(own) >= 2
    process.send_signal(signal.SIGINT)
    assert process.wait() == 0
    assert psutil.wait_procs(own, timeout=10)[1] == []
    assert token not in (home / "lab" / "lab.log").read_text()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(address.rpartition(":")[2]))) != 0


def test_a_taken_port_is_one_sentence(tmp_path):
    """Status 2, and what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = CliRunner().invoke(main, ["lab", "--port", str(port), "--no-browser", "--data-folder", str(tmp_path)])
    assert said.exit_code == 2
    assert said.stderr.strip() == (
        f"Port {port} is taken, maybe by another lab; stop that one or choose another with --port, 0 for any."
    )


def test_installed_notebooks_are_copied_once(tmp_path, monkeypatch):
    """From a wheel they come into the data folder, and what was worked on there stays."""
    package = tmp_path / "aitrade"
    (package / "notebooks" / "research").mkdir(parents=True)
    (package / "notebooks" / "research" / "one.ipynb").write_text("new")
    monkeypatch.setattr(lab_module.aitrade, "__file__", str(package / "__init__.py"))
    one = lab_module.Lab(tmp_path / "lab", tmp_path / "market")
    copied = one.prepare()
    assert copied == tmp_path / "lab" / "notebooks"
    assert (copied / "research" / "one.ipynb").read_text() == "new"
    (copied / "research" / "one.ipynb").write_text("mine")
    assert (one.prepare() / "research" / "one.ipynb").read_text() == "mine"


def test_the_lab_has_a_data_folder_of_its_own(tmp_path):
    """Replays write there; market data are read where they are."""
    own = lab_module.Lab(tmp_path / "lab", tmp_path / "market").environment()
    assert own["AITRADE_HOME"] == str(tmp_path / "lab")
    assert own["AITRADE_MARKET"] == str(tmp_path / "market")
    assert own["JUPYTER_DATA_DIR"].startswith(str(tmp_path / "lab"))
