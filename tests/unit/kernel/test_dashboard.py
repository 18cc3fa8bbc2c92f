"""The dashboard in docs/examples/observe shows what is exported, and nothing that is not."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import surf_data
from surf_data.kernel.monitoring import PrometheusCollector

DASHBOARD = Path(__file__).parents[3] / "docs" / "examples" / "observe" / "grafana.json"
SUFFIXES = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",), "gauge": ("",)}


@pytest.fixture(scope="module")
def families() -> list[Any]:
    """Return the metrics of a data layer; no server is needed to know their names."""
    with surf_data.open("postgresql://127.0.0.1:9/none", pool_min_size=0) as data:
        return list(PrometheusCollector(data).collect())


def expressions() -> Iterator[tuple[str, str]]:
    """Yield what the panels ask Prometheus, each with its legend."""
    for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
        for target in panel["targets"]:
            yield target["expr"], target["legendFormat"]


def test_every_series_is_exported(families: list[Any]) -> None:
    """A panel names only series that the collector exports, by labels that they have."""
    labels = {f"{each.name}{suffix}": {*each._labelnames, "le"} for each in families for suffix in SUFFIXES[each.type]}
    for expression, legend in expressions():
        [name] = re.findall(r"surf_data_\w+", expression)
        assert name in labels
        [*by] = [label for found in re.findall(r"by \(([^)]*)\)", expression) for label in found.split(", ")]
        assert {*by, *re.findall(r"{{(\w+)}}", legend)} <= labels[name]


def test_every_metric_is_shown(families: list[Any]) -> None:
    """What is exported has a place on the dashboard."""
    shown = " ".join(expression for expression, _ in expressions())
    assert [each.name for each in families if each.name not in shown] == []


def test_panels_do_not_overlap() -> None:
    """Each panel has a place and a number of its own."""
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    assert len({(each["gridPos"]["x"], each["gridPos"]["y"]) for each in panels}) == len(panels)
    assert [each["id"] for each in panels] == list(range(1, len(panels) + 1))
