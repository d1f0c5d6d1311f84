"""`meltano run` into target-postgres, twice, with state."""

from ..singer.postgres import SCHEMA, TYPES, check_table
from ..support.bench import Bench
from ..support.compare import compare
from ..support.errors import Difference
from ..support.postgres import Postgres
from ..support.simulator import Simulator
from ..support.truth import STREAMS, Truth
from .project import Project

LOADER, ENVIRONMENT = "target-postgres", "target-postgres-meltanolabs"


def project_of(bench: Bench, sim: Simulator, postgres: Postgres) -> Project:
    """A project that loads into this database, with the password in an environment variable."""
    settings = postgres.config(database="postgres")
    password = settings.pop("password")
    return Project(bench, sim, {LOADER: ENVIRONMENT}, {LOADER: settings}, TARGET_POSTGRES_PASSWORD=password)


def check(bench: Bench) -> str:
    with bench.simulator() as sim, Postgres() as postgres:
        project = project_of(bench, sim, postgres)

        def run_and_compare(truth: Truth) -> int:
            project.run(LOADER)
            return sum(compare(truth, stream, postgres.rows(f"{SCHEMA}.{stream}")) for stream in STREAMS)

        rows = run_and_compare(sim.truth())
        first = project.state(LOADER)
        sim.change_everything()
        after = run_and_compare(sim.truth())
        if project.state(LOADER) == first:
            raise Difference("the second run did not change the state")
        for stream in STREAMS:
            check_table(postgres, SCHEMA, stream, {**TYPES, "array": {"ARRAY"}})
        version = f"{project.version}, {bench.environments.version(ENVIRONMENT)}, {postgres.version}"
    return f"{version}: {rows} rows; after changes {after} rows"
