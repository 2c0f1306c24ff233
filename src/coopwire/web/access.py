"""Who may do what: an API key as a bearer token, and the scope that each route needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends, Security, params
from fastapi.security import HTTPBearer
from starlette.requests import Request

from coopwire.application.people import Person
from coopwire.ports.keys import ApiKey, Scope
from coopwire.web.office import Office
from coopwire.web.problems import FORBIDDEN, UNAUTHENTICATED, Problem

_CALLER = "coopwire.caller"
_bearer = HTTPBearer(auto_error=False, description="An API key, made with `coopwire keys create`.")
_CHALLENGE = {"WWW-Authenticate": "Bearer"}


def needs(scope: Scope) -> Any:
    """A route's dependency: the key must have this scope."""
    return Security(_bearer, scopes=[scope.value])


async def authorise(request: Request, dependencies: Sequence[params.Depends]) -> None:
    """Let the request pass, remembering its key, if the key has the scopes that the route needs."""
    needed = [Scope(s) for d in dependencies if isinstance(d, params.Security) for s in d.scopes or ()]
    if not needed:
        return
    key = await _key(request)
    for scope in needed:
        if not key.allows(scope):
            raise Problem(FORBIDDEN, f"the scope {scope.value} is needed")
    request.scope[_CALLER] = key


async def _key(request: Request) -> ApiKey:
    given = request.headers.getlist("authorization")
    scheme, _, secret = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    office: Office = request.app.state.office
    key = await office.keys.find(secret.strip()) if scheme.lower() == "bearer" else None
    if key is None:
        raise Problem(UNAUTHENTICATED, headers=_CHALLENGE)
    return key


async def _caller(request: Request) -> ApiKey:
    key: ApiKey = request.scope[_CALLER]
    return key


Caller = Annotated[ApiKey, Depends(_caller)]
"""The key of a request to a route that needs one."""


def actor(key: ApiKey) -> str:
    """How the audit names who used this key."""
    return f"key {key.id} ({key.name})"[:120]


def person(key: ApiKey) -> Person:
    """Who uses this key: whatever it is called, one key is one person."""
    return Person(f"key {key.id}", actor(key))
