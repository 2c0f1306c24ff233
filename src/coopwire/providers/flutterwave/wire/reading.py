"""Parses Flutterwave's JSON; single members are read by `coopwire.transport.reading`."""

from __future__ import annotations

from functools import partial

from coopwire.transport import strict_json

parse = partial(strict_json.parse, whose="Flutterwave")
"""The document of a body. ContractBroken when it is not strict JSON."""
