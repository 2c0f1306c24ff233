"""What a person is told when a command fails: one clear text and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys
import traceback

FAILED = 1
BAD_INPUT = 2
_LOG_LEVEL = "COOPWIRE_LOG_LEVEL"
"""Named here again: the settings take long to import, and a failure may be that they cannot be read."""


class BadInput(Exception):
    """What the caller gave cannot be used; the message says why without quoting it. Exit code 2."""


def report(error: Exception) -> int:
    """Tell the failure on stderr; the exit code of the process."""
    if os.environ.get(_LOG_LEVEL, "").lower() == "debug":
        traceback.print_exception(error)
    text, code = _told(error)
    sys.stderr.write(f"coopwire: {text}\n")
    return code


def _told(error: Exception) -> tuple[str, int]:
    """The failure in words, without secrets, and the exit code."""
    if isinstance(error, BadInput):
        return str(error), BAD_INPUT
    from coopwire.application.paying import Rejected
    from coopwire.domain.errors import HubError
    from coopwire.ports.bus import BusUnavailable
    from coopwire.ports.providers import ConfigurationError
    from coopwire.ports.stores import StorageUnavailable
    from coopwire.simulation.settings import SettingError
    from coopwire.storage.embedded import EmbeddedError
    from coopwire.storage.sealing import SealError

    if isinstance(error, SettingError):
        return str(error), BAD_INPUT
    if isinstance(error, Rejected):
        return f"{error.field}: {error.message}", FAILED if error.code == "conflict" else BAD_INPUT
    if isinstance(error, ConfigurationError | EmbeddedError | SealError):
        return str(error), FAILED
    if isinstance(error, StorageUnavailable):
        return f"the database cannot be used ({error}): `coopwire doctor` says more", FAILED
    if isinstance(error, BusUnavailable):
        return str(error), FAILED
    if isinstance(error, HubError):
        return f"{type(error).__name__}: {error.message}", FAILED
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror or type(error).__name__}", FAILED
    return _unforeseen(error), FAILED


def _unforeseen(error: Exception) -> str:
    state = getattr(error, "sqlstate", None)
    if state:
        # The text of a database error may quote a member's data.
        return f"the database refused ({type(error).__name__}, {state}): `coopwire doctor` says more"
    return f"this is a fault of coopwire ({type(error).__name__}); run it again with {_LOG_LEVEL}=debug to see where"
