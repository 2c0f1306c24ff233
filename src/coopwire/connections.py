"""Reads the connections file: which providers are used, with which secrets, and the routes between them."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from coopwire.application.fee_files import FeeFileError, schedule_of
from coopwire.application.network import Routes
from coopwire.domain.budgets import Budget
from coopwire.domain.fees import FeeSchedule
from coopwire.domain.networks import networks
from coopwire.domain.payments import AllocationMode, Mode
from coopwire.domain.receipts import ReceiptSource, Source
from coopwire.ports.providers import (
    ConfigurationError,
    Connection,
    Profile,
    ProviderSheet,
    Role,
    SettingField,
)
from coopwire.providers import catalog
from coopwire.settings import Settings

_CONNECTIONS, _ROUTES, _RECEIVABLE_GL = "connections", "routes", "receivable_gl"
_SOURCES = "sources"
_LARGEST_FILE = 1 << 20
_LARGEST_SECRET = 64 << 10
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}\Z")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?\Z", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,99}\Z")
_LIMIT_WORD = re.compile(r"[0-9]{1,9}\Z")
_REFERENCE = ({"env"}, {"file"})

COMMON: tuple[SettingField, ...] = (
    SettingField("provider", "which provider this is a use of"),
    SettingField("mode", "`test` or `live` money; the two never meet", required=False, default="test"),
    SettingField("zone", "time zone of the provider, where it is not that of the hub", required=False),
)
"""Fields of every connection besides those of its provider and its budget."""
_LIMIT = "; what the provider states where it is left out, `0`: without limit"
OF_BUDGETS: Mapping[str, SettingField] = {
    "per_second": SettingField(
        "calls_per_second", f"calls a second over all workers{_LIMIT}", required=False
    ),
    "per_minute": SettingField("calls_per_minute", f"calls a minute{_LIMIT}", required=False),
    "per_day": SettingField("calls_per_day", f"calls a day of UTC{_LIMIT}", required=False),
    "at_once": SettingField("calls_at_once", f"calls under way at a time{_LIMIT}", required=False),
}
"""The budget of a connection: members of domain.budgets.Budget and the fields that set them."""
COMMON_OF_GATEWAYS: tuple[SettingField, ...] = (
    SettingField(
        "placeholder_email",
        "e-mail given to the gateway for payers without one, such as `member-{member}@members.example`; "
        "empty: a payment without an e-mail is refused",
        required=False,
    ),
    SettingField(
        "webhook_addresses",
        "comma-separated addresses and networks from which webhooks may come, beside their signature; empty: "
        "from anywhere. Behind a proxy `COOPWIRE_TRUSTED_PROXIES` must name it",
        required=False,
    ),
    SettingField(
        "fees",
        "price list that its fees are held against: path of a CSV file, relative to this one, see [fees.md](fees.md); "
        "empty: the example that comes with the provider; `none`: nothing is expected",
        required=False,
    ),
)
"""Further fields of every gateway connection."""
NO_FEES = "none"
"""In place of a price list: nothing is expected of the fees."""
SOURCE_KINDS = tuple(kind for kind in ReceiptSource if kind is not ReceiptSource.GATEWAY)
OF_SOURCES: tuple[SettingField, ...] = (
    SettingField("kind", f"where the money arrives: {', '.join(f'`{kind}`' for kind in SOURCE_KINDS)}"),
    SettingField(
        "checker",
        "`true`: what it brings is booked only after a second person released it",
        required=False,
        default="false",
    ),
)
"""Fields of every source of receipts from elsewhere."""
_NOT_OF_THE_PROVIDER = {"provider", "mode", "zone", "fees", *(field.name for field in OF_BUDGETS.values())}
ROUTES: Mapping[str, Role] = {
    "gateway": Role.GATEWAY,
    "books": Role.BOOKS,
    "core_bank": Role.CORE_BANK,
    "lms": Role.LMS,
}
"""Members of [routes] that name a connection, and the role it must have; only the gateway is needed."""


@dataclass(frozen=True, slots=True)
class Configured:
    """What the file says: every connection by name, and the routes."""

    connections: Mapping[str, Connection]
    routes: Routes


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to mend; `field` is empty when the whole section is meant."""

    section: str
    field: str
    remedy: str

    def __str__(self) -> str:
        place = f"[{self.section}] {self.field}".strip() if self.section else self.field
        return f"{place}: {self.remedy}" if place else self.remedy


class ConnectionsError(ConfigurationError):
    """The file cannot be used; `mistakes` are all that were found, none of them quotes a secret."""

    def __init__(self, path: Path, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(f"{path}: {mistake}" for mistake in self.mistakes))


def load(path: Path, settings: Settings) -> Configured:
    """The connections and routes of the file. ConnectionsError names every mistake at once."""
    reading = _Reading(path, settings.zone)
    document = reading.document()
    reading.reject_unknown("", document, (_CONNECTIONS, _ROUTES, _RECEIVABLE_GL, _SOURCES))
    connections = reading.connections(document)
    routes = reading.routes(document, connections)
    reading.mistakes += _unsafe(connections.values(), settings)
    if reading.mistakes or routes is None:
        raise ConnectionsError(path, reading.mistakes)
    return Configured(connections, routes)


def load_one(path: Path, name: str, zone: ZoneInfo) -> Connection:
    """One connection of the file, the others and the routes left unread. ConnectionsError as in `load`."""
    reading = _Reading(path, zone)
    sections = reading.table(reading.document(), _CONNECTIONS)
    if name not in sections:
        known = ", ".join(sorted(sections)) or "none"
        raise ConnectionsError(
            path, [Mistake("", "", f"there is no connection {name[:60]}; there are: {known}")]
        )
    connection = reading.connection(name, sections[name])
    if connection is None:
        raise ConnectionsError(path, reading.mistakes)
    return connection


def fields_of(profile: Profile) -> tuple[SettingField, ...]:
    """Every field that a section of this provider may have."""
    of_gateways = COMMON_OF_GATEWAYS if profile.role is Role.GATEWAY else ()
    return (*COMMON, *OF_BUDGETS.values(), *of_gateways, *profile.settings)


def example_fees(sheet: ProviderSheet) -> FeeSchedule | None:
    """The price list that comes with a provider, an example; None where none does. FeeFileError, ConfigurationError."""
    text = catalog.fees(sheet)
    return None if text is None else schedule_of(text, _example_name(sheet), example=True)


def _example_name(sheet: ProviderSheet) -> str:
    return f"{sheet.profile.name}, example"


class _Reading:
    """One pass over the file that goes on after a mistake, so that all are told together."""

    def __init__(self, path: Path, zone: ZoneInfo) -> None:
        self.mistakes: list[Mistake] = []
        self._path = path
        self._zone = zone
        self._roles: dict[str, Role] = {}

    def wrong(self, section: str, field: str, remedy: str) -> None:
        """Keep a mistake."""
        self.mistakes.append(Mistake(section, field, remedy))

    def document(self) -> Mapping[str, Any]:
        """The parsed file; without one nothing else can be judged, so ConnectionsError at once."""
        try:
            with self._path.open("rb") as file:
                content = file.read(_LARGEST_FILE + 1)
            if len(content) <= _LARGEST_FILE:
                return tomllib.loads(content.decode())
            remedy = f"the file has more than {_LARGEST_FILE >> 20} MiB; is it the right one?"
        except OSError as error:
            remedy = f"cannot be read ({error.strerror}); COOPWIRE_CONNECTIONS must name a file of your own"
        except UnicodeDecodeError:
            remedy = "is not UTF-8 text"
        except tomllib.TOMLDecodeError as error:
            # Only the place is told: the message may quote a piece of a secret.
            found = re.search(r"\(at (line \d+, column \d+|end of document)\)", str(error))
            remedy = f"is not TOML: look at {found[1] if found else 'its syntax'}"
        except RecursionError:
            remedy = "is nested too deeply to be a connections file"
        raise ConnectionsError(self._path, [Mistake("", "", remedy)])

    def table(self, document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """A top-level table, empty when it is missing."""
        value = document.get(name, {})
        if isinstance(value, dict):
            return value
        self.wrong(name, "", f"must be a table: [{name}]")
        return {}

    def reject_unknown(self, section: str, given: Iterable[str], known: Iterable[str]) -> None:
        """A mistake for every name that means nothing here."""
        names = list(known)
        for name in sorted(set(given) - set(names)):
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names) or 'none'}"
            self.wrong(section, _plain(name), f"there is no such {'field' if section else 'section'}; {hint}")

    # -- connections --------------------------------------------------------------------------------------

    def connections(self, document: Mapping[str, Any]) -> dict[str, Connection]:
        """Every connection that can be read."""
        sections = self.table(document, _CONNECTIONS)
        if not sections and not self.mistakes:
            self.wrong("", "", "names no connection; add a section such as [connections.main]")
        read = {name: self.connection(name, section) for name, section in sections.items()}
        return {name: connection for name, connection in read.items() if connection is not None}

    def connection(self, name: str, given: object) -> Connection | None:
        """The connection; None after a mistake."""
        before = len(self.mistakes)
        section = f"{_CONNECTIONS}.{_plain(name)}"
        if not _NAME.match(name):
            self.wrong(
                section, "", "a connection's name is a-z, 0-9, - and _, at most 40: it stands in addresses"
            )
        sheet = self._sheet(section, given)
        if sheet is None or not isinstance(given, dict):
            return None
        profile = sheet.profile
        self._roles[name] = profile.role
        fields = fields_of(profile)
        self.reject_unknown(section, given, [field.name for field in fields])
        words = {field.name: self._word(section, field, given) for field in fields}
        mode = self._mode(section, words["mode"])
        zone = self._timezone(section, words["zone"])
        self._check_placeholder(section, words.get("placeholder_email", ""))
        self._check_addresses(section, words.get("webhook_addresses", ""))
        budget = self._budget(section, words, profile.budget)
        fees = self._fees(section, words.get("fees", NO_FEES), sheet)
        if len(self.mistakes) > before or mode is None or zone is None:
            return None
        own = {key: word for key, word in words.items() if key not in _NOT_OF_THE_PROVIDER}
        return Connection(name, profile.name, mode, own, zone, budget, fees)

    def _budget(self, section: str, words: Mapping[str, str], stated: Budget) -> Budget:
        """The provider's own limits, with those that the file sets."""
        chosen: dict[str, int | None] = {}
        for member, field in OF_BUDGETS.items():
            word = words[field.name]
            if _LIMIT_WORD.match(word):
                chosen[member] = int(word) or None
            elif word:
                self.wrong(section, field.name, "must be a whole number of calls, at most 9 digits")
        return replace(stated, **chosen)

    def _fees(self, section: str, word: str, sheet: ProviderSheet) -> FeeSchedule | None:
        """The price list that is named, else the provider's own example; None where there is none."""
        if word == NO_FEES:
            return None
        try:
            return self._own_fees(section, word) if word else example_fees(sheet)
        except FeeFileError as error:
            for mistake in error.mistakes:
                self.wrong(section, "fees", f"{_plain(word) or _example_name(sheet)}: {mistake}")
        except ConfigurationError as error:
            self.wrong(section, "fees", str(error))
        return None

    def _own_fees(self, section: str, name: str) -> FeeSchedule | None:
        found = self._from_file(name)
        if isinstance(found, str):
            return schedule_of(found, _plain(name))
        self.wrong(section, "fees", found.remedy)
        return None

    def _sheet(self, section: str, given: object) -> ProviderSheet | None:
        if not isinstance(given, dict):
            self.wrong(section, "", "must be a table")
            return None
        provider = given.get("provider")
        if not isinstance(provider, str):
            self.wrong(section, "provider", f"must name one of {', '.join(catalog.names())}")
            return None
        try:
            return catalog.sheet(provider)
        except ConfigurationError as error:
            self.wrong(section, "provider", str(error))
            return None

    def _word(self, section: str, field: SettingField, given: Mapping[str, Any]) -> str:
        """The field as text; its default where it is left out, empty after a mistake."""
        if field.name not in given:
            if field.required:
                self.wrong(section, field.name, f"is missing; it is the {field.help}")
            return field.default
        value = given[field.name]
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, int):
            return str(value)
        if isinstance(value, dict) and value.keys() in _REFERENCE:
            return self._fetched(section, field, value)
        if not isinstance(value, str):
            self.wrong(section, field.name, 'must be text, { env = "NAME" } or { file = "PATH" }')
            return ""
        if field.required and not value.strip():
            self.wrong(section, field.name, f"is empty; it is the {field.help}")
        return value

    def _fetched(self, section: str, field: SettingField, value: Mapping[str, object]) -> str:
        [(kind, name)] = value.items()
        if not isinstance(name, str) or not name or "\0" in name:
            self.wrong(section, field.name, f'{kind} must be text: {{ {kind} = "…" }}')
            return ""
        found = self._from_environment(name) if kind == "env" else self._from_file(name)
        if isinstance(found, _Missing):
            self.wrong(section, field.name, found.remedy)
            return ""
        return found

    def _from_environment(self, name: str) -> str | _Missing:
        found = os.environ.get(name, "")
        # Somebody may have put the secret itself where its variable's name belongs.
        told = (
            f"environment variable {name}" if _VARIABLE.match(name) else "the environment variable it names"
        )
        return found or _Missing(f"{told} is not set; export it")

    def _from_file(self, name: str) -> str | _Missing:
        path = self._path.parent / name
        try:
            with path.open("rb") as file:
                content = file.read(_LARGEST_SECRET + 1)
            text = content.decode().strip()
        except OSError as error:
            return _Missing(f"{_plain(name)} cannot be read ({error.strerror})")
        except UnicodeDecodeError:
            return _Missing(f"{_plain(name)} is not UTF-8 text")
        if not text or len(content) > _LARGEST_SECRET:
            return _Missing(f"{_plain(name)} is {'too large' if text else 'empty'}")
        return text

    def _mode(self, section: str, word: str) -> Mode | None:
        try:
            return Mode(word)
        except ValueError:
            self.wrong(section, "mode", f"must be {' or '.join(mode.value for mode in Mode)}")
            return None

    def _timezone(self, section: str, word: str) -> ZoneInfo | None:
        if not word:
            return self._zone
        try:
            return ZoneInfo(word)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.wrong(section, "zone", "there is no such time zone; write one such as Africa/Lagos")
            return None

    def _check_placeholder(self, section: str, word: str) -> None:
        filled = word.replace("{member}", "m")
        if word and (not _EMAIL.match(filled) or "{" in filled or "}" in filled):
            remedy = "must be an e-mail address, with {member} where the member's number goes"
            self.wrong(section, "placeholder_email", remedy)

    def _check_addresses(self, section: str, word: str) -> None:
        try:
            networks(word)
        except ValueError:
            remedy = "must be addresses or networks, such as 52.31.139.75, 10.0.0.0/8"
            self.wrong(section, "webhook_addresses", remedy)

    # -- routes -------------------------------------------------------------------------------------------

    def routes(self, document: Mapping[str, Any], connections: Mapping[str, Connection]) -> Routes | None:
        """The routes between `connections`, which were read before; None after a mistake."""
        given = self.table(document, _ROUTES)
        self.reject_unknown(_ROUTES, given, (*ROUTES, "allocation", "callback_hosts"))
        declared = sorted(self.table(document, _CONNECTIONS))
        chosen = {field: self._route(field, given.get(field), declared) for field in ROUTES}
        allocation = self._allocation(given.get("allocation", AllocationMode.HUB.value), chosen["lms"])
        hosts = self._hosts(given.get("callback_hosts", []))
        sources = self._sources(document, declared)
        receivable = self._receivable(document, declared, chosen["core_bank"])
        self._one_mode(chosen, connections)
        gateway = chosen["gateway"]
        if gateway is None or allocation is None:
            return None
        return Routes(
            gateway=gateway,
            books=chosen["books"],
            core_bank=chosen["core_bank"],
            lms=chosen["lms"],
            allocation=allocation,
            receivable_gl=receivable,
            zone=self._zone,
            allowed_callback_hosts=hosts,
            sources=sources,
        )

    def _route(self, field: str, name: object, declared: Sequence[str]) -> str | None:
        wanted = ROUTES[field]
        if name is None:
            if field == "gateway":
                self.wrong(_ROUTES, field, "is missing; name the connection that collects payments")
            return None
        if not isinstance(name, str) or name not in declared:
            remedy = f"there is no such connection; there are: {', '.join(declared) or 'none'}"
            self.wrong(_ROUTES, field, remedy)
            return None
        role = self._roles.get(name, wanted)
        if role is not wanted:
            self.wrong(_ROUTES, field, f"{name} is a {_spoken(role)} and not a {_spoken(wanted)}")
        return name

    def _allocation(self, word: object, lms: str | None) -> AllocationMode | None:
        if word not in list(AllocationMode):
            self.wrong(_ROUTES, "allocation", f"must be {' or '.join(mode.value for mode in AllocationMode)}")
            return None
        if word == AllocationMode.LMS and lms is None:
            self.wrong(_ROUTES, "allocation", "the loan system can decide only when the route lms names it")
        return AllocationMode(str(word))

    def _hosts(self, given: object) -> frozenset[str]:
        told = given if isinstance(given, list) else [None]
        hosts = [host.lower() for host in told if isinstance(host, str) and _HOST.match(host)]
        if len(hosts) < len(told):
            self.wrong(_ROUTES, "callback_hosts", 'must be a list of host names: ["lms.example"]')
        return frozenset(hosts)

    def _sources(self, document: Mapping[str, Any], declared: Sequence[str]) -> dict[str, Source]:
        """Every source of receipts from elsewhere that can be read."""
        sections = self.table(document, _SOURCES)
        read = {name: self._source(name, section, declared) for name, section in sections.items()}
        return {name: source for name, source in read.items() if source is not None}

    def _source(self, name: str, given: object, declared: Sequence[str]) -> Source | None:
        section = f"{_SOURCES}.{_plain(name)}"
        if not _NAME.match(name):
            self.wrong(section, "", "a source's name is a-z, 0-9, - and _, at most 40")
        if name in declared:
            self.wrong(section, "", "a connection has this name already: receipts are told apart by it")
        if not isinstance(given, dict):
            self.wrong(section, "", "must be a table")
            return None
        self.reject_unknown(section, given, [field.name for field in OF_SOURCES])
        kind, checker = given.get("kind"), given.get("checker", False)
        if not isinstance(checker, bool):
            self.wrong(section, "checker", "must be true or false")
        if kind not in list(SOURCE_KINDS):
            self.wrong(section, "kind", f"must be one of {', '.join(SOURCE_KINDS)}")
            return None
        return Source(name, ReceiptSource(str(kind)), checker is True)

    def _receivable(
        self, document: Mapping[str, Any], declared: Sequence[str], core_bank: str | None
    ) -> dict[str, str]:
        given = self.table(document, _RECEIVABLE_GL)
        gateways = [name for name, role in self._roles.items() if role is Role.GATEWAY]
        sources = [name for name in self.table(document, _SOURCES) if _NAME.match(name)]
        of_unknown_role = set(declared) - self._roles.keys()
        self.reject_unknown(_RECEIVABLE_GL, set(given) - of_unknown_role, [*gateways, *sources])
        accounts = {name: str(gl).strip() for name, gl in given.items() if _is_account(gl)}
        for name in sorted(given.keys() - accounts.keys()):
            self.wrong(_RECEIVABLE_GL, _plain(name), 'must be the number of a GL account, such as "1001"')
        if core_bank is not None:
            for what, names in (("gateway", gateways), ("source", sources)):
                for name in sorted(set(names) - given.keys()):
                    remedy = f"is missing; name the GL in {core_bank} that receives the money of this {what}"
                    self.wrong(_RECEIVABLE_GL, name, remedy)
        return accounts

    def _one_mode(self, chosen: Mapping[str, str | None], connections: Mapping[str, Connection]) -> None:
        """Whatever a receipt passes, from any gateway to books, bank and loan system, has the same mode."""
        passed = [
            connection
            for name, connection in connections.items()
            if name in chosen.values() or self._roles[name] is Role.GATEWAY
        ]
        modes = {mode: [c.name for c in passed if c.mode is mode] for mode in Mode}
        if all(modes.values()):
            told = "; ".join(f"{mode.value}: {', '.join(names)}" for mode, names in modes.items())
            self.wrong(_ROUTES, "", f"test and live money would meet ({told}); give all of them one mode")


@dataclass(frozen=True, slots=True)
class _Missing:
    """A secret that is not where the file says."""

    remedy: str


def _unsafe(connections: Iterable[Connection], settings: Settings) -> Iterator[Mistake]:
    """Live money that this deployment must not touch."""
    for connection in connections:
        if connection.mode is not Mode.LIVE:
            continue
        section = f"{_CONNECTIONS}.{connection.name}"
        if settings.database is not None and settings.data_folder and not settings.allow_live_on_embedded:
            yield Mistake(
                section,
                "mode",
                "live money on an embedded database, which has no standby: give COOPWIRE_DATABASE the address of "
                "a server, or set COOPWIRE_ALLOW_LIVE_ON_EMBEDDED=true",
            )
        if settings.timings != "default":
            yield Mistake(section, "mode", "live money with shortened durations: unset COOPWIRE_TIMINGS")


def _spoken(role: Role) -> str:
    return role.value.replace("_", " ")


def _is_account(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return False
    return bool(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.\-]{0,39}", str(value).strip()))


def _plain(name: str) -> str:
    """A name from the file, fit to be shown on one line."""
    return "".join(c if c.isprintable() else "?" for c in name[:200])
