"""Decisions: released, released anyway, rolled back. Each keeps the readiness it was taken on."""

from datetime import datetime, timedelta

from django.db import transaction

from opsboard.people import audit
from opsboard.people.audit import Actor
from opsboard.releases.models import Decision, Release
from opsboard.releases.naming import check_environment, subject_of
from opsboard.releases.overriding import long_reason
from opsboard.releases.reading import readiness_of
from opsboard.releases.refusing import Refused
from opsboard.releases.rules import Readiness, Whole, readiness_json
from opsboard.releases.stopping import LONGEST_REASON, hold
from opsboard.services.models import Deploy, Environment, Running, Service

Kind = Decision.Kind
WENT_OUT = (Kind.RELEASED, Kind.RELEASED_ANYWAY)
# What is told of later than this is history that nobody can check any more.
TOLD_WITHIN = timedelta(days=7)


@transaction.atomic
def record_release(
    release: Release,
    *,
    environment_slug: str,
    by: Actor,
    now: datetime,
    at: datetime | None = None,
    anyway_because: str = "",
) -> Decision:
    """It went out. Raises Refused when it is not ready and nobody said why it went all the same.

    `at` is when it began to run there, when that was before `now`. Readiness is asked for where
    the release goes; on its way there, in staging, it is only written down. What runs there
    already, as far as was told, is not written down again: that decision is given back.
    """
    since = _since(at, now)
    service, held = _held(release)
    if held.withdrawn_at is not None:
        raise Refused(f"{held} was withdrawn: name the release anew to let it out.")
    place = _place(service, environment_slug)
    last = last_there(service, environment_slug)
    if last and last.release_id == held.pk and last.kind in WENT_OUT:
        return last
    readiness = readiness_of(held, now=now)
    kind, reason = _judged(held, readiness, environment_slug, anyway_because)
    decision = _decide(held, kind, place.slug, readiness, reason=reason, by=by, at=since, now=now)
    is_newest = last is None or since >= last.at
    _tell_it_runs(held, place, at=since, now=now, is_newest=is_newest)
    if place.slug == held.environment_slug and held.released_at is None:
        Release.objects.filter(pk=held.pk).update(released_at=since)
    release.refresh_from_db(fields=["released_at"])
    return decision


@transaction.atomic
def record_rollback(release: Release, *, reason: str, by: Actor, now: datetime) -> Decision:
    """Always allowed, also in a freeze; the service is held until somebody writes why not.

    Told twice, it was rolled back once.
    """
    service, held = _held(release)
    words = " ".join(reason.split())
    why = f"{held.version} was rolled back" + (f": {words}" if words else "")
    hold(service, reason=_cut(why, LONGEST_REASON), by=by, now=now)
    last = last_there(service, held.environment_slug)
    if last and last.release_id == held.pk and last.kind == Kind.ROLLED_BACK:
        return last
    readiness = readiness_of(held, now=now)
    decision = _decide(
        held, Kind.ROLLED_BACK, held.environment_slug, readiness,
        reason=words, by=by, at=now, now=now,
    )  # fmt: skip
    _tell_it_runs_no_more(held, now=now)
    return decision


def last_there(service: Service, environment_slug: str) -> Decision | None:
    """The newest decision of any release of the service in an environment."""
    there = Decision.objects.filter(release__service=service, environment_slug=environment_slug)
    return there.order_by("-at", "-pk").first()


def address_of(release: Release) -> str:
    """The page of a release, as opsboard.urls has it."""
    return f"/releases/{release.service.slug}/{release.version}"


def _since(at: datetime | None, now: datetime) -> datetime:
    if at is None or now < at <= now + timedelta(minutes=5):
        # Its clock is a little ahead of ours.
        return now
    if at > now:
        raise Refused("It cannot have gone out in the future.")
    if at < now - TOLD_WITHIN:
        raise Refused(f"Tell of a release within {TOLD_WITHIN.days} days.")
    return at


def _held(release: Release) -> tuple[Service, Release]:
    """Both as they are now. Nobody else decides of the service until this transaction ends."""
    service = Service.objects.select_for_update().get(pk=release.service_id)
    held = Release.objects.select_for_update().get(pk=release.pk)
    held.service = service
    return service, held


def _place(service: Service, slug: str) -> Environment:
    if not slug:
        raise Refused("Say in which environment it runs.")
    check_environment(service, slug)
    return service.environments.get(slug=slug)


def _judged(
    release: Release, readiness: Readiness, environment_slug: str, anyway_because: str
) -> tuple[str, str]:
    """What kind of decision it is, and its reason. Raises Refused."""
    is_there_yet = environment_slug == release.environment_slug
    if not is_there_yet or readiness.whole in (Whole.READY, Whole.OVERRIDDEN):
        return Kind.RELEASED, anyway_because.strip()
    if not anyway_because.strip():
        raise Refused(
            f"{release} is not ready but {readiness.whole.value}: {_why(readiness)} "
            "If it went out all the same, say why."
        )
    return Kind.RELEASED_ANYWAY, long_reason(anyway_because, "let it out anyway")


def _why(readiness: Readiness) -> str:
    """In sentences: what stops it, then the gates."""
    stops = [f"{one.kind.capitalize()}: {one.reason}" for one in readiness.stops]
    gates = [f"{one.name}: {one.reason}" for one in readiness.reasons if one.override is None]
    return " ".join(_ended(words) for words in [*stops, *gates])


def _ended(words: str) -> str:
    return words if words.endswith((".", "!", "?")) else f"{words}."


def _decide(
    release: Release,
    kind: str,
    environment_slug: str,
    readiness: Readiness,
    *,
    reason: str,
    by: Actor,
    at: datetime,
    now: datetime,
) -> Decision:
    decision = Decision.objects.create(
        release=release,
        kind=kind,
        environment_slug=environment_slug,
        at=at,
        by=by.person,
        by_name=by.who[:120],
        reason=reason,
        snapshot=readiness_json(readiness),
    )
    after = {
        "environment": environment_slug,
        "readiness": readiness.whole.value,
        "reason": reason,
    }
    act = Kind(kind).label.lower()
    audit.record(by, act, "release", subject_of(release), now=now, after=after)
    return decision


# What runs there --------------------------------------------------------------------------------


def _tell_it_runs(
    release: Release, place: Environment, *, at: datetime, now: datetime, is_newest: bool = True
) -> None:
    """For charts, for the likely cause of incidents, and for where nothing tells its version."""
    Deploy.objects.create(
        environment=place,
        kind=Deploy.Kind.RELEASE,
        name=release.version,
        tag=release.tag,
        url=address_of(release),
        at=at,
    )
    if is_newest and not place.version_route:
        _announce(place, release.commit, at=at, now=now)


def _announce(place: Environment, commit: str, *, at: datetime, now: datetime) -> None:
    """It runs there until another is told: see Running.is_announced."""
    known = Running.objects.filter(environment=place).first()
    since = known.commit_since if known and known.commit == commit else at
    told = {
        "commit": commit,
        "commit_since": since,
        # Which configuration it runs with, nobody has told.
        "config_root": "",
        "root_since": None,
        "told_at": now,
        "is_announced": True,
    }
    Running.objects.update_or_create(environment=place, defaults=told)


def _tell_it_runs_no_more(release: Release, *, now: datetime) -> None:
    """The one before it runs there again, when one was told; otherwise what runs is unknown."""
    places = Environment.objects.standing().filter(service=release.service_id)
    place = places.filter(slug=release.environment_slug).first()
    if place is None:
        return
    before = _before(release)
    if before is not None:
        _tell_it_runs(before, place, at=now, now=now)
    elif not place.version_route:
        Running.objects.filter(environment=place, is_announced=True).delete()


def _before(release: Release) -> Release | None:
    """The release that went out there last, of those that were not rolled back since."""
    decisions = Decision.objects.filter(
        release__service=release.service_id, environment_slug=release.environment_slug
    )
    rows = decisions.order_by("-at", "-pk").select_related("release__service")[:200]
    rolled_back = {release.pk}
    for row in rows:
        if row.kind == Kind.ROLLED_BACK:
            rolled_back.add(row.release_id)
        elif row.release_id not in rolled_back:
            return row.release
    return None


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
