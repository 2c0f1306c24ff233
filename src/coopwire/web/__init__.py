"""The front door: webhooks, the API, problem documents."""
