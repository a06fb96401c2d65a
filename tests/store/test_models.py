"""Tests for the model registry: versions, hashes, and which one is active."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitrade.core.errors import DataRefused, Refused
from aitrade.store.models import Models


@pytest.fixture
def models(tmp_path):
    """A registry without a model."""
    return Models(tmp_path)


def add(models, data=b"one", name="rule"):
    """Keep a candidate."""
    return models.add(name, data, "weights.json", made=7, source="a test", metrics={"after": 0.25})


def test_a_candidate_is_kept_and_is_not_active(models):
    """What was added is there with its metrics and hash; nothing that trades changes."""
    model = add(models)
    assert (model.version, model.metrics, models.read(model)) == (1, {"after": 0.25}, b"one")
    assert models.all() == [model]
    assert models.active("rule") is None


def test_the_same_bytes_make_no_new_version(models):
    """An update is idempotent; other bytes are the next version."""
    assert add(models) == add(models)
    assert add(models, b"two").version == 2


def test_activating_and_going_back_change_the_fingerprint(models):
    """A pass that is bound to the fingerprint ends with every activation."""
    add(models)
    none = models.fingerprint()
    models.activate("rule", 1)
    assert models.active("rule").version == 1
    assert models.fingerprint() != none
    models.activate("rule", 0)
    assert models.active("rule") is None
    assert models.fingerprint() == none


def test_a_file_that_changed_is_refused(models):
    """Neither activated nor read."""
    model = add(models)
    models.path(model).write_bytes(b"other")
    with pytest.raises(DataRefused, match="has changed since it was made"):
        models.activate("rule", 1)
    assert models.active("rule") is None


def test_an_unknown_version_is_refused_with_those_that_there_are(models):
    """Nothing is guessed."""
    add(models)
    with pytest.raises(Refused, match="there are: 1"):
        models.activate("rule", 2)


def test_the_active_version_is_not_removed(models):
    """A candidate may be taken back, what trades may not."""
    first, second = add(models), add(models, b"two")
    models.remove(second)
    assert models.all() == [first]
    models.activate("rule", 1)
    with pytest.raises(Refused, match="is active"):
        models.remove(first)


@given(st.text(max_size=12))
def test_a_name_never_leads_out_of_the_folder(tmp_path_factory, name):
    """Only small letters, digits and dashes are a name."""
    models = Models(tmp_path_factory.mktemp("names"))
    try:
        model = models.add(name, b"1", "file", made=0, source="", metrics={})
    except Refused:
        return
    assert models.path(model).resolve().is_relative_to(models.folder.resolve() / name)


def test_a_damaged_registry_says_what_to_do(models):
    """An entry and the list of active ones."""
    model = add(models)
    models.activate("rule", 1)
    (models.folder / "active.json").write_text("{")
    with pytest.raises(DataRefused, match=r"active\.json"):
        models.active("rule")
    models.path(model).with_name("model.json").write_text("{")
    with pytest.raises(DataRefused, match=r"model\.json"):
        models.all()
