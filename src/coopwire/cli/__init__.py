"""The command line: one module per group of commands, put together in `entry`."""

from coopwire.cli.entry import main

__all__ = ["main"]
