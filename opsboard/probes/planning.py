"""What a sheet asks in one turn: one request, or a plan of several."""

from opsboard.outbound.reply import Asked
from opsboard.probes.cache_modes import render_for
from opsboard.probes.other_kinds import render_other
from opsboard.probes.rules import UNWRITTEN, Expected
from opsboard.probes.step_rendering import render_steps
from opsboard.probes.walking import Plan, only_step
from opsboard.services.models import CriticalPath, Environment

# What may be asked twice and changes nothing.
SAFE = ("GET", "HEAD")


def plan_of(
    path: CriticalPath, environment: Environment, values: dict[str, str], expected: Expected
) -> tuple[Asked, Plan | None]:
    """The first request, and the plan where there are more. Raises NotOrderable."""
    if path.kind != CriticalPath.Kind.HTTP:
        return render_other(path, environment, values, expected), None
    if path.steps:
        steps = render_steps(path, environment, values)
        # The whole has only what is written: each step has an expected result of its own.
        whole = () if expected.clauses == UNWRITTEN else expected.clauses
        return steps[0].ask, Plan(steps=steps, timeout=path.timeout, clauses=whole)
    ask = render_for(path, environment, values)
    if path.cache_mode == CriticalPath.CacheMode.WARM and ask.method in SAFE:
        step = only_step(ask, expected.clauses)
        return ask, Plan(steps=(step,), timeout=path.timeout, is_single=True)
    return ask, None
