"""RabbitMQ as the bus sees it: the broker carries, the database says what has taken effect."""

from coopwire.bus.rabbitmq.address import Address
from coopwire.bus.rabbitmq.broker import Broker

__all__ = ["Address", "Broker"]
