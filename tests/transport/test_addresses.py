"""What can be a page in a browser, and what a gateway would take for an e-mail address."""

from __future__ import annotations

import pytest

from coopwire.transport.addresses import is_email, is_page


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://lender.example/back?a=1", True),
        ("http://127.0.0.1:8080/back", True),
        ("ftp://lender.example", False),
        ("javascript:alert(1)", False),
        ("https://", False),
        ("https://a b", False),
        ("https://a\n", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_a_browser_can_be_sent_to_a_full_http_address_only(url: str, page: bool) -> None:
    assert is_page(url) is page


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("member@example.com", True),
        ("m.o'x+1@mail.example.co", True),
        ("member@localhost", False),
        ("member", False),
        ("a@b@example.com", False),
        ("mémber@example.com", False),
        ("member@example.com\n", False),
        (f"{'m' * 65}@example.com", False),
        (f"m@{'e' * 250}.com", False),
    ],
)
def test_an_e_mail_address_is_plain_and_has_a_domain(text: str, email: bool) -> None:
    assert is_email(text) is email
