"""What each kind of channel takes for an address: checked when it is saved, told in one sentence.

A stored address is shown only as its kind and host: it can be a permission.
"""

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from opsboard.alerts.models import Channel
from opsboard.alerts.speaking import split
from opsboard.outbound import apprise
from opsboard.probes.orders import policy_of_this_place
from opsboard.services.addresses import check_url, host_of
from opsboard.services.secrets import CannotDecrypt
from opsboard.web.forms.askable import refuse_address
from opsboard.web.words import counted

Kind = Channel.Kind
MOST_ADDRESSES = 20
# Looked up when a message is sent.
WITHOUT_ADDRESS = (Kind.DUTY, Kind.ADMINISTRATORS)
HELP = (
    "E-mail: one address a line. Webhook, Slack, Teams: the whole address that takes messages. "
    "PagerDuty: the integration key of an Events API v2 integration, 32 letters and digits. "
    "Apprise: one of its addresses a line, such as ntfy://ntfy.sh/your-topic. "
    "Who is on duty: leave it empty. It is stored encrypted and not shown again."
)
_ROUTING_KEY = re.compile(r"[0-9A-Za-z]{32}")
# Where the kinds have their own hosts; what speaks as they do may be elsewhere.
_HOSTS = {
    Kind.SLACK: ("hooks.slack.com", "hooks.slack-gov.com"),
    Kind.TEAMS: (".logic.azure.com", ".api.powerplatform.com", ".logic.azure.us"),
}


def checked(kind: str, text: str) -> str:
    """The address as it is stored. Raises ValidationError with what to mend."""
    match kind:
        case Kind.EMAIL:
            return _check_emails(text)
        case Kind.PAGERDUTY:
            return _check_routing_key(text.strip())
        case Kind.APPRISE:
            return _check_apprise(text)
        case Kind.DUTY | Kind.ADMINISTRATORS:
            return ""
    url = text.strip()
    refuse_address(url)
    return url


def hint(kind: str, address: str) -> str:
    """What looks wrong about an address that may be right all the same; "" for nothing."""
    hosts = _HOSTS.get(Kind(kind))
    if not hosts or check_url(address):
        return ""
    host = host_of(address)
    if host.endswith(".webhook.office.com"):
        return (
            f"{host} is a connector, which Microsoft has retired: make a Workflows webhook "
            "in Teams and write its address here."
        )
    if host in hosts or host.endswith(tuple(one for one in hosts if one.startswith("."))):
        return ""
    usual = " or ".join(one.lstrip(".") for one in hosts[:2])
    name = Kind(kind).label
    return f"{name} takes messages at {usual}, and this address is of {host}: send a test."


def _check_emails(text: str) -> str:
    addresses = split(text)
    wrong = [one for one in addresses if not _is_email(one)]
    if wrong:
        raise ValidationError([f"{one[:80]} is not an e-mail address." for one in wrong[:5]])
    if not 0 < len(addresses) <= MOST_ADDRESSES:
        raise ValidationError(f"Write from 1 to {MOST_ADDRESSES} e-mail addresses.")
    return ", ".join(dict.fromkeys(addresses))


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _check_routing_key(text: str) -> str:
    if not _ROUTING_KEY.fullmatch(text):
        raise ValidationError(
            "A routing key of PagerDuty is 32 letters and digits: copy the integration key of an "
            "Events API v2 integration."
        )
    return text


def _check_apprise(text: str) -> str:
    addresses = text.split()
    if not 0 < len(addresses) <= apprise.MOST:
        raise ValidationError(f"Write from 1 to {apprise.MOST} addresses, one a line.")
    policy = policy_of_this_place()
    wrong = [(n, apprise.why_not(one, policy)) for n, one in enumerate(addresses, start=1)]
    if len(addresses) == 1 and wrong[0][1]:
        raise ValidationError(wrong[0][1])
    if errors := [f"Address {number}: {why}" for number, why in wrong if why]:
        raise ValidationError(errors)
    return "\n".join(dict.fromkeys(addresses))


def where_to(channel: Channel) -> str:
    """ "e-mail to 2 addresses at skerry.example", "a webhook at hooks.example"; "" when it is lost.

    Never more: an address can be a permission.
    """
    try:
        address = channel.reveal_address()
    except CannotDecrypt:
        return ""
    match channel.kind:
        case Kind.DUTY:
            return f"e-mail to who is on duty{f' in {channel.team.name}' if channel.team else ''}"
        case Kind.ADMINISTRATORS:
            return "e-mail to the administrators"
        case Kind.EMAIL:
            return _mail_words(split(address)) if address else ""
        case Kind.PAGERDUTY:
            return "PagerDuty, by a routing key"
        case Kind.APPRISE:
            schemes = dict.fromkeys(one.partition("://")[0] for one in address.split())
            return f"{', '.join(schemes)} through Apprise, best effort"
    name = "a webhook" if channel.kind == Kind.WEBHOOK else channel.get_kind_display()
    return name if check_url(address) else f"{name} at {host_of(address)}"


def _mail_words(addresses: list[str]) -> str:
    hosts = dict.fromkeys(one.rpartition("@")[2] for one in addresses)
    return f"e-mail to {counted(len(addresses), 'address', 'addresses')} at {', '.join(hosts)}"
