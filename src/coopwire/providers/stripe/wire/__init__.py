"""The mapping between our nouns and Stripe's forms and objects: tables first, then pure functions."""
