"""Which accelerator this machine offers to models, as ONNX Runtime sees it."""

from collections.abc import Sequence

PROCESSOR = "CPU"
UNKNOWN = "unknown: ONNX Runtime does not load"
ACCELERATORS = {
    "DmlExecutionProvider": "DirectML",
    "CUDAExecutionProvider": "CUDA",
    "TensorrtExecutionProvider": "TensorRT",
    "OpenVINOExecutionProvider": "OpenVINO",
    "QNNExecutionProvider": "QNN NPU",
    "VitisAIExecutionProvider": "Ryzen AI NPU",
    "CoreMLExecutionProvider": "Core ML",
    "ROCMExecutionProvider": "ROCm",
}
"""Execution providers that stand for hardware of their own; the others compute on the processor or elsewhere."""


def accelerator(providers: Sequence[str]) -> str:
    """Return the first accelerator among `providers` in words, or CPU when there is none."""
    return next((ACCELERATORS[name] for name in providers if name in ACCELERATORS), PROCESSOR)


def is_own(device: str) -> bool:
    """Return whether a device in words is hardware of its own: not the processor, and not one that nobody could ask."""
    return device in ACCELERATORS.values()


def found() -> str:
    """Ask ONNX Runtime (which is imported now: not on the trading thread) what this machine has."""
    try:
        from onnxruntime import disable_telemetry_events, get_available_providers
    except ImportError:
        return UNKNOWN
    disable_telemetry_events()  # what Windows records of it; elsewhere the package's environment has seen to it
    return accelerator(get_available_providers())
