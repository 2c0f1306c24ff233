"""The event bus: relay, deliveries, the ladder and dead letters."""
