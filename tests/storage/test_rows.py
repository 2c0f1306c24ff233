"""Rows become domain objects whose words are words of their enums."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import pytest

from coopwire.domain.disputes import Dispute, DisputeVerdict
from coopwire.domain.states import DisputeState
from coopwire.storage.rows import shaped

A_DISPUTE = Dispute(
    id="d1",
    connection="stripe",
    provider_ref="dp_1",
    charge="pi_1",
    state=DisputeState.LOST,
    amount_minor=1,
    currency="USD",
    opened_at=datetime(2026, 3, 2, tzinfo=UTC),
)


@pytest.mark.parametrize(("told", "read"), [("contest", DisputeVerdict.CONTEST), (None, None)])
def test_a_word_that_may_be_absent_is_a_word_of_its_enum_where_it_is_there(
    told: str | None, read: DisputeVerdict | None
) -> None:
    row = {**asdict(A_DISPUTE), "state": "lost", "answer": told}
    dispute = shaped(Dispute, row)
    assert (dispute.answer, dispute.state) == (read, DisputeState.LOST)
    assert type(dispute.answer) is type(read)
