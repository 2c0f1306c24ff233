"""The API as a FastAPI application: routes, strictness, problems, and the document that describes it."""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from coopwire.web.document import allowed_methods, document
from coopwire.web.front import Front
from coopwire.web.office import Office
from coopwire.web.problems import HANDLERS, METHOD_NOT_ALLOWED, Problem, answer
from coopwire.web.routes import (
    accounts,
    audit,
    authorizations,
    breaks,
    disputes,
    fees,
    health,
    keys,
    letters,
    mandates,
    money,
    operations,
    payments,
    payouts,
    receipts,
    reconciliations,
    virtual_accounts,
)

_LIMITS = {"/v1/core-accounts": 8 << 20, "/v1/receipt-batches": 16 << 20}
"""Bytes of a body, for paths that need more than the usual limit."""


def build_api(office: Office) -> FastAPI:
    """The API over these parts. Its lifespan does nothing: whoever builds the office closes it."""
    app = FastAPI(
        title="coopwire",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={**HANDLERS, 405: _on_method},
    )
    app.state.office = office
    app.add_middleware(Front, meter=office.meter, limits=_LIMITS)
    modules = (
        payments,
        money,
        payouts,
        receipts,
        disputes,
        fees,
        breaks,
        letters,
        operations,
        reconciliations,
        accounts,
        virtual_accounts,
        authorizations,
        mandates,
        audit,
        keys,
        health,
    )
    for module in modules:
        app.include_router(module.router)
    app.openapi = partial(document, app)  # type: ignore[method-assign]
    return app


async def _on_method(request: Request, error: Exception) -> Response:
    """The framework names the methods of one route; the path may have several."""
    assert isinstance(error, HTTPException)
    allowed = allowed_methods(request.app, request.scope["path"])
    headers = {"Allow": allowed} if allowed else error.headers
    return answer(request, Problem(METHOD_NOT_ALLOWED, headers=headers))
