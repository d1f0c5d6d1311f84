"""A sketch for Airflow 3, checked for syntax only: an hourly task per tenant. The slots of the pool `teams` limit the concurrent tasks.

    airflow pools set teams 10 "Concurrent runs of tap-microsoft-teams"
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
        # The tap has its own retries. Another attempt resumes where the first one stopped.
        retries=1,
        retry_delay=timedelta(minutes=5),
        map_index_template="{{ task.env['TENANT'] }}",
    ).expand(env=[{"TENANT": tenant} for tenant in TENANTS])


teams()
