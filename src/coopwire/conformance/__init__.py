"""What every adapter with its simulator must pass; importable by a stranger's plug-in."""
