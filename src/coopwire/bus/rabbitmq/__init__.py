"""The bus on RabbitMQ: the broker carries, the database says what has taken effect."""

from coopwire.bus.rabbitmq.address import Address
from coopwire.bus.rabbitmq.broker import Broker
from coopwire.bus.rabbitmq.transport import RabbitBus

__all__ = ["Address", "Broker", "RabbitBus"]
