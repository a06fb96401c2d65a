"""Tests for `npu.devices`."""

import pytest

from aitrade.npu.devices import accelerator, found


@pytest.mark.parametrize(
    ("providers", "name"),
    [
        (["CPUExecutionProvider"], "CPU"),
        (["DmlExecutionProvider", "CPUExecutionProvider"], "DirectML"),
        (["AzureExecutionProvider", "CPUExecutionProvider"], "CPU"),
        ([], "CPU"),
    ],
)
def test_only_hardware_counts(providers, name):
    """A provider that computes elsewhere or on the processor is no accelerator."""
    assert accelerator(providers) == name


def test_the_machine_is_asked():
    """What is found is what ONNX Runtime's own list says."""
    import onnxruntime

    assert found() == accelerator(onnxruntime.get_available_providers())
