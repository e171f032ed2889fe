"""The scene that the pictures show: a ferry company on the afternoon on which its prices fail.

All of it happens on a real board: sample services are broken by their switches, probes find it, an
incident opens, people act in windows of their own. What CI would say is an example, and says so.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from script import screenshots_people as people
from script import screenshots_releases as releases
from script.screenshots_asking import Api, NotStaged, Person, post, wait_for
from script.screenshots_board import Board
from script.screenshots_changes import declare_one_that_waits, measure_changes

type Say = Callable[[str], None]


@dataclass
class Scene:
    """Who looks, and which of many pages of one kind is the telling one."""

    layla: Person
    # Nobody but her: a new board.
    ingrid: Person | None = None
    viewer: Person | None = None
    # By the name of the picture, an address.
    addresses: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.layla.url


def stage_plain(browser: Browser, board: Board) -> Scene:
    """A new board, on which only its first administrator has signed in."""
    return Scene(people.first_administrator(browser, board.first, board.url))


def stage(browser: Browser, board: Board, hook: str, directory: Path, say: Say) -> Scene:
    layla = people.first_administrator(browser, board.first, board.url)
    api = people.make_token(layla)
    say("making people, channels and releases; two changes are being measured")
    with ThreadPoolExecutor(1) as beside:
        measured = beside.submit(measure_changes, api, board.switches)
        scene = _company(browser, layla, api, hook, board)
        releases.name_the_one_running(api)
        releases.not_ready(api, directory)
        releases.say_still_true(layla, "fares-api")
        releases.rehearse(
            layla, "fares-api", releases.NOW_RUNNING, "staging", steps=4, took="3 min 50 s"
        )
        releases.ready(api, layla)
        releases.overridden(api, layla)
        _mend_the_mails(scene, api, board)
        # Broken prices keep the whole process of sample services busy: what is measured is first.
        try:
            measured.result()
        except NotStaged as too_busy:
            say(f"a change stays as it is on this busy machine: {too_busy}")
    say("breaking the fares database, and waiting until it is confirmed")
    _break_prices(scene, api, board)
    scene.addresses |= _addresses(api)
    return scene


def _company(browser: Browser, layla: Person, api: Api, hook: str, board: Board) -> Scene:
    """Also begins what takes a while: the release before runs, and at last mails fail."""
    post(f"{board.switches}old-commit?on=1&service=fares-api")
    layla.page.goto(f"{board.url}/services/fares-api/running-release")
    layla.press("Pause")
    ingrid, _, viewer = (
        people.invite(layla, browser, name, role)
        for name, role in (
            ("Ingrid Solheim", "editor"),
            ("Tomasz Wilk", "editor"),
            ("Amara Okafor", "viewer"),
        )
    )
    people.plan(layla, api, hook)
    post(f"{board.flask}n-plus-one?on=1&service=notify")
    return Scene(layla, ingrid, viewer)


def _break_prices(scene: Scene, api: Api, board: Board) -> None:
    """The newest release goes out, and two minutes' work later prices fail."""
    post(f"{board.switches}old-commit?on=0&service=fares-api")
    releases.went_out(api)
    declare_one_that_waits(api)
    post(f"{board.switches}fares-database?on=1")
    one = wait_for(partial(_incident, api, "fares-api"), "prices to fail")
    assert one
    assert scene.ingrid
    _take(scene.ingrid, one["number"])
    for service in ("booking-web", "partner-api"):
        wait_for(partial(_hurts, api, service), f"{service} to become slow")


def _take(ingrid: Person, number: int) -> None:
    page, address = ingrid.page, f"/incidents/{number}"
    page.goto(ingrid.url + address)
    ingrid.press("Acknowledge")
    ingrid.send(
        f"{address}/updates",
        text="Each price reads all fare rules since 2026.11.3. Rolling back is faster than a fix.",
    )
    page.goto(ingrid.url + address)
    ingrid.press("Start rollback")
    page.goto(ingrid.url + address)
    ingrid.press("Mark done")


def _mend_the_mails(scene: Scene, api: Api, board: Board) -> None:
    """Their incident is there, and is over then."""
    wait_for(partial(_incident, api, "notify"), "mails to fail")
    post(f"{board.flask}n-plus-one?on=0&service=notify")
    wait_for(partial(_is_over, api, "notify"), "mails to pass again")
    if (one := _incident(api, "notify")) and scene.ingrid:
        _write_an_afterword(scene.ingrid, one["number"])


def _hurts(api: Api, service: str) -> bool:
    """In production. On a busy machine what should be slow may fail."""
    environments = api.ask(f"/services/{service}")["environments"]
    return any(one["standing"] in ("warning", "failing") for one in environments[:1])


def _incident(api: Api, service: str) -> dict[str, Any] | None:
    """The newest of the service in production."""
    asked = f"/incidents?service={service}&environment=production"
    found: list[dict[str, Any]] = api.ask(asked)["items"]
    return found[0] if found else None


def _is_over(api: Api, service: str) -> bool:
    one = _incident(api, service)
    return one is not None and not one["is_open"]


def _write_an_afterword(ingrid: Person, number: int) -> None:
    ingrid.send(
        f"/incidents/{number}/afterword",
        text="Each mail asked for its 140 templates one by one. They are asked for at once again.",
    )


def _addresses(api: Api) -> dict[str, str]:
    """By the name of the picture: of many pages of one kind, those that tell most."""
    prices, mails = (_incident(api, one) for one in ("fares-api", "notify"))
    assert prices
    assert mails
    fares = "/services/fares-api"
    path = f"{fares}/price-a-crossing"
    release = f"/releases/fares-api/{releases.NEXT}"
    return {
        "service": fares,
        # The board is minutes old: in an hour more is to be seen of it than in a day.
        "path": f"{path}?range=1h",
        "path-90-days": f"{path}?range=90d",
        "path-edit": f"{path}/edit",
        "path-note": f"{path}/rollback-note",
        "note": f"{fares}/rollback-note",
        "note-edit": f"{fares}/rollback-note/edit",
        "note-rehearse": f"{fares}/rollback-note/rehearsals/new",
        "note-print": f"{fares}/rollback-note/print",
        "incident": f"/incidents/{prices['number']}",
        "incident-resolved": f"/incidents/{mails['number']}",
        "incident-record": f"/incidents/{prices['number']}/record",
        "release": release,
        "release-override": f"{release}/override",
        "release-record": f"{release}/record",
        "release-ready": f"/releases/sailings-api/{releases.NEXT}",
        "release-overridden": f"/releases/booking-web/{releases.NEXT}",
        "release-out": f"/releases/fares-api/{releases.NOW_RUNNING}",
        "search": "/search?q=fares",
        "search-nothing": "/search?q=no+such+thing",
        "board-staging": "/?environment=staging",
        "team": "/teams/pricing",
        "team-edit": "/teams/pricing/edit",
        "rota": "/teams/pricing/rota",
        "rota-edit": "/teams/pricing/rota/edit",
        "config-keys": f"{fares}/config-keys",
        "service-gates": f"{fares}/gates",
    } | _of_changes(api)


def _of_changes(api: Api) -> dict[str, str]:
    """One for each verdict: on a busy machine luck may look like nothing, and misses say little."""
    found = api.ask("/changes")["items"]
    named = {f"change-{one['verdict']}": f"/changes/{one['number']}" for one in found}
    judged = [one["number"] for one in found if one["verdict"] != "collecting"]
    if not judged:
        return named
    change = f"/changes/{judged[0]}"
    return named | {"change": change, "change-record": f"{change}/record"}
