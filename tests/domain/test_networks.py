"""Addresses and networks that something may come from."""

from __future__ import annotations

import pytest

from coopwire.domain.networks import holds, networks


@pytest.mark.parametrize(
    ("text", "host", "inside"),
    [
        ("52.31.139.75", "52.31.139.75", True),
        ("52.31.139.75, 10.0.0.0/8", "10.9.8.7", True),
        ("52.31.139.75", "52.31.139.76", False),
        ("52.31.139.75", "::ffff:52.31.139.75", True),
        ("2001:db8::/32", "2001:db8::1", True),
        ("10.0.0.0/8", "a name", False),
        ("10.0.0.0/8", "", False),
        ("", "10.0.0.1", False),
    ],
)
def test_an_address_is_in_a_network_or_not(text: str, host: str, inside: bool) -> None:
    assert holds(networks(text), host) is inside


@pytest.mark.parametrize("text", ["example.com", "10.0.0.1/8", "10.0.0.0/40", "1.2.3"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        networks(text)
