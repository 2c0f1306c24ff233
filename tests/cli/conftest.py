"""The command line within this process, where a test runs it many times."""

from __future__ import annotations

import pytest
from rigs.command_line import Ran, Run

from coopwire.cli import main


@pytest.fixture
def within(capsys: pytest.CaptureFixture[str]) -> Run:
    """`within("inspect", …)`: the same as in a process of its own, the environment is the test's."""

    def run(*words: str) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(words)
        said = capsys.readouterr()
        return Ran(int(ended.value.code or 0), said.out, said.err)

    return run
