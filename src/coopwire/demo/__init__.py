"""The demonstration: a day of repayments over simulated systems, and its proof read from outside."""

from coopwire.demo.demonstration import SEED, run

__all__ = ["SEED", "run"]
