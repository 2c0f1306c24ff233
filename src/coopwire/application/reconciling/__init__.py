"""Compares a business day with the outside: every charge, refund, payout, entry and posting, in both directions."""
