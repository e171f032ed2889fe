"""Releases of the scene: one that went out, one not ready, one ready, one overridden.

What CI would answer is given as the demo gives it, and says of itself that nothing was run. The
board's own gates (paths, configuration, note, rehearsal) are met by what really is so.
"""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opsboard.demo.configuration import KEY, environment_file
from opsboard.demo.releases import COUNTS, Example
from script.screenshots_asking import Api, NotStaged, Person, wait_for
from tests.running.processes import PROJECT, clean_environment

NOW_RUNNING, NEXT = "2026.11.3", "2026.11.4"
ASSUMPTION = "An example: nothing was run."
WHY_OUT = "Prices for December have to be on sale tonight; the way back is written and short."
WHY_OVERRIDDEN = "Staging's card terminal is away for repair; the same check passed by hand."


def name_release(api: Api, service: str, version: str, summary: str, **more: object) -> str:
    """Its address in the API."""
    commit = Example(
        service=service, version=version, summary="", planned_in=timedelta()
    ).commit  # fmt: skip
    told = {"version": version, "commit": commit, "summary": summary, "tag": f"v{version}"}
    api.ask(f"/services/{service}/releases", told | more)
    return f"/services/{service}/releases/{version}"


def answer(api: Api, release: str, *gates: str) -> None:
    """As its CI would."""
    now, commit = datetime.now(UTC), api.ask(release)["commit"]
    for gate in gates:
        api.ask(
            f"{release}/evidence",
            {
                "gate": gate,
                "outcome": "passed",
                "commit": commit,
                "started_at": (now - timedelta(minutes=4)).isoformat(),
                "finished_at": (now - timedelta(minutes=1)).isoformat(),
                "command": f"make {gate}",
                "exit_code": 0,
                "counts": COUNTS if gate in ("unit", "integration") else None,
                "environment": "staging" if gate == "integration" else None,
                "assumptions": [ASSUMPTION],
            },
        )


def tag(api: Api, release: str, version: str) -> None:
    commit = api.ask(release)["commit"]
    api.ask(f"{release}/tag", {"tag": f"v{version}", "object": commit, "commit": commit})


def not_ready(api: Api, directory: Path) -> None:
    """fares-api: staging's configuration really differs; its rehearsal is of the one before."""
    release = f"/services/fares-api/releases/{NEXT}"
    answer(api, release, "integration")
    for environment in ("production", "staging"):
        text = environment_file("fares-api", environment)
        if environment == "staging":
            text = text.replace("DEBUG=false", "DEBUG=true").replace("=EUR", "=GBP")
        file = directory / f"{environment}.env"
        file.write_text(text)
        place = ("--environment", environment, "--release", NEXT)
        _opsboard(api, "config", *place, "--env-file", str(file))


def _opsboard(api: Api, *words: str) -> None:
    """The command, as a CI calls it: 1 says that a rule is not met."""
    commit = api.ask(f"/services/fares-api/releases/{NEXT}")["commit"]
    told = {
        "OPSBOARD_URL": api.url,
        "OPSBOARD_TOKEN": api.token,
        "OPSBOARD_SERVICE": "fares-api",
        "OPSBOARD_RELEASE": NEXT,
        "OPSBOARD_COMMIT": commit,
        "OPSBOARD_CONFIG_KEY": KEY,
    }
    done = subprocess.run(
        [str(PROJECT / "script/opsboard"), *words],
        env=clean_environment() | told, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    if done.returncode not in (0, 1):
        raise NotStaged(f"opsboard {words[0]}: {done.stderr or done.stdout}")


def ready(api: Api, layla: Person) -> None:
    """sailings-api: everything that a release of it needs."""
    plan = (datetime.now(UTC) + timedelta(hours=5)).replace(minute=30, second=0, microsecond=0)
    release = name_release(
        api, "sailings-api", NEXT, "Show tomorrow's sailings after the last one has left",
        environment="production", planned_at=plan.isoformat(), files=9, lines=212, commits=4,
    )  # fmt: skip
    answer(api, release, "lint", "unit", "integration")
    tag(api, release, NEXT)
    say_still_true(layla, "sailings-api")
    rehearse(layla, "sailings-api", NEXT, "staging", steps=2, took="1 min 40 s")
    wait_for(lambda: api.ask(release)["readiness"]["whole"] == "ready", f"{release} to be ready")


def overridden(api: Api, layla: Person) -> None:
    """booking-web: all but the integration check, whose risk is accepted."""
    plan = (datetime.now(UTC) + timedelta(days=1)).replace(hour=6, minute=0, second=0)
    release = name_release(
        api, "booking-web", NEXT, "Keep the chosen date when the port changes",
        environment="production", planned_at=plan.isoformat(), files=6, lines=140, commits=3,
    )  # fmt: skip
    answer(api, release, "lint", "unit")
    tag(api, release, NEXT)
    say_still_true(layla, "booking-web")
    rehearse(layla, "booking-web", NEXT, "staging", steps=2, took="2 min 55 s")
    layla.fill(f"/releases/booking-web/{NEXT}/override", reason=WHY_OVERRIDDEN)
    layla.page.locator("[name=gates][value=integration]").check()
    layla.press("Override and accept the risk")
    is_over = "overridden"
    wait_for(lambda: api.ask(release)["readiness"]["whole"] == is_over, f"{release} to be so")


def name_the_one_running(api: Api) -> None:
    name_release(api, "fares-api", NOW_RUNNING, "Move surcharges into fare rules")


def went_out(api: Api) -> None:
    """fares-api in its present version: recorded once it is seen to run, although not ready."""
    release = f"/services/fares-api/releases/{NOW_RUNNING}"
    commit = api.ask(release)["commit"]
    wait_for(lambda: _runs(api, commit), f"{NOW_RUNNING} to run")
    api.ask(f"{release}/released", {"environment": "production", "anyway_because": WHY_OUT})


def _runs(api: Api, commit: str) -> bool:
    running = api.ask("/services/fares-api")["environments"][0]["running"]
    return bool(running) and running["commit"] == commit


def say_still_true(layla: Person, service: str) -> None:
    layla.page.goto(f"{layla.url}/services/{service}/rollback-note")
    layla.press("Still true")


def rehearse(
    layla: Person, service: str, version: str, environment: str, *, steps: int, took: str
) -> None:
    """Written down as a person does it, of a rehearsal that this example company never held."""
    layla.fill(
        f"/services/{service}/rollback-note/rehearsals/new",
        environment=environment, release=version, took=took,
        at=f"{datetime.now(UTC) - timedelta(minutes=9):%Y-%m-%d %H:%M}",
        remark="An example: nobody rehearsed this.",
        **{f"step-{step}-outcome": "worked" for step in range(1, steps + 1)},
    )  # fmt: skip
    layla.press("Write it down")
