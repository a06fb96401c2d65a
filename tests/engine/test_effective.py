"""Tests for `engine.settings`: what a page may see of what is in force."""

import pytest

from aitrade.engine.settings import EngineSettings, effective
from aitrade.risk.limits import Limits


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql+psycopg://trader:secret@db.example:5432/books", "postgresql+psycopg://db.example:5432/books"),
        ("sqlite:////data/books.db", "sqlite:////data/books.db"),
        ("", ""),
    ],
)
def test_a_database_is_named_without_its_password(tmp_path, url, shown):
    """The page shows where the projection lies, and never who may enter there."""
    answer = effective(EngineSettings(home=str(tmp_path), projection=url), Limits.load())
    assert answer.settings.projection == shown


def test_it_says_where_to_change_what(tmp_path):
    """Settings and limits each name the file of the data folder that overrides them."""
    answer = effective(EngineSettings(home=str(tmp_path)), Limits.load())
    assert answer.settings_file == str(tmp_path / "aitrade.toml")
    assert answer.limits_file == str(tmp_path / "limits.toml")
