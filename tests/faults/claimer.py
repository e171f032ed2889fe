"""A process that claims what is due, a few probes at a time, and logs every claim it was given.

    python -m tests.faults.claimer

For each line "claim" on stdin: lines "PROBE CLAIM" until nothing is due, then "done".
"""

import sys

import django

AT_A_TIME = 2


def main() -> None:
    django.setup()
    from opsboard.probes.schedule import claim

    print("done", flush=True)
    for _ in sys.stdin:
        while claims := claim("default", AT_A_TIME)[1]:
            for taken in claims:
                print(taken.probe_id, taken.claim_id)
        print("done", flush=True)


if __name__ == "__main__":
    main()
