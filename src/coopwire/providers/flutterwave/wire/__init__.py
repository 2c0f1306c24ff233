"""The mapping between our nouns and Flutterwave's JSON: tables first, then pure functions."""
