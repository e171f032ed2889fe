"""script/faults: run the fault rows, print a JSON line for each as it ends, and a table at the end.

    script/faults            every row, about ten minutes
    script/faults F2 F23     these rows
    script/faults --list     the rows there are

Exit code 0 when every pass line held, 1 when one was broken or a row could not be run, 2 for a
mistake in the call.
"""

import sys
import traceback
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from tests.faults.postgres import NotHereError
from tests.faults.report import Outcome, table
from tests.faults.rows import BESIDE_THE_OTHERS, ROWS


def main(arguments: list[str]) -> int:
    if arguments == ["--list"]:
        print("\n".join(f"{name:12} {row.does}" for name, row in ROWS.items()))
        return 0
    if unknown := [name for name in arguments if name not in ROWS]:
        print(f"There is no row {unknown[0]}; script/faults --list names them.", file=sys.stderr)
        return 2
    names = arguments or list(ROWS)
    outcomes = list(_outcomes(names))
    print(table(outcomes))
    for outcome in outcomes:
        for promise in outcome.broken:
            print(f"{outcome.row}: {promise}")
    return int(len(outcomes) < len(names) or any(outcome.broken for outcome in outcomes))


def _outcomes(names: list[str]) -> Iterable[Outcome]:
    """In sequence, but for the one that only takes time."""
    beside = [name for name in names if name == BESIDE_THE_OTHERS]
    with ThreadPoolExecutor(max_workers=1) as pool:
        waiting = [pool.submit(_outcome, name) for name in beside]
        found = [_outcome(name) for name in names if name not in beside]
        found += [future.result() for future in waiting]
    return [outcome for outcome in found if outcome is not None]


def _outcome(name: str) -> Outcome | None:
    """None when the row could not be run; why is said at once."""
    try:
        outcome = ROWS[name].run()
    except NotHereError as reason:
        print(f"{name}: not run: {reason}", flush=True)
        return None
    except Exception:  # noqa: BLE001 - a row that breaks must not take the others with it
        print(f"{name}: broke off\n{traceback.format_exc()}", flush=True)
        return None
    print(outcome.line(), flush=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
