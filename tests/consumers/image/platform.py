"""Runs the files of an image like Airbyte's platform, and compares the output with the simulated tenant.

As on the platform: through `sh` and `$AIRBYTE_ENTRYPOINT`, in a working directory of the platform, with a read-only root, as user 1000
without capabilities; configuration, catalog and state are read-only files; `read` writes into named pipes.

usage, as root in a mount namespace: platform.py FILES IMAGE_JSON SIM_BINARY
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))

from consumers.support.simulator import Simulator  # noqa: E402
from consumers.support.truth import ALL_KEYS, STREAMS, Key  # noqa: E402

ENTRYPOINT = "/usr/local/bin/tap-microsoft-teams"
LIMIT_MB = 15
USER = 1000
DEVICES = ["null", "zero", "random", "urandom"]
PLATFORM = {"DEPLOYMENT_MODE": "OSS", "WORKER_JOB_ID": "1", "WORKER_JOB_ATTEMPT": "0", "USE_STREAM_CAPABLE_STATE": "true"}

# The platform's scripts: the connector in the background, and a loop that stops it when the marker file appears.
SCRIPT = """
[ -n "$AIRBYTE_ENTRYPOINT" ] || exit 127
(eval "$AIRBYTE_ENTRYPOINT {arguments}" {redirections}) &
child=$!
(while true; do if [ -f TERMINATED ]; then kill $child; exit 0; fi; sleep 10; done) &
wait $child
code=$?
echo $code > exitCode.tmp && mv exitCode.tmp exitCode.txt
exit $code
"""

Messages = list[dict[str, Any]]


class Container:
    """The files under a read-only root, with the mounts of a container runtime."""

    def __init__(self, files: Path, image: dict[str, Any]) -> None:
        self._files = files
        self._environment = dict(entry.split("=", 1) for entry in image["Env"]) | PLATFORM
        for folder in ("source", "config", "dev"):
            (files / folder).mkdir(exist_ok=True)
        for device in DEVICES:
            (files / "dev" / device).touch()
        mount("--bind", str(files), str(files))
        mount("-o", "remount,bind,ro", str(files))
        for device in DEVICES:
            mount("--bind", f"/dev/{device}", str(files / "dev" / device))

    def folder(self, name: str) -> Path:
        """A new, empty working directory that is writable for the user."""
        folder = self._files / name
        subprocess.run(["umount", "--quiet", "--lazy", str(folder)], check=False)
        mount("-t", "tmpfs", "-o", f"uid={USER},gid={USER},mode=0755", "tmpfs", str(folder))
        return folder

    def run(self, command: list[str], folder: str) -> subprocess.Popen[bytes]:
        def enter() -> None:
            os.chroot(self._files)
            os.chdir(folder)
            os.setgroups([])
            os.setgid(USER)
            os.setuid(USER)
            no_new_privileges = 38
            ctypes.CDLL(None).prctl(no_new_privileges, 1, 0, 0, 0)

        return subprocess.Popen(command, env=self._environment, preexec_fn=enter, start_new_session=True, stdin=subprocess.DEVNULL)

    def alone(self, arguments: list[str], folder: Path) -> subprocess.Popen[str]:
        """Starts the entrypoint like a container runtime: as the first process of its own PID namespace."""
        enter = ["unshare", "--pid", "--fork", "--kill-child", "chroot", f"--userspec={USER}:{USER}", str(self._files), ENTRYPOINT]
        return subprocess.Popen([*enter, *arguments], env=self._environment, stdin=subprocess.DEVNULL, stdout=(folder / "stdout").open("w"), text=True)

    def script(self, arguments: str, redirections: str, folder: str) -> int:
        process = self.run(["/bin/sh", "-c", SCRIPT.format(arguments=arguments, redirections=redirections)], folder)
        try:
            code = process.wait(120)
        finally:
            # When a container stops, so does the loop.
            os.killpg(process.pid, signal.SIGKILL)
        written = (self._files / folder.strip("/") / "exitCode.txt").read_text().strip()
        expect(written == str(code), f"{arguments}: the script ended with {code} and wrote {written}")
        return code


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


class Failed(Exception):
    pass


def expect(condition: bool, problem: str) -> None:
    if not condition:
        raise Failed(problem)


def place(folder: Path, name: str, value: Any) -> None:
    file = folder / name
    file.write_text(json.dumps(value))
    file.chmod(0o444)


def operation(container: Container, verb: str, config: dict[str, Any] | None) -> dict[str, Any]:
    """Runs `spec`, `check` or `discover`, which write one message to a file."""
    folder = container.folder("config")
    arguments = verb
    if config is not None:
        place(folder, "connectorConfig.json", config)
        arguments += " --config /config/connectorConfig.json"
    code = container.script(arguments, "> /config/jobOutput.json", "/config")
    output = (folder / "jobOutput.json").read_text()
    expect(code == 0, f"{verb}: exit code {code}: {output}")
    lines = output.splitlines()
    messages = [message for line in lines if (message := json.loads(line))["type"] != "LOG"]
    expect(len(messages) == 1, f"{verb}: {len(messages)} messages")
    return messages[0]


def read(container: Container, config: dict[str, Any], catalog: dict[str, Any], state: Any) -> Messages:
    folder = container.folder("source")
    place(folder, "connectorConfig.json", config)
    place(folder, "catalog.json", catalog)
    arguments = "read --config /source/connectorConfig.json --catalog /source/catalog.json"
    if state:
        place(folder, "inputState.json", state)
        arguments += " --state /source/inputState.json"
    pipes = {name: Pipe(folder / name) for name in ("stdout", "stderr")}
    code = container.script(arguments, "2> stderr > stdout", "/source")
    text, complaints = (pipes[name].text() for name in ("stdout", "stderr"))
    expect(code == 0, f"read: exit code {code}: {complaints}")
    return [json.loads(line) for line in text.splitlines()]


class Pipe:
    """A named pipe that is read in the background."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        os.chown(path, USER, USER)
        self._read = ""
        self._thread = threading.Thread(target=self._drain, args=(path,), daemon=True)
        self._thread.start()

    def _drain(self, path: Path) -> None:
        self._read = path.read_text()

    def text(self) -> str:
        self._thread.join(60)
        return self._read


def records(messages: Messages) -> dict[str, set[Key]]:
    """The keys of the records, by stream."""
    keys: dict[str, set[Key]] = {stream: set() for stream in ALL_KEYS}
    for message in messages:
        if message["type"] == "RECORD":
            stream, data = message["record"]["stream"], message["record"]["data"]
            keys[stream].add(tuple(data[part] for part in ALL_KEYS[stream]))
    return keys


def last_states(messages: Messages) -> Messages:
    states = [message["state"] for message in messages if message["type"] == "STATE"]
    return list({state["stream"]["stream_descriptor"]["name"]: state for state in states}.values())


def size_mb(files: Path) -> float:
    """Decimal megabytes of all files; hard links count once."""
    stats = {(stat.st_dev, stat.st_ino): stat.st_size for path in files.rglob("*") if not path.is_symlink() and (stat := path.stat())}
    return sum(stats.values()) / 1e6


def examine(files: Path, image: dict[str, Any]) -> float:
    """Checks the image without running it; returns its size."""
    version = next(line.split('"')[1] for line in (ROOT / "Cargo.toml").read_text().splitlines() if line.startswith("version = "))
    labels = image["Labels"]
    expect(labels["io.airbyte.name"] == "tap-microsoft-teams", f"label io.airbyte.name: {labels}")
    expect(labels["io.airbyte.version"] == version, f"label io.airbyte.version is not {version}: {labels}")
    expect(f"dockerImageTag: {version}\n" in (ROOT / "metadata.yaml").read_text(), f"dockerImageTag of metadata.yaml is not {version}")
    expect(image["Entrypoint"] == [ENTRYPOINT], f"entrypoint {image['Entrypoint']}")
    expect(f"AIRBYTE_ENTRYPOINT={ENTRYPOINT}" in image["Env"], f"AIRBYTE_ENTRYPOINT in {image['Env']}")
    expect(image["User"] == f"{USER}:{USER}", f"user {image['User']}")
    expect((files / "airbyte").stat().st_uid == USER, "/airbyte is not the user's")
    roots = (files / "etc/ssl/certs/ca-certificates.crt").read_text().count("BEGIN CERTIFICATE")
    expect(roots > 100, f"{roots} CA roots")
    size = size_mb(files)
    expect(size < LIMIT_MB, f"{size:.1f} MB, the limit is {LIMIT_MB}")
    return size


def commands(container: Container, simulator: Simulator) -> tuple[int, int]:
    """Runs all four commands, `read` twice; returns the number of records of both reads."""
    config = simulator.config
    spec = operation(container, "spec", None)
    expect(spec.get("spec") == json.loads((ROOT / "spec.json").read_text()), "spec: differs from spec.json")
    check = operation(container, "check", config)
    expect(check.get("connectionStatus", {}).get("status") == "SUCCEEDED", f"check: {check}")
    refused = operation(container, "check", simulator.wrong_config)
    expect(refused.get("connectionStatus", {}).get("status") == "FAILED", f"check with a wrong secret: {refused}")
    discovered = operation(container, "discover", config)
    expect(discovered.get("catalog") == json.loads((ROOT / "catalog/airbyte.json").read_text()), "discover: differs from catalog/airbyte.json")

    modes = {"sync_mode": "incremental", "destination_sync_mode": "append_dedup"}
    catalog = {"streams": [{"stream": stream, **modes} for stream in discovered["catalog"]["streams"]]}
    first = read(container, config, catalog, None)
    found, truth = records(first), simulator.truth()
    for stream in STREAMS:
        true = truth.rows(stream).keys()
        expect(found[stream] == true, f"read: {len(found[stream])} {stream}, expected {len(true)}")
    # So that the second read does not repeat the last minutes.
    simulator.advance(3600)
    second = records(read(container, config, catalog, last_states(first)))
    again = len(second["messages"]) + len(second["message_replies"])
    expect(again == 0, f"read again: {again} messages of an idle tenant")
    return sum(map(len, found.values())), sum(map(len, second.values()))


def stopped(container: Container, simulator: Simulator) -> None:
    """A stopped container: its output has whole lines and ends with a state, and the exit code shows the signal."""
    folder = container.folder("source")
    place(folder, "connectorConfig.json", simulator.config)
    catalog = {"streams": [{"stream": {"name": "messages"}, "sync_mode": "incremental", "destination_sync_mode": "append_dedup"}]}
    place(folder, "catalog.json", catalog)
    simulator.latency(0.5)
    process = container.alone(["read", "--config", "/source/connectorConfig.json", "--catalog", "/source/catalog.json"], folder)
    output, until = folder / "stdout", time.monotonic() + 60
    while '"RECORD"' not in output.read_text() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    (first,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(first), signal.SIGTERM)
    code = process.wait(10)
    simulator.latency(0)
    messages = [json.loads(line) for line in output.read_text().splitlines()]
    kinds = [message["type"] for message in messages if message["type"] in ("RECORD", "STATE")]
    expect(code == 128 + signal.SIGTERM, f"stopped as the first process of a container: exit code {code}")
    expect(kinds[-1:] == ["STATE"], f"stopped: the last message is {kinds[-1:]}")


def main(files: Path, image_file: Path, sim: Path) -> int:
    image = json.loads(image_file.read_text())["OCIv1"]["config"]
    try:
        size = examine(files, image)
        container = Container(files, image)
        with Simulator(sim) as simulator:
            # Without messages in the last hour, which the first round of delta would repeat.
            simulator.advance(2 * 3600)
            first, second = commands(container, simulator)
            stopped(container, simulator)
    except Failed as difference:
        print(f"FAILED  image: {difference}")
        return 1
    builder = subprocess.run(["buildah", "--version"], capture_output=True, text=True).stdout.split()[2]
    print(f"ok  image (buildah {builder}): {size:.1f} MB; spec, check, discover, read as on the platform: {first} records, then {second}; stopped by SIGTERM: 143")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]), Path(sys.argv[3])))
