"""Tests for `ui.login`: links are good once, for a while, and only when they are ours."""

import pytest

from aitrade.core.errors import Unreachable
from aitrade.ui import login
from aitrade.ui.login import Door


def test_a_link_is_good_once(tmp_path):
    """The first use lets in, the second does not; another process's link of the same folder is good too."""
    door = Door.new(tmp_path / "page.key")
    token = door.token()
    assert door.opens(token)
    assert not door.opens(token)
    assert door.opens(Door.of(tmp_path / "page.key").token())


def test_a_link_ends(tmp_path, monkeypatch):
    """After ten minutes a link opens nothing."""
    door = Door.new(tmp_path / "page.key")
    token = door.token()
    now = login.time.time()
    monkeypatch.setattr(login.time, "time", lambda: now + login.LINK_SECONDS + 1)
    assert not door.opens(token)


@pytest.mark.parametrize("token", ["", "a.b.c", "x", "nonce.99999999999.00"])
def test_a_foreign_link_opens_nothing(tmp_path, token):
    """Neither nonsense nor a link with another key's signature."""
    assert not Door.new(tmp_path / "page.key").opens(token)


def test_guessing_is_slowed(tmp_path):
    """After ten wrong links even a good one waits for the next minute."""
    door = Door.new(tmp_path / "page.key")
    for number in range(login.TRIES):
        assert not door.opens(f"guess.{number}.x")
    assert not door.opens(door.token())


def test_the_key_is_its_owners(tmp_path):
    """The key file is readable by its owner only, and without one there is no door."""
    Door.new(tmp_path / "page.key")
    assert (tmp_path / "page.key").stat().st_mode & 0o077 == 0
    with pytest.raises(Unreachable, match="aitrade up"):
        Door.of(tmp_path / "elsewhere.key")


def test_a_log_in_outlives_the_page_server(tmp_path):
    """The key that signs cookies is made once and kept for its owner only."""
    path = tmp_path / "run" / "cookie.key"
    assert login.cookie_secret(path) == login.cookie_secret(path)
    assert path.stat().st_mode & 0o077 == 0
