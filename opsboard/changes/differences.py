"""What else became different while a change was measured: each one more changed variable.

What cannot be told from the change itself is taken for something else, but for one thing: where
neither commit nor version were declared, the first version that is seen to run when the change was
applied is the change.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsboard.changes.models import Change, Comparison, Window
from opsboard.probes.versions import LOOK_EVERY
from opsboard.services.commits import is_same
from opsboard.services.models import Deploy, Running

Kind = Deploy.Kind
CONFIGURATION = "configuration"
# The version of a change without a declared one is seen within this, or within the warm-up.
SEEN_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Difference:
    # As it stands among the changed variables: "release 2026.11.5", "configuration".
    variable: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Span:
    """From the first sample to the last, in one environment."""

    change: Change
    since: datetime
    # When the baseline was sealed, and when the after window began.
    sealed_at: datetime
    applied_at: datetime
    after_at: datetime
    until: datetime

    @property
    def changes_config(self) -> bool:
        return Change.Variable.CONFIG in self.change.variables


@dataclass(frozen=True, slots=True)
class Above:
    """What rooms above know: the commit of a release that went out ("": it is not known), and what
    else they saw become different."""

    commit_of: Callable[[Deploy], str] = lambda _: ""
    also: Callable[[Span], Sequence[Difference]] = lambda _: ()


NOTHING_ABOVE = Above()


def found(comparison: Comparison, *, above: Above = NOTHING_ABOVE) -> list[Difference]:
    """Of an attempt whose after window is sealed. Each variable once."""
    span = _span(comparison)
    seen = (
        *_deploys(span, above),
        *_root(span, comparison.surroundings.get("config_root", "")),
        *above.also(span),
    )
    return list({one.variable: one for one in seen}.values())


def _span(comparison: Comparison) -> Span:
    windows = {window.side: window for window in comparison.windows.all()}
    before, after = windows[Window.Side.BEFORE], windows[Window.Side.AFTER]
    assert before.sealed_at and after.sealed_at and comparison.applied_at  # noqa: PT018, S101
    return Span(
        change=comparison.change,
        since=before.starts_at,
        sealed_at=before.sealed_at,
        applied_at=comparison.applied_at,
        after_at=after.starts_at,
        until=after.sealed_at,
    )


def _deploys(span: Span, above: Above) -> Iterable[Difference]:
    change = span.change
    deploys = list(
        Deploy.objects.filter(
            environment=change.environment_id, at__gt=span.since, at__lte=span.until
        )
        .select_related("environment")
        .order_by("at", "pk")
    )
    commits = {one.pk: above.commit_of(one) for one in deploys if one.kind == Kind.RELEASE}
    own = _own_commits(span, deploys, commits)
    # A release that is named already is not named again when its commit is seen.
    others: list[str] = []
    for deploy in deploys:
        commit = deploy.name if deploy.kind == Kind.SEEN else commits.get(deploy.pk, "")
        if _is_own(span, deploy, commit, own) or _is_one_of(commit, others):
            continue
        if commit:
            others.append(commit)
        yield _of_deploy(deploy)


def _own_commits(span: Span, deploys: Sequence[Deploy], commits: dict[int, str]) -> list[str]:
    change = span.change
    own = [change.commit] if change.commit else []
    if change.version:
        own += [
            commits[one.pk]
            for one in deploys
            if one.kind == Kind.RELEASE and one.name == change.version
        ]
    if not own and not change.version:
        # Seen no sooner than it runs, and no later than a look after it does.
        last = span.applied_at + max(SEEN_WITHIN, span.after_at - span.applied_at) + LOOK_EVERY
        seen = [one for one in deploys if one.kind == Kind.SEEN]
        first = next((one for one in seen if span.sealed_at < one.at <= last), None)
        own += [first.name] if first else []
    return own


def _is_own(span: Span, deploy: Deploy, commit: str, own: Sequence[str]) -> bool:
    change = span.change
    if deploy.at < span.sealed_at:
        # What went out before that is measured on the side before, too.
        return False
    if deploy.kind == Kind.CHANGE:
        return deploy.name == str(change)
    if deploy.kind == Kind.RELEASE and change.version and deploy.name == change.version:
        return True
    if _is_one_of(commit, own):
        return True
    # While it is rolled out, the old version still answers here and there.
    old = own and deploy.kind == Kind.SEEN and deploy.at <= span.after_at
    return bool(old) and _was_before(span, deploy)


def _was_before(span: Span, deploy: Deploy) -> bool:
    """Whether this version ran before all of it."""
    last = Deploy.objects.filter(
        environment=deploy.environment_id, kind=Kind.SEEN, at__lte=span.since
    )
    return last.order_by("-at", "-pk").values_list("name", flat=True).first() == deploy.name


def _is_one_of(commit: str, commits: Iterable[str]) -> bool:
    return any(is_same(commit, one) for one in commits)


def _of_deploy(deploy: Deploy) -> Difference:
    when = f"at {deploy.at:%F %H:%M} UTC"
    match deploy.kind:
        case Kind.CHANGE:
            return Difference(deploy.name, f"{deploy.name} was applied there too, {when}.")
        case Kind.RELEASE:
            name = f"release {deploy.name}"
            return Difference(name, f"The {name} went out there, {when}.")
    short = deploy.name[:12]
    return Difference(f"deploy {short}", f"Another version, {short}, began to run there, {when}.")


def _root(span: Span, sealed_root: str) -> Iterable[Difference]:
    """The configuration as the environment tells it: once for a change that is of it."""
    running = Running.objects.filter(environment=span.change.environment_id).first()
    if running is None or running.root_since is None:
        return
    since = running.root_since
    if not span.since < since <= span.until:
        return
    when = f"{since:%F %H:%M} UTC"
    if running.config_root == sealed_root and since > span.sealed_at:
        # Where nothing was told for a while, the commit is counted anew, too.
        if since != running.commit_since:
            yield Difference(CONFIGURATION, f"The configuration was another one, until {when}.")
        return
    is_own = span.changes_config and span.sealed_at < since <= span.after_at
    if not is_own:
        yield Difference(CONFIGURATION, f"The configuration became another one at {when}.")
