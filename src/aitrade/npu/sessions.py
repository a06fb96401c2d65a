"""Models as ONNX Runtime runs them: on this machine's accelerator where it has one, and each run measured.

What is measured is what can be: how many runs there were on which device and how long each took. How busy a device is
with other work is its driver's to say and is not told here.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aitrade.core.metrics import Buckets
from aitrade.npu.devices import ACCELERATORS, accelerator

_USED: dict[str, Buckets] = {}
_LOCK = threading.Lock()


class Session:
    """A model that is loaded. Raises what ONNX Runtime raises for a file that is no model."""

    def __init__(self, model: Path) -> None:
        import onnxruntime

        onnxruntime.disable_telemetry_events()
        there = onnxruntime.get_available_providers()
        wanted = [*(name for name in there if name in ACCELERATORS), "CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(str(model), providers=wanted)
        self.device = accelerator(self._session.get_providers())
        """Where it runs, in words: CPU where there is nothing else."""

    def run(self, inputs: Mapping[str, Any]) -> Sequence[Any]:
        """Return the model's outputs, arrays in its own order, for arrays by the names of its inputs."""
        began = time.perf_counter_ns()
        outputs = self._session.run(None, dict(inputs))
        _take(self.device, time.perf_counter_ns() - began)
        return list(outputs)


def used() -> dict[str, Buckets]:
    """Return how long the runs of this process took, by device."""
    with _LOCK:
        return {device: buckets.copy() for device, buckets in _USED.items()}


def _take(device: str, nanoseconds: int) -> None:
    with _LOCK:
        _USED.setdefault(device, Buckets()).add(nanoseconds)
