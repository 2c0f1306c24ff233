"""The end of the audit trail: kept outside, it tells later whether the trail was cut off."""

from __future__ import annotations

from fastapi import APIRouter

from coopwire.ports.keys import Scope
from coopwire.ports.queries import AuditHeadView
from coopwire.web import examples
from coopwire.web.access import needs
from coopwire.web.document import answers
from coopwire.web.office import TheOffice
from coopwire.web.reading import StrictRoute

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["audit"], dependencies=[needs(Scope.OPERATE)])


@router.get("/audit/head", responses=answers(examples.AUDIT_HEAD))
async def read_audit_head(office: TheOffice) -> AuditHeadView:
    """The last place of the audit trail and its hash; `waiting` entries get their places within a second."""
    return await office.queries.audit_head()
