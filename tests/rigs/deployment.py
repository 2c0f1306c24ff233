"""A hub's files and its database, as the command line finds them in the environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SEALING_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@dataclass(frozen=True)
class Deployment:
    """Where the connections file and the database are."""

    folder: Path
    connections: Path
    dsn: str
