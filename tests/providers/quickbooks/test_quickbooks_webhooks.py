"""QuickBooks' change notices: believed only when signed, and never a reason to book."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopwire.domain.errors import ContractBroken, Forged
from coopwire.domain.notices import NoticeVerdict
from coopwire.domain.payments import Mode
from coopwire.ports.providers import Connection
from coopwire.providers.quickbooks import PROVIDER
from coopwire.providers.quickbooks.webhooks import QuickBooksWebhooks

VERIFIER = "verifier-0001"
REALM = "9130350000000001"

OLD = {
    "eventNotifications": [
        {
            "realmId": REALM,
            "dataChangeEvent": {
                "entities": [
                    {
                        "name": "JournalEntry",
                        "id": "450",
                        "operation": "Update",
                        "lastUpdated": "2026-03-02T01:02:03-0700",
                    },
                    {"name": "Account", "id": "91", "operation": "Merge", "lastUpdated": "x"},
                ]
            },
        },
        {
            "realmId": "1",
            "dataChangeEvent": {
                "entities": [{"name": "Customer", "id": "5", "operation": "Create", "lastUpdated": ""}]
            },
        },
    ]
}
NEW = [
    {
        "specversion": "1.0",
        "id": "e-1",
        "source": "intuit",
        "type": "qbo.journalentry.deleted.v1",
        "time": "2026-03-02T08:00:00Z",
        "intuitentityid": "450",
        "intuitaccountid": REALM,
        "data": {},
    }
]


def webhooks(**settings: str) -> QuickBooksWebhooks:
    given = {"realm_id": REALM, "verifier_token": VERIFIER} | settings
    return QuickBooksWebhooks(Connection("books", "quickbooks", Mode.LIVE, given))


def signature(body: bytes, key: str = VERIFIER) -> str:
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def test_the_sheet_builds_them_from_a_connection() -> None:
    assert PROVIDER.webhooks is not None
    assert PROVIDER.load(PROVIDER.webhooks) is QuickBooksWebhooks


def test_a_notice_with_their_signature_is_theirs() -> None:
    body = json.dumps(OLD).encode()
    webhooks().verify({"intuit-signature": signature(body)}, body)


@pytest.mark.parametrize("given", [None, "", "x", "ü", "\ud800", signature(b"other"), signature(b"{}", "no")])
def test_a_notice_without_it_is_forged(given: str | None) -> None:
    headers = {} if given is None else {"intuit-signature": given}
    with pytest.raises(Forged):
        webhooks().verify(headers, b"{}")


def test_without_a_verifier_token_every_notice_is_forged() -> None:
    body = b"{}"
    with pytest.raises(Forged):
        webhooks(verifier_token=" ").verify({"intuit-signature": signature(body, "")}, body)


def test_the_signature_is_over_the_raw_bytes() -> None:
    body = json.dumps(NEW, indent=1).encode()
    with pytest.raises(Forged):
        webhooks().verify({"intuit-signature": signature(json.dumps(NEW).encode())}, body)


def test_the_old_shape_tells_one_notice_for_each_changed_object() -> None:
    notices = webhooks().read(json.dumps(OLD).encode())
    assert [notice.event for notice in notices] == ["JournalEntry.Update", "Account.Merge", "Customer.Create"]
    assert [notice.status for notice in notices] == ["update", "merge", "create"]
    assert "another company" in notices[2].reason
    assert "another company" not in notices[0].reason


def test_the_new_shape_tells_the_same() -> None:
    (notice,) = webhooks().read(json.dumps(NEW).encode())
    assert (notice.event, notice.status) == ("qbo.journalentry.deleted.v1", "deleted")


@pytest.mark.parametrize("shape", [OLD, NEW])
def test_no_notice_of_theirs_is_about_a_charge(shape: object) -> None:
    for notice in webhooks().read(json.dumps(shape).encode()):
        assert notice.verdict is NoticeVerdict.OTHER
        assert (notice.reference, notice.charge, notice.amount_minor) == (None, None, None)
        assert notice.reason


def test_an_empty_array_tells_nothing() -> None:
    assert webhooks().read(b"[]") == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"{}",
        b"[1]",
        b"[{}]",
        b'{"eventNotifications":{}}',
        b'{"eventNotifications":[{"realmId":"1"}]}',
        b'{"eventNotifications":[{"realmId":"1","dataChangeEvent":{"entities":[{"name":"A"}]}}]}',
        json.dumps([{**NEW[0], "type": "qbo.invoice"}]).encode(),
        json.dumps([{**NEW[0], "type": "xero.a.b.v1"}]).encode(),
        json.dumps([{**NEW[0], "intuitentityid": "x\n"}]).encode(),
        json.dumps([{**NEW[0], "intuitentityid": "x" * 101}]).encode(),
        b"[" * 100_000,
        b'{"a":NaN}',
        b"\xff",
    ],
)
def test_what_is_in_neither_shape_breaks_the_contract(body: bytes) -> None:
    with pytest.raises(ContractBroken):
        webhooks().read(body)


def _mutated(body: bytes, at: int, replacement: bytes) -> bytes:
    at %= len(body)
    return body[:at] + replacement + body[at + len(replacement) :]


@given(st.sampled_from([OLD, NEW]), st.integers(0, 10_000), st.binary(min_size=1, max_size=8))
def test_a_mutated_notice_is_read_or_breaks_the_contract_and_nothing_else(
    shape: object, at: int, junk: bytes
) -> None:
    body = _mutated(json.dumps(shape).encode(), at, junk)
    try:
        notices = webhooks().read(body)
    except ContractBroken:
        return
    assert all(notice.verdict is NoticeVerdict.OTHER and notice.charge is None for notice in notices)
