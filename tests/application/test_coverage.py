"""A mapping may go live only when every key of it can be posted to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coopwire.application.coverage import Flaw, gaps, unmapped
from coopwire.domain.books import keys_needed
from coopwire.ports.books import GlAccount

NEEDED = keys_needed(["main"])
CHART = (
    GlAccount("1", "Cash", "Other Current Asset", active=True, postable=True),
    GlAccount("2", "Old", "Other Current Asset", active=False, postable=False),
    GlAccount("3", "Receivable", "Accounts Receivable", active=True, postable=False),
)
WHOLE = dict.fromkeys(NEEDED, "1")


def test_a_whole_mapping_has_no_gaps() -> None:
    assert gaps(WHOLE, NEEDED, CHART) == []


def test_every_kind_of_gap_is_told_with_its_account_and_a_remedy() -> None:
    entries = {**WHOLE, "suspense": "2", "loan_principal": "3", "fee_income": "9"}
    del entries["member_shares"]
    found = gaps(entries, NEEDED, CHART)
    assert [(gap.key, gap.flaw, gap.account, gap.name) for gap in found] == [
        ("fee_income", Flaw.NO_SUCH_ACCOUNT, "9", ""),
        ("loan_principal", Flaw.NOT_POSTABLE, "3", "Receivable"),
        ("member_shares", Flaw.UNMAPPED, "", ""),
        ("suspense", Flaw.INACTIVE, "2", "Old"),
    ]
    assert all(gap.remedy for gap in found)


def test_a_key_that_no_rule_needs_is_judged_too() -> None:
    assert [gap.key for gap in gaps({**WHOLE, "rounding": "9"}, NEEDED, CHART)] == ["rounding"]


@given(st.dictionaries(st.sampled_from(sorted(NEEDED)), st.sampled_from(["1", "2", "3", "9"])))
def test_without_gaps_every_needed_key_has_an_account_that_takes_journals(entries: dict[str, str]) -> None:
    found = gaps(entries, NEEDED, CHART)
    assert {gap.key for gap in unmapped(entries, NEEDED)} == NEEDED - entries.keys()
    good = {account.account for account in CHART if account.active and account.postable}
    fit = {key for key, account in entries.items() if account in good}
    assert {gap.key for gap in found} == NEEDED - fit
