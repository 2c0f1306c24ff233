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
    sys.stderr.write(f"coopwire: {told(error)}\n")
    return BAD_INPUT if _is_bad_input(error) else FAILED


def told(error: Exception) -> str:
    """The failure in words, without secrets; its class where that says what to do next."""
    from coopwire.application.paying import Rejected
    from coopwire.domain.errors import HubError
    from coopwire.ports.providers import ConfigurationError
    from coopwire.ports.stores import StorageUnavailable
    from coopwire.simulation.settings import SettingError
    from coopwire.storage.embedded.errors import EmbeddedError
    from coopwire.storage.sealing import SealError

    if isinstance(error, BadInput | ConfigurationError | EmbeddedError | SealError | SettingError):
        return str(error)
    if isinstance(error, Rejected):
        return f"{error.field}: {error.message}"
    if isinstance(error, StorageUnavailable):
        return f"the database cannot be used ({error}): `coopwire doctor` says more"
    if isinstance(error, HubError):
        return f"{type(error).__name__}: {error.message}"
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror or type(error).__name__}"
    return _unforeseen(error)


def _is_bad_input(error: Exception) -> bool:
    from coopwire.application.paying import Rejected
    from coopwire.simulation.settings import SettingError

    if isinstance(error, Rejected):
        return error.code != "conflict"
    return isinstance(error, BadInput | SettingError)


def _unforeseen(error: Exception) -> str:
    state = getattr(error, "sqlstate", None)
    if state:
        # The text of a database error may quote a member's data.
        return f"the database refused ({type(error).__name__}, {state}): `coopwire doctor` says more"
    return f"this is a fault of coopwire ({type(error).__name__}); run it again with {_LOG_LEVEL}=debug to see where"
