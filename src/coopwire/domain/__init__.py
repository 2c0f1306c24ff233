"""Our nouns: standard library only, frozen dataclasses, no I/O, no clock, no async."""
