"""Judge one comparison: a document on the standard input, its verdict on the standard output.

{"before": CSV text, "after": CSV text, "settings": the fields of Settings,
"control": null or {"before", "after"}, "paths": {slug: {"before", "after"}}} to a Judged. The
process ends with 2 and one sentence on the standard error when it cannot be read.
"""

import ctypes
import json
import signal
import sys
from typing import Any

from opsboard.changes.files import UnreadableFileError
from opsboard.changes.rules.comparing import compare
from opsboard.changes.rules.judged import Judged
from opsboard.changes.rules.reading import one_side
from opsboard.changes.rules.samples import Samples
from opsboard.changes.rules.settings import Settings

# Of prctl(2).
PR_SET_PDEATHSIG = 1


def judge(document: dict[str, Any]) -> Judged:
    """Raises UnreadableFileError; ValueError, KeyError or TypeError of a document not so shaped."""
    told = dict(document["settings"])
    for name in ("changed", "guardrails"):
        told[name] = tuple(told.get(name, ()))
    control = document.get("control")
    return compare(
        *_sides(document),
        Settings(**told),
        control=_sides(control) if control else None,
        guarded={slug: _sides(path) for slug, path in document.get("paths", {}).items()},
    )


def _sides(texts: dict[str, Any]) -> tuple[Samples, Samples]:
    return one_side(texts["before"], "before"), one_side(texts["after"], "after")


def end_with_parent() -> None:
    """Nobody waits for the verdict when the worker that asked was killed. Linux sees to it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    end_with_parent()
    try:
        judged = judge(json.load(sys.stdin))
    except UnreadableFileError as wrong:
        sys.exit(_refuse(str(wrong)))
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        sys.exit(_refuse(f"The document is not one of a comparison: {wrong!r}."))
    json.dump(judged, sys.stdout, allow_nan=False)


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201  (the way out of a process)
    return 2


if __name__ == "__main__":
    main()
