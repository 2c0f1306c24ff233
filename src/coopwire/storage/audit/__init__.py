"""The audit trail: what is recorded of money and operators, chained by hashes, and checked against the rows."""
