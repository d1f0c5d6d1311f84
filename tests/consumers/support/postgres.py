"""A PostgreSQL server on loopback for one check, from Debian's package, with queries."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from .errors import Difference

PASSWORD = "not-a-secret"  # For a short-lived server that listens only on loopback.


class Postgres:
    """A context manager; the data is deleted at the end."""

    def __init__(self) -> None:
        self._programs = _programs()
        self.port = _free_port()
        # Outside the project, because the user of the server may have no access to it.
        self._folder = Path(tempfile.mkdtemp(prefix="consumers-postgres-"))
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres")
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        data = self._folder / "data"
        self._as_server("initdb", "--pgdata", data, "--username", "teams", "--pwfile", secret, "--auth", "scram-sha-256", "--no-sync")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        self._as_server("pg_ctl", "--pgdata", data, "--wait", "--log", self._folder / "log", "--options", options, "start")
        self.version = "PostgreSQL " + self.ask("show server_version")[0].split()[0]

    def __enter__(self) -> Postgres:
        return self

    def __exit__(self, *_: object) -> None:
        self._as_server("pg_ctl", "--pgdata", self._folder / "data", "--mode", "immediate", "stop")
        shutil.rmtree(self._folder)

    def config(self, **more: Any) -> dict[str, Any]:
        """The settings that all PostgreSQL loaders share, and `more`."""
        return {"host": "127.0.0.1", "port": self.port, "user": "teams", "password": PASSWORD, **more}

    def ask(self, sql: str) -> list[str]:
        """Runs a query and returns the lines of the result."""
        url = f"host=127.0.0.1 port={self.port} user=teams dbname=postgres"
        command = [self._programs / "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1", "--command", sql, url]
        run = subprocess.run(command, env={**os.environ, "PGPASSWORD": PASSWORD, "PGTZ": "UTC"}, capture_output=True, text=True)
        if run.returncode != 0:
            raise Difference(f"PostgreSQL query {sql}: {run.stderr}")
        return run.stdout.removesuffix("\n").split("\n") if run.stdout else []

    def run_file(self, path: Path) -> None:
        """A script for psql, in its folder."""
        url = f"host=127.0.0.1 port={self.port} user=teams dbname=postgres"
        command = [self._programs / "psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", path, url]
        run = subprocess.run(command, cwd=path.parent, env={**os.environ, "PGPASSWORD": PASSWORD}, capture_output=True, text=True)
        if run.returncode != 0:
            raise Difference(f"PostgreSQL: {run.stderr[:2000]}")

    def rows(self, table: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.ask(f"select row_to_json(t) from {table} t")]

    def types(self, schema: str, table: str) -> dict[str, str]:
        """The type of each column, by its name in lower case."""
        sql = f"select column_name, data_type from information_schema.columns where table_schema = '{schema}' and table_name = '{table}'"
        return {name.lower(): kind for name, _, kind in (line.partition("|") for line in self.ask(sql))}

    def primary_key(self, table: str) -> list[str]:
        sql = (
            "select a.attname from pg_index i, unnest(i.indkey) with ordinality k(n, at), pg_attribute a"
            f" where i.indrelid = '{table}'::regclass and i.indisprimary and a.attrelid = i.indrelid and a.attnum = k.n order by k.at"
        )
        return self.ask(sql)

    def _as_server(self, program: str, *arguments: str | Path) -> None:
        # PostgreSQL refuses to run as root.
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*user, str(self._programs / program), *map(str, arguments)]
        # A file, because the server that pg_ctl starts would keep a pipe open.
        with tempfile.TemporaryFile("w+") as log:
            run = subprocess.run(command, cwd=self._folder, stdout=log, stderr=log)
            log.seek(0)
            if run.returncode != 0:
                raise Difference(f"{program} failed:\n{log.read()}")


def _programs() -> Path:
    """The programs of the newest PostgreSQL, which is installed if missing and permitted."""
    found = _installed()
    if not found and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "postgresql"], check=True)
        found = _installed()
    if not found:
        raise Difference("there is no PostgreSQL; hint: apt-get install postgresql")
    return found


def _installed() -> Path | None:
    servers = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parent.parent.name))
    return servers[-1].parent if servers else None


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
