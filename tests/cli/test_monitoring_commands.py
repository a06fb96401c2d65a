"""`aitrade health` and `aitrade errors`."""

import json

from click.testing import CliRunner

from aitrade.cli import main
from aitrade.core.error_groups import keep, told
from aitrade.core.files import write_private


def run(home, *arguments):
    """A command's exit status and output."""
    done = CliRunner().invoke(main, [*arguments, "--data-folder", str(home)])
    return done.exit_code, done.output


def test_health_lists_each_part_and_fails_while_one_is_down(tmp_path):
    """In words for a person, as JSON for a machine."""
    status, text = run(tmp_path, "health")
    assert status == 0
    assert "engine" in text
    assert "no engine was started" in text
    write_private(tmp_path / "run" / "supervisor.json", json.dumps({"pid": 1 << 30, "at": 0, "restarts": {}}))
    status, text = run(tmp_path, "health", "--json")
    assert status == 1
    assert not json.loads(text)["ok"]


def test_errors_are_listed_with_count_and_times(tmp_path):
    """Grouped; since a day; and the trace of one."""
    assert run(tmp_path, "errors") == (0, "No error was logged.\n")
    moment = 1_795_000_000_000_000_000
    keep(tmp_path, [told("page", moment + n, "ui", "x", ValueError(f"no {n}")) for n in range(3)])
    status, text = run(tmp_path, "errors")
    assert status == 0
    assert "ValueError: no 2" in text
    assert "page" in text
    (group,) = json.loads(run(tmp_path, "errors", "--json")[1])
    assert (group["count"], group["first"], group["last"]) == (3, moment, moment + 2)
    assert "ValueError: no 2" in run(tmp_path, "errors", "--trace", group["fingerprint"])[1]
    assert run(tmp_path, "errors", "--since", "2030-01-01")[1] == "No error was logged.\n"
    assert run(tmp_path, "errors", "--since", "yesterday")[0] == 2
