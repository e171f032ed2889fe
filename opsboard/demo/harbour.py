"""What the Flask process answers: gates, tickets, number plates, pictures and messages."""

from typing import Any

from opsboard.demo.house import Desk, Page, WrongInput, of_service

KINDS = {
    "boarding-gates": ("gate",),
    "ticket-pdf": ("ticket",),
    "vehicle-lookup": ("vehicle",),
    "media": ("picture",),
    "notify": ("message",),
}


def open_gate(desk: Desk) -> dict[str, Any]:
    if not str(desk.given.get("ticket", "")).startswith("SK-"):
        raise WrongInput("A ticket begins with SK-.")
    gate = desk.records("gate")[2]
    desk.write("opening", gate["code"])
    return {"gate": gate["code"], "opens": True}


def ticket(desk: Desk) -> str:
    """As small as a PDF can be, with one line for each row of the ticket."""
    rows = "\n".join(f"% {row['code']} {row['name']}" for row in desk.records("ticket")[:20])
    return f"%PDF-1.4\n{rows}\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def vehicle(desk: Desk) -> dict[str, Any]:
    found = desk.records("vehicle")[11]
    return {
        "plate": desk.given.get("plate", ""),
        "kind": "car",
        "length_m": 4.6,
        "code": found["code"],
    }


def deck_plan(desk: Desk) -> str:
    pictures = len(desk.records("picture"))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 40">'
        f'<title>Deck 5, {pictures} places</title><path d="M0 20h180l20-10v20z"/></svg>'
    )


def send_mail(desk: Desk) -> dict[str, Any]:
    message = desk.records("message")[0]
    desk.write("mail", message["code"])
    return {"queued": True, "id": message["code"]}


def sailing_alerts(desk: Desk) -> dict[str, Any]:
    return {"waiting": len(desk.records("message")[:3]), "oldest_seconds": 2}


PAGES = [
    *of_service(
        "boarding-gates", Page("boarding-gates", "POST", "/v1/openings", open_gate, status=201)
    ),
    *of_service("ticket-pdf", Page("ticket-pdf", "GET", "/tickets", ticket, kept=True)),
    *of_service("vehicle-lookup", Page("vehicle-lookup", "GET", "/plates", vehicle, kept=True)),
    *of_service("media", Page("media", "GET", "/deck-plan", deck_plan, kept=True)),
    *of_service(
        "notify",
        Page("notify", "POST", "/v1/mails", send_mail, status=202),
        Page("notify", "GET", "/v1/alerts", sailing_alerts),
    ),
]
