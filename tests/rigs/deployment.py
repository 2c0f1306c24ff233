"""A hub's files and its database, as the command line finds them in the environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Deployment:
    """Where the connections file and the database are."""

    folder: Path
    connections: Path
    dsn: str
