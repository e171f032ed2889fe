"""The address ranges that the egress rule knows, from the IANA special-purpose registries."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


# Where cloud providers hand out credentials to whoever asks from the machine. Only 169.254.169.254
# and its IPv6 form were seen in use; the others are from the providers' own pages.
METADATA = _networks(
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::/32",
    "fd20:ce::254",
)

# Where other protocols are spoken that a request could be mistaken for: nothing of the web is asked
# there. FTP, SSH, telnet, mail, portmapper, SMB, LDAP, remote desktops, databases, queues, caches.
NOT_OF_THE_WEB = frozenset(
    {
        *(20, 21, 22, 23, 25, 110, 111, 135, 139, 143, 389, 445, 465, 587, 636, 993, 995),
        *(1433, 1521, 2049, 3306, 3389, 5432, 5672, 5900, 6379, 9042, 11211, 27017),
    }
)

# Rule, what it is in words, ranges. No allow list reaches these.
NEVER = (
    ("link-local", "a link-local address", _networks("169.254.0.0/16", "fe80::/10")),
    # Linux takes 0.0.0.0 and :: for this machine.
    ("unspecified", "not the address of any machine", _networks("0.0.0.0/8", "::")),
    ("multicast", "a multicast address", _networks("224.0.0.0/4", "ff00::/8")),
)

# IPv4-compatible, IPv4-translated, NAT64 (well-known and local), Teredo, 6to4.
EMBEDDING = _networks(
    "::/96",
    "::ffff:0:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "2001::/32",
    "2002::/16",
)

# Refused unless the allow list names them: tests in network namespaces use documentation ranges.
UNLESS_NAMED = (
    (
        "documentation",
        "in a range for documentation",
        _networks(
            "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"
        ),
    ),
    (
        "reserved",
        "in a reserved range",
        _networks("192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4", "2001::/23"),
    ),
    ("site-local", "in the abandoned site-local range", _networks("fec0::/10")),
)

# RFC 1918, carrier-grade NAT, unique local.
INSIDE = _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")

PUBLIC_V6 = _networks("2000::/3")
