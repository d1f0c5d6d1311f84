"""What a warehouse makes of the records: the SQL of docs/streams.md."""

from . import sql

CHECKS = {"warehouse-sql": sql.check}
