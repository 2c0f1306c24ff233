"""How BankOne writes: answers, response codes, postings and accounts; tables first, then pure functions."""
