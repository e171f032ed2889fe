"""The plan of an apply as it is kept to be shown: bounded, and without the value of a secret."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from opsboard.board.applying import told
from opsboard.board.changing import Prepared
from opsboard.board.plan_words import forgotten, staying, summary
from opsboard.board.planning import Act, Change, Plan
from opsboard.board.things import PATH, SERVICE, TEAM, VARIABLE, words

# Of each act. What is changed and removed is looked at one by one; of what is added, the kinds.
MOST_SHOWN = 100
MOST_WARNINGS = 50
LONGEST = 2_000
# What people look at first: what is gone cannot be seen any more.
ORDER = (Act.REMOVED, Act.CHANGED, Act.RESTORED, Act.ADDED)


def mark_of(prepared: Prepared) -> str:
    """The same while an apply would do the same."""
    changes = [[one.act, one.thing, one.before, one.after] for one in prepared.plan.changes]
    text = json.dumps(changes, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def plan_shown(prepared: Prepared) -> dict[str, Any]:
    """As opsboard.web.errand_page reads it."""
    warnings = [str(one) for one in prepared.checked.warnings]
    return {
        "summary": summary(prepared),
        "is_empty": prepared.is_empty,
        "count": len(prepared.plan.changes),
        "warnings": warnings[:MOST_WARNINGS],
        "more_warnings": max(0, len(warnings) - MOST_WARNINGS),
        "acts": list(_acts(prepared.plan)),
        "forgotten": forgotten(prepared)[:MOST_SHOWN],
        "staying": staying(prepared.plan),
    }


def _acts(plan: Plan) -> Iterator[dict[str, Any]]:
    for act in ORDER:
        changes = plan.having(act)
        if changes:
            yield {
                "act": act.value,
                "count": len(changes),
                "rows": [_row(one, plan) for one in changes[:MOST_SHOWN]],
                "more": max(0, len(changes) - MOST_SHOWN),
            }


def _row(change: Change, plan: Plan) -> dict[str, Any]:
    before, after = told(change, plan)
    names = dict.fromkeys([*before, *after]) if change.act is Act.CHANGED else {}
    return {
        "name": words(change.thing),
        "of": _page_of(change),
        "is_lost": change.act is Act.REMOVED and change.thing[0] == VARIABLE,
        "changes": [
            {
                "field": name.replace("_", " "),
                "old": before.get(name, "")[:LONGEST],
                "new": after.get(name, "")[:LONGEST],
            }
            for name in names
            if before.get(name, "") != after.get(name, "")
        ],
    }


def _page_of(change: Change) -> list[str]:
    """What has a page once it is applied: ["path", "fares-api", "health"], or []."""
    if change.act is Act.REMOVED:
        return []
    thing = change.thing
    if thing[0] in (TEAM, PATH):
        return list(thing)
    return [SERVICE, thing[1]]
