"""Who works at the ferry company, who hears what, what is planned: by the forms of the pages."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Browser

from script.screenshots_asking import Api, Person, choose_password

SCOPES = ("read", "release", "note", "silence", "apply")


def first_administrator(browser: Browser, link: str, url: str) -> Person:
    return choose_password(browser.new_context(), link, url, name="Layla Haddad")


def make_token(layla: Person) -> Api:
    layla.fill("/tokens/new", name="CI of the ferry company")
    for scope in SCOPES:
        layla.page.locator(f"[name=scopes][value={scope}]").check()
    layla.press()
    token = layla.page.locator("code", has_text="obs_").first.inner_text()
    return Api(layla.url, token)


def invite(layla: Person, browser: Browser, name: str, role: str) -> Person:
    """By a link that is handed over, as an administrator without a mail server does it."""
    email = f"{name.split()[0].lower()}@skerry.example"
    layla.send("/people/new", name=name, role=role, email=email)
    link = layla.page.locator("main", has_text="Send this link").get_by_text("/sign-in/").first
    return choose_password(browser.new_context(), link.inner_text().strip(), layla.url)


def plan(layla: Person, api: Api, hook: str) -> None:
    """Teams and their rota, channels and a route, a window, a freeze and a silence."""
    now = datetime.now(UTC)
    day = f"{now + timedelta(days=1):%Y-%m-%d}"
    # Whatever the hour is, the first of the rota is on duty.
    began = f"{now - timedelta(days=3):%Y-%m-%d}"
    layla.send("/teams/booking/edit", members=["Layla Haddad"])
    layla.send("/teams/pricing/edit", members=["Ingrid Solheim", "Tomasz Wilk"])
    layla.send(
        "/teams/pricing/rota/edit", starts_on=began, hand_over_at="09:00", days="7",
        person_1="Ingrid Solheim", person_2="Tomasz Wilk",
    )  # fmt: skip
    for name, team, where in (
        ("Everybody", "", "/taken/everybody"),
        ("Pricing on call", "Pricing", "/taken/pricing"),
        ("Freight duty desk", "Freight", "/away"),
    ):
        chosen = {"team": team} if team else {}
        layla.send(
            "/alerts/channels/new", name=name, kind="webhook", address=hook + where, **chosen
        )
    layla.page.goto(f"{layla.url}/alerts")
    # It is refused there: this channel does not work.
    row = layla.page.get_by_role("row", name="Freight duty desk")
    with layla.page.expect_navigation():
        row.get_by_role("button", name="Send a test").click()
    layla.send(
        "/maintenance/new", name="Move the ticket printers", service="ticket-pdf", starts_on=day,
        starts_at="02:00", lasts="2 h", zone="Europe/London",
    )  # fmt: skip
    layla.send(
        "/releases/freezes/new", reason="Christmas sailings",
        starts_at=f"{now + timedelta(days=3):%Y-%m-%d} 18:00",
        ends_at=f"{now + timedelta(days=6):%Y-%m-%d} 06:00",
    )  # fmt: skip
    api.ask(
        "/silences",
        {
            "reason": "The resellers' test system moves today. Bram de Wit knows.",
            "service": "partner-api",
            "path": "reseller-account",
            "minutes": 120,
        },
    )
