"""Nothing of what is computed here is told to anyone."""

import os
import subprocess
import sys

LOOK = "import onnxruntime; onnxruntime.get_available_providers()"


def left_behind(home, code):
    """Run Python code as somebody whose home is empty, not on a build machine; return the files that it left there."""
    quiet = ("CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "XDG_CACHE_HOME", "GITHUB_ACTIONS")
    environment = {name: value for name, value in os.environ.items() if name not in quiet}
    subprocess.run([sys.executable, "-c", code], env={**environment, "HOME": str(home)}, check=True)
    return [str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()]


def test_the_runtime_of_models_keeps_no_record_to_be_sent(tmp_path):
    """With aitrade imported first, ONNX Runtime opens no store of what it would send to its makers."""
    assert left_behind(tmp_path, "import aitrade.npu.devices as d; d.found()") == []
    assert left_behind(tmp_path, f"import aitrade; {LOOK}") == []
