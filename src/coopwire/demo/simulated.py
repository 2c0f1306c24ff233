"""The simulated systems of the demonstration: how they are started, and how they are told what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from coopwire.demo.children import Child, Children, DemoFailure

SETTINGS: Mapping[str, Mapping[str, str]] = {
    # Lengths of the vendors, shortened like those of the hub: they deliver again after three minutes, and want
    # a minute between two status queries.
    "paystack": {"webhook_retry_seconds": "3"},
    "quickbooks": {},
    "bankone": {"status_interval_seconds": "1"},
    "lms": {},
}
GATEWAY_KEY = "sk_test_simulated"
BOOKS_CLIENT = ("simulated-client", "simulated-secret")
BOOKS_REALM = "9130350000000001"
BANK_TOKEN = "simulated-token"  # noqa: S105
DATE_ACCOUNT = "1100000001"
"""One of the accounts that the simulator opens: the business date is asked by it."""
LMS_SECRET = "whsec_YSBzaW11bGF0ZWQgbGVuZGVyJ3Mgc2VjcmV0"  # noqa: S105
RECEIVABLE_GL = "1001"
CLEARING_ACCOUNT = "91"
MAPPING: Mapping[str, str] = {
    "gateway_clearing.paystack": CLEARING_ACCOUNT,
    "gateway_charges": "64",
    "loan_principal": "120",
    "interest_income": "82",
    "penalty_income": "83",
    "fee_income": "84",
    "member_savings": "200",
    "member_shares": "300",
    "member_overpayments": "201",
    "suspense": "202",
    "write_offs": "71",
    "settlement_bank.paystack": "35",
    "disputed_money": "123",
    "stamp_duty": "67",
    "rounding": "70",
}
"""Neutral keys → accounts of the simulated company's chart."""


def start(children: Children) -> dict[str, Child]:
    """One process for each system."""
    return {
        name: children.start(name, "simulate", name, *_settings(settings))
        for name, settings in SETTINGS.items()
    }


def _settings(settings: Mapping[str, str]) -> list[str]:
    return [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]


@dataclass(frozen=True, slots=True)
class Simulated:
    """The systems that listen: addresses by name, and their control planes."""

    urls: Mapping[str, str]
    web: aiohttp.ClientSession

    async def control(self, provider: str, name: str, body: Mapping[str, object]) -> Any:
        """POST to the control plane of a simulator. DemoFailure when it makes no sense there."""
        return await self._call("POST", provider, name, body)

    async def told(self, provider: str, name: str) -> Any:
        """GET from the control plane of a simulator."""
        return await self._call("GET", provider, name, None)

    async def open_page(self, url: str) -> None:
        """A member's browser opens the gateway's page."""
        async with self.web.get(url) as answer:
            if answer.status != 200:
                raise DemoFailure(f"the gateway's page answers {answer.status}")

    async def consent(self, page: str) -> str:
        """The administrator says yes on the books' page; the address to which the browser is sent back."""
        async with self.web.get(page, allow_redirects=False) as answer:
            return answer.headers.get("Location", "")

    async def _call(self, method: str, provider: str, name: str, body: object) -> Any:
        url = f"{self.urls[provider]}/_sim/{name}"
        try:
            async with self.web.request(method, url, json=body) as answer:
                value = await answer.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DemoFailure(f"the {provider} simulator does not answer: {type(error).__name__}") from None
        if answer.status != 200:
            raise DemoFailure(f"the {provider} simulator refuses {name}: {value}")
        return value


def connections_toml(urls: Mapping[str, str]) -> str:
    """The connections file of a hub that uses these systems."""
    books = urls["quickbooks"]
    return f"""\
[connections.paystack]
provider = "paystack"
mode = "test"
secret_key = "{GATEWAY_KEY}"
base_url = "{urls["paystack"]}"
placeholder_email = "member-{{member}}@members.example"

[connections.quickbooks]
provider = "quickbooks"
mode = "test"
client_id = "{BOOKS_CLIENT[0]}"
client_secret = "{BOOKS_CLIENT[1]}"
realm_id = "{BOOKS_REALM}"
calls_per_second = 0
calls_per_minute = 0
base_url = "{books}"
token_url = "{books}/oauth2/v1/tokens/bearer"
authorize_url = "{books}/connect/oauth2"

[connections.bankone]
provider = "bankone"
mode = "test"
token = "{BANK_TOKEN}"
base_url = "{urls["bankone"]}"
date_account = "{DATE_ACCOUNT}"

[connections.lms]
provider = "lms"
mode = "test"
url = "{urls["lms"]}/callbacks"
secret = "{LMS_SECRET}"

[routes]
gateway = "paystack"
books = "quickbooks"
core_bank = "bankone"
lms = "lms"
allocation = "hub"

[receivable_gl]
paystack = "{RECEIVABLE_GL}"
"""
