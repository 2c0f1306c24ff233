"""Follows what ends by the gateway's own time: refunds, payouts, disputes and members' accounts."""
