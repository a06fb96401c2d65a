"""The table of metrics: what is written is Prometheus's own format, and nothing that the table does not have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from aitrade.core.metrics import BOUNDS, TABLE, Buckets, Figures, announce


def samples(text):
    """Values by name and labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@given(st.lists(st.integers(min_value=-5, max_value=1 << 62)))
def test_a_histogram_counts_every_sample_where_it_belongs(durations):
    """Each bound has the samples up to it, the last one all of them, and the sum is theirs."""
    buckets = Buckets()
    for duration in durations:
        buckets.add(duration)
    rows = dict(buckets.cumulative())
    for exponent, bound in BOUNDS:
        assert rows[bound] == sum(duration < 1 << exponent for duration in durations)
    assert rows["+Inf"] == len(durations)
    assert buckets.total == sum(duration for duration in durations if duration > 0)


def test_values_are_written_in_the_format_of_prometheus():
    """Counters, gauges and histograms, labelled."""
    figures, buckets = Figures(), Buckets()
    buckets.add(1_500_000)
    figures.put("aitrade_ticks_total", 12)
    figures.put("aitrade_queue_depth", 3, "commands")
    figures.put("aitrade_queue_depth", 4, "paced")
    figures.put("aitrade_order_stage_seconds", buckets, "risk")
    read = samples(figures.text())
    assert read["aitrade_ticks_total",] == 12
    assert read["aitrade_queue_depth", "commands"] == 3
    assert read["aitrade_queue_depth", "paced"] == 4
    assert read["aitrade_order_stage_seconds_count", "risk"] == 1
    assert read["aitrade_order_stage_seconds_sum", "risk"] == 0.0015
    assert read["aitrade_order_stage_seconds_bucket", "0.001048576", "risk"] == 0
    assert read["aitrade_order_stage_seconds_bucket", "0.002097152", "risk"] == 1


def test_what_is_not_in_the_table_is_not_written():
    """Neither a name nor a label."""
    with pytest.raises(KeyError):
        Figures().put("aitrade_surprise", 1)
    with pytest.raises(ValueError, match="labelled by"):
        Figures().put("aitrade_queue_depth", 1)


def test_names_say_what_they_are():
    """Prometheus's conventions: counters end in _total, every row has words."""
    for name, metric in TABLE.items():
        assert name.startswith("aitrade_")
        assert metric.says
        assert name.endswith("_total") == (metric.kind == "counter")


def test_a_process_tells_what_it_uses_and_where_it_is(tmp_path):
    """Memory, processor time and threads of its own; a target file that Prometheus discovers."""
    figures = Figures()
    figures.put_process("probe")
    figures.put_machine(tmp_path)
    read = samples(figures.text())
    assert read["aitrade_process_memory_bytes", "probe"] > 1 << 20
    assert read["aitrade_process_cpu_seconds_total", "probe"] > 0
    assert 0 < read["aitrade_machine_memory_used_ratio",] < 1
    assert read["aitrade_disk_free_bytes",] > 0
    announce(tmp_path, "probe", 4711)
    assert '"127.0.0.1:4711"' in (tmp_path / "metrics" / "targets" / "probe.json").read_text()
