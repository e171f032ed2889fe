"""Who may be reached, decided on the address really dialled: pure, no network.

The first rule that matches decides: metadata and link-local never; IPv6 that hides an IPv4 address
never; then what the operator named; then loopback, inside and public by the policy's switches. What
is in no table is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from opsboard.outbound.networks import (
    EMBEDDING,
    INSIDE,
    METADATA,
    NEVER,
    PUBLIC_V6,
    UNLESS_NAMED,
    Address,
    Network,
)

# A verdict costs some 20 us and is asked for at every dial.
_REMEMBERED = 16_384
_MAPPED = IPv6Network("::ffff:0:0/96")


class Refusal(NamedTuple):
    """Why an address may not be dialled, with the line that would allow it, if one can."""

    rule: str
    sentence: str


_UNKNOWN = Refusal("unknown", "not judged yet")


@dataclass(frozen=True)
class Policy:
    """`judge(address, port)` is None when the address may be dialled, else a `Refusal`."""

    allow: tuple[Network, ...] = ()
    allow_loopback: bool = False
    allow_private: bool = False
    allow_public: bool = True
    refused_ports: frozenset[int] = frozenset()
    # Where Opsboard itself is reached: refused, unless the allow list names just that address.
    own: frozenset[tuple[Address, int]] = frozenset()
    own_names: frozenset[tuple[str, int]] = frozenset()
    # The one address and port that may be dialled, whatever else is set.
    sole: tuple[Address, int] | None = None
    _verdicts: dict[tuple[str, int], Refusal | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def only(cls, address: str, port: int) -> "Policy":
        """A policy for one address and port, and nothing else. ValueError when it is no address."""
        return cls(sole=(_plain(ip_address(address)), port))

    def judge(self, address: str, port: int) -> Refusal | None:
        dial = (address, port)
        verdict = self._verdicts.get(dial, _UNKNOWN)
        if verdict is _UNKNOWN:
            if len(self._verdicts) >= _REMEMBERED:
                self._verdicts.clear()
            verdict = self._verdicts[dial] = self._judge(address, port)
        return verdict

    def _judge(self, text: str, port: int) -> Refusal | None:
        if "%" in text:
            return refuse_zone(text)
        try:
            address = _plain(ip_address(text))
        except ValueError:
            return Refusal("not-an-address", f"{text!r} is not an IP address that can be dialled.")
        hard = _never(address)
        if hard:
            return hard
        if self.sole:
            return None if (address, port) == self.sole else _elsewhere(address, port, self.sole)
        if (address, port) in self.own and ip_network(address) not in self.allow:
            return _own(f"{address} port {port}", f", unless you set {_line(address)}")
        if port in self.refused_ports:
            return _not_of_the_web(port)
        return None if _within(address, self.allow) else self._by_kind(address)

    def judge_name(self, host: str, port: int) -> Refusal | None:
        """What can be told of a name before anybody looks it up."""
        if (host, port) in self.own_names:
            return _own(host, "")
        return _not_of_the_web(port) if port in self.refused_ports else None

    def _by_kind(self, address: Address) -> Refusal | None:
        """The verdict on an address that the allow list does not name."""
        if address.is_loopback:
            return None if self.allow_loopback else _unnamed("loopback", "this machine", address)
        for rule, what, networks in UNLESS_NAMED:
            if _within(address, networks):
                return _unnamed(rule, what, address)
        if _within(address, INSIDE):
            inside = "inside your own networks"
            return None if self.allow_private else _unnamed("inside-not-allowed", inside, address)
        if isinstance(address, IPv6Address) and not _within(address, PUBLIC_V6):
            return _unnamed("reserved", "in a reserved range", address)
        return None if self.allow_public else _unnamed("public-not-allowed", "public", address)


def refuse_zone(text: str) -> Refusal:
    return Refusal(
        "zone-id", f"{text} names a network interface; use an address without a zone (%…)."
    )


def parse_allow(text: str) -> tuple[Network, ...]:
    """Read `10.20.0.0/16, fd12:3456::/32`. ValueError with a sentence that names the bad item."""
    items = (item.strip() for item in text.split(","))
    return tuple(_network(item) for item in items if item)


def _network(item: str) -> Network:
    try:
        network = ip_network(item, strict=False)
    except ValueError:
        raise ValueError(
            f"OPSBOARD_EGRESS_ALLOW: {item!r} is not a network; write addresses or networks such as"
            " 10.20.0.0/16, separated by commas (a name may lead anywhere and cannot be allowed)."
        ) from None
    if "/" in item and network.network_address != ip_address(item.partition("/")[0]):
        raise ValueError(
            f"OPSBOARD_EGRESS_ALLOW: {item!r} has bits set after its prefix; write {network}."
        )
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        raise ValueError(f"OPSBOARD_EGRESS_ALLOW: write {item!r} as the IPv4 network that it maps.")
    return network


def _plain(address: Address) -> Address:
    """::ffff:10.0.0.1 is 10.0.0.1 to the kernel, so it is judged as that."""
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def _never(address: Address) -> Refusal | None:
    if _within(address, METADATA):
        return _hard("metadata", "the metadata service of a cloud provider", address)
    for rule, what, networks in NEVER:
        if _within(address, networks):
            return _hard(rule, what, address)
    if _within(address, EMBEDDING) and not address.is_loopback:
        return Refusal(
            "v6-embeds-v4",
            f"{address} hides an IPv4 address inside IPv6, which is never dialled; use the IPv4"
            " address itself.",
        )
    return None


def _hard(rule: str, what: str, address: Address) -> Refusal:
    return Refusal(rule, f"{address} is {what}, which Opsboard never dials; no setting allows it.")


def _unnamed(rule: str, what: str, address: Address) -> Refusal:
    return Refusal(
        rule, f"{address} is {what} and is not allowed; to allow it, set {_line(address)}"
    )


def _line(address: Address) -> str:
    return f"OPSBOARD_EGRESS_ALLOW={address}/{address.max_prefixlen}"


def _own(where: str, unless: str) -> Refusal:
    sentence = f"{where} is Opsboard itself, which only its own built-in service asks{unless}"
    return Refusal("own-service", sentence if unless else f"{sentence}.")


def _not_of_the_web(port: int) -> Refusal:
    return Refusal(
        "port",
        f"Port {port} is not one of the web, so no request is sent there: to see whether it takes"
        " connections, write a path of the kind tcp.",
    )


def _elsewhere(address: Address, port: int, sole: tuple[Address, int]) -> Refusal:
    return Refusal(
        "only-one-address",
        f"{address} port {port} is not allowed: this service may only be reached at {sole[0]}"
        f" port {sole[1]}.",
    )


def _within(address: IPv4Address | IPv6Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)
