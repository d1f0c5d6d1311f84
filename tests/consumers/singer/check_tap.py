"""singer-check-tap: each message is valid, and each record matches its schema.

It is fed by a pipe: started with `--tap`, version 0.4.1 does not wait for the thread that reads, and fails by itself on longer runs.
"""

import re

from ..support.bench import Bench
from ..support.errors import Difference
from ..support.pipe import pipe


def check(bench: Bench) -> str:
    program = bench.environments.bin("singer-tools") / "singer-check-tap"
    with bench.simulator() as sim:
        # Every awkward kind of message too.
        sim.change_everything()
        piped = pipe([bench.tap, "--config", bench.write("config.json", sim.config)], [program], bench.folder)
        counts = sim.truth().counts()
    for stream, count in counts.items():
        reported = re.search(rf"^\| *{stream} *\| *(\d+)", piped.stdout, re.MULTILINE)
        if not reported or int(reported[1]) != count:
            raise Difference(f"{stream}: expected {count} records, but the output is:\n{piped.stdout}")
    return f"{bench.environments.version('singer-tools')}: {sum(counts.values())} records valid"
