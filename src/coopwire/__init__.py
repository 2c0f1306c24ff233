"""coopwire joins a co-operative lender's loan system to gateways, books and core banks."""
