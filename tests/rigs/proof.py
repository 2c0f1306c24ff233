"""How large a proof is to be: `make test-all` asks for the whole, `make test` for a smaller count."""

from __future__ import annotations

import os

WHOLE = os.environ.get("PROOF") == "whole"
