"""The list of fail points, read from the source: before and after every commit and every call outside."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import coopwire
from coopwire.domain.effects import EffectKind

_SOURCE = Path(coopwire.__file__).parent
_CONSUMERS = ["settle-receipts", "refund-after-debit", "tell-of-failures", "close-breaks"]
_FOLLOWED = ["refund", "payout", "dispute", "account", "mandate", "settlement"]
_WORDS = {
    "self._of.name": _FOLLOWED,
    "consumer.name": _CONSUMERS,
    "self.consumer.name": _CONSUMERS,
    "effect.kind.value": [kind.value for kind in EffectKind],
}
"""What the names in f-strings stand for; a new one must be added here, or the list fails."""


@cache
def all_places() -> tuple[str, ...]:
    """Every fail point of the hub, sorted."""
    return tuple(sorted(set(_places())))


def _places() -> Iterator[str]:
    for path in sorted(_SOURCE.rglob("*.py")):
        text = path.read_text()
        if ".begin(" not in text and "fail(" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            if node.func.attr == "begin":
                for name in _texts(node.args[0]):
                    yield f"before commit {name}"
                    yield f"after commit {name}"
            elif node.func.attr in ("_fail", "fail") and _is_text(node.args[0]):
                yield from _texts(node.args[0])


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _texts(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    assert isinstance(node, ast.JoinedStr), "a fail point's name must stand in the code"
    texts = [""]
    for part in node.values:
        choices = _choices(part)
        texts = [text + choice for text in texts for choice in choices]
    return [text for text in texts if "{" not in text]


def _choices(part: ast.expr) -> list[str]:
    if isinstance(part, ast.Constant):
        return [str(part.value)]
    assert isinstance(part, ast.FormattedValue)
    word = ast.unparse(part.value)
    return _WORDS.get(word, ["{" + word + "}"])
