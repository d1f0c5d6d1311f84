"""Singer: the tap in a pipe with targets."""

from . import check_tap, csv, elasticsearch, jsonl, postgres

CHECKS = {
    "singer-check-tap": check_tap.check,
    "target-jsonl": jsonl.check,
    "target-csv": csv.check,
    "target-csv-flattened": csv.check_flattened,
    "target-elasticsearch": elasticsearch.check,
    "target-postgres-pipelinewise": postgres.check_pipelinewise,
    "target-postgres-meltanolabs": postgres.check_meltanolabs,
}
