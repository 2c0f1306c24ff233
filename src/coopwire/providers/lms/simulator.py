"""A small loan management system: takes the hub's signed callbacks, and allocates receipts when asked."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from coopwire.simulation import settings as words
from coopwire.simulation.exchange import (
    ACCEPTED,
    REFUSED,
    REPEATED,
    UNAUTHORISED,
    Answer,
    Call,
    Operation,
    TurnedAway,
    json_answer,
)
from coopwire.simulation.faults import FaultRule
from coopwire.simulation.given import ControlError, Given
from coopwire.simulation.kernel import Simulator
from coopwire.simulation.vendor import Control, Manner, Stage, new_stage

_CALLBACK: Final = "callback"
_MARK: Final = "whsec_"
_FORGERS_KEY: Final = b"a key that is not the lender's"
_COMPONENTS: Final = ("penalty", "fees", "interest", "principal")
_WHOLE: Final = {"savings": "savings", "shares": "shares", "fee": "fees"}


@dataclass(frozen=True, slots=True)
class LmsSettings:
    """`secret` as Standard Webhooks writes it; `waterfall` names what is satisfied first."""

    secret: str = words.secret(_MARK + base64.b64encode(b"a simulated lender's secret").decode())
    tolerance_seconds: int = 300
    waterfall: str = ",".join(_COMPONENTS)

    def __post_init__(self) -> None:
        try:
            base64.b64decode(self.secret.removeprefix(_MARK), validate=True)
        except binascii.Error:
            raise words.SettingError("setting secret must be whsec_ and base64") from None
        if sorted(self.order()) != sorted(_COMPONENTS):
            raise words.SettingError(f"setting waterfall must order {', '.join(_COMPONENTS)}")

    def key(self) -> bytes:
        """The bytes that signatures are made with."""
        return base64.b64decode(self.secret.removeprefix(_MARK))

    def order(self) -> list[str]:
        """The components, first satisfied first."""
        return self.waterfall.split(",")


@dataclass(slots=True)
class Due:
    """One amount that a loan owes; `left_minor` goes down as receipts are allocated to it."""

    id: str
    component: str
    due_on: date
    amount_minor: int
    left_minor: int


@dataclass(slots=True)
class Told:
    """One message of the hub, by its webhook id."""

    type: str
    receipt: str | None
    answer: bytes
    times: int = 1


class Ledger:
    """Members' loans with their dues, and what every receipt was allocated to."""

    def __init__(self) -> None:
        self.members: dict[str, list[str]] = {}
        self.loans: dict[str, list[Due]] = {}
        self.allocations: dict[str, list[dict[str, Any]]] = {}
        self._dues: dict[str, Due] = {}

    def load(self, loan: str, dues: list[Due]) -> None:
        """Keep a loan with its dues, in place of an older version of it."""
        self.loans[loan] = dues
        self._dues.update({due.id: due for due in dues})

    def allocate(self, receipt: str, facts: Mapping[str, Any], order: Sequence[str]) -> list[dict[str, Any]]:
        """Where the receipt's value goes by the lender's own rules; the same answer for ever."""
        if receipt not in self.allocations:
            self.apply(receipt, self._lines(facts, order))
        return self.allocations[receipt]

    def apply(self, receipt: str, lines: list[dict[str, Any]]) -> None:
        """Take an allocation over, whoever decided it; a receipt counts once."""
        if receipt not in self.allocations:
            self._count(lines, 1)
            self.allocations[receipt] = lines

    def replace(self, receipt: str, lines: list[dict[str, Any]]) -> None:
        """Two persons at the hub decided anew where the receipt goes: what it satisfied before is owed again."""
        self._count(self.allocations.get(receipt, []), -1)
        self._count(lines, 1)
        self.allocations[receipt] = lines

    def _count(self, lines: list[dict[str, Any]], sign: int) -> None:
        for line in lines:
            if line["due"] in self._dues:
                self._dues[line["due"]].left_minor -= sign * line["amount_minor"]

    def _lines(self, facts: Mapping[str, Any], order: Sequence[str]) -> list[dict[str, Any]]:
        value, kind = facts["value_minor"], facts.get("kind")
        if kind in _WHOLE:
            return [_line(_WHOLE[kind], value)]
        if facts.get("loan") not in self.loans:
            return [_line("suspense", value)]
        lines = []
        dues = self.loans[facts["loan"]]
        for due in sorted(dues, key=lambda one: (order.index(one.component), one.due_on, one.id)):
            part = min(value, max(due.left_minor, 0))
            if part:
                lines.append(_line(due.component, part, due.id))
                value -= part
        return [*lines, _line("overpayment", value)] if value else lines


class LoanSystem:
    """The vendor: one lender's system behind one callback address."""

    name = "lms"
    messages: Sequence[str] = ()
    secrets = frozenset({"webhook-signature", "secret"})

    def __init__(self, settings: LmsSettings, stage: Stage) -> None:
        self.settings = settings
        self._stage = stage
        self.reset()
        self.operations: Sequence[Operation] = (
            Operation(_CALLBACK, "POST", "/callbacks", self._take_callback),
        )
        only = frozenset({_CALLBACK})
        self.manners: Mapping[str, Manner] = {
            "decline": Manner(self._decline, {"status": int}, only),
            "token_expired": Manner(self._distrust, {}, only),
            "wrong_amount": Manner(self._wrong_sum, {"delta": int}, only),
            "unsigned": Manner(self._unsigned, {}, only),
            "missigned": Manner(self._missigned, {}, only),
        }
        self.controls: Mapping[str, Control] = {"members": self._control_members}

    # Callbacks

    def _take_callback(self, call: Call) -> Answer:
        return self._signed(call, *self._taken(call))

    def _taken(self, call: Call) -> tuple[bytes, str]:
        message_id = self._verified_id(call)
        known = self.told.get(message_id)
        if known is not None:
            known.times += 1
            return known.answer, REPEATED
        payload, facts = _payload(call)
        receipt = facts.get("receipt")
        answer = json.dumps(self._answer(payload, facts), separators=(",", ":")).encode()
        self.told[message_id] = Told(str(payload.get("type", "")), receipt, answer)
        return answer, ACCEPTED

    def _answer(self, payload: Mapping[str, Any], facts: Mapping[str, Any]) -> object:
        receipt = facts.get("receipt")
        if payload.get("allocation") == "requested":
            _check_facts(facts)
            return {
                "receipt": receipt,
                "allocations": self.ledger.allocate(str(receipt), facts, self.settings.order()),
            }
        if "allocation" in facts:
            told_anew = payload.get("type") == "receipt.allocated"
            take = self.ledger.replace if told_anew else self.ledger.apply
            take(str(receipt), _decided_lines(facts))
        return {"receipt": receipt}

    def _verified_id(self, call: Call) -> str:
        message_id = call.headers.get("webhook-id", "")
        told_at = call.headers.get("webhook-timestamp", "")
        given = call.headers.get("webhook-signature", "").split(" ")
        wanted = _signature(self.settings.key(), message_id, told_at, call.body)
        if not message_id or not any(hmac.compare_digest(one.encode(), wanted.encode()) for one in given):
            raise _untrusted("the signature is missing or wrong")
        age = abs(self._stage.clock.now().timestamp() - int(told_at)) if told_at.isdecimal() else None
        if age is None or age > self.settings.tolerance_seconds:
            raise _untrusted("the time stamp is too old or too new")
        return message_id

    def _signed(self, call: Call, body: bytes, outcome: str, key: bytes | None = None) -> Answer:
        message_id = call.headers["webhook-id"]
        now = str(int(self._stage.clock.now().timestamp()))
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": now,
            "webhook-signature": _signature(key or self.settings.key(), message_id, now, body),
        }
        return Answer(200, body, headers=headers, outcome=outcome)

    # Faults

    def _decline(self, call: Call, rule: FaultRule) -> Answer:
        return json_answer({"error": "declined"}, status=rule.whole("status", 422), outcome=REFUSED)

    def _distrust(self, call: Call, rule: FaultRule) -> Answer:
        return _untrusted("the secret is not valid any more").answer

    def _wrong_sum(self, call: Call, rule: FaultRule) -> Answer:
        body, outcome = self._taken(call)
        told = json.loads(body)
        for line in told.get("allocations", [])[:1]:
            line["amount_minor"] += rule.whole("delta", 100)
        return self._signed(call, json.dumps(told).encode(), outcome)

    def _unsigned(self, call: Call, rule: FaultRule) -> Answer:
        body, outcome = self._taken(call)
        return Answer(200, body, outcome=outcome)

    def _missigned(self, call: Call, rule: FaultRule) -> Answer:
        return self._signed(call, *self._taken(call), _FORGERS_KEY)

    def failure(self, status: int) -> Answer:
        """A short error."""
        return json_answer({"error": f"HTTP {status}"}, status=status, outcome=REFUSED)

    # Controls and state

    def _control_members(self, given: Given) -> object:
        for member in given.only(("members",)).rows("members"):
            loans = member.only(("reference", "loans")).rows("loans")
            for loan in loans:
                rows = loan.only(("reference", "dues")).rows("dues")
                self.ledger.load(loan.word("reference"), [_due(row) for row in rows])
            self.ledger.members[member.word("reference")] = [loan.word("reference") for loan in loans]
        return {"members": len(self.ledger.members), "loans": len(self.ledger.loans)}

    def truth(self) -> Mapping[str, object]:
        """Members, what their loans still owe, every allocation, and every message with how often it came."""
        return {
            "members": [
                {"reference": reference, "loans": [_loan_truth(one, self.ledger.loans[one]) for one in loans]}
                for reference, loans in self.ledger.members.items()
            ],
            "allocations": self.ledger.allocations,
            "callbacks": [
                {"id": key, "type": one.type, "receipt": one.receipt, "times": one.times}
                for key, one in self.told.items()
            ],
        }

    def shown_settings(self) -> Mapping[str, str]:
        """Settings without the secret."""
        return words.shown(self.settings)

    def configure(self, changes: Mapping[str, str]) -> None:
        """Change settings from now on."""
        self.settings = words.changed(self.settings, changes)

    def reset(self) -> None:
        """Forget members and messages."""
        self.ledger = Ledger()
        self.told: dict[str, Told] = {}


def build(settings: Mapping[str, str]) -> Simulator[LoanSystem]:
    """A loan system simulator. SettingError on a typo; every setting has a safe default."""
    stage = new_stage()
    return Simulator(LoanSystem(words.read(LmsSettings, settings), stage), stage)


def _signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """Standard Webhooks: base64 HMAC-SHA256 of `id.timestamp.body`, marked v1."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _untrusted(why: str) -> TurnedAway:
    return TurnedAway(json_answer({"error": why}, status=401, outcome=UNAUTHORISED))


def _payload(call: Call) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    try:
        payload = call.json
    except ValueError:
        payload = None
    facts = payload.get("data") if isinstance(payload, dict) else None
    if not isinstance(payload, dict) or not isinstance(facts, dict):
        raise _unreadable("the body must be an object with an object `data`")
    return payload, facts


def _check_facts(facts: Mapping[str, Any]) -> None:
    value = facts.get("value_minor")
    if not isinstance(facts.get("receipt"), str) or not isinstance(value, int) or value <= 0:
        raise _unreadable("an allocation needs `receipt` and a positive `value_minor`")


def _decided_lines(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    lines = facts["allocation"]
    if not isinstance(lines, list) or not all(_is_line(line) for line in lines):
        raise _unreadable("`allocation` must be a list of component, amount_minor and due")
    return lines


def _is_line(line: object) -> bool:
    if not isinstance(line, dict) or line.keys() != {"component", "amount_minor", "due"}:
        return False
    return isinstance(line["amount_minor"], int) and isinstance(line["due"], str | None)


def _unreadable(why: str) -> TurnedAway:
    return TurnedAway(json_answer({"error": why}, status=400, outcome=REFUSED))


def _line(component: str, amount_minor: int, due: str | None = None) -> dict[str, Any]:
    return {"component": component, "amount_minor": amount_minor, "due": due}


def _due(row: Given) -> Due:
    row.only(("id", "component", "amount_minor", "due_on"))
    component, amount = row.word("component"), row.whole("amount_minor")
    if component not in _COMPONENTS or amount <= 0:
        raise ControlError(f"a due has a positive amount and a component: {', '.join(_COMPONENTS)}")
    try:
        due_on = date.fromisoformat(row.word("due_on"))
    except ValueError:
        raise ControlError("due_on must be YYYY-MM-DD") from None
    return Due(row.word("id"), component, due_on, amount, amount)


def _loan_truth(reference: str, dues: Sequence[Due]) -> dict[str, object]:
    owed = [
        {
            "id": one.id,
            "component": one.component,
            "amount_minor": one.amount_minor,
            "left_minor": one.left_minor,
        }
        for one in dues
    ]
    return {"reference": reference, "dues": owed}
