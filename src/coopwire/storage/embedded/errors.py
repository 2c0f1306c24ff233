"""The one error of the embedded database: a sentence that says what is wrong and what to do."""


class EmbeddedError(Exception):
    """The embedded server cannot be started or reached; the text is meant for the person who started it."""
