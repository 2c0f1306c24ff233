"""Kafka as the bus sees it: the broker carries, the database says what has taken effect and when it is due again."""

from coopwire.bus.kafka.address import Address
from coopwire.bus.kafka.broker import Broker

__all__ = ["Address", "Broker"]
