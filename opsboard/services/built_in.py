"""Opsboard watching itself, so that an empty board's first page shows real measurements."""

from django.conf import settings

from opsboard.services.models import CriticalPath, Environment, Service, Team

SLUG = "opsboard"


def watch_itself() -> Service | None:
    """Store the built-in service when nothing is stored yet. Returns it while it exists.

    Its address follows the settings: the board may be started on another port.
    """
    if not Service.objects.exists():
        _store()
    Environment.objects.filter(service__is_built_in=True).update(base_url=settings.SELF_URL)
    return Service.objects.filter(is_built_in=True).first()


def _store() -> None:
    team, _ = Team.objects.get_or_create(slug=SLUG, defaults={"name": "Opsboard"})
    service = Service.objects.create(
        slug=SLUG,
        name="Opsboard",
        summary="This board, watching itself",
        tier=3,
        team=team,
        is_built_in=True,
    )
    service.environments.create(slug="production", base_url=settings.SELF_URL)
    for path in _paths(service):
        path.save()


def _paths(service: Service) -> list[CriticalPath]:
    return [
        CriticalPath(
            service=service,
            slug="health",
            name="Health",
            route="/healthz",
            headers=[["X-Opsboard-Probe", "timing"]],
            expected_result='status == 200\nbody contains "ok"',
            user_notices="Nobody: this is the process itself. If it fails, no page answers.",
            interval=10_000_000,
            timeout=5_000_000,
        ),
        CriticalPath(
            service=service,
            slug="sign-in-page",
            name="Sign-in page",
            route="/sign-in",
            headers=[["X-Opsboard-Probe", "timing"]],
            expected_result='status == 200\nbody contains "Sign in"\ntime < 1 s\ndb.calls <= 4',
            user_notices="People who are not signed in see an error instead of the form.",
            interval=10_000_000,
            timeout=5_000_000,
        ),
        CriticalPath(
            service=service,
            slug="board",
            name="Board",
            route="/",
            headers=[["X-Opsboard-Probe", "a signed pass"]],
            expected_result=(
                'status == 200\nbody contains "All services"\ntime < 1 s\n'
                "db.calls <= 24\ncache is bypass"
            ),
            user_notices="The first page is slow or does not open.",
            interval=10_000_000,
            timeout=5_000_000,
        ),
    ]
