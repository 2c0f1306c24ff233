"""A hub's files and its database, as the command line finds them in the environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SEALING_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


SOURCES = """
counter = "1001"
payroll = "1001"

[sources.counter]
kind = "teller"

[sources.payroll]
kind = "check_off"
checker = true
"""
"""What stands behind the [receivable_gl] of a connections file whose hub has sources."""


@dataclass(frozen=True)
class Deployment:
    """Where the connections file and the database are."""

    folder: Path
    connections: Path
    dsn: str

    def with_sources(self) -> None:
        """Let the hub take receipts from a counter and a payroll."""
        with self.connections.open("a", encoding="utf-8") as file:
            file.write(SOURCES)
