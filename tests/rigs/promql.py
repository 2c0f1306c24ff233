"""Holds a PromQL expression against the metrics that the code exports."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import promql_parser
from promql_parser import (
    AggModifierType,
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    MatchOp,
    MatrixSelector,
    ParenExpr,
    SubqueryExpr,
    UnaryExpr,
    VectorSelector,
)

from coopwire.domain.breaks import BreakType
from coopwire.domain.effects import EffectKind
from coopwire.domain.gates import GateKind, Traffic
from coopwire.domain.states import FINISHED_EFFECT, EffectState
from coopwire.monitoring.catalogue import CATALOGUE, Kind, Metric, Scope
from coopwire.ports.meters import DoorWord

OF_PROMETHEUS = {"job", "instance"}
"""Labels that a scrape adds."""
FOREIGN = {"up"}
"""What Prometheus tells of a scrape itself."""
WORDS: Mapping[str, Collection[str]] = {
    "kind": set(EffectKind),
    "state": set(EffectState) - FINISHED_EFFECT,
    "gate": set(GateKind),
    "traffic": set(Traffic),
    "word": set(DoorWord),
    "type": set(BreakType),
}
"""Labels whose values are words of ours."""
_BY_SERIES = {series: metric for metric in CATALOGUE for series in metric.series}


@dataclass(frozen=True)
class _Under:
    """What stands above a part of an expression: the nearest aggregation, and whether a rate is taken."""

    aggregation: str | None = None
    rate: bool = False


def labels_of(text: str) -> set[str]:
    """The labels of its result. ValueError where it does not parse or keeps labels that vary by process."""
    return _labels(promql_parser.parse(text))


def faults(text: str) -> list[str]:
    """What is wrong with an expression; empty when it can tell what it means."""
    try:
        tree = promql_parser.parse(text)
    except ValueError as error:
        return [f"it does not parse: {error}"]
    return list(_faults(tree, _Under()))


def _faults(expr: Expr, under: _Under) -> Iterator[str]:
    if isinstance(expr, VectorSelector):
        yield from _of_selector(expr, under)
    elif isinstance(expr, AggregateExpr):
        yield from _of_labels(expr)
        yield from _faults(expr.expr, _Under(str(expr.op), under.rate))
    elif isinstance(expr, Call):
        for arg in expr.args:
            taken = _Under(under.aggregation, expr.func.name in ("rate", "increase", "irate"))
            yield from _faults(arg, taken)
    else:
        for part in _parts(expr):
            yield from _faults(part, under)


def _of_selector(expr: VectorSelector, under: _Under) -> Iterator[str]:
    metric = _BY_SERIES.get(expr.name or "")
    if metric is None:
        if expr.name not in FOREIGN:
            yield f"nothing exports {expr.name}"
        return
    for matcher in expr.matchers.matchers:
        if matcher.name not in _known(metric, expr.name):
            yield f"{expr.name} has no label {matcher.name}"
        yield from (f"{word} is no {matcher.name}" for word in _strange_words(matcher))
    if metric.scope is Scope.HUB and under.aggregation not in ("max", "min"):
        yield f"{expr.name} is told alike by every process: take max of it, not {under.aggregation}"
    if (metric.kind is Kind.GAUGE) == under.rate:
        yield f"{expr.name} is a {metric.kind}: {'a rate of it means nothing' if under.rate else 'take its rate'}"


def _strange_words(matcher: promql_parser.Matcher) -> set[str]:
    words = WORDS.get(matcher.name)
    if words is None:
        return set()
    if matcher.op in (MatchOp.Re, MatchOp.NotRe):
        return set(matcher.value.split("|")) - set(words)
    return {matcher.value} - set(words)


def _of_labels(expr: AggregateExpr) -> Iterator[str]:
    if expr.modifier is None:
        return
    if expr.modifier.type is not AggModifierType.By:
        yield "say by which labels, not without which"
    there = _labels(expr.expr)
    yield from (f"there is no label {label} to aggregate by" for label in set(expr.modifier.labels) - there)


def _labels(expr: Expr) -> set[str]:
    if isinstance(expr, VectorSelector):
        metric = _BY_SERIES.get(expr.name or "")
        return set(OF_PROMETHEUS) if metric is None else _known(metric, expr.name)
    if isinstance(expr, AggregateExpr):
        return set(expr.modifier.labels) if expr.modifier is not None else set()
    if isinstance(expr, Call) and expr.func.name == "histogram_quantile":
        return _labels(expr.args[1]) - {"le"}
    if isinstance(expr, Call):
        return set().union(*map(_labels, expr.args))
    return set().union(*map(_labels, _parts(expr)))


def _parts(expr: Expr) -> list[Expr]:
    if isinstance(expr, BinaryExpr):
        return [expr.lhs, expr.rhs]
    if isinstance(expr, MatrixSelector):
        return [expr.vector_selector]
    if isinstance(expr, ParenExpr | UnaryExpr | SubqueryExpr):
        return [expr.expr]
    return []


def _known(metric: Metric, series: str | None) -> set[str]:
    le = {"le"} if series is not None and re.search("_bucket$", series) else set()
    return set(metric.labels) | OF_PROMETHEUS | le
