"""PostgreSQL: stores on one transaction, migrations, sealing, and the embedded server."""
