"""A sketch for Airflow 3, checked for syntax only: each hour a task for each tenant, so many at a time as the pool `teams` has slots.

    airflow pools set teams 10 "Runs of tap-microsoft-teams side by side"
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import yaml
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import dag

PROJECT = Path("/opt/teams")
TENANTS = [environment["name"] for environment in yaml.safe_load((PROJECT / "meltano.yml").read_text())["environments"]]


@dag(schedule="@hourly", start_date=datetime(2026, 1, 1), catchup=False, max_active_runs=1)
def teams() -> None:
    BashOperator.partial(
        task_id="sync",
        bash_command="./tenant $TENANT run tap-microsoft-teams target-jsonl",
        cwd=str(PROJECT),
        append_env=True,
        pool="teams",
        # The tap has tried again already, and a second attempt goes on where the first one stopped.
        retries=1,
        retry_delay=timedelta(minutes=5),
        map_index_template="{{ task.env['TENANT'] }}",
    ).expand(env=[{"TENANT": tenant} for tenant in TENANTS])


teams()
