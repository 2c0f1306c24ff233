"""Reads a connection's settings; what cannot be used is named with its connection and its remedy, never quoted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from coopwire.ports.providers import ConfigurationError, Connection, Profile
from coopwire.transport.addresses import RULE, is_base

_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}


class ConnectionSettings:
    """The words of one connection, stripped; what is left out or empty is the sheet's default.

    Every reader but `word` raises ConfigurationError where the word cannot be used.
    """

    def __init__(self, connection: Connection, profile: Profile) -> None:
        defaults = {field.name: field.default for field in profile.settings}
        given = {name: word.strip() for name, word in connection.settings.items() if word.strip()}
        self._connection = connection.name
        self._words = defaults | given

    def word(self, name: str) -> str:
        """As it was given; empty where there is none."""
        return self._words[name]

    def needed(self, name: str, remedy: str) -> str:
        """A word that must be there."""
        if not self._words[name]:
            raise self.wrong(name, remedy)
        return self._words[name]

    def matching(self, name: str, pattern: re.Pattern[str], remedy: str) -> str:
        """A word that matches from its start."""
        if not pattern.match(self._words[name]):
            raise self.wrong(name, remedy)
        return self._words[name]

    def address(self, name: str, otherwise: str = "") -> str:
        """The base address of an API, without a slash at its end; `otherwise` where none is given."""
        url = self._words[name] or otherwise
        if not is_base(url):
            raise self.wrong(name, f"{RULE}, without a query")
        return url.rstrip("/")

    def flag(self, name: str) -> bool:
        """Yes or no; no where nothing is said."""
        word = self._words[name].lower()
        if word not in _FLAGS:
            raise self.wrong(name, "must be true or false")
        return _FLAGS[word]

    def texts(self, name: str, remedy: str) -> Mapping[str, str]:
        """A JSON object of texts, none of them empty; an empty one where nothing is said."""
        try:
            told = json.loads(self._words[name] or "{}")
        except (ValueError, RecursionError):
            raise self.wrong(name, remedy) from None
        if not isinstance(told, dict) or not all(isinstance(text, str) and text for text in told.values()):
            raise self.wrong(name, remedy)
        return told

    def wrong(self, name: str, remedy: str) -> ConfigurationError:
        """What to raise for a word that cannot be used."""
        return ConfigurationError(f"connection {self._connection}, setting {name}: {remedy}")
