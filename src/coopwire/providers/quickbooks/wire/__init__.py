"""How QuickBooks Online writes: books (journals and accounts), faults, and the shapes under both."""
