"""What a transfer costs: a table of the connection's settings, since their API does not tell it beforehand."""

from __future__ import annotations

import re
from dataclasses import dataclass

_STEP = re.compile(r"(?:([0-9]{1,15}):)?([0-9]{1,12})\Z")


@dataclass(frozen=True, slots=True)
class FeeTable:
    """Steps `(up to this amount, fee)` in minor units, rising; the last one, without a limit, is for all above."""

    steps: tuple[tuple[int | None, int], ...]

    def fee(self, amount_minor: int) -> int:
        """The fee of a transfer of so much."""
        return next(fee for most, fee in self.steps if most is None or amount_minor <= most)


def fee_table(written: str) -> FeeTable | None:
    """`500000:1000,5000000:2500,5000`: up to 5,000.00 it is 10.00, up to 50,000.00 25.00, above 50.00. None: wrong."""
    read = [_STEP.match(step.strip()) for step in written.split(",")]
    if any(step is None for step in read):
        return None
    steps = tuple((int(step[1]) if step[1] else None, int(step[2])) for step in read if step is not None)
    limits = [most for most, _ in steps]
    if limits[-1] is not None or None in limits[:-1]:
        return None
    rising = [most for most in limits if most is not None]
    return FeeTable(steps) if rising == sorted(set(rising)) else None
