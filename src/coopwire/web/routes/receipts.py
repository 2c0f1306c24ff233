"""Money from elsewhere: told line by line or as files, released by a second person where its source wants one."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from starlette.requests import Request
from starlette.responses import Response

from coopwire.application.arrivals import Telling, arrival
from coopwire.application.paying import Rejected
from coopwire.application.receipt_desk import File
from coopwire.domain.arrivals import Arrival
from coopwire.domain.money import Money
from coopwire.ports.keys import Scope
from coopwire.ports.queries import BatchView, Filter, ReceiptView
from coopwire.web import cursors, examples
from coopwire.web.access import Caller, actor, needs
from coopwire.web.answers import BatchAnswer, BatchLinesAnswer, Listed
from coopwire.web.asking import dues_snapshot, named_as
from coopwire.web.document import answers, success
from coopwire.web.listing import part
from coopwire.web.models import BatchFilter, BatchLineFilter, ReasonBody, ReceiptBody, UploadOf
from coopwire.web.office import Office, TheOffice
from coopwire.web.problems import CONFLICT, INVALID, KEY_REUSED, NOT_FOUND, FieldError, Problem, there
from coopwire.web.reading import StrictRoute, refuse_card_numbers, require_media
from coopwire.web.routes.payments import REPLAYED, Once, known

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["receipts from elsewhere"])

_CSV, _XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WRITE, _READ = [needs(Scope.PAYMENTS_WRITE)], [needs(Scope.PAYMENTS_READ)]
_APPROVE = [needs(Scope.RECEIPTS_APPROVE)]
_FILE = {
    "requestBody": {
        "required": True,
        "content": {
            _CSV: {"schema": {"type": "string"}, "example": examples.RECEIPTS_CSV},
            _XLSX: {"schema": {"type": "string", "format": "binary"}, "example": "(the bytes of the file)"},
        },
    }
}
_FIELD_OF = {"amount": "amount_minor"}


def _told() -> dict[int | str, dict[str, Any]]:
    """The answers to one line."""
    again = {**success(examples.COUNTER_RECEIPT), "model": ReceiptView, "description": "It is booked already"}
    waits = {**success(examples.BATCH_ANSWER), "model": BatchAnswer}
    waits["description"] = "It waits for a second person"
    booked = answers(examples.COUNTER_RECEIPT, KEY_REUSED, CONFLICT, status=201, body=True)
    return {**booked, 200: again, 202: waits}


@router.post("/receipts", status_code=201, dependencies=_WRITE, responses=_told())
async def tell_a_receipt(
    body: Annotated[ReceiptBody, Body(examples=[examples.RECEIPT_BODY])],
    once: Once,
    caller: Caller,
    office: TheOffice,
    response: Response,
) -> ReceiptView | BatchAnswer:
    """Tell of money that no gateway saw: cash over the counter, a credit on a bank statement, a check-off.

    201 with the receipt; 200 when it is booked already with the same content; 202 with a batch of one line when
    a second person must release it. Another content under the same external id is a conflict.
    """
    with named_as(_FIELD_OF):
        told = await office.receipts.take(body.source, _arrival(body, office), once, actor(caller))
    if told.replayed:
        response.headers.update(REPLAYED)
    if told.receipt is None:
        assert told.batch is not None
        response.headers["Location"] = f"/v1/receipt-batches/{told.batch}"
        response.status_code = 202
        return BatchAnswer(await _batch(office, told.batch))
    view = await office.queries.receipt(told.receipt)
    assert view is not None
    response.headers["Location"] = f"/v1/receipts/{view.id}"
    response.status_code = 200 if told.replayed else 201
    return view


@router.post(
    "/receipt-batches",
    status_code=202,
    dependencies=_WRITE,
    responses=answers(examples.BATCH_ANSWER, status=202, body=True),
    openapi_extra=_FILE,
)
async def bring_a_file(
    which: Annotated[UploadOf, Query()],
    caller: Caller,
    office: TheOffice,
    request: Request,
    response: Response,
) -> BatchAnswer:
    """Bring a file of receipts, CSV or XLSX: every line of it is stored, or none with a reason per line.

    The first line names the columns, see docs/receipts.md. The lines are booked in the background, after a second
    person released them where the source wants that. The same file again is answered with the same batch.
    """
    require_media(request, _CSV, _XLSX)
    name = which.name or ""
    refuse_card_numbers({"name": name})
    report = await office.receipts.take_file(which.source, File(name, await request.body()), actor(caller))
    if report.batch is None:
        errors = [FieldError(one.field, one.message, one.line) for one in report.refused]
        raise Problem(INVALID, f"nothing was stored: {len(errors)} things must be mended", errors=errors)
    if report.replayed:
        response.headers.update(REPLAYED)
    response.headers["Location"] = f"/v1/receipt-batches/{report.batch.id}"
    return BatchAnswer(await _batch(office, report.batch.id), report.notes)


@router.get(
    "/receipt-batches", dependencies=_READ, responses=answers(examples.listed(examples.BATCH), INVALID)
)
async def list_batches(which: Annotated[BatchFilter, Query()], office: TheOffice) -> Listed[BatchView]:
    """Batches of receipts, the newest first."""
    return await part("batches", office.queries.batches, which)


@router.get(
    "/receipt-batches/{id}",
    dependencies=_READ,
    responses=answers(examples.BATCH_LINES, NOT_FOUND, INVALID),
)
async def read_batch(
    id: str, which: Annotated[BatchLineFilter, Query()], office: TheOffice
) -> BatchLinesAnswer:
    """A batch with its lines, in their order; lines that are not booked say why."""
    batch = await _batch(office, known(id))
    wanted = Filter(batch=batch.id, state=which.state)
    after = cursors.decode("batch-lines", wanted, which.cursor) if which.cursor is not None else None
    page = await office.queries.batch_lines(wanted, which.limit, after)
    following = cursors.encode("batch-lines", wanted, page.next) if page.next else None
    return BatchLinesAnswer(batch, page.items, following)


@router.post(
    "/receipt-batches/{id}/approve",
    dependencies=_APPROVE,
    responses=answers(examples.APPROVED_BATCH, NOT_FOUND, CONFLICT, INVALID),
)
async def approve_batch(id: str, caller: Caller, office: TheOffice) -> BatchAnswer:
    """Release a batch: its lines are booked from now on. Never by the key that brought it."""
    batch = await office.receipts.approve(known(id), actor(caller))
    return BatchAnswer(await _batch(office, batch.id))


@router.post(
    "/receipt-batches/{id}/reject",
    dependencies=_APPROVE,
    responses=answers(examples.REJECTED_BATCH, NOT_FOUND, CONFLICT, body=True),
)
async def reject_batch(
    id: str,
    body: Annotated[ReasonBody, Body(examples=[{"reason": "the totals are not those of the list"}])],
    caller: Caller,
    office: TheOffice,
) -> BatchAnswer:
    """Nothing of the batch is booked; the same content may be brought again."""
    batch = await office.receipts.reject(known(id), actor(caller), body.reason)
    return BatchAnswer(await _batch(office, batch.id))


def _arrival(body: ReceiptBody, office: Office) -> Arrival:
    received = body.received_at or body.received_on
    if received is None or (body.received_at is not None and body.received_on is not None):
        raise Rejected("received_at", "give received_at or received_on, one of them")
    setting = office.receipts.setting
    dues = body.dues
    told = Telling(
        external_id=body.external_id,
        received=received,
        money=Money(body.amount_minor, body.currency),
        payment=body.payment,
        member=body.member,
        kind=body.kind,
        loan=body.loan,
        account=body.account,
        branch=body.branch,
        dues=partial(dues_snapshot, dues=dues, now=setting.now, timings=setting.timings) if dues else None,
    )
    return arrival(told, setting)


async def _batch(office: Office, id: str) -> BatchView:
    return there(await office.queries.batch(id), "batch")
