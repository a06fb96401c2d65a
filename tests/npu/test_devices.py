"""Tests for `npu.devices`."""

import pytest

from aitrade.npu.devices import ACCELERATORS, PROCESSOR, UNKNOWN, accelerator, found, is_own


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


def test_only_what_was_found_is_a_device_of_its_own():
    """Not the processor, and not a runtime that does not load: nothing is claimed that nobody saw."""
    assert all(is_own(name) for name in ACCELERATORS.values())
    assert not is_own(PROCESSOR)
    assert not is_own(UNKNOWN)
