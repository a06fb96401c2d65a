"""`aitrade health` and `aitrade errors`."""

import json

from click.testing import CliRunner

from aitrade.cli import main
from aitrade.cli.monitoring import shipped
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


def test_prometheus_files_are_written_where_their_paths_are_right(tmp_path):
    """Configuration and rules as shipped, the dashboard, and the command that starts it; again is no trouble."""
    for _ in range(2):
        status, text = run(tmp_path, "prometheus")
        assert status == 0
    written = {path.name for path in (tmp_path / "metrics").iterdir()}
    assert written == {"prometheus.yml", "rules.yml", "aitrade.json"}
    assert f"--config.file={tmp_path / 'metrics' / 'prometheus.yml'}" in text.replace("\n", "")
    assert "../run/token" in (tmp_path / "metrics" / "prometheus.yml").read_text()


def test_the_dashboard_has_its_panels_side_by_side():
    """Each with an id of its own, inside the width, none over another, all asking the chosen Prometheus."""
    board = json.loads((shipped() / "grafana" / "aitrade.json").read_text())
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    assert {panel["datasource"]["uid"] for panel in panels if panel["type"] != "row"} == {"${datasource}"}
    assert [variable["name"] for variable in board["templating"]["list"]] == ["datasource"]
