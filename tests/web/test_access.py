"""Who may do what: keys, scopes, and what is told to those who have none."""

from __future__ import annotations

from typing import Any

import pytest
from rigs.api import FrontDoor

from coopwire.domain.references import new_reference
from coopwire.ports.keys import IMPLIED, Scope

pytestmark = pytest.mark.asyncio(loop_scope="module")

REF = "a" * 20
NEEDS = {
    ("POST", "/v1/payments"): Scope.PAYMENTS_WRITE,
    ("POST", f"/v1/payments/{REF}/attempts"): Scope.PAYMENTS_WRITE,
    ("GET", "/v1/payments"): Scope.PAYMENTS_READ,
    ("GET", f"/v1/payments/{REF}"): Scope.PAYMENTS_READ,
    ("GET", f"/v1/payments/{REF}/timeline"): Scope.PAYMENTS_READ,
    ("GET", "/v1/attempts"): Scope.PAYMENTS_READ,
    ("GET", "/v1/receipts"): Scope.PAYMENTS_READ,
    ("GET", f"/v1/receipts/{REF}"): Scope.PAYMENTS_READ,
    ("POST", "/v1/receipts"): Scope.PAYMENTS_WRITE,
    ("POST", "/v1/receipt-batches"): Scope.PAYMENTS_WRITE,
    ("GET", "/v1/receipt-batches"): Scope.PAYMENTS_READ,
    ("GET", f"/v1/receipt-batches/{REF}"): Scope.PAYMENTS_READ,
    ("POST", f"/v1/receipt-batches/{REF}/approve"): Scope.RECEIPTS_APPROVE,
    ("POST", f"/v1/receipt-batches/{REF}/reject"): Scope.RECEIPTS_APPROVE,
    ("GET", f"/v1/payments/{REF}/fees"): Scope.PAYMENTS_READ,
    ("GET", "/v1/fees/quote"): Scope.PAYMENTS_READ,
    ("GET", "/v1/journals"): Scope.PAYMENTS_READ,
    ("GET", "/v1/postings"): Scope.PAYMENTS_READ,
    ("GET", "/v1/refunds"): Scope.PAYMENTS_READ,
    ("GET", f"/v1/refunds/{REF}"): Scope.PAYMENTS_READ,
    ("GET", "/v1/disputes"): Scope.PAYMENTS_READ,
    ("GET", f"/v1/disputes/{REF}"): Scope.PAYMENTS_READ,
    ("POST", f"/v1/disputes/{REF}/answer"): Scope.OPERATE,
    ("POST", f"/v1/disputes/{REF}/answer/approve"): Scope.BREAKS_APPROVE,
    ("POST", f"/v1/disputes/{REF}/answer/reject"): Scope.BREAKS_APPROVE,
    ("POST", f"/v1/disputes/{REF}/evidence-place"): Scope.OPERATE,
    ("GET", "/v1/settlements"): Scope.PAYMENTS_READ,
    ("GET", f"/v1/settlements/{REF}"): Scope.PAYMENTS_READ,
    ("GET", "/v1/settlements/live"): Scope.PAYMENTS_READ,
    ("GET", f"/v1/settlements/live/{REF}"): Scope.PAYMENTS_READ,
    ("POST", "/v1/payouts"): Scope.PAYOUTS_WRITE,
    ("POST", "/v1/payouts/batch"): Scope.PAYOUTS_WRITE,
    ("GET", "/v1/payouts"): Scope.PAYMENTS_READ,
    ("GET", f"/v1/payouts/{REF}"): Scope.PAYMENTS_READ,
    ("POST", f"/v1/payouts/{REF}/release"): Scope.PAYOUTS_APPROVE,
    ("POST", f"/v1/payouts/{REF}/cancel"): Scope.PAYOUTS_APPROVE,
    ("POST", f"/v1/payouts/{REF}/otp"): Scope.PAYOUTS_APPROVE,
    ("POST", f"/v1/payouts/{REF}/otp/resend"): Scope.PAYOUTS_APPROVE,
    ("GET", f"/v1/connections/{REF}/banks"): Scope.PAYMENTS_READ,
    ("POST", f"/v1/connections/{REF}/account-name"): Scope.PAYOUTS_WRITE,
    ("GET", f"/v1/connections/{REF}/balances"): Scope.PAYMENTS_READ,
    ("POST", "/v1/virtual-accounts"): Scope.PAYMENTS_WRITE,
    ("GET", "/v1/virtual-accounts"): Scope.PAYMENTS_READ,
    ("GET", f"/v1/virtual-accounts/{REF}"): Scope.PAYMENTS_READ,
    ("POST", f"/v1/virtual-accounts/{REF}/close"): Scope.OPERATE,
    ("POST", f"/v1/virtual-accounts/{REF}/requery"): Scope.OPERATE,
    ("GET", "/v1/authorizations"): Scope.PAYMENTS_READ,
    ("GET", f"/v1/authorizations/{REF}"): Scope.PAYMENTS_READ,
    ("POST", f"/v1/authorizations/{REF}/end"): Scope.PAYMENTS_WRITE,
    ("POST", "/v1/mandates"): Scope.PAYMENTS_WRITE,
    ("GET", "/v1/mandates"): Scope.PAYMENTS_READ,
    ("GET", f"/v1/mandates/{REF}"): Scope.PAYMENTS_READ,
    ("POST", f"/v1/mandates/{REF}/suspend"): Scope.PAYMENTS_WRITE,
    ("POST", f"/v1/mandates/{REF}/resume"): Scope.PAYMENTS_WRITE,
    ("POST", f"/v1/mandates/{REF}/retry"): Scope.PAYMENTS_WRITE,
    ("POST", f"/v1/mandates/{REF}/end"): Scope.PAYMENTS_WRITE,
    ("GET", "/v1/breaks"): Scope.PAYMENTS_READ,
    ("GET", f"/v1/breaks/{REF}"): Scope.PAYMENTS_READ,
    ("POST", f"/v1/breaks/{REF}/comment"): Scope.OPERATE,
    ("POST", f"/v1/breaks/{REF}/assign"): Scope.OPERATE,
    ("POST", f"/v1/breaks/{REF}/look"): Scope.OPERATE,
    ("POST", f"/v1/breaks/{REF}/resolve"): Scope.OPERATE,
    ("POST", f"/v1/breaks/{REF}/propose"): Scope.OPERATE,
    ("POST", f"/v1/breaks/{REF}/withdraw"): Scope.OPERATE,
    ("POST", f"/v1/breaks/{REF}/reject"): Scope.BREAKS_APPROVE,
    ("POST", f"/v1/breaks/{REF}/approve"): Scope.BREAKS_APPROVE,
    ("POST", "/v1/corrections"): Scope.OPERATE,
    ("GET", "/v1/effects"): Scope.PAYMENTS_READ,
    ("GET", f"/v1/effects/{REF}"): Scope.PAYMENTS_READ,
    ("POST", f"/v1/effects/{REF}/resume"): Scope.OPERATE,
    ("POST", f"/v1/effects/{REF}/skip"): Scope.OPERATE,
    ("POST", f"/v1/effects/{REF}/replay"): Scope.OPERATE,
    ("GET", "/v1/letter-groups"): Scope.PAYMENTS_READ,
    ("GET", "/v1/letters"): Scope.PAYMENTS_READ,
    ("GET", f"/v1/letters/{REF}"): Scope.PAYMENTS_READ,
    ("POST", "/v1/letters/preview"): Scope.OPERATE,
    ("POST", "/v1/letters/redrive"): Scope.OPERATE,
    ("POST", "/v1/letters/discard"): Scope.OPERATE,
    ("GET", "/v1/breakers"): Scope.PAYMENTS_READ,
    ("POST", "/v1/breakers/open"): Scope.OPERATE,
    ("POST", "/v1/breakers/close"): Scope.OPERATE,
    ("GET", "/v1/budgets"): Scope.PAYMENTS_READ,
    ("GET", "/v1/gates"): Scope.PAYMENTS_READ,
    ("POST", "/v1/gates/close"): Scope.OPERATE,
    ("POST", "/v1/gates/open"): Scope.OPERATE,
    ("POST", "/v1/reconciliations"): Scope.OPERATE,
    ("GET", "/v1/reconciliations"): Scope.PAYMENTS_READ,
    ("GET", f"/v1/reconciliations/{REF}"): Scope.PAYMENTS_READ,
    ("GET", f"/v1/reconciliations/{REF}/export"): Scope.PAYMENTS_READ,
    ("GET", "/v1/audit/head"): Scope.OPERATE,
    ("PUT", "/v1/core-accounts"): Scope.ACCOUNTS_WRITE,
    ("GET", "/v1/core-accounts"): Scope.ACCOUNTS_WRITE,
    ("POST", "/v1/keys"): Scope.ADMIN,
    ("GET", "/v1/keys"): Scope.ADMIN,
    ("DELETE", f"/v1/keys/{REF}"): Scope.ADMIN,
}
OPEN = {"/healthz", "/readyz"}


async def test_the_table_of_scopes_names_every_route(front: FrontDoor) -> None:
    paths = front.api.openapi()["paths"]
    routes = {
        (method.upper(), path.replace("{reference}", REF).replace("{id}", REF).replace("{name}", REF))
        for path, operations in paths.items()
        for method in operations
        if path not in OPEN
    }
    assert routes == set(NEEDS)


@pytest.mark.parametrize(("method", "path"), NEEDS)
async def test_a_route_lets_only_its_scope_in(front: FrontDoor, method: str, path: str) -> None:
    needed = NEEDS[method, path]
    told = await front.call(method, path, key=None)
    assert (told.status, told.headers["www-authenticate"]) == (401, "Bearer")
    for scope in Scope:
        told = await front.call(method, path, key=await front.key(scope))
        allowed = scope in (needed, Scope.ADMIN) or needed in IMPLIED.get(scope, ())
        assert (told.status != 403) is allowed, (scope, told.body)
        assert told.status != 401
        if not allowed:
            assert told.body["detail"] == f"the scope {needed.value} is needed"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic Y3dr", "Bearer cwk_", "Bearer cwk_" + "x" * 43, "Bearer " + "x" * 60_000,
     "Bearer cwk_é", "bearer nothing", "cwk_" + "x" * 43],
)  # fmt: skip
async def test_what_is_no_key_is_not_let_in(front: FrontDoor, header: str) -> None:
    told = await front.call("GET", "/v1/payments", key=None, headers={"authorization": header})
    assert told.status in (400, 401)
    assert "cwk_" not in told.raw.decode()


async def test_two_keys_at_once_are_none(front: FrontDoor) -> None:
    bearer = f"Bearer {front.keys['all']}"
    headers = [("authorization", bearer), ("authorization", bearer)]
    async with front.web.get(front.url + "/v1/payments", headers=headers) as answer:
        assert answer.status == 401


async def test_who_has_no_key_is_told_so_before_the_body_is_read(front: FrontDoor) -> None:
    told = await front.call("POST", "/v1/payments", key=None, data=b"{", headers={"content-type": "x/y"})
    assert told.status == 401


async def test_a_key_is_made_shown_once_and_ends_at_once(front: FrontDoor) -> None:
    body = {"name": "loan system", "scopes": ["payments:read", "payments:read"]}
    made = await front.call("POST", "/v1/keys", json=body)
    assert made.status == 201
    secret, key = made.body["secret"], made.body["key"]
    assert key["scopes"] == ["payments:read"]
    assert (await front.get("/v1/payments", key=secret)).status == 200

    listed = await front.get("/v1/keys")
    assert key in listed.body["items"]
    assert secret not in listed.raw.decode()
    kept = await front.hub.rows("SELECT * FROM api_keys WHERE id = $1", key["id"])
    assert secret not in str(kept)

    assert (await front.call("DELETE", f"/v1/keys/{key['id']}")).status == 204
    assert (await front.get("/v1/payments", key=secret)).status == 401
    assert (await front.call("DELETE", f"/v1/keys/{key['id']}")).status == 404
    audited = await front.hub.rows(
        "SELECT action FROM operator_actions WHERE subject = $1 ORDER BY id", key["id"]
    )
    assert [row["action"] for row in audited] == ["create key", "revoke key"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "a"},
        {"name": "a", "scopes": []},
        {"name": "", "scopes": ["admin"]},
        {"name": " ", "scopes": ["admin"]},
        {"name": "\u200b", "scopes": ["admin"]},
        {"name": "a", "scopes": ["everything"]},
        {"name": "a\nb", "scopes": ["admin"]},
        {"name": "a", "scopes": ["admin"], "id": "x"},
    ],
)
async def test_a_key_needs_a_name_and_scopes(front: FrontDoor, body: dict[str, Any]) -> None:
    assert (await front.call("POST", "/v1/keys", json=body)).status == 422


async def test_a_key_that_does_not_exist_cannot_be_revoked(front: FrontDoor) -> None:
    assert (await front.call("DELETE", f"/v1/keys/{new_reference()}")).status == 404


async def test_a_secret_never_shows_in_a_representation(front: FrontDoor) -> None:
    made = await front.office.keys.create("shown", [Scope.ADMIN], "the test", front.office.clock.now())
    assert made.secret not in repr(made)
