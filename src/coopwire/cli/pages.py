"""The generated pages of docs/: providers, events, settings, timings and metrics, from the code that runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Any

from coopwire.application import fee_files
from coopwire.cli import asyncapi
from coopwire.cli.show import length
from coopwire.conformance.promises import promises
from coopwire.connections import COMMON, COMMON_OF_GATEWAYS, OF_BUDGETS, OF_SOURCES, example_fees
from coopwire.domain import timings
from coopwire.domain.budgets import Budget
from coopwire.domain.events import CATALOGUE, SOURCE, EventType
from coopwire.domain.members import OPEN_WORDS
from coopwire.domain.timings import Timings
from coopwire.monitoring.catalogue import CATALOGUE as METRICS
from coopwire.monitoring.catalogue import Metric, Scope
from coopwire.ports.providers import (
    Capability,
    Lookup,
    Profile,
    ProviderSheet,
    Role,
    SettingField,
    Trust,
)
from coopwire.providers import catalog
from coopwire.settings import Settings, variable

MARK = "Written by `coopwire docs`; change the code it is read from, not this page."
"""Stands on every page that may be overwritten."""
_LOOKUPS = {
    Lookup.NONE: "cannot be asked",
    Lookup.BY_REFERENCE: "by our reference",
    Lookup.BY_MARKER: "by a marker in its text",
    Lookup.CENSUS: "by comparing what is there before and after",
}
_A_LONG_TIME = timedelta(days=365)

MEANING_OF_TIMINGS: Mapping[str, str] = {
    "heartbeat": "a worker says that it lives",
    "worker_lost_after": "a worker not heard for so long is lost: what it was sending becomes unknown",
    "call_deadline": "a whole call to a provider, from the first byte to the last",
    "claim_length": "how long a claimed effect belongs to its worker",
    "unknown_grace": "after the deadline of a lost send, before the first look-up of what became of it",
    "retry_ladder": "distances between the tries of an effect that was proved not done; the last one repeats",
    "effect_age_limit": "after so long an effect that is always told to try later is held",
    "unknown_schedule": "distances between the first look-ups of an unknown effect",
    "unknown_then_every": "distance of the further look-ups of an unknown effect",
    "unknown_until": "after so long a person is asked about an unknown effect",
    "look_schedule": "distances between the first look-ups of a payment attempt nobody told us about",
    "look_then_every": "distance of its further look-ups while the payment page may be open",
    "look_session": "how long a payment page may be open",
    "look_daily": "distance of its look-ups after that",
    "look_until": "after so long an attempt is not looked up any more",
    "notice_look_ladder": "distances between the look-ups while a notice says other than the gateway",
    "refund_look_schedule": "distances from the acceptance of a refund to the first look-ups of where it stands",
    "refund_look_then_every": "distance of its further look-ups on the first day",
    "refund_look_hourly_until": "how long that is",
    "refund_look_daily": "distance of its look-ups after that",
    "refund_look_until": "after so long a person is asked about a refund that has not come to an end",
    "dispute_look_every": "distance of the look-ups of an open dispute, and of the reads of the list of disputes",
    "dispute_look_hourly_until": "how long a dispute that waits for the bank is looked up so often",
    "dispute_look_daily": "distance of its look-ups after that",
    "dispute_look_until": "after so long a dispute that does not end is looked up no more",
    "dispute_list_back": "how far back the list of disputes is read, at the least",
    "settlement_list_every": "distance of the reads of the list of settlements",
    "settlement_list_back": "how far back the list of settlements is read",
    "settlement_look_every": "distance of the look-ups of a settlement until its entry is ordered",
    "settlement_look_daily": "distance of its look-ups after that",
    "settlement_look_until": "after so long a settlement is looked up only when the list tells it otherwise",
    "breaker_window": "the sliding window over which the breaker judges a connection",
    "breaker_open": "how long an open breaker lets nothing pass before it probes",
    "workers_exchange": "how often workers tell each other what their breakers counted, and lease calls of a budget",
    "budget_patience": "how long a call waits for its place in the budget of its connection",
    "bus_ladder": "distances between the deliveries of an event to a consumer that failed; then it is dead",
    "bus_reconnect": "a broker that went away is asked so often whether it is there again",
    "bus_sent_again_after": "a delivery that nobody took by then is handed to the broker once more",
    "bus_declared_every": "queues and bindings are put in their place again so often, should somebody have removed one",
    "events_kept": "how long events are kept that all their consumers took",
    "idempotency_kept": "how long an `Idempotency-Key` is remembered",
    "raw_kept": "how long raw bodies are kept",
    "dues_valid": "how long dues may be allocated to, where the loan system does not say",
    "create_answer_within": "how long `POST /v1/payments` waits for the address of the page",
    "token_margin": "an access token is renewed so long before its end",
    "business_date_every": "between two questions to the core bank about its business date",
    "business_date_good_for": "so long is the core's last word about its business date taken for the value date",
    "speed": "lengths that a provider's sheet states are divided by this",
}
"""What each duration is for; a test holds this table to the fields of Timings."""

Rows = Iterable[Sequence[str]]


def pages() -> Mapping[str, Callable[[], str]]:
    """File name in docs/ → the text that belongs there."""
    return {
        "providers.md": providers,
        "fees.md": fees,
        "events.md": events,
        "asyncapi.yaml": asyncapi_document,
        "settings.md": settings,
        "timings.md": durations,
        "metrics.md": metrics,
    }


# -- providers --------------------------------------------------------------------------------------------

CAPABILITY_COLUMNS = (
    "provider",
    "role",
    "capability",
    "what it does",
    "unknown outcome is looked up",
    "absence counts after",
    "may be sent again for",
    "look-ups apart",
)


def capability_rows(sheets: Iterable[ProviderSheet]) -> list[tuple[str, ...]]:
    """One row per provider and capability: reads need no trust, writes tell how far each is trusted."""
    return [
        (
            sheet.profile.name,
            sheet.profile.role.value.replace("_", " "),
            capability.value.replace("_", " "),
            *_guarantees(sheet.profile, capability),
        )
        for sheet in sheets
        for capability in Capability
        if capability in sheet.profile.capabilities
    ]


def backing_rows(sheets: Sequence[ProviderSheet]) -> list[tuple[str, ...]]:
    """One row per capability that somebody declares: how many promises stand behind it at each provider."""
    declared = [one for one in Capability if any(one in sheet.profile.capabilities for sheet in sheets)]
    return [
        (capability.value.replace("_", " "), *(_backing(sheet.profile, capability) for sheet in sheets))
        for capability in declared
    ]


def _backing(profile: Profile, capability: Capability) -> str:
    if capability not in profile.capabilities:
        return ""
    count = len(promises(profile.role, capability))
    return f"{count} promises" if count else "tests of its own"


def _backed(sheets: Sequence[ProviderSheet]) -> Iterator[tuple[Role, Capability]]:
    """What the table's numbers stand for, each once."""
    for role in dict.fromkeys(sheet.profile.role for sheet in sheets):
        of_role = [sheet.profile for sheet in sheets if sheet.profile.role is role]
        for capability in Capability:
            if promises(role, capability) and any(capability in one.capabilities for one in of_role):
                yield role, capability


def _promised(role: Role, capability: Capability) -> str:
    lines = "\n".join(f"- {name}" for name in promises(role, capability))
    name = f"{role.value.replace('_', ' ')}, {capability.value.replace('_', ' ')}"
    return f"<details><summary>{name}</summary>\n\n{lines}\n\n</details>"


def _guarantees(profile: Profile, capability: Capability) -> tuple[str, ...]:
    trust = profile.writes.get(capability)
    return ("reads", "", "", "", "") if trust is None else ("writes", *_trusted(trust))


def _trusted(trust: Trust) -> tuple[str, str, str, str]:
    absence, again = trust.absence_counts_after, trust.idempotent_for
    asked = trust.lookup is not Lookup.NONE
    return (
        _LOOKUPS[trust.lookup],
        ("never" if absence is None else length(absence)) if asked else "",
        "never" if again is None else "ever" if again > _A_LONG_TIME else length(again),
        length(trust.look_every) if asked else "",
    )


def providers() -> str:
    """docs/providers.md: what each of our providers can do, how far it is trusted, how it is set up."""
    sheets = [catalog.sheet(name) for name in catalog.OURS]
    return _page(
        "Providers",
        "What each provider can do, how far its writes are trusted, and what a section of the connections file "
        "may hold. `coopwire providers` shows the same for the plug-ins that are installed.",
        "## Capabilities\n\n" + _table(CAPABILITY_COLUMNS, capability_rows(sheets)),
        "### What backs each of them\n\n"
        + _table(("capability", *(sheet.profile.name for sheet in sheets)), backing_rows(sheets)),
        "A number counts the promises of the conformance suite that an adapter keeps for a capability; each is proved "
        "to bite by an adapter that is wrong on purpose. What a cell leaves empty is not there. "
        "`coopwire providers --check CONNECTION` tries some of them against a gateway's own sandbox.",
        *[_promised(role, capability) for role, capability in _backed(sheets)],
        "An outcome is unknown when a write was sent and no trustworthy answer came. It is never sent again "
        "unless absence counts, and then only after that time; or where the receiver takes the same message "
        "again.",
        "## Every connection\n\n"
        + _table(
            _FIELD_COLUMNS,
            [_field_row(field, "every connection") for field in (*COMMON, *OF_BUDGETS.values())]
            + [_field_row(field, "gateways") for field in COMMON_OF_GATEWAYS],
        ),
        'A value is text, `{ env = "NAME" }` for an environment variable or `{ file = "PATH" }` for a file, its '
        "path relative to the connections file.",
        *[_provider(sheet) for sheet in sheets],
        "## Sources of receipts from elsewhere\n\nMoney that no gateway saw is told by a source, a section "
        "`[sources.NAME]` whose name no connection has; see [receipts.md](receipts.md).\n\n"
        + _table(("field", "needed", "default", "meaning"), [_without_of(field) for field in OF_SOURCES]),
    )


_FIELD_COLUMNS = ("field", "of", "needed", "default", "meaning")


def _field_row(field: SettingField, of: str) -> tuple[str, ...]:
    needed = "yes" if field.required else ""
    meaning = f"{field.help} (secret)" if field.secret else field.help
    return (f"`{field.name}`", of, needed, f"`{field.default}`" if field.default else "", meaning)


def _without_of(field: SettingField) -> tuple[str, ...]:
    row = _field_row(field, "")
    return row[:1] + row[2:]


def _provider(sheet: ProviderSheet) -> str:
    profile = sheet.profile
    kinds = ", ".join(f"`{kind}`" for kind in sheet.inspectors) or "nothing"
    rows = [_without_of(field) for field in profile.settings]
    columns = tuple(name for name in _FIELD_COLUMNS if name != "of")
    facts = [
        f'Role: {profile.role.value.replace("_", " ")}. In a section: `provider = "{profile.name}"`.',
        f"`coopwire inspect {profile.name}` reads {kinds}.",
        "Our references have at most 12 characters there." if profile.short_references else "",
        ""
        if profile.tells_time_of_payment
        else "It tells no time of payment: when the charge was begun stands for it, and is approximate.",
        _calls(profile.budget),
    ]
    return f"## {profile.title}\n\n{' '.join(filter(None, facts))}\n\n{_table(columns, rows)}"


def _calls(budget: Budget) -> str:
    """How often the provider says that it may be called; empty where it says nothing."""
    limits = [f"{limit} a {period.value}" for period, limit in budget.limits().items()]
    limits += [] if budget.at_once is None else [f"{budget.at_once} at once"]
    return f"Calls that it allows: {', '.join(limits)}." if limits else ""


# -- fees -------------------------------------------------------------------------------------------------


def fees() -> str:
    """docs/fees.md: what a price list holds, and those that come with providers."""
    sheets = [sheet for name in catalog.OURS if (sheet := catalog.sheet(name)).fees is not None]
    columns = [
        (f"`{name}`", "yes" if name in fee_files.NEEDED else "", meaning)
        for name, meaning in fee_files.COLUMNS.items()
    ]
    return _page(
        "Fees",
        "What a gateway should take for a charge stands in its price list: rules, each valid from a day on. The hub "
        "computes the fee of every receipt by the rule of the business day on which it was paid, exactly and rounded "
        "once, and keeps it beside the fee that the gateway told. A difference of a minor unit or more is the break "
        "`fee_differs`. Nothing is booked by a price list: what is booked is what the gateway took.",
        "`coopwire fees explain PAYMENT` shows the arithmetic, `coopwire fees quote AMOUNT CURRENCY` what a charge "
        "would cost at every gateway, `coopwire fees schedules` the rules in force.",
        "## A price list of your own\n\nA CSV file, named by `fees` in the section of the connection, relative to the "
        "connections file; `coopwire fees check FILE` reads it first. The first line names the columns, each further "
        "line is a rule. Amounts are major units of the row's currency.\n\n"
        + _table(("column", "needed", "meaning"), columns),
        "Of the rules that fit a charge the one counts that says most about it: a channel before the card's country, "
        "that before its brand. A rule about a card fits only what the gateway tells of the card. Of two rules for the "
        "same charges the later one takes the place of the earlier; two that overlap otherwise, or leave a gap of "
        "days, are refused. A charge that no rule fits has no expected fee, and no break.",
        "## Lists that come with providers\n\n"
        "They are **examples**: published prices as they are remembered, no contract of anybody. Verify them with "
        "yours, and put your own file in their place: at a live connection an example is shown beside each fee and "
        'makes no break. `fees = "none"` expects nothing.',
        *[_price_list(sheet) for sheet in sheets],
    )


def _price_list(sheet: ProviderSheet) -> str:
    listed = example_fees(sheet)
    rows = [fee_files.cells(rule) for rule in listed.rules] if listed is not None else []
    told = [column for column in fee_files.COLUMNS if any(row[column] for row in rows)]
    return f"### {sheet.profile.title}\n\n" + _table(told, [[row[column] for column in told] for row in rows])


# -- events -----------------------------------------------------------------------------------------------


_TYPE_COLUMNS = ("member of `data`", "type", "meaning")


def events() -> str:
    """docs/events.md: every event that the hub publishes."""
    return _page(
        "Events",
        f"Every event is a CloudEvent 1.0 with source `{SOURCE}`. `type` carries the version, `subject` is our "
        "reference. Amounts are integers of minor units. An event is delivered at least once; its `id` is the "
        "same each time. Every member is always there. [asyncapi.yaml](asyncapi.yaml) says the same for machines.",
        "A published version changes by additions alone: let members pass that you do not know, and words where "
        "the type says that more may come. How a version is published: [ADR 0017](adr/0017-published-events.md).",
        *[_event(event) for event in CATALOGUE],
    )


def _event(event: EventType) -> str:
    example = json.dumps(asyncapi.cloud_event(event), indent=2)
    table = _table(_TYPE_COLUMNS, _member_rows(event.schema))
    return f"## `{event.type}`\n\n{event.title}.\n\n{table}\n\n```json\n{example}\n```"


def _member_rows(schema: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, str, str]]:
    for name, member in schema["properties"].items():
        yield f"`{within}{name}`", _type_in_words(member), member["description"]
        if "items" in member:
            yield from _member_rows(member["items"], f"{within}{name}[].")


def _type_in_words(schema: Mapping[str, Any]) -> str:
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    said = " or ".join(types)
    if "items" in schema:
        said += " of objects"
    if "format" in schema:
        said += f" ({schema['format']})"
    if "pattern" in schema:
        said += f" like `{schema['pattern']}`"
    if "minimum" in schema:
        said += f", at least {schema['minimum']}"
    if "enum" in schema:
        said = f"one of {_words(schema['enum'])}"
    if OPEN_WORDS in schema:
        said = f"one of {_words(schema[OPEN_WORDS])}; more may come"
    return said


def _words(words: Iterable[str]) -> str:
    return ", ".join(f"`{one}`" for one in words)


def asyncapi_document() -> str:
    """docs/asyncapi.yaml: the same for machines."""
    return f"# {MARK}\n{asyncapi.text()}"


# -- settings ---------------------------------------------------------------------------------------------


def settings() -> str:
    """docs/settings.md: the environment variables of the hub."""
    rows = [
        (f"`{variable(name)}`", _default(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    return _page(
        "Settings",
        "The hub reads its own settings from the environment. An unknown `COOPWIRE_` variable is an error: a "
        "typing mistake must not start an empty database. A variable that is empty counts as unset.",
        _table(("variable", "default", "meaning"), rows),
        "Without `COOPWIRE_SECRET_KEY` an embedded database keeps a key of its own beside its data. Providers, "
        "their secrets and the routes stand in the connections file, see [providers.md](providers.md).",
        "Traces are set up by the standard variables of OpenTelemetry, see [the runbook](runbook.md#traces).",
    )


def _default(value: object) -> str:
    if value is None:
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


# -- timings ----------------------------------------------------------------------------------------------


def durations() -> str:
    """docs/timings.md: the one table of durations in each profile."""
    rows = [
        (
            f"`{field.name}`",
            *(_lengths(getattr(profile, field.name)) for profile in timings.PROFILES.values()),
            MEANING_OF_TIMINGS[field.name],
        )
        for field in fields(Timings)
    ]
    return _page(
        "Timings",
        "The one table of durations. `COOPWIRE_TIMINGS` chooses the profile; a profile changes lengths, never "
        "thresholds.",
        _table(("duration", *(f"`{name}`" for name in timings.PROFILES), "meaning"), rows),
        f"The breaker of a connection opens when more than {timings.BREAKER_MIN_ATTEMPTS} calls ended within its "
        f"window and {timings.BREAKER_RATIO_PERCENT} % or more of them were not answered, in every profile.",
    )


def _lengths(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(length(one) for one in value)
    return length(value) if isinstance(value, timedelta) else str(value)


# -- metrics ----------------------------------------------------------------------------------------------


def metrics() -> str:
    """docs/metrics.md: every metric that a hub exports."""
    columns = ("metric", "kind", "labels", "meaning")
    return _page(
        "Metrics",
        "`GET /metrics` of `coopwire serve`, and of `coopwire worker` where `COOPWIRE_METRICS_ADDRESS` is set, in "
        "the text format of Prometheus. No label holds what somebody sent, and none names a person. Dashboards "
        "and alert rules that use them are in `deploy/`.",
        "## Of one process\n\nWhat this process did since it was started: sum it over processes.\n\n"
        + _table(columns, [_metric(one) for one in METRICS if one.scope is Scope.PROCESS]),
        "## Of the whole hub\n\nHow the hub stands, read from its database at each scrape. Every process tells "
        "the same: take `max by (…)` over processes, never `sum`.\n\n"
        + _table(columns, [_metric(one) for one in METRICS if one.scope is Scope.HUB]),
    )


def _metric(of: Metric) -> tuple[str, ...]:
    names = ", ".join(f"`{name}`" for name in of.series)
    return names, of.kind.value, ", ".join(f"`{label}`" for label in of.labels), of.meaning


# -- Markdown ---------------------------------------------------------------------------------------------


def _page(title: str, *parts: str) -> str:
    return "\n\n".join((f"# {title}", f"<!-- {MARK} -->", *parts)) + "\n"


def _table(columns: Sequence[str], rows: Rows) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(_escaped, line))} |" for line in lines)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
