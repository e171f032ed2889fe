"""Whether an address may be asked from here, as far as can be told without asking."""

from opsboard.outbound.egress import Policy
from opsboard.services.addresses import check_url, literal_of, place_of


def why_not_askable(url: str, policy: Policy) -> str:
    """Why an address is not one, or may not be asked from here, as a sentence; "" when it may.

    IP addresses are held against the egress rule here, and of names the port, and whether they are
    Opsboard's own. Where a name leads is judged when it is dialled: it may lead elsewhere by then.
    """
    if wrong := check_url(url):
        return wrong
    literal = literal_of(url)
    refusal = policy.judge(*literal) if literal else policy.judge_name(*place_of(url))
    return f"{refusal.sentence[0].upper()}{refusal.sentence[1:]}" if refusal else ""
