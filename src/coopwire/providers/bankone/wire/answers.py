"""BankOne's answers sorted and parsed: keys in any case, yes and no as they spell them, words safe to show.

Source: banking contract §3 (IsSuccessful and IsSuccessFul, numeric and textual codes, HTML in between).
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Mapping
from http import HTTPStatus

from coopwire.domain.errors import BadCredentials, ContractBroken, HubError, OutcomeUnknown, TryLater
from coopwire.domain.gates import Traffic
from coopwire.ports.http import HttpAnswer
from coopwire.transport import strict_json
from coopwire.transport.wording import safe_words

PATIENCE_S = 60.0
"""How long to wait after 429 where they do not say."""

_SECONDS = re.compile(r"[0-9]{1,5}\Z")
_FLAGS = {"true": True, "false": False}
_LABEL = re.compile(r"[!-~][ -~]{0,99}\Z")
_CODE = re.compile(r"-?[0-9A-Za-z]{1,10}\Z")


def members(answer: HttpAnswer, traffic: Traffic) -> Mapping[str, object]:
    """The members of an answer that is theirs: a yes with 2xx, or a refusal.

    BadCredentials for 401 and 403, TryLater for 429: nothing was processed. All else (5xx, HTML, XML, an
    empty body, a yes with another status) is OutcomeUnknown to a write and TryLater to a read.
    Source: banking contract §0, §3.
    """
    if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise BadCredentials("BankOne does not accept the token", http_status=answer.status)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise TryLater("BankOne asks for patience", retry_after=_wait(answer), http_status=answer.status)
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _no_answer("BankOne: they failed inside", answer, traffic)
    try:
        told = read(answer.body)
    except ContractBroken as broken:
        raise _no_answer(broken.message, answer, traffic) from None
    if not _is_success(answer) and flag(told, "issuccessful") is not False:
        raise _no_answer("BankOne: the status is an error and the answer no refusal", answer, traffic)
    return told


def _is_success(answer: HttpAnswer) -> bool:
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES


def _wait(answer: HttpAnswer) -> float:
    seconds = answer.headers.get("retry-after", "").strip()
    return float(seconds) if _SECONDS.match(seconds) else PATIENCE_S


def _no_answer(why: str, answer: HttpAnswer, traffic: Traffic) -> HubError:
    kind = OutcomeUnknown if traffic is Traffic.WRITE else TryLater
    return kind(why, http_status=answer.status)


def read(body: bytes) -> Mapping[str, object]:
    """The answer's members under lower-case names, fractions as Decimal.

    ContractBroken for anything but one JSON object, also when two names differ only by case: which of two
    yeses and noes is meant nobody knows.
    """
    document = strict_json.parse(body.removeprefix(BOM_UTF8), "BankOne", _folded)
    if not isinstance(document, dict):
        raise ContractBroken("BankOne: the body is not a JSON object")
    return document


def _folded(pairs: strict_json.Pairs) -> dict[str, object]:
    folded = {name.lower(): value for name, value in pairs}
    if len(folded) < len(pairs):
        raise ValueError("two members have the same name")
    return folded


def flag(told: Mapping[str, object], name: str) -> bool | None:
    """true or false, also as text; None when it says neither."""
    value = told.get(name)
    if isinstance(value, str):
        return _FLAGS.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def code(told: Mapping[str, object], name: str = "responsecode") -> str:
    """A response code; numbers get their second digit back (0 is "00"). Empty when there is none."""
    value = told.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and -10 < value < 10**10:
        value = f"{value:02d}"
    word = value.strip() if isinstance(value, str) else ""
    return word if _CODE.match(word) else ""


def label(told: Mapping[str, object], name: str) -> str:
    """A short printable text: a status, a reference of theirs. Empty when it is none."""
    value = told.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**20:
        return str(value)
    word = value.strip() if isinstance(value, str) else ""
    return word if _LABEL.match(word) else ""


def words(told: Mapping[str, object]) -> str:
    """Their explanation, safe to show; empty when they give none."""
    found = (told.get(name) for name in ("responsemessage", "responsedescription", "message"))
    return safe_words(next((text for text in found if isinstance(text, str) and text.strip()), ""))
