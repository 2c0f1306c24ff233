"""What others send as JSON is taken exactly or not at all."""

from __future__ import annotations

from decimal import Decimal

import pytest

from coopwire.domain.errors import ContractBroken
from coopwire.transport.strict_json import Pairs, parse


def test_a_number_keeps_every_digit() -> None:
    told = parse(b'{"fee": 0.10, "id": 9223372036854775807, "more": [1e2]}', "They")
    assert told == {"fee": Decimal("0.10"), "id": 9223372036854775807, "more": [Decimal("1E+2")]}
    assert isinstance(told, dict)
    assert str(told["fee"]) == "0.10"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b'{"a": Infinity}',
        b"\xff",
        b"[" * 100_000,
        b"<html>",
        b'{"a": 1e99999999999999999999}',
    ],
)
def test_what_is_not_strict_json_is_a_broken_contract_of_theirs(body: bytes) -> None:
    with pytest.raises(ContractBroken, match=r"^They: the body is not JSON$"):
        parse(body, "They")


def test_who_reads_decides_what_an_object_is() -> None:
    def once(pairs: Pairs) -> dict[str, object]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError
        return dict(pairs)

    assert parse(b'{"a": 1, "a": 2}', "They") == {"a": 2}
    with pytest.raises(ContractBroken):
        parse(b'{"a": 1, "a": 2}', "They", once)
