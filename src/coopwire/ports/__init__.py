"""The sockets: one small Protocol per capability, profiles, trust, stores and the clock."""
