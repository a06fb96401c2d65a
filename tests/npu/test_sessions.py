"""Model sessions: they compute, and every run is counted on the device that it ran on."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from onnxruntime import datasets

from aitrade.npu import devices, sessions

MODEL = Path(datasets.get_example("mul_1.onnx"))
"""ONNX Runtime's own example: it squares what stands in its weights, three rows of two."""


def runs():
    """(runs, nanoseconds) of this process so far, on this machine's device."""
    found = sessions.used().get(devices.found())
    return (sum(found.counts), found.total) if found else (0, 0)


def test_a_run_computes_and_is_measured():
    """One run more, and as much time as lies between before and after at most."""
    session = sessions.Session(MODEL)
    before, began = runs(), time.perf_counter_ns()
    (made,) = session.run({"X": np.arange(1, 7, dtype=np.float32).reshape(3, 2)})
    count, took = (now - earlier for now, earlier in zip(runs(), before, strict=True))
    assert made.tolist() == [[1, 4], [9, 16], [25, 36]]
    assert count == 1
    assert 0 < took <= time.perf_counter_ns() - began
    assert session.device == devices.found()


def test_no_run_of_many_threads_is_lost():
    """Eight threads with fifty runs each are four hundred."""
    session, before = sessions.Session(MODEL), runs()[0]
    asked = {"X": np.ones((3, 2), np.float32)}
    threads = [threading.Thread(target=lambda: [session.run(asked) for _ in range(50)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs()[0] == before + 400


def test_a_run_that_fails_is_none(tmp_path):
    """Wrong inputs and files that are no model raise, and nothing is counted."""
    before = runs()
    with pytest.raises(ValueError, match="X"):
        sessions.Session(MODEL).run({"Y": np.ones((3, 2), np.float32)})
    (tmp_path / "no.onnx").write_text("no model")
    with pytest.raises(Exception, match=r"no\.onnx"):
        sessions.Session(tmp_path / "no.onnx")
    assert runs() == before
