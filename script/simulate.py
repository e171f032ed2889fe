"""How often a change comparison is right, on simulated samples whose truth is known.

    script/simulate [--row NAME]... [--runs 600] [--seed 1] [--processes N] [--power] [--json]

Prints a table; a row whose bound is missed is marked, and the command then ends with 1. The same
seed and runs give the same figures, however many processes there are. --power compares what samples
find with what rules/power.py says of them.
"""

import argparse
import json
import os
import sys
import time
import zlib
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
# A comparison's arrays are small: more threads would only wait for each other.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")

MOST_RUNS = 10_000
# Of one task: a row's runs are divided the same way whatever the number of processes.
PORTION = 25
SURE = 0.05


def simulated(name: str, portion: int, runs: int, seed: int) -> Counter:
    """How many of a portion's runs came to each verdict, "covered" and so on."""
    import numpy as np

    from script.simulate_rows import BY_NAME

    row = BY_NAME[name]
    chance = np.random.default_rng([seed, zlib.crc32(name.encode()), portion])
    told: Counter = Counter()
    for _ in range(runs):
        told += judged(row, chance)
    return told


def judged(row, chance) -> Counter:
    from opsboard.changes.rules.comparing import compare
    from opsboard.changes.rules.settings import Settings
    from script.ranks import common_language, mann_whitney
    from script.simulate_samples import drawn

    before, after = drawn(row.before, chance), drawn(row.after, chance)
    control = None
    if row.has_control:
        control = drawn(row.before, chance), drawn(row.after, chance)
    settings = Settings(changed=row.changed, equivalence=row.equivalence)
    verdict = compare(before, after, settings, control=control)
    told = Counter([verdict["verdict"]])
    if mann_whitney(before.latency, after.latency) < SURE:
        is_faster = common_language(before.latency, after.latency) < 0.5
        told["pooled faster" if is_faster else "pooled slower"] += 1
    if row.truth is not None and (adjusted := verdict.get("adjusted")):
        told["ranges"] += 1
        told["covered"] += adjusted[1] <= row.truth <= adjusted[2]
    return told


def simulate(names: list[str], runs: int, seed: int, processes: int):
    """Each row's name and counts, in order, as they come."""
    sizes = [min(PORTION, runs - begun) for begun in range(0, runs, PORTION)]
    with ProcessPoolExecutor(processes) as pool:
        waiting = {
            name: [
                pool.submit(simulated, name, portion, size, seed)
                for portion, size in enumerate(sizes)
            ]
            for name in names
        }
        for name, portions in waiting.items():
            yield name, sum((each.result() for each in portions), Counter())


def between(least: int, most: int):
    def number(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} to {most}")
        return int(text)

    return number


def asked() -> argparse.Namespace:
    from script.simulate_rows import BY_NAME, POWER, ROWS

    known = ", ".join(row.name for row in ROWS)
    parser = argparse.ArgumentParser(prog="script/simulate", epilog=f"Rows: {known}.")
    parser.add_argument("--row", action="append", metavar="NAME", help="only this one")
    parser.add_argument("--runs", type=between(1, MOST_RUNS), default=600, help="of each row")
    parser.add_argument("--seed", type=between(0, 2**32), default=1)
    parser.add_argument("--processes", type=between(1, 64), default=os.cpu_count() or 1)
    parser.add_argument("--power", action="store_true", help="rows of effects and sample sizes")
    parser.add_argument("--json", action="store_true", help="a JSON list instead of the table")
    options = parser.parse_args()
    options.names = options.row or [row.name for row in (POWER if options.power else ROWS)]
    if unknown := set(options.names) - set(BY_NAME):
        parser.error(f"there is no row {', '.join(sorted(unknown))}; there are {known}")
    return options


def main() -> None:
    from script.simulate_table import HEAD, Told, line

    options, began, missed = asked(), time.monotonic(), 0
    if not options.json:
        print(f"Seed {options.seed}, {options.runs} runs a row.\n\n{HEAD}", flush=True)
    found = []
    for name, counts in simulate(options.names, options.runs, options.seed, options.processes):
        told = Told(name, options.runs, counts)
        missed += bool(told.missed())
        if options.json:
            found.append(told.as_json() | {"runs": options.runs, "seed": options.seed})
        else:
            print(line(told), flush=True)
    if options.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        took = time.monotonic() - began
        print(f"\n{missed or 'No'} row{'s' * (missed != 1)} with a bound missed; {took:.0f} s.")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
