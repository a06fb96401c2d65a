"""Tests for the build hook: the page's bundle is made from its sources, or its absence is said."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def hook(tmp_path, monkeypatch):
    """The hook on a copy of the page's sources without the list of its packages, so that npm refuses."""
    spec = importlib.util.spec_from_file_location("page_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sources = tmp_path / "page"
    shutil.copytree(ROOT / "apps" / "page", sources, ignore=shutil.ignore_patterns("node_modules", "package-lock.json"))
    monkeypatch.setattr(module, "SOURCES", sources)
    monkeypatch.setattr(module, "BUNDLE", tmp_path / "static")
    monkeypatch.setattr(module, "STAMP", tmp_path / "static" / "stamp")
    monkeypatch.delenv("AITRADE_REQUIRE_FRONTEND", raising=False)
    return module


def test_without_packages_it_says_so_in_one_line(hook, capsys):
    """The installation goes on, and the reader knows which page will serve."""
    assert hook.ensure() is False
    lines = capsys.readouterr().err.strip().splitlines()
    said = "aitrade: the page's bundle could not be built (npm did not get the packages); the plain page will serve."
    assert lines == [said]


def test_required_it_is_an_error(hook, monkeypatch):
    """A release must not go out without its page."""
    monkeypatch.setenv("AITRADE_REQUIRE_FRONTEND", "1")
    with pytest.raises(subprocess.CalledProcessError):
        hook.ensure()


def test_a_bundle_of_these_sources_is_not_built_again(hook):
    """The stamp is the sources' hash; one changed letter makes another."""
    hook.BUNDLE.mkdir()
    hook.STAMP.write_text(hook.stamp())
    assert hook.ensure() is True
    (hook.SOURCES / "src" / "main.js").write_text("// changed")
    assert hook.STAMP.read_text() != hook.stamp()
    assert hook.ensure() is False


def test_no_address_is_in_the_sources():
    """Neither the list of packages nor a source names a registry."""
    lock = (ROOT / "apps" / "page" / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"integrity"' in lock
