"""The table of core accounts: which account of a member (or of one loan) the core bank credits."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request

from coopwire.application.accounts import COLUMNS, MOST_LINES, ImportReport, csv_lines
from coopwire.ports.keys import Scope
from coopwire.ports.queries import CoreAccountView
from coopwire.web import examples
from coopwire.web.access import Caller, actor, needs
from coopwire.web.answers import ImportAnswer, Listed
from coopwire.web.document import answers
from coopwire.web.listing import part
from coopwire.web.models import CoreAccountFilter
from coopwire.web.office import TheOffice
from coopwire.web.problems import INVALID, FieldError, Problem
from coopwire.web.reading import StrictRoute, require_media, strict_json, strict_text

router = APIRouter(
    prefix="/v1",
    route_class=StrictRoute,
    tags=["core accounts"],
    dependencies=[needs(Scope.ACCOUNTS_WRITE)],
)

_JSON, _CSV = "application/json", "text/csv"
_LINE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["member", "number"],
    "properties": {
        "connection": {"type": "string", "description": "default: the core bank of the routes"},
        "member": {"type": "string", "minLength": 1, "maxLength": 64},
        "loan": {
            "type": ["string", "null"],
            "maxLength": 64,
            "description": "empty: for all of the member's money",
        },
        "number": {"type": "string", "pattern": "^[0-9A-Za-z-]{4,34}$"},
    },
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            _JSON: {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["lines"],
                    "properties": {
                        "lines": {"type": "array", "items": _LINE, "minItems": 1, "maxItems": MOST_LINES}
                    },
                },
                "example": examples.ACCOUNTS_BODY,
            },
            _CSV: {"schema": {"type": "string"}, "example": examples.ACCOUNTS_CSV},
        },
    }
}


@router.put("/core-accounts", responses=answers(examples.IMPORT, body=True), openapi_extra=_BODY)
async def put_core_accounts(request: Request, caller: Caller, office: TheOffice) -> ImportAnswer:
    """Add or change lines, by member and loan: all of them, or none with a reason per line.

    As JSON, or as CSV with a header of the columns connection, member, loan, number (the first and third may be
    left out). Account numbers are kept sealed and never shown.
    """
    report = await office.accounts.put(await _lines(request), actor(caller))
    return _answer(report)


@router.get("/core-accounts", responses=answers(examples.listed(examples.CORE_ACCOUNT), INVALID))
async def list_core_accounts(
    which: Annotated[CoreAccountFilter, Query()], office: TheOffice
) -> Listed[CoreAccountView]:
    """Lines of the table without the numbers, the newest first."""
    return await part("core-accounts", office.queries.core_accounts, which)


async def _lines(request: Request) -> list[tuple[int, Any]]:
    media = require_media(request, _JSON, _CSV)
    body = await request.body()
    if media == _CSV:
        return list(csv_lines(strict_text(body)))
    value = strict_json(body)
    lines = value.get("lines") if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        message = f"send one list of objects with the members {', '.join(COLUMNS)}"
        raise Problem(INVALID, errors=[FieldError("lines", message)])
    return list(enumerate(lines, 1))


def _answer(report: ImportReport) -> ImportAnswer:
    if report.refused:
        errors = [FieldError(one.field, one.message, one.line) for one in report.refused]
        raise Problem(INVALID, f"nothing was stored: {len(errors)} lines must be mended", errors=errors)
    return ImportAnswer(report.counts, report.stored)
