"""All other kinds of channels, through Apprise: best effort.

It hides what the far side answered and how long that asks us to wait, and knows no key by which a
second copy can be told. Only services spoken to over HTTP are taken: others run programs, write
files or open connections of their own kind. Redirects are never followed.
"""

import inspect
import logging
import re
import sys
import threading
import time
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from apprise import Apprise, AppriseAsset, NotifyBase, PersistentStoreMode
from apprise.manager_plugins import NotificationManager

from opsboard.outbound.answers import Answer
from opsboard.outbound.egress import Policy
from opsboard.outbound.names import Sought, look_up

WITHIN = 20.0
MOST = 10
# Arguments of an address that would undo what is said above, or read a file of this machine.
REFUSED_ARGUMENTS = frozenset(
    {"redirect", "verify", "retry", "wait", "rto", "cto", "template", "attach", "keyfile"}
    | {"subfile", "include", "store", "timeout"}
)

_STATUS = re.compile(r"error=([1-5][0-9]{2})")

# It logs what it sends at the lower levels, and addresses too; nothing of it goes to our log.
logging.getLogger("apprise").setLevel(logging.WARNING)
logging.getLogger("apprise").propagate = False


def why_not(address: str, policy: Policy) -> str:
    """Why an address of Apprise cannot be used, as one sentence; "" when it can.

    The sentence never quotes more of the address than its scheme: it may hold a secret.
    """
    scheme, sign, _ = address.partition("://")
    scheme = scheme.lower()
    if not sign or not re.fullmatch("[a-z][a-z0-9+.-]{0,39}", scheme):
        return "Write an address of Apprise, such as ntfy://ntfy.sh/your-topic."
    if _plugin(scheme) is None:
        return f"Apprise knows no {scheme}://: its names are listed at appriseit.com/services."
    if not _speaks_http(scheme):
        return f"{scheme}:// is not spoken to over HTTP, which is all that is allowed here."
    if refused := _refused_arguments(address):
        return f"Take {refused[0]}= out of the address: it is not allowed here."
    target = _target(address)
    if target is None:
        return f"Apprise cannot read this address of {scheme}://: a part of it is missing or wrong."
    return _why_not_reachable(target, policy)


def send(addresses: list[str], *, subject: str, body: str, policy: Policy) -> Answer:
    """Send to each address. One that fails is named by its place, never by its address."""
    answered: SimpleQueue[tuple[int, str]] = SimpleQueue()

    def send_one(number: int, address: str) -> None:
        answered.put((number, _send_one(address, subject=subject, body=body, policy=policy)))

    for number, address in enumerate(addresses):
        threading.Thread(target=send_one, args=(number, address), daemon=True).start()
    errors = [f"it has not answered within {WITHIN:g} s"] * len(addresses)
    deadline = time.monotonic() + WITHIN
    for _ in addresses:
        try:
            number, error = answered.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            break
        errors[number] = error
    return _answer(errors)


def _answer(errors: list[str]) -> Answer:
    if len(errors) == 1:
        return Answer(f"Through Apprise: {errors[0]}." if errors[0] else "")
    told = [f"address {number}: {error}" for number, error in enumerate(errors, start=1) if error]
    return Answer(f"Through Apprise, {'; '.join(told)}." if told else "")


def _send_one(address: str, *, subject: str, body: str, policy: Policy) -> str:
    """What went wrong, in words that follow a colon; "" when it was taken."""
    if wrong := why_not(address, policy):
        return wrong.rstrip(".")
    target = _target(address)
    sender = Apprise(asset=_asset())
    if target is None or not sender.add(target):
        return "it cannot read the address"
    statuses: list[str] = []
    result = sender.notify(
        title=subject,
        body=body,
        body_format="text",
        timeout=WITHIN,
        log_callback=lambda entry, _: statuses.extend(_STATUS.findall(str(entry.message))),
    )
    if result:
        return ""
    return f"the service answered {statuses[-1]}" if statuses else "it was not taken"


def _asset() -> AppriseAsset:
    return AppriseAsset(
        http_redirects=False,
        storage_mode=PersistentStoreMode.MEMORY,
        async_mode=False,
        allow_templates=False,
        interpret_escapes=False,
        service_timeout=WITHIN,
        app_id="Opsboard",
        app_desc="Opsboard alerts",
    )


def _target(address: str) -> NotifyBase | None:
    return Apprise.instantiate(address, asset=_asset(), suppress_exceptions=True)


def _speaks_http(scheme: str) -> bool:
    """Whether its plugin asks over HTTP: all that do use the library `requests`."""
    plugin = _plugin(scheme)
    return plugin is not None and "requests." in inspect.getsource(sys.modules[plugin.__module__])


def _plugin(scheme: str) -> type[NotifyBase] | None:
    plugins: Any = NotificationManager()  # type: ignore[no-untyped-call]
    # No dictionary, though it is asked like one.
    return plugins[scheme] if scheme in plugins else None  # noqa: SIM401


def _refused_arguments(address: str) -> list[str]:
    try:
        query = urlsplit(address).query
    except ValueError:  # brackets in a host
        query = address.partition("?")[2]
    names = {name.lower().lstrip("+-:") for name, _ in parse_qsl(query, keep_blank_values=True)}
    return sorted(names & REFUSED_ARGUMENTS)


def _why_not_reachable(target: NotifyBase, policy: Policy) -> str:
    """Held against the egress rule as far as can be told: the service dials by itself."""
    if not _names_a_host(target):
        refused = "" if policy.allow_public else "This service is public, which is not allowed here"
        return f"{refused}." if refused else ""
    found = look_up(Sought(str(target.host).encode("idna").decode()))
    if not found.address:
        return ""
    port = int(target.port or (443 if target.secure else 80))
    refusal = policy.judge(found.address, port)
    return f"{refusal.sentence[0].upper()}{refusal.sentence[1:]}" if refusal else ""


def _names_a_host(target: NotifyBase) -> bool:
    """Of services that one runs oneself; others have their own hosts, and keys in that place."""
    templates: tuple[str, ...] = target.templates
    return bool(target.host) and any("{host}" in template for template in templates)
