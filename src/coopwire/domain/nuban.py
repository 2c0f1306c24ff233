"""Nigerian account numbers (NUBAN): whether number and bank belong together, by the check digit.

Source: Central Bank of Nigeria, revised standards on the NUBAN scheme for banks and other financial institutions,
2020. A code of three digits (deposit money banks) is led by 000, one of five (others) by 9.
"""

from __future__ import annotations

import re

_ACCOUNT = re.compile(r"[0-9]{10}\Z")
_BANK = re.compile(r"(?:[0-9]{3}|[0-9]{5}|[0-9]{6})\Z")
_LEADING = {3: "000", 5: "9", 6: ""}
_WEIGHTS = (3, 7, 3) * 5


def check_digit(bank: str, serial: str) -> str | None:
    """The digit for a serial of nine digits; None where a bank's code is none of the standard's."""
    if not _BANK.match(bank):
        return None
    digits = f"{_LEADING[len(bank)]}{bank}{serial}"
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True))
    return str(-total % 10)


def is_number(account: str) -> bool:
    """Whether it has the form of a NUBAN: ten digits."""
    return bool(_ACCOUNT.match(account))


def fits(account: str, bank: str) -> bool | None:
    """Whether the account number can be one of the bank's; None where the bank's code says nothing about it."""
    if not is_number(account):
        return False
    expected = check_digit(bank, account[:9])
    return None if expected is None else account[9] == expected
