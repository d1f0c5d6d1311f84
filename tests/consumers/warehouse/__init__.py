"""Records in a warehouse: the SQL of docs/streams.md."""

from . import sql

CHECKS = {"warehouse-sql": sql.check}
