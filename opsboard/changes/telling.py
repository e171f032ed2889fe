"""The words of an attempt that was judged, as it is stored."""

from opsboard.changes.models import Comparison, Window
from opsboard.changes.words import WORDS, About, Said, say


def about_of(comparison: Comparison) -> About:
    """`comparison` comes with its windows and its change, that with path, place and control."""
    change = comparison.change
    changed = comparison.result.get("changed") or []
    return About(
        path=change.path.name,
        environment=change.environment.slug,
        control=change.control.name if change.control else "",
        metric=change.metric,
        aim=change.aim,
        goal=change.goal,
        margin=change.margin,
        variables=tuple(change.variables),
        found=tuple(str(one) for one in changed if one not in change.variables),
        sampling=change.sampling,
        warm_up=sum(
            one.left_out.get("warm_up", 0)
            for one in comparison.windows.all()
            if one.side == Window.Side.AFTER
        ),
        attempt=comparison.number,
    )


def said_of(comparison: Comparison) -> Said | None:
    """None until it is judged: nothing is said that might tempt."""
    judged = comparison.result
    if comparison.judged_at is None or judged.get("verdict") not in WORDS:
        return None
    return say(judged, about_of(comparison))
