"""Reads what a hub exports as Prometheus would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True)
class Scrape:
    """One answer of /metrics: series → value, series → the names of its labels."""

    values: Mapping[tuple[str, frozenset[tuple[str, str]]], float]

    def value(self, series: str, **labels: str) -> float | None:
        """The value of exactly this series; None when it is not there."""
        return self.values.get((series, frozenset(labels.items())))

    def labels(self) -> dict[str, set[str]]:
        """The labels with which each name was exported."""
        found: dict[str, set[str]] = {}
        for series, labels in self.values:
            found.setdefault(series, set()).update(name for name, _ in labels)
        return found


def scrape(text: bytes | str) -> Scrape:
    """Parse an exposition."""
    told = text if isinstance(text, str) else text.decode()
    return Scrape(
        {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(told)
            for sample in family.samples
        }
    )
