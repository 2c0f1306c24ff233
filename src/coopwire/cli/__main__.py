"""`python -m coopwire.cli`: the command line by the interpreter that runs it."""

from coopwire.cli import main

main()
