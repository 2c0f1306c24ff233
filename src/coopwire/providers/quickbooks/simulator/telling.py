"""How QuickBooks puts things: faults, the JSON and XML envelopes, its times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from coopwire.simulation import exact_json

VALIDATION: Final = "ValidationFault"
AUTHENTICATION: Final = "AuthenticationFault"
AUTHORIZATION: Final = "AuthorizationFault"
SYSTEM: Final = "SystemFault"
SERVICE: Final = "SERVICE"
_PACIFIC: Final = timezone(timedelta(hours=-8))
_NAMESPACE: Final = "http://schema.intuit.com/finance/v3"


@dataclass(frozen=True, slots=True)
class Fault:
    """One error as they tell it. Codes and texts: accounting contract 2.7."""

    code: str
    message: str
    detail: str
    type: str = VALIDATION
    status: int = 400
    element: str | None = None

    def envelope(self) -> dict[str, object]:
        """The body without its time."""
        error = {"Message": self.message, "Detail": self.detail, "code": self.code}
        if self.element is not None:
            error["element"] = self.element
        return {"Fault": {"Error": [error], "type": self.type}}


class Faulted(Exception):
    """Raised where an operation ends with a fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.code)
        self.fault = fault


def missing(element: str) -> Faulted:
    """2020: a field that must be there is not."""
    detail = f"Required parameter {element} is missing in the request"
    return Faulted(Fault("2020", "Required param missing, need to supply the required value", detail))


def invalid(element: str, detail: str) -> Faulted:
    """2010: a field that cannot be read."""
    return Faulted(Fault("2010", "Request has invalid or unsupported property", detail, element=element))


def too_long(element: str, limit: int) -> Faulted:
    """2050: text longer than the field."""
    detail = f"String length specified is either shorter or longer than supported length: max {limit}"
    return Faulted(
        Fault("2050", "String length is either shorter or longer than supported", detail, element=element)
    )


def not_a_number(element: str) -> Faulted:
    """2080: an amount that is no number with two decimals."""
    return Faulted(Fault("2080", "Invalid Number", f"{element} is not a valid number", element=element))


def unknown_reference(kind: str, key: str) -> Faulted:
    """2500: a reference to an object that is not there."""
    return Faulted(
        Fault("2500", "Invalid Reference Id", f"Invalid Reference Id : {kind} element id {key} not found")
    )


def inactive(what: str) -> Faulted:
    """610: the object is gone or was made inactive."""
    detail = f"Object Not Found : Something you're trying to use has been made inactive. {what}"
    return Faulted(Fault("610", "Object Not Found", detail))


def against_the_rules(detail: str) -> Faulted:
    """6000: the catch-all of business rules."""
    return Faulted(
        Fault("6000", "A business validation error has occurred", f"Business Validation Error: {detail}")
    )


def period_closed() -> Faulted:
    """6210: the books are closed for that day."""
    detail = "The account period has closed and the account books cannot be updated for this date"
    return Faulted(Fault("6210", "Account Period Closed, Cannot Update Through Services API", detail))


def number_taken(doc_number: str, entry_id: str) -> Faulted:
    """6140: the journal number is in use and the company warns of it."""
    detail = f"DocNumber={doc_number} is assigned to TxnType=Journal Entry with TxnId={entry_id}"
    return Faulted(Fault("6140", "Duplicate Document Number Error", detail))


def query_unreadable(detail: str) -> Faulted:
    """4000: the statement cannot be parsed."""
    return Faulted(Fault("4000", "Error parsing query", f"QueryParserError: {detail}"))


def query_invalid(detail: str) -> Faulted:
    """4001: the statement names what cannot be queried."""
    return Faulted(Fault("4001", "Invalid query", f"QueryValidationError: {detail}"))


def unauthenticated(detail: str) -> Faulted:
    """3200: no valid access token."""
    message = "message=AuthenticationFailed; errorCode=003200; statusCode=401"
    return Faulted(Fault("3200", message, detail, AUTHENTICATION, 401))


def forbidden() -> Faulted:
    """3100: the token belongs to another company."""
    message = "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403"
    return Faulted(
        Fault("3100", message, "The application has no access to this company", AUTHORIZATION, 403)
    )


THROTTLED: Final = Fault(
    "003001",
    "message=ThrottleExceeded; errorCode=003001; statusCode=429",
    "The request limit was reached. Wait 60 seconds",
    SERVICE,
    429,
)


def system_failure(status: int) -> Fault:
    """10000: their own failure; whether the request was done is not known."""
    return Fault(
        "10000",
        "An application error has occurred while processing your request",
        "System Failure Error",
        SYSTEM,
        status,
    )


def stamp(at: datetime) -> str:
    """Their times carry the Pacific offset (accounting contract 2.10)."""
    return at.astimezone(_PACIFIC).isoformat(timespec="seconds")


def as_json(payload: Mapping[str, object], at: datetime) -> bytes:
    """The envelope as JSON with exact numbers."""
    return exact_json.dumps({**payload, "time": stamp(at)}).encode()


def as_xml(payload: Mapping[str, object], at: datetime) -> bytes:
    """The envelope as XML: what comes back without `Accept: application/json` (contract 2.2)."""
    inner = "".join(_element(name, value) for name, value in payload.items())
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f"<IntuitResponse xmlns={quoteattr(_NAMESPACE)} time={quoteattr(stamp(at))}>{inner}</IntuitResponse>"
    ).encode()


def _element(name: str, value: object) -> str:
    if isinstance(value, list):
        return "".join(_element(name, one) for one in value)
    if isinstance(value, Mapping):
        inner = "".join(_element(child, one) for child, one in value.items())
    elif isinstance(value, bool):
        inner = str(value).lower()
    elif isinstance(value, Decimal):
        inner = exact_json.plain(value)
    else:
        inner = "" if value is None else escape(str(value))
    return f"<{name}>{inner}</{name}>"
