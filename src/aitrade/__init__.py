"""aitrade: a research-to-production platform for trading the Indian markets."""

import os

__version__ = "0.1.0"

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# ONNX Runtime (since 1.29) tells its makers the names of models, unless this stands before it is imported.
