"""Compares a business day with the outside: every charge, refund, entry and posting, in both directions."""
