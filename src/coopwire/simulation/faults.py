"""Faults on command: rules that say which calls a simulator spoils, how, and how often."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

EVERY_OPERATION: Final = "*"

Params = Mapping[str, type]
"""The parameters that a fault kind understands, with the type of each (float takes whole numbers too)."""

REQUEST_KINDS: Final[Mapping[str, Params]] = {
    "http_500": {"done": bool},
    "http_503": {"done": bool, "retry_after": int},
    "http_429": {"retry_after": int},
    "silence_before": {},
    "silence_after": {},
    "drop_before": {"reset": bool},
    "drop_after": {"reset": bool},
    "html": {"done": bool, "status": int},
    "empty": {"done": bool, "status": int},
    "truncated": {"cut": bool},
    "slow": {"seconds": float},
    "late": {"seconds": float},
    "redirect": {"location": str, "status": int},
}
"""What can happen to any request."""

MESSAGE_KINDS: Final[Mapping[str, Params]] = {
    "duplicate": {"copies": int},
    "out_of_order": {"seconds": float},
    "missing": {},
    "forged": {"instead": bool},
    "delayed": {"seconds": float},
}
"""What can happen to a message that the simulator sends (a webhook)."""


class FaultError(ValueError):
    """A rule that could never fire as meant: unknown operation, kind or parameter."""


@dataclass(slots=True)
class FaultRule:
    """One rule. It skips the first `after` calls it sees, then fires `times` times (None: for ever).

    `match` is a piece of text that must stand in the path or the body. `probability` is drawn from a
    generator of the rule's own, so that one `seed` gives one day.
    """

    id: int
    operation: str
    kind: str
    times: int | None
    after: int
    probability: float
    seed: int
    match: str
    params: Mapping[str, object]
    seen: int = 0
    fired: int = 0
    dice: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    def seconds(self, default: float) -> float:
        """The parameter `seconds`, of simulated time."""
        return cast("float", self.params.get("seconds", default))

    def whole(self, name: str, default: int) -> int:
        """A whole number, such as minor units or an HTTP status."""
        return cast("int", self.params.get(name, default))

    def flag(self, name: str) -> bool:
        """A yes or no; no unless given."""
        return cast("bool", self.params.get(name, False))

    def text(self, name: str, default: str) -> str:
        """Words."""
        return cast("str", self.params.get(name, default))

    def strikes(self, path: str, body: bytes) -> bool:
        """Whether the rule fires on this call; counts it either way."""
        if self.match and self.match not in path and self.match.encode() not in body:
            return False
        self.seen += 1
        if self.seen <= self.after or (self.times is not None and self.fired >= self.times):
            return False
        if self.dice.random() >= self.probability:
            return False
        self.fired += 1
        return True

    def shown(self) -> dict[str, object]:
        """The rule as the control plane tells it."""
        return {
            "id": self.id,
            "operation": self.operation,
            "kind": self.kind,
            "times": self.times,
            "after": self.after,
            "probability": self.probability,
            "seed": self.seed,
            "match": self.match,
            "params": dict(self.params),
            "seen": self.seen,
            "fired": self.fired,
        }


class Faults:
    """The rules in force, oldest first; the first one that fires takes the call."""

    def __init__(self) -> None:
        self._rules: list[FaultRule] = []
        self._kinds: dict[str, Mapping[str, Params]] = {}
        self._made = 0

    def teach(self, operation: str, kinds: Mapping[str, Params]) -> None:
        """Say that `operation` exists and which kinds (with which parameters) it can suffer."""
        self._kinds[operation] = kinds

    def add(
        self,
        operation: str,
        kind: str,
        *,
        times: int | None = 1,
        after: int = 0,
        probability: float = 1.0,
        seed: int = 0,
        match: str = "",
        params: Mapping[str, object] | None = None,
    ) -> FaultRule:
        """Add a rule and return it. FaultError when it could never fire as meant."""
        given = params or {}
        self._check(operation, kind, given)
        if (times is not None and times < 1) or after < 0 or not 0 <= probability <= 1:
            raise FaultError("times is at least 1 (or null), after at least 0, probability from 0 to 1")
        self._made += 1
        rule = FaultRule(self._made, operation, kind, times, after, probability, seed, match, dict(given))
        self._rules.append(rule)
        return rule

    def take(self, operation: str, path: str = "", body: bytes = b"") -> FaultRule | None:
        """The rule that spoils this call, if any; counts it as fired."""
        for rule in self._rules:
            if self._concerns(rule, operation) and rule.strikes(path, body):
                return rule
        return None

    def rules(self) -> tuple[FaultRule, ...]:
        """Every rule, spent ones too."""
        return tuple(self._rules)

    def remove(self, rule_id: int) -> bool:
        """Take one rule away; False when there is none of this id."""
        before = len(self._rules)
        self._rules = [rule for rule in self._rules if rule.id != rule_id]
        return len(self._rules) < before

    def clear(self) -> None:
        """Take all rules away."""
        self._rules.clear()

    def _concerns(self, rule: FaultRule, operation: str) -> bool:
        if rule.operation == EVERY_OPERATION:
            return rule.kind in self._kinds[operation]
        return rule.operation == operation

    def _check(self, operation: str, kind: str, params: Mapping[str, object]) -> None:
        if operation != EVERY_OPERATION and operation not in self._kinds:
            raise FaultError(f"no operation {operation[:40]!r}; there are {_listed(self._kinds)}")
        concerned = self._kinds.values() if operation == EVERY_OPERATION else [self._kinds[operation]]
        understood = [kinds[kind] for kinds in concerned if kind in kinds]
        if not understood:
            known = {name for kinds in concerned for name in kinds}
            raise FaultError(f"no fault kind {kind[:40]!r} for {operation}; there are {_listed(known)}")
        for name, value in params.items():
            _check_param(kind, name, value, understood[0])


def _check_param(kind: str, name: str, value: object, understood: Params) -> None:
    if name not in understood:
        raise FaultError(f"{kind} does not know the parameter {name[:40]!r}; it knows {_listed(understood)}")
    wanted = understood[name]
    fits = isinstance(value, int | float) if wanted is float else isinstance(value, wanted)
    if not fits or (isinstance(value, bool) and wanted is not bool):
        raise FaultError(f"parameter {name} of {kind} must be a {wanted.__name__}")


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names))
