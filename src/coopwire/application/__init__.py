"""What we decide: inbox, look-ups, receipts, allocation, effects, reactions, payments."""
