"""The plugin definitions have the settings and capabilities of `--about`, and Meltano accepts them."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from ..support.bench import Bench
from ..support.errors import Difference
from .project import EXAMPLE, TAP, Project, read_yaml

KINDS = {"string": "string", "boolean": "boolean", "integer": "integer", "object": "object", "number": "string"}
"""By type; a number is declared as a string, because Meltano cannot pass decimals from environment variables."""


def check(bench: Bench) -> str:
    about = json.loads(subprocess.run([bench.tap, "--about", "--format=json"], capture_output=True, check=True).stdout)
    expected = [_setting(name, schema) for name, schema in about["settings"]["properties"].items()]
    project = read_yaml(bench, EXAMPLE / "meltano.yml")
    definition = read_yaml(bench, EXAMPLE / f"{TAP}.yml")
    for where, plugin in (("meltano.yml", project["plugins"]["extractors"][0]), (f"{TAP}.yml", definition)):
        _same(where, "settings", [_plain(setting) for setting in plugin["settings"]], expected)
        _same(where, "capabilities", plugin["capabilities"], about["capabilities"])
    required = about["settings"]["required"]
    # The secret, or the file that contains it.
    with_file = ["client_secret_file" if name == "client_secret" else name for name in required]
    _same(f"{TAP}.yml", "settings_group_validation", definition["settings_group_validation"], [required, with_file])

    with bench.simulator() as sim:
        added = Project(bench, sim, {})
        (added.folder / "meltano.yml").write_text(json.dumps({"version": 1, "default_environment": "dev", "environments": [{"name": "dev"}]}))
        added.meltano("add", "extractor", TAP, "--from-ref", str(EXAMPLE / f"{TAP}.yml"), "--no-install")
        listed = json.loads(added.meltano("config", "print", TAP))
    if "client_secret" not in listed:
        raise Difference(f"`meltano config print` does not know the settings of the definition: {listed}")
    return f"{added.version}: {len(expected)} settings and {len(about['capabilities'])} capabilities in both definitions, as in `--about`"


def _setting(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The expected declaration of a setting."""
    kind = "options" if "enum" in schema else "date_iso8601" if name == "start_date" else KINDS[schema["type"][0]]
    setting = {"name": name, "label": schema["title"], "kind": kind, "description": schema["description"]}
    if schema.get("secret"):
        setting["sensitive"] = True
    if "enum" in schema:
        setting["options"] = schema["enum"]
    return setting


def _plain(setting: dict[str, Any]) -> dict[str, Any]:
    options = {"options": [option["value"] for option in setting["options"]]} if "options" in setting else {}
    return {**setting, **options}


def _same(where: str, what: str, found: Any, expected: Any) -> None:
    if found != expected:
        only = [item for item in found if item not in expected], [item for item in expected if item not in found]
        raise Difference(f"{what} of examples/meltano/{where} differ from --about: {only[0]}, expected {only[1]}")
