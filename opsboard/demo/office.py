"""What the Django process answers: payments, refunds, points, sign-in, crew and freight."""

from typing import Any

from opsboard.demo.house import Desk, Page, WrongInput, of_service

KINDS = {
    "payments": ("payment",),
    "refunds-worker": ("refund",),
    "loyalty": ("point",),
    "identity": ("person",),
    "crew-rota": ("shift",),
    "freight-desk": ("slot",),
    "customs-declare": ("declaration",),
}


def take_payment(desk: Desk) -> dict[str, Any]:
    cents = desk.given.get("cents")
    if not isinstance(cents, int) or cents <= 0:
        raise WrongInput("A payment is a number of cents above 0.")
    payment = desk.records("payment")[0]
    desk.write("payment", payment["code"])
    return {"payment": {"reference": "P-" + payment["code"], "state": "taken", "cents": cents}}


def hold_card(desk: Desk) -> dict[str, Any]:
    desk.write("hold", "card")
    return {"hold": desk.records("payment")[1]["code"], "declined": False}


def refunds_due(desk: Desk) -> dict[str, Any]:
    refunds = desk.records("refund")
    return {"waiting": len(refunds[:6]), "oldest_minutes": 4, "refunds": refunds[:6]}


def points(desk: Desk) -> dict[str, Any]:
    return {"points": sum(row["amount"] for row in desk.records("point")[:40]), "vouchers": 2}


def sign_in(desk: Desk) -> dict[str, Any]:
    people = {row["code"] for row in desk.records("person")}
    if desk.given.get("person") not in people:
        raise WrongInput("Nobody of that name can sign in here.")
    desk.write("sign-in", str(desk.given["person"]))
    return {"signed_in": True}


def staff(desk: Desk) -> dict[str, Any]:
    return {"directory": len(desk.records("person")), "open": True}


def shifts(desk: Desk) -> dict[str, Any]:
    return {"shifts": desk.records("shift")[:21]}


def slots(desk: Desk) -> dict[str, Any]:
    return {"slots": desk.records("slot")[:16]}


def quote_freight(desk: Desk) -> dict[str, Any]:
    metres = desk.given.get("metres")
    if not isinstance(metres, (int, float)) or not 0 < metres <= 30:
        raise WrongInput("A lorry is 0 to 30 m long.")
    rate = 3100 + desk.records("slot")[4]["amount"]
    return {"total": round(metres * rate / 100, 2), "currency": "EUR"}


def declare(desk: Desk) -> dict[str, Any]:
    declaration = desk.records("declaration")[0]
    desk.write("declaration", declaration["code"])
    return {"declaration": declaration["code"], "state": "accepted"}


PAGES = [
    *of_service(
        "payments",
        Page("payments", "POST", "/v1/payments", take_payment, status=201),
        Page("payments", "POST", "/v1/holds", hold_card, status=201),
    ),
    *of_service("refunds-worker", Page("refunds-worker", "GET", "/queue", refunds_due)),
    *of_service("loyalty", Page("loyalty", "GET", "/points", points, kept=True)),
    *of_service(
        "identity",
        Page("identity", "POST", "/sign-in", sign_in),
        Page("identity", "GET", "/staff", staff, kept=True),
    ),
    *of_service("crew-rota", Page("crew-rota", "GET", "/shifts", shifts, kept=True)),
    *of_service(
        "freight-desk",
        Page("freight-desk", "GET", "/slots", slots, kept=True),
        Page("freight-desk", "POST", "/quotes", quote_freight),
    ),
    *of_service(
        "customs-declare", Page("customs-declare", "POST", "/declarations", declare, status=202)
    ),
]
