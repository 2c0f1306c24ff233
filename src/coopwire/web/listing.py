"""Answers one part of a list: filter and cursor in, rows and the next cursor out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from coopwire.ports.queries import Filter, Page, Position, ViewT
from coopwire.web import cursors
from coopwire.web.answers import Listed
from coopwire.web.models import PageOf

Read = Callable[[Filter, int, Position | None], Awaitable[Page[ViewT]]]


async def part(noun: str, read: Read[ViewT], which: PageOf) -> Listed[ViewT]:
    """The part of the list `noun` that `which` asks for."""
    wanted = which.filter()
    after = cursors.decode(noun, wanted, which.cursor) if which.cursor is not None else None
    page = await read(wanted, which.limit, after)
    return Listed(page.items, cursors.encode(noun, wanted, page.next) if page.next else None)
