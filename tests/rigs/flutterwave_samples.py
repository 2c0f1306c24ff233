"""The official Flutterwave samples by name, read from the folder of specifications beside the checkout."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[2] / ".." / "shared" / "specs" / "payments"
DOCS = _FOLDER / "flutterwave-v3-doc-samples.json"
COLLECTION = _FOLDER / "flutterwave-v3.postman_collection.json"
ABSENT = "the official samples are not beside this checkout"


def there() -> bool:
    """Whether both files can be read."""
    return DOCS.exists() and COLLECTION.exists()


@dataclass(frozen=True)
class Sample:
    """An answer of theirs; where only the body is known, the status is the one that fits."""

    status: int
    told: Any

    @property
    def body(self) -> bytes:
        """The body as it comes."""
        return json.dumps(self.told).encode()


@cache
def samples() -> dict[str, Sample]:
    """Sample by name: `docs/…` of the documentation, `collection/…#n` of the collection's n-th answer."""
    docs = {f"docs/{name}": Sample(200, told) for name, told in json.loads(DOCS.read_text()).items()}
    return {**docs, **dict(_of_collection())}


def _of_collection() -> Iterator[tuple[str, Sample]]:
    for name, one in requests():
        for number, answer in enumerate(one["response"]):
            yield f"collection/{name}#{number}", Sample(answer["code"], json.loads(answer["body"]))


def requests() -> Iterator[tuple[str, Any]]:
    """Every request of the collection by folder and name."""
    for folder in json.loads(COLLECTION.read_text())["item"]:
        yield from ((f"{folder['name']}/{one['name']}", one) for one in folder["item"])
