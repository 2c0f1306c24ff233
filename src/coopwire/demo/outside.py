"""The proof from outside: reads what every system says of a day, joins it, and finds what does not hold.

It imports nothing of coopwire, only the standard library, and runs by itself:

    python outside.py --hub URL --gateway URL --books URL --bank URL --lms URL --accounts FILE

Existence and amounts come from the systems that hold the money: the gateway's list of transactions, the
journals of the books, the statements of the core bank, the loan system's own record. The hub is only asked
which of its references belongs to which receipt, and what it believes.

Keys are taken from the environment: OUTSIDE_HUB_KEY, and for the others OUTSIDE_GATEWAY_KEY,
OUTSIDE_BOOKS_CLIENT (id:secret) and OUTSIDE_BANK_TOKEN; those of the simulators are the defaults.
Exit code 0 when everything holds, 1 when not, 2 when a system could not be read.
"""

from __future__ import annotations

import argparse
import base64
import csv
import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

BOOKED_AND_BANKED = "booked+banked"
BOOKED_ONLY = "booked only"
BANKED_ONLY = "banked only"
NEITHER = "neither yet"
UNKNOWN = "unknown"
BUCKETS = (BOOKED_AND_BANKED, BOOKED_ONLY, BANKED_ONLY, NEITHER, UNKNOWN)

_BUCKET_OF = {(True, True): BOOKED_AND_BANKED, (True, False): BOOKED_ONLY, (False, True): BANKED_ONLY}
_IN_DOUBT = frozenset({"unknown", "sending"})
_MARKER = re.compile(r"\[LMS:([A-Za-z0-9._-]+)\]")
_NUMBER = re.compile(r"(?<![A-Za-z0-9])[0-9]+(?![A-Za-z0-9])")
_TRANSACTIONS_PER_PAGE = 100
_JOURNALS_PER_PAGE = 1000
_ROWS_PER_PAGE = 100
_SECONDS = 20


# -- what the systems say --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Charge:
    """A paid charge in the gateway's own list, in kobo; `asked` is None where the gateway does not tell it."""

    id: str
    reference: str
    amount: int
    fee: int
    asked: int | None

    @property
    def net(self) -> int:
        """What the gateway owes the lender."""
        return self.amount - self.fee

    @property
    def value(self) -> int:
        """What counts for the member: a fee that came on top of what was asked is no part of it."""
        on_top = self.asked is not None and self.amount == self.asked + self.fee
        return self.net if on_top else self.amount


@dataclass(frozen=True)
class Journal:
    """An entry in the books; lines are (account id, kobo) with debits positive."""

    id: str
    number: str
    note: str
    lines: tuple[tuple[str, int], ...]

    @property
    def debits(self) -> int:
        """Sum of the debit lines."""
        return sum(amount for _, amount in self.lines if amount > 0)

    def on(self, account: str) -> int:
        """What it moves on one account."""
        return sum(amount for key, amount in self.lines if key == account)


@dataclass(frozen=True)
class Credit:
    """A credit row of a statement in the core bank, in kobo."""

    id: str
    reference: str
    amount: int


@dataclass(frozen=True)
class Written:
    """One write that the hub intends for a receipt, and what it believes of it."""

    kind: str
    reference: str
    state: str


@dataclass(frozen=True)
class Receipt:
    """A receipt as the hub tells it; amounts in kobo."""

    id: str
    charge: str
    gross: int
    fee: int
    writes: tuple[Written, ...]

    def of(self, kind: str) -> tuple[Written, ...]:
        """Its writes of one kind."""
        return tuple(one for one in self.writes if one.kind == kind)

    @property
    def in_doubt(self) -> bool:
        """Whether the hub does not know what became of one of its journals or postings."""
        return any(one.state in _IN_DOUBT for one in (*self.of("journal"), *self.of("posting")))


@dataclass(frozen=True)
class Lms:
    """The loan system's own record."""

    recorded: Mapping[str, int] = field(default_factory=dict)
    """By receipt: how many messages say that it was recorded."""
    settled: Mapping[str, int] = field(default_factory=dict)
    """By receipt: how many messages say that it is booked and banked."""
    allocated: Mapping[str, int] = field(default_factory=dict)
    """By receipt: the kobo that were allocated."""
    over_satisfied: tuple[str, ...] = ()
    """Dues to which more was allocated than they are."""


@dataclass(frozen=True)
class World:
    """Everything that the systems say."""

    charges: tuple[Charge, ...]
    journals: tuple[Journal, ...]
    credits: tuple[Credit, ...]
    receipts: tuple[Receipt, ...]
    lms: Lms
    clearing_account: str
    clearing: int
    """Balance of the gateway's clearing account as the books tell it, in kobo, debits positive."""
    watched: Mapping[str, str] = field(default_factory=dict)
    """Further accounts of the books whose credits are summed: name → account id."""


# -- the judgement ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Check:
    """One sentence that must hold, and the rows for which it does not."""

    sentence: str
    faults: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether there is no fault."""
        return not self.faults


@dataclass(frozen=True)
class Sum:
    """How many, and how much money in kobo."""

    count: int
    kobo: int


@dataclass(frozen=True)
class Verdict:
    """Every check, the buckets by the gateway's amounts, and the total of each system."""

    checks: tuple[Check, ...]
    buckets: Mapping[str, Sum]
    totals: Mapping[str, Sum]

    @property
    def holds(self) -> bool:
        """Whether every check holds."""
        return all(check.holds for check in self.checks)

    def shown(self) -> dict[str, Any]:
        """The verdict as plain JSON."""
        return {
            "holds": self.holds,
            "buckets": {name: {"count": one.count, "kobo": one.kobo} for name, one in self.buckets.items()},
            "totals": {name: {"count": one.count, "kobo": one.kobo} for name, one in self.totals.items()},
            "checks": [{"sentence": one.sentence, "faults": list(one.faults)} for one in self.checks],
        }


class _Joined:
    """The world joined by charge and reference."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.charges = {one.id: one for one in world.charges}
        self.journals_of: defaultdict[str, list[Journal]] = defaultdict(list)
        """By charge, as their notes say."""
        self.stray_journals: list[Journal] = []
        self.credits_under: defaultdict[str, list[Credit]] = defaultdict(list)
        for journal in world.journals:
            self._place(journal)
        for credit in world.credits:
            self.credits_under[credit.reference].append(credit)

    def journals(self, receipt: Receipt) -> list[Journal]:
        """The entries for a receipt's charge."""
        return self.journals_of.get(receipt.charge, [])

    def credits(self, receipt: Receipt) -> list[Credit]:
        """The credits under a receipt's references."""
        return [row for one in receipt.of("posting") for row in self.credits_under.get(one.reference, [])]

    def bucket(self, receipt: Receipt) -> str:
        """The one bucket of a receipt: where the hub is in doubt it is unknown, whatever is there."""
        if receipt.in_doubt:
            return UNKNOWN
        return _BUCKET_OF.get((bool(self.journals(receipt)), bool(self.credits(receipt))), NEITHER)

    def _place(self, journal: Journal) -> None:
        words = _MARKER.sub("", journal.note)
        named = [number for number in _NUMBER.findall(words) if number in self.charges]
        if len(named) == 1:
            self.journals_of[named[0]].append(journal)
        else:
            self.stray_journals.append(journal)


def judge(world: World) -> Verdict:
    """Check everything; no I/O."""
    joined = _Joined(world)
    amounts: dict[str, list[int]] = {name: [] for name in BUCKETS}
    for receipt in world.receipts:
        charge = joined.charges.get(receipt.charge)
        amounts[joined.bucket(receipt)].append(charge.amount if charge else 0)
    buckets = {name: _sum(found) for name, found in amounts.items()}
    checks = [Check(sentence, tuple(faults(joined))) for sentence, faults in _CHECKS]
    tie = Check("the buckets hold every receipt once and sum to what was collected", _untied(world, buckets))
    return Verdict((*checks, tie), buckets, _totals(world))


_Faults = Iterator[str]


def _one_receipt_per_charge(joined: _Joined) -> _Faults:
    taken = Counter(receipt.charge for receipt in joined.world.receipts)
    for charge in joined.world.charges:
        if taken[charge.id] != 1:
            yield f"charge {charge.id} ({_naira(charge.amount)}) has {taken[charge.id]} receipts"
    for receipt in joined.world.receipts:
        if receipt.charge not in joined.charges:
            yield f"receipt {receipt.id} is for charge {receipt.charge}, which the gateway does not list as paid"


def _amounts_of_receipts(joined: _Joined) -> _Faults:
    for receipt in joined.world.receipts:
        charge = joined.charges.get(receipt.charge)
        if charge is not None and (receipt.gross, receipt.fee) != (charge.amount, charge.fee):
            yield (
                f"receipt {receipt.id} says {_naira(receipt.gross)} with a fee of {_naira(receipt.fee)}, the "
                f"gateway {_naira(charge.amount)} with {_naira(charge.fee)}"
            )


def _journals_balance(joined: _Joined) -> _Faults:
    for journal in joined.world.journals:
        left = sum(amount for _, amount in journal.lines)
        if left or len(journal.lines) < 2:
            yield f"journal {journal.id} is out of balance by {_naira(left)}"


def _booked_once(joined: _Joined) -> _Faults:
    for charge, journals in joined.journals_of.items():
        if len(journals) > 1:
            yield f"charge {charge} is booked {len(journals)} times: journals {_ids(journals)}"
    for journal in joined.stray_journals:
        yield f"journal {journal.id} ({_naira(journal.debits)}) names no paid charge: {journal.note[:80]!r}"


def _journals_of_their_receipt(joined: _Joined) -> _Faults:
    references = {r.charge: {one.reference for one in r.of("journal")} for r in joined.world.receipts}
    for charge, journals in joined.journals_of.items():
        known = references.get(charge, set())
        for journal in journals:
            marked = _MARKER.search(journal.note)
            if journal.number not in known or marked is None or marked[1] != journal.number:
                yield f"journal {journal.id} for charge {charge} has number {journal.number}, not its receipt's"


def _amounts_of_journals(joined: _Joined) -> _Faults:
    for charge_id, journals in joined.journals_of.items():
        charge = joined.charges[charge_id]
        for journal in journals:
            cleared, moved = journal.on(joined.world.clearing_account), journal.debits
            borne = charge.fee if charge.value == charge.amount else 0
            if (cleared, moved) != (charge.net, charge.net + borne):
                yield (
                    f"journal {journal.id} moves {_naira(moved)}, {_naira(cleared)} of it to clearing; charge "
                    f"{charge_id} is {_naira(charge.value)}, net {_naira(charge.net)}"
                )


def _banked_once(joined: _Joined) -> _Faults:
    claimed = Counter(one.reference for receipt in joined.world.receipts for one in receipt.of("posting"))
    for credit in joined.world.credits:
        if claimed[credit.reference] != 1:
            yield f"credit {credit.id} ({_naira(credit.amount)}) under {credit.reference!r} is no receipt's"
    for receipt in joined.world.receipts:
        credits = joined.credits(receipt)
        if len(credits) > 1:
            yield f"receipt {receipt.id} is banked {len(credits)} times: credits {_ids(credits)}"


def _amounts_of_credits(joined: _Joined) -> _Faults:
    for receipt in joined.world.receipts:
        charge = joined.charges.get(receipt.charge)
        worth = charge.value if charge else 0
        for credit in joined.credits(receipt):
            if credit.amount != worth:
                yield f"credit {credit.id} is {_naira(credit.amount)}, charge {receipt.charge} {_naira(worth)}"


def _clearing_ties(joined: _Joined) -> _Faults:
    charges, clearing = joined.world.charges, joined.world.clearing
    collected = sum(charge.net for charge in charges)
    missing = sum(charge.net for charge in charges if charge.id not in joined.journals_of)
    if clearing != collected - missing:
        yield (
            f"the clearing account stands at {_naira(clearing)}; collected are {_naira(collected)} net, of "
            f"which {_naira(missing)} are not booked"
        )


def _hub_knows(joined: _Joined) -> _Faults:
    for receipt in joined.world.receipts:
        there = {
            "journal": {one.number for one in joined.journals(receipt)},
            "posting": {one.reference for one in joined.credits(receipt)},
        }
        for one in receipt.writes:
            if one.kind not in there or one.state in _IN_DOUBT:
                continue
            found = one.reference in there[one.kind]
            if found != (one.state == "done"):
                word = "is" if found else "is not"
                yield f"{one.kind} {one.reference} of receipt {receipt.id} {word} there; the hub: {one.state}"


def _lms_is_told(joined: _Joined) -> _Faults:
    lms, receipts = joined.world.lms, {receipt.id: receipt for receipt in joined.world.receipts}
    for told, word in ((lms.recorded, "recorded"), (lms.settled, "settled")):
        for id_, times in told.items():
            if times != 1:
                yield f"the loan system was told {times} times that receipt {id_} is {word}"
            if id_ not in receipts:
                yield f"the loan system was told that receipt {id_} is {word}; it does not exist"
    for id_, receipt in receipts.items():
        if id_ in lms.settled and joined.bucket(receipt) != BOOKED_AND_BANKED:
            yield f"the loan system was told that receipt {id_} is settled; it is {joined.bucket(receipt)}"
        if id_ not in lms.recorded and all(one.state == "done" for one in receipt.of("callback")):
            yield f"the hub says that it told of receipt {id_}; the loan system does not know it"


def _lms_allocates(joined: _Joined) -> _Faults:
    for receipt in joined.world.receipts:
        charge, allocated = joined.charges.get(receipt.charge), joined.world.lms.allocated.get(receipt.id)
        if charge is not None and allocated not in (None, charge.value):
            told = _naira(allocated or 0)
            yield f"of receipt {receipt.id} {told} are allocated; it is worth {_naira(charge.value)}"
    for due in joined.world.lms.over_satisfied:
        yield f"more is allocated to due {due} than it is"


_CHECKS: Sequence[tuple[str, Callable[[_Joined], _Faults]]] = (
    ("every paid charge is exactly one receipt, and no receipt is invented", _one_receipt_per_charge),
    ("every receipt has the amount and the fee that the gateway lists", _amounts_of_receipts),
    ("every journal balances", _journals_balance),
    ("no charge is booked twice, and nothing else is booked", _booked_once),
    ("every journal carries the reference of its receipt", _journals_of_their_receipt),
    ("every journal has the amounts of its charge", _amounts_of_journals),
    ("no receipt is banked twice, and nothing else is banked", _banked_once),
    ("every credit has the amount of its charge", _amounts_of_credits),
    ("the clearing account is the net of what was collected, less what is not booked", _clearing_ties),
    ("what the hub believes is what is there", _hub_knows),
    ("the loan system was told once of every receipt, and of nothing that is not so", _lms_is_told),
    ("the loan system allocated every receipt to the kobo, and no due twice", _lms_allocates),
)


def _untied(world: World, buckets: Mapping[str, Sum]) -> tuple[str, ...]:
    collected = _sum(charge.amount for charge in world.charges)
    held = Sum(sum(one.count for one in buckets.values()), sum(one.kobo for one in buckets.values()))
    if held == collected:
        return ()
    return (
        f"the buckets hold {held.count} receipts of {_naira(held.kobo)}; collected were {collected.count} charges "
        f"of {_naira(collected.kobo)}",
    )


def _totals(world: World) -> dict[str, Sum]:
    told = world.lms.recorded
    watched = {
        name: _sum(-journal.on(account) for journal in world.journals if journal.on(account))
        for name, account in world.watched.items()
    }
    return {
        "collected": _sum(charge.amount for charge in world.charges),
        "fees": _sum(charge.fee for charge in world.charges if charge.fee),
        "booked": _sum(journal.debits for journal in world.journals),
        "banked": _sum(credit.amount for credit in world.credits),
        "told": _sum(world.lms.allocated.get(receipt, 0) for receipt in told),
        **watched,
    }


def _sum(amounts: Iterable[int]) -> Sum:
    found = list(amounts)
    return Sum(len(found), sum(found))


def _naira(kobo: int) -> str:
    return f"₦{Decimal(kobo).scaleb(-2):,.2f}"


def _ids(rows: Iterable[Journal | Credit]) -> str:
    return ", ".join(row.id for row in rows)


# -- reading the systems ---------------------------------------------------------------------------------------


class Unreadable(Exception):
    """A system cannot be read; the message says which, and how it answered."""


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the answer of a consent stands in the address that it points to."""

    def redirect_request(self, *_: Any) -> None:
        return None


_WEB = urllib.request.build_opener(urllib.request.ProxyHandler({}), _StayHere)


def read_gateway(url: str, key: str) -> tuple[Charge, ...]:
    """Every paid charge in the gateway's own list, all pages."""
    rows: list[Any] = []
    page = pages = 1
    while page <= pages:
        query = urlencode({"perPage": _TRANSACTIONS_PER_PAGE, "page": page})
        answer = _ask(f"{url}/transaction?{query}", {"Authorization": f"Bearer {key}"})
        rows += answer["data"]
        pages, page = answer["meta"]["pageCount"], page + 1
    # By id, since rows may move from page to page while they are read.
    paid = {str(row["id"]): row for row in rows if row["status"] == "success"}
    return tuple(
        Charge(id_, row["reference"], row["amount"], row["fees"] or 0, row["requested_amount"])
        for id_, row in paid.items()
    )


class Books:
    """The company's books, read with a consent of our own."""

    def __init__(self, url: str, client: str, realm: str) -> None:
        self._company = f"{url}/v3/company/{realm}"
        self._headers = {"Accept": "application/json", "Authorization": f"Bearer {_consent(url, client)}"}

    def journals(self) -> tuple[Journal, ...]:
        """Every entry, all pages."""
        found: list[Any] = []
        while True:
            paging = f"startposition {len(found) + 1} maxresults {_JOURNALS_PER_PAGE}"
            page = self._rows("JournalEntry", f"orderby Id {paging}")
            found += page
            if len(page) < _JOURNALS_PER_PAGE:
                return tuple(_journal(row) for row in found)

    def balance(self, account: str) -> int:
        """What an asset account stands at, in kobo."""
        rows = self._rows("Account", f"where Id = '{account}'")
        if len(rows) != 1:
            raise Unreadable(f"the books have no account {account}")
        return _kobo(rows[0]["CurrentBalance"])

    def _rows(self, entity: str, rest: str) -> list[Any]:
        query = urlencode({"query": f"select * from {entity} {rest}", "minorversion": "75"})  # noqa: S608
        answer = _ask(f"{self._company}/query?{query}", self._headers)
        return list(answer["QueryResponse"].get(entity, []))


def _consent(url: str, client: str) -> str:
    """An access token by the usual road: consent page, code, token."""
    back = "http://127.0.0.1/outside"
    asked = {"client_id": client.partition(":")[0], "response_type": "code", "redirect_uri": back}
    page = f"{url}/connect/oauth2?{urlencode({**asked, 'state': 'outside'})}"
    code = parse_qs(urlsplit(_redirect(page)).query).get("code", [""])[0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
    basic = base64.b64encode(client.encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "Accept": "application/json"}
    return str(_ask(f"{url}/oauth2/v1/tokens/bearer", headers, form)["access_token"])


def _journal(row: Mapping[str, Any]) -> Journal:
    lines = tuple(_line(line) for line in row["Line"])
    return Journal(row["Id"], row.get("DocNumber", ""), row.get("PrivateNote", ""), lines)


def _line(line: Mapping[str, Any]) -> tuple[str, int]:
    detail, amount = line["JournalEntryLineDetail"], _kobo(line["Amount"])
    return detail["AccountRef"]["value"], amount if detail["PostingType"] == "Debit" else -amount


def read_bank(url: str, token: str, accounts: Iterable[str]) -> tuple[Credit, ...]:
    """The credits on the statements of these accounts, yesterday to tomorrow."""
    today = datetime.now(UTC).date()
    span = {"fromDate": today - timedelta(days=1), "toDate": today + timedelta(days=1)}
    found: list[Any] = []
    for account in accounts:
        query = urlencode({"authToken": token, "accountNumber": account, **span})
        answer = _ask(f"{url}/BankOneWebAPI/api/Account/GetTransactions/2?{query}")
        if not answer["IsSuccessful"]:
            raise Unreadable("the core bank does not show the statement of an account")
        found += [row for row in answer["Message"] if row["RecordType"] == "Credit"]
    return tuple(Credit(row["Id"], row["ReferenceID"], _kobo(row["Amount"])) for row in found)


def read_lms(url: str) -> Lms:
    """What the loan system has in its own record."""
    state = _ask(f"{url}/_sim/state")
    told: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for message in state["callbacks"]:
        told[message["type"]][str(message["receipt"])] += 1
    dues = [due for member in state["members"] for loan in member["loans"] for due in loan["dues"]]
    return Lms(
        recorded=told["receipt.recorded"],
        settled=told["receipt.settled"],
        allocated={
            receipt: sum(line["amount_minor"] for line in lines)
            for receipt, lines in state["allocations"].items()
        },
        over_satisfied=tuple(due["id"] for due in dues if due["left_minor"] < 0),
    )


def read_accounts(file: Path) -> tuple[str, ...]:
    """The core accounts in a CSV with a column `number`, each once."""
    with file.open(newline="", encoding="utf-8") as rows:
        return tuple(dict.fromkeys(row["number"] for row in csv.DictReader(rows)))


def _ask(url: str, headers: Mapping[str, str] | None = None, form: Mapping[str, str] | None = None) -> Any:
    """JSON from an address, decimals exact. Unreadable on anything but a 200 with JSON."""
    body = None if form is None else urlencode(form).encode()
    request = urllib.request.Request(url, body, dict(headers or {}))  # noqa: S310
    try:
        with _WEB.open(request, timeout=_SECONDS) as answer:
            return json.loads(answer.read(), parse_float=Decimal)
    except urllib.error.HTTPError as error:
        raise Unreadable(f"{_place(url)} answered {error.code}") from None
    except (OSError, ValueError) as error:
        raise Unreadable(f"{_place(url)}: {type(error).__name__}") from None


def _redirect(url: str) -> str:
    """Where an address redirects to. Unreadable when it does not."""
    try:
        with _WEB.open(url, timeout=_SECONDS):
            raise Unreadable(f"{_place(url)} sent nobody back")
    except urllib.error.HTTPError as answer:
        return str(answer.headers.get("Location", ""))
    except OSError as error:
        raise Unreadable(f"{_place(url)}: {type(error).__name__}") from None


def _place(url: str) -> str:
    """An address without its query, which may hold keys and account numbers."""
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}"


def _kobo(naira: Any) -> int:
    """Naira, exact, as kobo. Unreadable when there is a fraction of a kobo."""
    scaled = Decimal(str(naira)).scaleb(2)
    if scaled != scaled.to_integral_value():
        raise Unreadable(f"{naira} naira are not whole kobo")
    return int(scaled)


class Hub:
    """The hub's public API, read with a key."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}"}

    def receipts(self) -> tuple[Receipt, ...]:
        """Every receipt with its writes."""
        writes: defaultdict[str, list[Written]] = defaultdict(list)
        for row in self._rows("effects"):
            if row["receipt"] is not None:
                writes[row["receipt"]].append(Written(row["kind"], row["reference"], row["state"]))
        return tuple(
            Receipt(row["id"], row["charge"], row["gross_minor"], row["fee_minor"], tuple(writes[row["id"]]))
            for row in self._rows("receipts")
        )

    def _rows(self, noun: str) -> Iterator[Any]:
        after: dict[str, str] = {}
        while True:
            query = urlencode({"limit": _ROWS_PER_PAGE, **after})
            page = _ask(f"{self._url}/v1/{noun}?{query}", self._headers)
            yield from page["items"]
            if page["next"] is None:
                return
            after = {"cursor": page["next"]}


# -- the command -----------------------------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    """Read, judge, tell; the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        verdict = judge(_world(asked))
    except Unreadable as error:
        sys.stderr.write(f"cannot be read: {error}\n")
        return 2
    sys.stdout.write(json.dumps(verdict.shown()) + "\n" if asked.json else _told(verdict))
    return 0 if verdict.holds else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Prove a day of receipts from outside.")
    for system in ("hub", "gateway", "books", "bank", "lms"):
        parser.add_argument(f"--{system}", required=True, metavar="URL")
    parser.add_argument(
        "--accounts", required=True, type=Path, metavar="FILE", help="CSV with a column number"
    )
    parser.add_argument("--realm", default="9130350000000001", help="the company in the books")
    parser.add_argument("--clearing", default="91", metavar="ID", help="the gateway's clearing account there")
    parser.add_argument(
        "--watch", action="append", default=[], metavar="NAME=ID", help="sum credits of an account"
    )
    parser.add_argument("--json", action="store_true", help="tell the verdict as one JSON object")
    return parser


def _world(asked: argparse.Namespace) -> World:
    """What all of them say. Unreadable when the hub was at work meanwhile: then they speak of two moments."""
    key = os.environ.get
    hub = Hub(asked.hub, key("OUTSIDE_HUB_KEY", ""))
    receipts = hub.receipts()
    books = Books(asked.books, key("OUTSIDE_BOOKS_CLIENT", "simulated-client:simulated-secret"), asked.realm)
    bank_token = key("OUTSIDE_BANK_TOKEN", "simulated-token")
    world = World(
        charges=read_gateway(asked.gateway, key("OUTSIDE_GATEWAY_KEY", "sk_test_simulated")),
        journals=books.journals(),
        credits=read_bank(asked.bank, bank_token, read_accounts(asked.accounts)),
        receipts=receipts,
        lms=read_lms(asked.lms),
        clearing_account=asked.clearing,
        clearing=books.balance(asked.clearing),
        watched=dict(pair.split("=", 1) for pair in asked.watch),
    )
    if hub.receipts() != receipts:
        raise Unreadable("the hub was at work while the others were read; ask again when it is quiet")
    return world


def _told(verdict: Verdict) -> str:
    rows = {**verdict.totals, **verdict.buckets}
    lines = [f"{name:<14}{one.count:>7}{_naira(one.kobo):>20}" for name, one in rows.items()]
    for check in verdict.checks:
        lines.append(f"{'holds' if check.holds else 'FAILS'}  {check.sentence}")
        lines += [f"         {fault}" for fault in check.faults]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
