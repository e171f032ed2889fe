"""The board of the bench of pages: what a company of 40 teams and 1,000 services has on it.

The first services are the busy ones: on staging too, the first five of them with paths that fail.
"""

import json
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from opsboard.people.models import Role
from opsboard.probes.models import Probe, microseconds
from opsboard.rollbacks.models import NoteVersion, Rehearsal, RollbackNote
from opsboard.rollbacks.rules import steps_digest
from opsboard.services.models import (
    SECOND,
    CriticalPath,
    Deploy,
    Environment,
    Rota,
    RotaTurn,
    Running,
    Service,
    Team,
)
from script.bench_seed import CLAUSES, half_an_hour

TEAMS, SERVICES, PATHS, BUSY = 40, 1_000, 5, 20
INTERVAL, TIMEOUT = 60 * SECOND, 10 * SECOND
# Of the paths of the first services so many fail, and after them so many warn.
FAILING, WARNING = 10, 20
FIVE = 5
COMMIT = "9f3c1ab" + "0" * 33
KINDS = ("fares", "seats", "stops", "bills", "names", "posts", "tides", "loads", "crews", "gates")
USES = ("quote", "book", "pay", "change", "refund")
STEPS = [
    {"do": "Hold releases", "run": "ferryctl hold", "see": "held", "call": ""},
    {"do": "Go back to the release before", "run": "ferryctl back", "see": "6 healthy", "call": ""},
    {"do": "Ask for a price", "run": "ferryctl ask quote", "see": "200", "call": ""},
    {"do": "Tell the desk", "run": "", "see": "they say it works", "call": "the desk"},
]


def seed_board(*, now: datetime) -> None:
    people = _people(now=now)
    teams = _teams(people, now=now)
    services = _services(teams)
    places = _places(services, now=now)
    paths = _paths(services, people[0], now=now)
    _probes(paths, places, now=now)
    _notes(services, paths, people[0], now=now)


def _people(*, now: datetime) -> list[User]:
    people = User.objects.bulk_create(
        User(
            username=f"person-{number}",
            first_name=f"Ingrid {number}",
            email=f"person-{number}@ferry.example",
            date_joined=now,
        )
        for number in range(4 * TEAMS)
    )
    Role.objects.bulk_create(Role(user=person, name=Role.Name.EDITOR) for person in people)
    return people


def _teams(people: list[User], *, now: datetime) -> list[Team]:
    teams = Team.objects.bulk_create(
        Team(slug=f"team-{number}", name=f"Team {number}", contact=f"#team-{number}")
        for number in range(TEAMS)
    )
    members = Team.members.through
    members.objects.bulk_create(
        members(team_id=teams[number % TEAMS].pk, user_id=person.pk)
        for number, person in enumerate(people)
    )
    starts_on = (now - timedelta(days=70)).date()
    rotas = Rota.objects.bulk_create(
        Rota(team=team, starts_on=starts_on, hand_over_at="09:00") for team in teams
    )
    RotaTurn.objects.bulk_create(
        RotaTurn(rota=rotas[number % TEAMS], person=person, position=number // TEAMS)
        for number, person in enumerate(people)
    )
    return teams


def _services(teams: list[Team]) -> list[Service]:
    services = Service.objects.bulk_create(
        Service(
            slug=f"{KINDS[number % 10]}-{number}",
            name=f"{KINDS[number % 10].title()} {number}",
            summary=f"Keeps the {KINDS[number % 10]} of the northern lines, and tells all others",
            tier=1 if number < BUSY else 1 + number % 3,
            team=teams[number % TEAMS],
            tags=["python", KINDS[number % 10], "north" if number % 2 else "south"],
            links=[
                {"name": name, "url": f"https://{name.lower()}.ferry.example/{number}"}
                for name in ("Repository", "Runbook", "Chat", "Dashboard")
            ],
            facts={"Data class": "internal", "Regions": ["oslo", "bergen"]},
        )
        for number in range(SERVICES)
    )
    calls = Service.depends_on.through
    calls.objects.bulk_create(
        calls(from_service_id=one.pk, to_service_id=services[called].pk)
        for number, one in enumerate(services)
        for called in {number // 3, number // 5, number - 1}
        if 0 <= called < number
    )
    return services


def _places(services: list[Service], *, now: datetime) -> list[Environment]:
    places = Environment.objects.bulk_create(
        Environment(service=service, slug=slug, base_url=f"https://{service.slug}.{slug}.example")
        for number, service in enumerate(services)
        for slug in (("production", "staging") if number < BUSY else ("production",))
    )
    Running.objects.bulk_create(
        Running(
            environment=place,
            commit=COMMIT,
            commit_since=now - timedelta(days=2),
            config_root="r1",
            told_at=now,
        )
        for place in places
    )
    Deploy.objects.bulk_create(
        Deploy(environment=place, name=f"{week:07x}", at=now - timedelta(days=7 * week, hours=3))
        for place in places
        for week in range(12)
    )
    return places


def _paths(services: list[Service], person: User, *, now: datetime) -> list[CriticalPath]:
    return CriticalPath.objects.bulk_create(
        (
            CriticalPath(
                service=service,
                slug=use,
                name=f"{use.title()} a crossing",
                route=f"/v2/{use}/{service.slug}",
                headers=[["Accept", "application/json"]],
                expected_result=CLAUSES,
                user_notices="Booking, step 2 of 4: the price of the crossing stays empty",
                slow_query_or_command="SELECT * FROM fares WHERE route = 'LEI-STN'",
                interval=INTERVAL,
                timeout=TIMEOUT,
                checked_by=person,
                checked_at=now - timedelta(days=3),
            )
            for service in services
            for use in USES
        ),
        batch_size=1_000,
    )


def state_of(number: int) -> str:
    """Of the path of that number, in production."""
    service, path = divmod(number, PATHS)
    if service < FIVE and path < FAILING // FIVE:
        return "failing"
    return "warning" if service in range(FIVE, FIVE + WARNING) and path == 0 else "passing"


def _probes(paths: list[CriticalPath], places: list[Environment], *, now: datetime) -> None:
    at = microseconds(now)
    counted = half_an_hour(at, INTERVAL)
    by_service: dict[int, list[Environment]] = {}
    for place in places:
        by_service.setdefault(place.service_id, []).append(place)
    probes = []
    for number, path in enumerate(paths):
        for place in by_service[path.service_id]:
            state = state_of(number) if place.slug == "production" else "passing"
            probes.append(_probe(path, place, state, at, counted))
    Probe.objects.bulk_create(probes, batch_size=1_000)


def _probe(path: CriticalPath, place: Environment, state: str, at: int, counted: str) -> Probe:
    since = at - (40 * 60 * SECOND if state != "passing" else 30 * 86_400 * SECOND)
    reason = {"failing": "status is 503, expected 200", "warning": "cache is miss, expected hit"}
    return Probe(
        path=path,
        environment=place,
        interval=INTERVAL,
        timeout=TIMEOUT,
        slot_at=at + INTERVAL,
        began_at=at - 100 * 86_400 * SECOND,
        state=state,
        state_since=since,
        streak_state=state,
        recent=state[0] * 2,
        reason=reason.get(state, ""),
        observed_at=at,
        windows=counted,
        latest=json.dumps(_facts(state)),
    )


def _facts(state: str) -> dict[str, object]:
    is_failing, is_warning = state == "failing", state == "warning"
    got = ["503" if is_failing else "200", "true", "62 ms", "5", "miss" if is_warning else "hit"]
    held = [not is_failing, not is_failing, True, True, not is_warning]
    return {
        "verdict": state,
        "total": 62_000,
        "lateness": 3_000,
        "status": 503 if is_failing else 200,
        "exit": None,
        "failure": "",
        "cache": "miss" if is_warning else "hit",
        "db_calls": 5,
        "db_time": 9_000,
        "certificate_days": None,
        "clauses": [
            {"clause": clause, "held": is_held, "got": said}
            for clause, is_held, said in zip(CLAUSES.splitlines(), held, got, strict=True)
        ],
    }


def _notes(
    services: list[Service], paths: list[CriticalPath], person: User, *, now: datetime
) -> None:
    """Every service has one, and every tenth path; one in three was rehearsed."""
    notes = RollbackNote.objects.bulk_create(RollbackNote(service=service) for service in services)
    notes += RollbackNote.objects.bulk_create(
        RollbackNote(service_id=path.service_id, path=path) for path in paths[::10]
    )
    versions = NoteVersion.objects.bulk_create(
        NoteVersion(
            note=note,
            number=number,
            title="Go back to the release before",
            use_when="Prices are empty or wrong after a release",
            does_not_undo="Prices that were sent by mail",
            minutes=6,
            steps=STEPS,
            written_by=person,
            written_at=now - timedelta(days=30 - number),
            checked_by=person,
            checked_at=now - timedelta(days=3),
        )
        for note in notes
        for number in (1, 2)
    )
    Rehearsal.objects.bulk_create(
        Rehearsal(
            version=version,
            environment_slug="staging",
            steps_digest=steps_digest(STEPS),
            at=now - timedelta(days=5),
            seconds=340,
            worked=True,
            by=person,
        )
        for version in versions[1::6]
    )
