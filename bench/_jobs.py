"""The same job for Dramatiq and Celery: one row for each message, once. Run by itself, it sends the messages."""

from __future__ import annotations

import os
import sys

import dramatiq
from celery import Celery
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from psycopg_pool import ConnectionPool

_ROW = "INSERT INTO heard (event, payment) VALUES (%s, %s) ON CONFLICT DO NOTHING"
_THREADS = 8
_broker = RabbitmqBroker(url=os.environ["BENCH_BROKER"])
dramatiq.set_broker(_broker)
celery_app = Celery("bench", broker=os.environ["BENCH_BROKER"])
celery_app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=25,
    task_default_queue="celery-rows",
)
_pool = ConnectionPool(
    os.environ["BENCH_DSN"], min_size=_THREADS, max_size=_THREADS, kwargs={"autocommit": True}, open=False
)


def _write(event: str, payment: str) -> None:
    # Here and not above: whoever only sends needs none. A pool that is open stays as it is.
    _pool.open()
    with _pool.connection() as connection:
        connection.execute(_ROW, (event, payment))


@dramatiq.actor(queue_name="dramatiq-rows")
def dramatiq_job(event: str, payment: str) -> None:
    """The job of a Dramatiq worker."""
    _write(event, payment)


@celery_app.task(name="job")
def celery_job(event: str, payment: str) -> None:
    """The job of a Celery worker."""
    _write(event, payment)


def main() -> None:
    """Send so many messages."""
    job = {"dramatiq": dramatiq_job.send, "celery": celery_job.delay}[os.environ["BENCH_SIDE"]]
    for n in range(int(sys.argv[1])):
        job(f"e{n}", f"p{n}")


if __name__ == "__main__":
    main()
