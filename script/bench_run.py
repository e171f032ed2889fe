"""One of the engine's runs, in a process of its own, on its environment's database.

`bench_run.py RUN` prints one line of JSON for each row it measured. OPSBOARD_BENCH holds the target
and whether the bench is to be quick.
"""

import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsboard.settings")


def main() -> None:
    # What a run started ends with it, also when the bench is broken off.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    import django

    django.setup()
    from script.bench_processes import NotMeasuredError
    from script.bench_rows import RUNS, Told
    from script.bench_target import Target

    given = json.loads(os.environ["OPSBOARD_BENCH"])
    told = Told(target=Target(**given["target"]), quick=given["quick"])
    try:
        for row, measured, detail in RUNS[sys.argv[1]](told):
            print(json.dumps({"row": row, "measured": measured, "detail": detail}), flush=True)
    except NotMeasuredError as reason:
        print(json.dumps({"not_run": str(reason)}), flush=True)


if __name__ == "__main__":
    main()
