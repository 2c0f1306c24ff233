"""The mapping between our nouns and Paystack's JSON: tables first, then pure functions."""
