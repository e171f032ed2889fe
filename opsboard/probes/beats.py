"""Reports of jobs: taking one that comes, and reading how a heartbeat stands by them.

Nothing asks a job. Its verdict is read from the database, when its turn comes and within a second
of each report.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.expressions import RawSQL

from opsboard.outbound.reply import Failure, Phases, Reply
from opsboard.people.masking import masked
from opsboard.people.models import digest
from opsboard.probes.beat_rules import BeatKind, End, Heard, Schedule, Span, hear, lateness
from opsboard.probes.heartbeats import SECRET_LETTERS, Beat, Heartbeat
from opsboard.probes.hiding import without
from opsboard.probes.models import Gap, Kind, Probe
from opsboard.probes.orders import Order
from opsboard.probes.rendering import NotOrderable, secrets_of, values_of
from opsboard.probes.schedule import database_now
from opsboard.probes.stored import printable
from opsboard.services.models import CriticalPath

MINUTE = 60_000_000
SECOND = 1_000_000
MOST_A_MINUTE = 60
KEPT_BYTES = 10_000
# The newest of each heartbeat are kept however old they are, and no more than so many at all.
KEPT_ANYWAY, MOST_KEPT = 100, 1_000

_SECRET = re.compile(rf"[0-9A-Za-z]{{{SECRET_LETTERS}}}")
_NO_ADDRESS = Reply(
    failure=Failure.AWAITED,
    detail="This heartbeat has no address yet: it gets one when the sheet is saved.",
    is_ours=True,
)
_MISSED = (Failure.LATE, Failure.NOT_ENDED)
_ENDS = (BeatKind.SUCCESS, BeatKind.FAILURE)


# Taking ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a job said. `body` is the beginning of what it sent, as it came."""

    kind: BeatKind
    # None: none was told.
    exit_code: int | None = None
    run_id: UUID | None = None
    body: bytes = b""
    is_cut: bool = False
    address: str | None = None


def find(secret: str) -> Heartbeat | None:
    """By its secret. None: there is none, or its path is removed or reports in no more."""
    # What cannot be a secret is looked up as well: no answer tells by its time how near it was.
    return _find(digest(secret if _SECRET.fullmatch(secret) else ""))


def _find(key: str) -> Heartbeat | None:
    standing = Heartbeat.objects.filter(
        path__kind=CriticalPath.Kind.HEARTBEAT,
        path__removed_at=None,
        environment__removed_at=None,
        environment__service__removed_at=None,
    )
    return standing.select_related("environment").filter(digest=key).first()


def receive(heartbeat: Heartbeat, report: Report, *, at: int) -> int | None:
    """Keep a report, and have its probe judged at once. Call it outside a transaction.

    Seconds to wait when it was refused, for too many came this minute; None: it was taken. It is
    taken too when the address was changed a moment ago, and then means nothing.
    """
    body, is_cut = _excerpt(heartbeat, report)
    current: Heartbeat | None = heartbeat
    # Whoever is overtaken sees one more report in the minute: this ends.
    while current is not None:
        if current.minute == at // MINUTE and current.in_minute >= MOST_A_MINUTE:
            _refuse(current, at)
            return -(-(MINUTE - at % MINUTE) // SECOND)
        with transaction.atomic():
            if _keep(current, report, body, is_cut=is_cut, at=at):
                break
        current = _find(heartbeat.digest)
    _judge_soon(heartbeat)
    return None


def _keep(heartbeat: Heartbeat, report: Report, body: str, *, is_cut: bool, at: int) -> bool:
    """False: another report came, or another secret was given, since `heartbeat` was read."""
    heard = hear(
        Heard.load(heartbeat.heard),
        report.kind,
        at=at,
        run_id=str(report.run_id or ""),
        exit_code=report.exit_code,
    )
    is_end = report.kind in _ENDS
    is_same_minute = heartbeat.minute == at // MINUTE
    unchanged = Heartbeat.objects.filter(
        pk=heartbeat.pk, version=heartbeat.version, digest=heartbeat.digest
    )
    if not unchanged.update(
        heard=heard.dump(),
        version=F("version") + 1,
        minute=at // MINUTE,
        in_minute=heartbeat.in_minute + 1 if is_same_minute else 1,
        **({"body": body, "is_cut": is_cut} if is_end else {}),
    ):
        return False
    Beat.objects.create(
        heartbeat=heartbeat,
        at=at,
        kind=report.kind,
        exit_code=report.exit_code,
        run_id=report.run_id,
        duration=heard.end.duration if is_end and heard.end else None,
        body=body,
        is_cut=is_cut,
        address=report.address,
    )
    return True


def _refuse(heartbeat: Heartbeat, at: int) -> None:
    Heartbeat.objects.filter(pk=heartbeat.pk).update(refused=F("refused") + 1, refused_at=at)


def _judge_soon(heartbeat: Heartbeat) -> None:
    """After the report is stored, by the clock that claims go by: no turn that read the database
    before it takes this for answered."""
    clock = (
        Value(database_now())
        if connection.vendor == "sqlite"
        else RawSQL("(extract(epoch FROM clock_timestamp()) * 1000000)::bigint", [])
    )
    probes = Probe.objects.active().filter(
        path=heartbeat.path_id, environment=heartbeat.environment_id
    )
    probes.update(ask_now_at=clock, ask_now_kind=Kind.REPORTED)


def _excerpt(heartbeat: Heartbeat, report: Report) -> tuple[str, bool]:
    """The beginning of the body as text, and whether that is not all of it."""
    if not report.body:
        return "", report.is_cut
    try:
        values = values_of(heartbeat.environment)
    except NotOrderable:
        return "Not kept: a secret of this environment cannot be decrypted.", True
    secrets = secrets_of(heartbeat.environment, values)
    # Masked before it is cut: half a secret is one too.
    reach = KEPT_BYTES + max((len(secret) * 3 for secret in secrets), default=0)
    text = printable(masked(without(secrets, report.body[:reach].decode(errors="replace"))))
    kept = text.encode()[:KEPT_BYTES].decode(errors="ignore")
    return kept, report.is_cut or len(report.body) > reach or len(kept) < len(text)


# Reading -----------------------------------------------------------------------------------


def listen(orders: Iterable[Order], *, now: int) -> dict[tuple[int, int], Reply]:
    """What is to be judged of heartbeats at `now`, by path and environment.

    One query for all of them, and one more when a report is missing.
    """
    schedules = {
        (order.path_id, order.environment_id): order.schedule
        for order in orders
        if order.schedule is not None
    }
    if not schedules:
        return {}
    paths = {path for path, _ in schedules}
    known = {
        (one.path_id, one.environment_id): one for one in Heartbeat.objects.filter(path__in=paths)
    }
    heard = {
        key: reply_of(known[key], schedule, now=now) if key in known else _NO_ADDRESS
        for key, schedule in schedules.items()
    }
    missed = [known[key] for key, reply in heard.items() if reply.failure in _MISSED]
    for key, away in _away(missed).items():
        heard[key] = reply_of(known[key], schedules[key], now=now, away=away)
    return heard


def _away(missed: Sequence[Heartbeat]) -> dict[tuple[int, int], list[Span]]:
    """When no worker looked at these heartbeats, since they were heard last.

    Then, it may be, nobody listened either. One look that was missed is a worker that was late;
    and jobs try again for half a minute.
    """
    if not missed:
        return {}
    since = {(one.path_id, one.environment_id): _heard_last(one) for one in missed}
    away: dict[tuple[int, int], list[Span]] = defaultdict(list)
    gaps = Gap.objects.filter(
        probe__path__in={path for path, _ in since},
        last_slot_at__gt=min(since.values()),
        slots__gt=1,
    )
    for gap in gaps.select_related("probe").order_by("first_slot_at"):
        key, interval = (gap.probe.path_id, gap.probe.environment_id), gap.probe.interval
        if key in since:
            away[key].append((gap.first_slot_at - interval, gap.last_slot_at + interval))
    return away


def _heard_last(heartbeat: Heartbeat) -> int:
    """Before this, nothing that is missing now can have been lost."""
    heard = Heard.load(heartbeat.heard)
    ended = max(heartbeat.counts_from, heard.end.at if heard.end else 0)
    return min([ended, *(run.at for run in heard.open)])


def reply_of(
    heartbeat: Heartbeat, schedule: Schedule, *, now: int, away: Sequence[Span] = ()
) -> Reply:
    """The newest run that ended, as a reply: unless it is late, which is a failure of its own."""
    heard = Heard.load(heartbeat.heard)
    said = lateness(heard, schedule, since=heartbeat.counts_from, now=now, away=away)
    end = heard.end
    return Reply(
        failure=said.failure,
        detail=f"{_failed(end)}{said.reason}" if end and said.failure else said.reason,
        body=heartbeat.body.encode(),
        phases=Phases(total=(end.duration or 0) if end else 0),
        is_ours=said.failure is Failure.AWAITED,
        exit_code=end.exit_code if end else None,
        is_timed=end is not None and end.duration is not None,
        is_cut=heartbeat.is_cut,
    )


def _failed(end: End) -> str:
    """What else is wrong while it is late, as a sentence with a space after it."""
    if not end.is_failure:
        return ""
    code = f" with exit code {end.exit_code}" if end.exit_code is not None else ""
    return f"The job failed{code}. "


# Pruning -----------------------------------------------------------------------------------


def prune(*, before: int) -> None:
    """Let go of reports older than `before`, and of those of a job that reports very often."""
    for heartbeat in Heartbeat.objects.values_list("pk", flat=True):
        kept = Beat.objects.filter(heartbeat=heartbeat).order_by("-pk").values_list("pk", flat=True)
        for at, older in ((MOST_KEPT, {}), (KEPT_ANYWAY, {"at__lt": before})):
            _delete(heartbeat, list(kept[at - 1 : at]), older)


def _delete(heartbeat: int, edge: list[int], older: Mapping[str, int]) -> None:
    if edge:
        Beat.objects.filter(heartbeat=heartbeat, pk__lt=edge[0], **older).delete()
