"""What QuickBooks' faults mean: tables first, then pure functions.

Sources: accounting contract §2.7; IntuitRestServiceDef.xsd of the vendor.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from coopwire.domain.errors import (
    BadCredentials,
    ContractBroken,
    Held,
    HubError,
    OutcomeUnknown,
    Refused,
    TryLater,
)
from coopwire.domain.gates import Traffic
from coopwire.providers.quickbooks.wire.shapes import parse
from coopwire.transport.wording import safe_words

THROTTLE_WAIT_S = 60.0
"""They send no Retry-After. Source: accounting contract §2.7."""


class Cause(IntEnum):
    """Why there is no entry in an answer; where several apply, the lowest decides, for it is the safest."""

    SYSTEM = 1
    """They failed inside: it may be done or not."""
    UNREADABLE = 2
    """Not a fault of theirs that we can read: anything may stand between us and them."""
    DUPLICATE = 3
    """The document number is taken, perhaps by ourselves."""
    FORBIDDEN = 4
    """The consent or the subscription is gone."""
    TOKEN = 5
    """The access token is not accepted; they did nothing."""
    THROTTLED = 6
    """Too many calls; they did nothing."""
    MENDABLE = 7
    """Refused until a person mends the company or the mapping."""
    RULE = 8
    """Refused."""


PLAIN_WORDS: Mapping[Cause, str] = {
    Cause.SYSTEM: "they failed inside",
    Cause.UNREADABLE: "the answer cannot be read",
    Cause.DUPLICATE: "the document number is taken",
    Cause.FORBIDDEN: "the consent or the subscription is gone",
    Cause.TOKEN: "the access token is not accepted",
    Cause.THROTTLED: "too many calls",
    Cause.MENDABLE: "refused until the company or the mapping is mended",
    Cause.RULE: "refused",
}
"""Ours, where they give no words."""

CODE_CAUSES: Mapping[str, Cause] = {
    "610": Cause.MENDABLE,
    "2010": Cause.RULE,
    "2020": Cause.RULE,
    "2030": Cause.RULE,
    "2050": Cause.RULE,
    "2080": Cause.RULE,
    "2170": Cause.RULE,
    "2500": Cause.MENDABLE,
    "3001": Cause.THROTTLED,
    "4000": Cause.RULE,
    "4001": Cause.RULE,
    "5010": Cause.RULE,
    "6000": Cause.RULE,
    "6140": Cause.DUPLICATE,
    "6190": Cause.FORBIDDEN,
    "6210": Cause.MENDABLE,
    "6240": Cause.RULE,
    "6540": Cause.RULE,
    "10000": Cause.SYSTEM,
}
"""Fault code without leading zeros → cause. Source: accounting contract §2.7."""

AUTHORISATION_CODES = frozenset({"120", "3100", "3200"})
"""The token with HTTP 401, the consent otherwise. Source: accounting contract §2.7."""

TEXT_CAUSES: Sequence[tuple[re.Pattern[str], Cause]] = (
    (
        re.compile(r"duplicate (doc|number)|is assigned to txntype|number has already been used"),
        Cause.DUPLICATE,
    ),
    (re.compile(r"-30000|unexpected internal error"), Cause.SYSTEM),
    (
        re.compile(r"period (is |has been )?closed|books (are|is|have been) closed|closing date"),
        Cause.MENDABLE,
    ),
    (re.compile(r"made inactive|is inactive|invalid reference id"), Cause.MENDABLE),
    (re.compile(r"\b(vat|gst|tax)\b"), Cause.MENDABLE),
)
"""What the words of a refusal say beyond its code, for their pages give one code several meanings (§2.7)."""

TYPE_CAUSES: Mapping[str, Cause] = {
    "validationfault": Cause.RULE,
    "systemfault": Cause.SYSTEM,
    "service": Cause.SYSTEM,
    "servicefault": Cause.SYSTEM,
}
"""Fault type, for a code not in the table."""

ERRORS: Mapping[Traffic, Mapping[Cause, type[HubError]]] = {
    Traffic.WRITE: {
        Cause.SYSTEM: OutcomeUnknown,
        Cause.UNREADABLE: OutcomeUnknown,
        Cause.DUPLICATE: OutcomeUnknown,
        Cause.FORBIDDEN: BadCredentials,
        Cause.TOKEN: TryLater,
        Cause.THROTTLED: TryLater,
        Cause.MENDABLE: Held,
        Cause.RULE: Refused,
    },
    Traffic.READ: {
        Cause.SYSTEM: TryLater,
        Cause.UNREADABLE: TryLater,
        Cause.DUPLICATE: ContractBroken,
        Cause.FORBIDDEN: BadCredentials,
        Cause.TOKEN: TryLater,
        Cause.THROTTLED: TryLater,
        Cause.MENDABLE: ContractBroken,
        Cause.RULE: ContractBroken,
    },
}
"""What the caller does next. A read that they refuse is a mistake of ours in asking."""

WAITS_S: Mapping[Cause, float] = {Cause.THROTTLED: THROTTLE_WAIT_S, Cause.TOKEN: 0.0}
"""Seconds until the next try, where it is known. A refused token is renewed by then."""

_TRACE = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_TOLD_MAX = 300


@dataclass(frozen=True, slots=True)
class FaultError:
    """One error of a fault; `code` without leading zeros."""

    code: str
    message: str
    detail: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What they say went wrong; `type` in lower case."""

    type: str
    errors: tuple[FaultError, ...]


def read(body: bytes) -> tuple[object, Fault | None]:
    """An answer's JSON document (None when it is none), and the fault it tells in JSON or XML, if any."""
    try:
        document = parse(body)
    except ContractBroken:
        root = _xml_root(body)
        return None, None if root is None else xml_fault(root)
    return document, json_fault(document)


def _xml_root(body: bytes) -> Element | None:
    """No document type is let in, so nothing can be expanded or fetched."""
    if b"<!" in body:
        return None
    try:
        return ElementTree.fromstring(body.decode())  # noqa: S314
    except (ValueError, ElementTree.ParseError):
        return None


def member(row: Mapping[str, object], name: str) -> object:
    """The member of this name in any case: captured faults have both spellings of every name."""
    wanted = name.lower()
    return next((value for key, value in row.items() if key.lower() == wanted), None)


def json_fault(document: object) -> Fault | None:
    """The fault of a JSON answer (of any status: HTTP 200 may carry one), None where there is none."""
    told = member(document, "Fault") if isinstance(document, Mapping) else None
    if not isinstance(told, Mapping):
        return None
    listed = member(told, "Error")
    errors = listed if isinstance(listed, list) else [listed]
    return Fault(
        type=_word(member(told, "type")).lower(),
        errors=tuple(_json_error(each) for each in errors if isinstance(each, Mapping)),
    )


def _json_error(row: Mapping[str, object]) -> FaultError:
    return FaultError(
        code=_code(_word(member(row, "code"))),
        message=_word(member(row, "Message")),
        detail=_word(member(row, "Detail")),
    )


def _word(value: object) -> str:
    """Text, or a whole number as text: codes come as both."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def _code(word: str) -> str:
    return word.strip().lstrip("0")


def xml_fault(root: Element) -> Fault | None:
    """The fault of an XML answer: 401 and 429 come as XML although JSON was asked for.

    The schema has `type` and `code` as attributes; as elements they are read too.
    """
    told = next((each for each in root.iter() if _local(each) == "Fault"), None)
    if told is None:
        return None
    return Fault(
        type=_xml_word(told, "type").lower(),
        errors=tuple(_xml_error(each) for each in told if _local(each) == "Error"),
    )


def _xml_error(row: Element) -> FaultError:
    return FaultError(_code(_xml_word(row, "code")), _xml_word(row, "Message"), _xml_word(row, "Detail"))


def _xml_word(node: Element, name: str) -> str:
    return node.get(name) or next((each.text or "" for each in node if _local(each) == name), "")


def _local(node: Element) -> str:
    return node.tag.rpartition("}")[2]


def cause_of(status: int | None, fault: Fault | None) -> Cause:
    """Why an answer that is no success is none; `status` None where only its body is known."""
    if status == 429:
        return Cause.THROTTLED
    if status is not None and status >= 500:
        return Cause.SYSTEM
    if fault is None or not (fault.errors or fault.type):
        return Cause.UNREADABLE
    return min(_causes(status, fault), default=Cause.UNREADABLE)


def _causes(status: int | None, fault: Fault) -> Iterable[Cause]:
    errors = fault.errors or (FaultError("", "", ""),)
    return (_cause(status, fault.type, error) for error in errors)


def _cause(status: int | None, kind: str, error: FaultError) -> Cause:
    if kind.startswith("authent") or (status == 401 and _about_authorisation(kind, error)):
        return Cause.TOKEN
    if _about_authorisation(kind, error):
        return Cause.FORBIDDEN
    if status == 401:
        return Cause.UNREADABLE
    said = CODE_CAUSES.get(error.code, TYPE_CAUSES.get(kind, Cause.UNREADABLE))
    return _by_text(error) or said if said in (Cause.RULE, Cause.MENDABLE) else said


def _about_authorisation(kind: str, error: FaultError) -> bool:
    return kind.startswith("authori") or error.code in AUTHORISATION_CODES


def _by_text(error: FaultError) -> Cause | None:
    words = f"{error.message} {error.detail}".lower()
    return next((cause for pattern, cause in TEXT_CAUSES if pattern.search(words)), None)


def code_of(fault: Fault | None) -> str:
    """The code of the first error that has one."""
    return next((error.code for error in fault.errors if error.code), "") if fault else ""


def told(fault: Fault | None, cause: Cause, trace: str) -> str:
    """Their words, safe to show, and the `intuit_tid` that their support asks for.

    Details can repeat what we sent; they are kept only where a person needs them to mend something.
    """
    words = [error.message for error in fault.errors] if fault else []
    if fault and cause in (Cause.MENDABLE, Cause.DUPLICATE):
        words += [error.detail for error in fault.errors]
    said = safe_words("; ".join(word for word in words if word), _TOLD_MAX) or PLAIN_WORDS[cause]
    trace = trace if _TRACE.match(trace) else ""
    return f"QuickBooks: {said} (intuit_tid {trace})" if trace else f"QuickBooks: {said}"


def error_of(status: int | None, fault: Fault | None, traffic: Traffic, trace: str = "") -> HubError:
    """The error that an answer without success is, to a read or to a write."""
    cause = cause_of(status, fault)
    kind, words, code = ERRORS[traffic][cause], told(fault, cause, trace), code_of(fault)
    if kind is TryLater:
        return TryLater(words, retry_after=WAITS_S.get(cause), code=code, http_status=status)
    return kind(words, code=code, http_status=status)
