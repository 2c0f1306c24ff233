"""What became of the money: receipts, entries in the books, credits in the core bank, refunds."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from coopwire.ports.keys import Scope
from coopwire.ports.queries import JournalView, PostingView, ReceiptView, RefundView
from coopwire.web import examples
from coopwire.web.access import needs
from coopwire.web.answers import Listed
from coopwire.web.document import answers
from coopwire.web.listing import part
from coopwire.web.models import ReceiptFilter, RefundFilter, WriteFilter
from coopwire.web.office import TheOffice
from coopwire.web.problems import INVALID, NOT_FOUND, there
from coopwire.web.reading import StrictRoute
from coopwire.web.routes.payments import known

router = APIRouter(
    prefix="/v1", route_class=StrictRoute, tags=["money"], dependencies=[needs(Scope.PAYMENTS_READ)]
)


@router.get("/receipts", responses=answers(examples.listed(examples.RECEIPT), INVALID))
async def list_receipts(which: Annotated[ReceiptFilter, Query()], office: TheOffice) -> Listed[ReceiptView]:
    """Money that arrived, with its allocation, the newest first."""
    return await part("receipts", office.queries.receipts, which)


@router.get("/receipts/{id}", responses=answers(examples.RECEIPT, NOT_FOUND, INVALID))
async def read_receipt(id: str, office: TheOffice) -> ReceiptView:
    """A receipt with its allocation; lines that the loan system's decision replaced are marked."""
    return there(await office.queries.receipt(known(id)), "receipt")


@router.get("/journals", responses=answers(examples.listed(examples.JOURNAL), INVALID))
async def list_journals(which: Annotated[WriteFilter, Query()], office: TheOffice) -> Listed[JournalView]:
    """Entries in the books, the newest first."""
    return await part("journals", office.queries.journals, which)


@router.get("/postings", responses=answers(examples.listed(examples.POSTING), INVALID))
async def list_postings(which: Annotated[WriteFilter, Query()], office: TheOffice) -> Listed[PostingView]:
    """Credits in the core bank, the newest first."""
    return await part("postings", office.queries.postings, which)


@router.get("/refunds", responses=answers(examples.listed(examples.REFUND), INVALID))
async def list_refunds(which: Annotated[RefundFilter, Query()], office: TheOffice) -> Listed[RefundView]:
    """Money that goes back to members, the newest first."""
    return await part("refunds", office.queries.refunds, which)


@router.get("/refunds/{id}", responses=answers(examples.REFUND, NOT_FOUND, INVALID))
async def read_refund(id: str, office: TheOffice) -> RefundView:
    """A refund: who asked for it and who approved it, how far it is, and from which dues it was taken."""
    return there(await office.queries.refund(known(id)), "refund")
