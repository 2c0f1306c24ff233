"""How we talk out: the HTTP client and its breaker, OAuth tokens, signatures, and the production clock."""
