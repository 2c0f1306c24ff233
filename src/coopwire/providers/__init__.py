"""The outside: one folder for each provider, found by name in the catalogue."""
