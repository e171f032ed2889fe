"""What the FastAPI process answers: prices, bookings, resellers, sailings, tides, search."""

import time
from typing import Any

from opsboard.demo.house import Desk, Page, WrongInput, of_service
from opsboard.demo.switches import FARES_DATABASE
from opsboard.demo.switches import SEATS_ONE_BY_ONE as ONE_BY_ONE

KINDS = {
    "fares-api": ("surcharge", "day"),
    "booking-web": ("booking",),
    "partner-api": ("partner",),
    "sailings-api": ("sailing", "port"),
    "search": ("crossing",),
    "tide-feed": ("tide",),
}
# Without the index it reads every fare rule for each of 120 seasons.
FARES = (
    "SELECT s.name, (SELECT max(r.amount) FROM fare_rule r"
    " WHERE r.route = s.route AND r.season = s.name)"
    " FROM fare_season s WHERE s.route = :route ORDER BY s.name"
)
CENTS_OF_A_CAR = 6690
SEATS = (
    "SELECT code, amount FROM record WHERE service = 'sailings-api' AND kind = 'sailing'"
    " ORDER BY id LIMIT :first"
)
SEATS_OF_ONE = (
    "SELECT amount FROM record WHERE service = 'sailings-api' AND kind = 'sailing' AND code = :code"
)
PORTS = 10
# How far away the database with the seats is.
HOP_SECONDS = 0.003


def quote(desk: Desk) -> dict[str, Any]:
    """The price of a crossing: half a fare for a child, and what the vehicle costs."""
    adults, children = _party(desk.given)
    fare = _dearest_fare(desk, _route(desk.given))
    surcharges = desk.records("surcharge")
    vehicle = CENTS_OF_A_CAR if desk.given.get("vehicle") else 0
    total = fare * adults + fare // 2 * children + vehicle + surcharges[0]["amount"]
    return {"quote": {"total": total / 100, "currency": "EUR", "route": _route(desk.given)}}


def _route(given: Any) -> str:
    return f"{given.get('from')}-{given.get('to')}"


def _party(given: Any) -> tuple[int, int]:
    party = given.get("party")
    counts = [party.get(name, 0) for name in ("adults", "children")] if party else [1, 0]
    if not all(isinstance(count, int) and 0 <= count < 100 for count in counts):
        raise WrongInput("A party is a number of adults and a number of children.")
    return counts[0], counts[1]


def _dearest_fare(desk: Desk, route: str) -> int:
    with desk.house.slowly():
        fares = [row[1] for row in desk.ask(FARES, route=route) if row[1] is not None]
    if not fares:
        raise WrongInput(f"No ferry goes {route}.")
    return int(max(fares))


def hold(desk: Desk) -> dict[str, Any]:
    price = desk.records("day")[0]
    desk.write("hold", price["code"])
    return {"hold": {"reference": "H-" + price["code"], "minutes": 15}}


def release(desk: Desk) -> dict[str, Any]:
    """Lets a held fare go. Whoever asks a second time is told the same."""
    reference = str(desk.given.get("hold", ""))
    if not reference.startswith("H-"):
        raise WrongInput("A hold begins with H-.")
    desk.write("release", reference)
    return {"hold": {"reference": reference, "released": True}}


def calendar(desk: Desk) -> dict[str, Any]:
    return {"days": [{"day": day["code"], "from": 48.2} for day in desk.records("day")[:31]]}


def surcharges(desk: Desk) -> dict[str, Any]:
    return {"surcharges": desk.records("surcharge")[:12]}


def home(desk: Desk) -> str:
    bookings = len(desk.records("booking"))
    return (
        "<!doctype html><title>Skerry Line</title><h1>Where to?</h1>"
        f"<p>{bookings} crossings this week</p>"
    )


def book(desk: Desk) -> dict[str, Any]:
    """Prices the crossing as fares-api does, and keeps a seat."""
    _dearest_fare(desk, _route(desk.given))
    booking = desk.records("booking")[0]
    desk.write("booking", booking["code"])
    return {"booking": {"reference": "SK-" + booking["code"], "state": "held"}}


def booking(desk: Desk) -> dict[str, Any]:
    return {"booking": desk.records("booking")[7], "changes": 0}


def availability(desk: Desk) -> dict[str, Any]:
    _dearest_fare(desk, _route(desk.given))
    return {"partner": desk.records("partner")[0]["code"], "places": 212}


def partner_account(desk: Desk) -> dict[str, Any]:
    return {"partner": desk.records("partner")[0], "active": True}


def timetable(desk: Desk) -> dict[str, Any]:
    """Three database calls, or one for the seats of each sailing that has a port: twelve."""
    sailings, ports = desk.records("sailing")[:14], desk.records("port")[:PORTS]
    codes = [sailing["code"] for sailing in sailings[:PORTS]]
    seats = _seats_one_by_one(desk, codes) if desk.is_on(ONE_BY_ONE.name) else _seats(desk)
    for sailing, port in zip(sailings, ports, strict=False):
        sailing |= {"port": port["code"], "seats": seats.get(sailing["code"], 0)}
    return {"sailings": sailings}


def _seats(desk: Desk) -> dict[str, int]:
    time.sleep(HOP_SECONDS)
    return {row[0]: row[1] for row in desk.ask(SEATS, first=PORTS)}


def _seats_one_by_one(desk: Desk, codes: list[str]) -> dict[str, int]:
    seats = {}
    for code in codes:
        time.sleep(HOP_SECONDS)
        seats[code] = desk.ask(SEATS_OF_ONE, code=code)[0][0]
    return seats


def sailing_status(desk: Desk) -> dict[str, Any]:
    return {"port": desk.records("port")[3]["code"], "status": "on time"}


def find_crossing(desk: Desk) -> dict[str, Any]:
    return {"found": desk.records("crossing")[:9]}


def tides(desk: Desk) -> dict[str, Any]:
    return {"tides": [{"at": tide["code"], "metres": 2.4} for tide in desk.records("tide")[:4]]}


PAGES = [
    *of_service(
        "fares-api",
        Page("fares-api", "POST", "/v2/quotes", quote, kept=True, unkept_by=FARES_DATABASE.name),
        Page("fares-api", "POST", "/v2/holds", hold, status=201),
        Page("fares-api", "POST", "/v2/releases", release),
        Page("fares-api", "GET", "/v2/calendar", calendar, kept=True),
        Page("fares-api", "GET", "/v2/surcharges", surcharges, kept=True),
    ),
    *of_service(
        "booking-web",
        Page("booking-web", "GET", "/", home, kept=True),
        Page("booking-web", "POST", "/book", book, status=201),
        Page("booking-web", "GET", "/manage", booking),
    ),
    *of_service(
        "partner-api",
        Page("partner-api", "POST", "/v1/availability", availability),
        Page("partner-api", "GET", "/v1/account", partner_account, kept=True),
    ),
    *of_service(
        "sailings-api",
        Page("sailings-api", "GET", "/sailings", timetable, kept=True),
        Page("sailings-api", "GET", "/status", sailing_status, kept=True),
    ),
    *of_service("search", Page("search", "GET", "/crossings", find_crossing, kept=True)),
    *of_service("tide-feed", Page("tide-feed", "GET", "/tides", tides, kept=True)),
]
