"""What holds an alert back: overlays, never states. Each ends, and then it is sent after all."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from django.db.models import QuerySet

from opsboard.alerts.models import Delivery, Notice, Silence
from opsboard.incidents.models import Incident, IncidentPath
from opsboard.services import windows
from opsboard.services.models import CriticalPath, MaintenanceWindow, Service
from opsboard.services.together import Moment, load_together
from opsboard.services.windows import OfTeam

HeldBy = Delivery.HeldBy


@dataclass(frozen=True, slots=True)
class Hold:
    """By what (a Delivery.HeldBy), and why in one sentence."""

    by: str
    reason: str
    # None: it ends with the incident below.
    until: datetime | None = None


class Owned(Protocol):
    """A critical path, or what was read of one."""

    @property
    def pk(self) -> int: ...
    @property
    def owner_id(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Overlays:
    """All that holds alerts back at a moment, read once for however many incidents."""

    now: datetime
    silences: Sequence[Silence]
    # Each with the end of the time it is open, the last end first.
    windows: Sequence[tuple[MaintenanceWindow, datetime]]

    @classmethod
    def load(cls, *, now: datetime) -> "Overlays":
        """One query."""
        return cls.of(load_together(**cls.parts(now, now.date())), now=now)

    @classmethod
    def of(cls, found: Mapping[str, list[Any]], *, now: datetime) -> "Overlays":
        """From what `parts` names, found already (opsboard.services.together)."""
        silences = sorted(found["silences"], key=lambda one: (-one.ends_at.timestamp(), one.pk))
        return cls(now, silences, windows.open_of(found["windows"], now))

    @staticmethod
    def parts(now: Moment, today: date) -> dict[str, QuerySet[Any]]:
        """`today`: the day of `now`, in UTC."""
        return {
            "silences": Silence.objects.in_force(now).select_related("by"),
            "windows": windows.perhaps_open(today),
        }

    def __bool__(self) -> bool:
        return bool(self.silences or self.windows)

    def of_incident(self, incident: Incident, failing: Iterable[CriticalPath]) -> Hold | None:
        """The silence or window that holds an incident back, with the paths that fail in it."""
        service, slug = incident.service, incident.environment.slug
        return self.window_of(service, slug) or self._silence_of_all(service, list(failing), slug)

    def of_notice(self, notice: Notice) -> Hold | None:
        """A notice about Opsboard itself is about no service, and is never held back."""
        if notice.service is None:
            return None
        slug = notice.environment.slug if notice.environment else ""
        return self.window_of(notice.service, slug) or self.silence_of(
            notice.service, notice.path, slug
        )

    def of_place(self, service: OfTeam, path: Owned | None, environment_slug: str) -> list[Hold]:
        """What a page says of a path, or with `path` None of all of a service, in one place."""
        found = (
            self.window_of(service, environment_slug),
            self.silence_of(service, path, environment_slug),
        )
        return [hold for hold in found if hold]

    def window_of(self, service: OfTeam, environment_slug: str) -> Hold | None:
        for window, end in self.windows:
            if windows.matches(window, service, environment_slug):
                reason = f"In maintenance until {_clock(end, self.now)}: {_stop(window.name)}"
                return Hold(HeldBy.WINDOW, reason, end)
        return None

    def silence_of(self, service: OfTeam, path: Owned | None, environment_slug: str) -> Hold | None:
        for silence in self.silences:
            if is_silencing(silence, service, path, environment_slug):
                until = f"until {_clock(silence.ends_at, self.now)}"
                reason = f"Silenced by {_by(silence)} {until}: {_stop(silence.reason)}"
                return Hold(HeldBy.SILENCE, reason, silence.ends_at)
        return None

    def _silence_of_all(
        self, service: Service, failing: Sequence[CriticalPath], slug: str
    ) -> Hold | None:
        """One path that nobody silenced is enough to be told of; the first end is the end."""
        # Opened by hand: no path fails, and what silences the whole service counts.
        paths: Sequence[CriticalPath | None] = failing or [None]
        found = [self.silence_of(service, path, slug) for path in paths]
        holds = [hold for hold in found if hold]
        if len(holds) < len(found):
            return None
        return min(holds, key=lambda hold: hold.until or self.now)


def is_silencing(
    silence: Silence, service: OfTeam, path: Owned | None, environment_slug: str
) -> bool:
    """Whether a path is within what a silence is about; `path` None: the service as a whole."""
    teams = {None, service.team_id} | ({path.owner_id} if path else set())
    return (
        silence.team_id in teams
        and silence.service_id in (None, service.pk)
        and silence.path_id in (None, path.pk if path else None)
        and silence.environment_slug in ("", environment_slug)
    )


def why_held(incident: Incident, *, now: datetime, overlays: Overlays | None = None) -> Hold | None:
    """Why nobody is told of `incident` for now; None: nothing holds it back."""
    return below_of(incident) or why_silent(incident, now=now, overlays=overlays)


def why_silent(
    incident: Incident, *, now: datetime, overlays: Overlays | None = None
) -> Hold | None:
    """As `why_held`, but for the incident below: for what tells of that itself."""
    known = Overlays.load(now=now) if overlays is None else overlays
    if not known:
        return None
    return known.of_incident(incident, failing_paths([incident.pk]).get(incident.pk, []))


def why_notice_held(
    notice: Notice, *, now: datetime, overlays: Overlays | None = None
) -> Hold | None:
    """Why nobody is told of a notice for now; None: nothing holds it back."""
    if notice.service_id is None:
        return None
    known = Overlays.load(now=now) if overlays is None else overlays
    return known.of_notice(notice)


def below_of(incident: Incident) -> Hold | None:
    """An open incident of a service below speaks for this one."""
    below = incident.below
    if below is None or not below.is_open:
        return None
    reason = f"{below} of {below.service.name} below was open before this one began."
    return Hold(HeldBy.BELOW, reason)


def failing_paths(incident_ids: Iterable[int]) -> Mapping[int, list[CriticalPath]]:
    """The paths that fail in each incident now. One query."""
    places = IncidentPath.objects.filter(incident__in=list(incident_ids), left_at=None)
    found: dict[int, list[CriticalPath]] = defaultdict(list)
    for place in places.select_related("path").order_by("pk"):
        found[place.incident_id].append(place.path)
    return found


def _by(silence: Silence) -> str:
    by = silence.by
    return by.get_full_name() or by.get_username() if by else "somebody unknown"


def _clock(at: datetime, now: datetime) -> str:
    """ "15:00" of today; "15:00 on 3 December" of another day."""
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%H:%M on %-d %B}"


def _stop(text: str) -> str:
    kept = text.strip()
    return kept if kept.endswith((".", "!", "?")) else f"{kept}."
