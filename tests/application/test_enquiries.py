"""Linked accounts are held against the core bank before money depends on them."""

from __future__ import annotations

from rigs.river import link_core_account, river

from coopwire.application.enquiries import standings


async def test_accounts_that_are_unknown_or_frozen_are_named_and_others_are_not(database_dsn: str) -> None:
    async with river(database_dsn) as hub:
        frozen = {"nuban": "1100000777", "name": "Member", "frozen": True}
        await hub.outside.control("bankone", "accounts", accounts=[frozen])
        await link_core_account(hub.app, "M-frozen", "1100000777")
        await link_core_account(hub.app, "M-unknown", "1199999999")
        ids = [row["id"] for row in await hub.rows("SELECT id FROM core_accounts ORDER BY id")]
        found = {one.member: one for one in await standings(hub.app.network, hub.app.database, ids)}
        assert found["M-1029"].problem == ""
        assert found["M-frozen"].problem == "the core will not credit it"
        assert found["M-unknown"].problem == "the core knows no such account"
