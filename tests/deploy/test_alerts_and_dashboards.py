"""Alert rules and dashboards speak of what the code exports, and of nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from rigs.promql import faults, labels_of

from coopwire.monitoring.catalogue import CATALOGUE

ROOT = Path(__file__).resolve().parents[2]
RULES = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
BOARDS = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "deploy/grafana").glob("*.json"))
}


def _queries() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, board in BOARDS.items():
        for panel in board["panels"]:
            for target in panel.get("targets", ()):
                yield f"{name}: {panel['title']}: {target['legendFormat']}", target


QUERIES = dict(_queries())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_what_there_is(rule: dict[str, Any]) -> None:
    assert faults(rule["expr"]) == []


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_a_panel_asks_for_what_there_is(query: dict[str, Any]) -> None:
    assert faults(query["expr"]) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_the_words_of_an_alert_name_labels_that_it_has(rule: dict[str, Any]) -> None:
    named = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
    assert named <= labels_of(rule["expr"])
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_the_legend_of_a_panel_names_every_label_that_tells_its_lines_apart(query: dict[str, Any]) -> None:
    assert set(re.findall(r"{{(\w+)}}", query["legendFormat"])) == labels_of(query["expr"])


def test_every_alert_has_its_entry_in_the_runbook_and_no_entry_is_left_over() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    entries = re.findall(r"^### Alert `(\w+)`\n\n(.+)", runbook, re.MULTILINE)
    assert [name for name, _ in entries] == [rule["alert"] for rule in RULES]


def test_every_metric_of_the_hub_is_on_a_board() -> None:
    asked = " ".join(query["expr"] for query in QUERIES.values())
    missing = [one.name for one in CATALOGUE if not any(re.search(rf"\b{s}\b", asked) for s in one.series)]
    assert missing == []


def test_the_panels_of_a_board_do_not_lie_over_each_other() -> None:
    for name, board in BOARDS.items():
        taken: dict[tuple[int, int], str] = {}
        for panel in board["panels"]:
            at = panel["gridPos"]
            for x in range(at["x"], at["x"] + at["w"]):
                for y in range(at["y"], at["y"] + at["h"]):
                    assert 0 <= x < 24
                    assert taken.setdefault((x, y), panel["title"]) == panel["title"], name
        ids = [panel["id"] for panel in board["panels"]]
        assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("max(coopwire_outbox_event)", "nothing exports coopwire_outbox_event"),
        ("max(coopwire_bus_published)", "nothing exports coopwire_bus_published"),
        ('max(coopwire_effects{status="held"})', "coopwire_effects has no label status"),
        ('max(coopwire_effects{state="helt"})', "helt is no state"),
        ('max(coopwire_effects{state="done"})', "done is no state"),
        ('max(coopwire_gate_closed{gate=~"manual|brake"})', "brake is no gate"),
        ("sum(coopwire_outbox_events)", "take max of it, not sum"),
        ("coopwire_outbox_events > 3", "take max of it, not None"),
        ("max by (loan) (coopwire_effects)", "there is no label loan to aggregate by"),
        ("max without (loan) (coopwire_effects)", "not without which"),
        ("sum by (le) (rate(coopwire_call_seconds_sum[5m]))", "there is no label le to aggregate by"),
        ("max(rate(coopwire_workers[5m]))", "a rate of it means nothing"),
        ("sum(coopwire_bus_published_total)", "take its rate"),
        ("max(coopwire_workers", "it does not parse"),
        ("max(coopwire_workers) or max(coopwire_workerz)", "nothing exports coopwire_workerz"),
    ],
)
def test_an_expression_that_is_wrong_on_purpose_is_caught(expression: str, fault: str) -> None:
    assert fault in "; ".join(faults(expression))
