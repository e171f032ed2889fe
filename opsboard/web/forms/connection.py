"""How a connection is made, and when a heartbeat is due, as fields of a form."""

from collections.abc import Mapping
from typing import Any

from django import forms

from opsboard.services.connection import LONGEST_PEM, MOST_BODY, MOST_REDIRECTS
from opsboard.services.heartbeats import (
    LONGEST_CRON,
    LONGEST_GRACE,
    LONGEST_PERIOD,
    LONGEST_RUN,
    SHORTEST_GRACE,
    SHORTEST_PERIOD,
    SHORTEST_RUN,
    USUAL_GRACE,
)
from opsboard.web.forms.fields import CountField, DurationField, LineField, SizeField, TextField
from opsboard.web.forms.path_kinds import OF_HEARTBEAT, OF_OPTION

_A_SECRET = "As in {{ NAME }}, a secret variable of the environment."  # noqa: S105


def _certificates(label: str, about: str) -> TextField:
    return TextField(
        rows=3,
        code=True,
        label=label,
        help_text=f"{about} In PEM, or {{{{ NAME }}}}.",
        max_length=LONGEST_PEM,
    )


class ConnectionFields(forms.Form):
    http_version = forms.ChoiceField(
        label="HTTP version",
        required=False,
        choices=[("", "As agreed with the server"), ("1.1", "HTTP/1.1"), ("2", "HTTP/2")],
    )
    ip_version = forms.ChoiceField(
        label="IP version",
        required=False,
        choices=[("", "Either"), ("4", "IPv4 only"), ("6", "IPv6 only")],
    )
    redirects = CountField(
        low=0,
        high=MOST_REDIRECTS,
        label="Redirects at most",
        required=False,
        help_text="Five when left empty.",
    )
    host_header = LineField(
        label="Host header",
        required=False,
        max_length=300,
        help_text="When it is not the host of the address.",
    )
    server_name = LineField(
        label="Server name",
        required=False,
        max_length=253,
        help_text="The name that its certificate must have (SNI).",
    )
    authority = _certificates("Own CA", "Trust these certificates only.")
    certificate = _certificates("Client certificate", "What we show to the server.")
    certificate_key = LineField(
        label="Key of the client certificate", required=False, max_length=200, help_text=_A_SECRET
    )
    basic_user = LineField(label="Signs in as", required=False, max_length=200)
    basic_password = LineField(
        label="With the password", required=False, max_length=200, help_text=_A_SECRET
    )
    bearer = LineField(label="Bearer token", required=False, max_length=200, help_text=_A_SECRET)
    proxy = LineField(
        label="Proxy",
        required=False,
        max_length=500,
        help_text="As in http://proxy.internal:3128. None when left empty.",
    )
    max_body = SizeField(
        high=MOST_BODY,
        label="Longest body",
        required=False,
        help_text="As in 4 MB. 1 MiB when left empty.",
    )
    compressed = forms.BooleanField(label="Ask for compressed answers", required=False)


class HeartbeatFields(forms.Form):
    every = DurationField(
        low=SHORTEST_PERIOD,
        high=LONGEST_PERIOD,
        label="Reports in every",
        required=False,
        help_text="As in 1 h. Or say when by a cron expression.",
    )
    cron = LineField(
        label="Cron expression",
        required=False,
        max_length=LONGEST_CRON + 20,
        help_text="As in 0 2 * * * for two at night.",
    )
    zone = LineField(
        label="In the time zone",
        required=False,
        max_length=60,
        help_text="As in Europe/Oslo. UTC when left empty.",
    )
    grace = DurationField(
        low=SHORTEST_GRACE, high=LONGEST_GRACE, label="It is late after", required=False
    )
    longest = DurationField(
        low=SHORTEST_RUN,
        high=LONGEST_RUN,
        label="It runs at most",
        required=False,
        help_text="After it has told its start. Any time when left empty.",
    )


def connection_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """As it is stored, from what the form has read; fields that are not there are as usual."""
    read: dict[str, Any] = {}
    for key, (name, *_) in OF_OPTION.items():
        value = data.get(name)
        if key == "basic":
            value = _sign_in(data)
        if value not in (None, "", False) or (value == 0 and value is not False):
            read[key] = int(value) if key == "ip" else value
    if form := data.get("form_fields"):
        read["form"] = [list(pair) for pair in form]
    return read


def _sign_in(data: Mapping[str, Any]) -> dict[str, str] | None:
    user, password = data.get("basic_user", ""), data.get("basic_password", "")
    return {"user": user, "password": password} if user or password else None


def shown_connection(connection: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the fields, from what is stored."""
    shown = {name: connection.get(key, "") for key, (name, *_) in OF_OPTION.items()}
    basic = connection.get("basic", {})
    return shown | {
        "basic_user": basic.get("user", ""),
        "basic_password": basic.get("password", ""),
        "compressed": connection.get("compressed", False),
        "form_fields": [tuple(pair) for pair in connection.get("form", [])],
    }


def heartbeat_of(data: Mapping[str, Any]) -> dict[str, Any]:
    read = {name: data.get(name) for name in OF_HEARTBEAT}
    read["grace"] = read["grace"] or USUAL_GRACE
    return {name: value for name, value in read.items() if value}


def shown_heartbeat(heartbeat: Mapping[str, Any]) -> dict[str, Any]:
    return {name: heartbeat.get(name, "") for name in OF_HEARTBEAT} | {
        "grace": heartbeat.get("grace", USUAL_GRACE)
    }
