"""Which address may be dialled, and which rule refuses it."""

from ipaddress import ip_address

import pytest

from opsboard.outbound.egress import Policy, parse_allow
from opsboard.outbound.networks import NOT_OF_THE_WEB

PRODUCTION = Policy(
    allow=parse_allow("10.20.0.0/16,fd12:3456::/32"),
    refused_ports=NOT_OF_THE_WEB,
    own=frozenset({(ip_address("10.20.0.5"), 8443)}),
    own_names=frozenset({("opsboard.example", 443)}),
)
SCRIPT_UP = Policy(allow_loopback=True, allow_private=True)

PUBLIC = """8.8.8.8 1.1.1.1 2606:4700:4700::1111 172.32.0.1 172.15.255.255 100.63.255.254
    100.128.0.1 ::ffff:8.8.8.8 9.255.255.255 11.0.0.0 192.167.255.255 192.169.0.0 223.255.255.255
    2a00::1"""
NAMED = "10.20.1.1 10.20.0.5 ::ffff:10.20.1.1 fd12:3456::1"
REFUSED = {
    "metadata": """169.254.169.254 169.254.170.2 100.100.100.200 168.63.129.16 192.0.0.192
        fd00:ec2::254 ::ffff:169.254.169.254 ::ffff:a9fe:a9fe fd20:ce::254""",
    "link-local": "169.254.1.1 169.254.255.255 fe80::1 febf::1",
    "zone-id": "fe80::1%eth0 ::1%lo",
    "loopback": "127.0.0.1 127.255.255.255 ::1 ::ffff:127.0.0.1",
    "inside-not-allowed": """10.21.0.1 172.16.0.1 172.31.255.254 192.168.1.1 100.64.0.1
        100.127.255.254 ::ffff:10.0.0.1 fd99::1 fc00::1""",
    "v6-embeds-v4": """::127.0.0.1 ::a9fe:a9fe ::2 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe
        64:ff9b::808:808 64:ff9b:1::1 2002:7f00:1:: 2002:a9fe:a9fe::1
        2001:0:4136:e378:8000:63bf:3fff:fdd2 ::ffff:0:7f00:1""",
    "unspecified": "0.0.0.0 0.1.2.3 ::",
    "multicast": "224.0.0.1 239.1.1.1 ff02::1",
    "reserved": """255.255.255.255 240.0.0.1 198.18.0.1 198.19.255.255 192.0.0.8 192.88.99.1 100::1
        2001:20::1 4000::1 fe00::1""",
    "site-local": "fec0::1",
    "documentation": "192.0.2.1 198.51.100.7 203.0.113.5 2001:db8::1 3fff::1",
    "not-an-address": "2130706433 127.1 0x7f.1 0177.0.0.1 localhost 8.8.8.8. [::1]",
}
NEVER = ("metadata", "link-local", "v6-embeds-v4", "unspecified", "multicast")
HARD = [(rule, address) for rule in NEVER for address in REFUSED[rule].split()]
SOFT = [
    (rule, address)
    for rule in ("loopback", "inside-not-allowed", "reserved", "documentation", "site-local")
    for address in REFUSED[rule].split()
]


@pytest.mark.parametrize("address", [*PUBLIC.split(), *NAMED.split()])
def test_public_and_named_addresses_may_be_dialled(address: str):
    assert PRODUCTION.judge(address, 443) is None


@pytest.mark.parametrize(
    ("rule", "address"),
    [(rule, address) for rule, row in REFUSED.items() for address in row.split()],
)
def test_everything_else_is_refused_by_its_rule(rule: str, address: str):
    refusal = PRODUCTION.judge(address, 443)
    assert refusal and refusal.rule == rule


@pytest.mark.parametrize(
    ("rule", "address", "port"),
    [
        ("own-service", "10.20.0.5", 8443),
        ("own-service", "::ffff:10.20.0.5", 8443),
        ("port", "8.8.8.8", 22),
        ("port", "8.8.8.8", 25),
        ("port", "8.8.8.8", 6379),
        ("port", "10.20.1.1", 5432),
    ],
)
def test_opsboard_itself_and_ports_of_other_protocols_are_refused(
    rule: str, address: str, port: int
):
    refusal = PRODUCTION.judge(address, port)
    assert refusal and refusal.rule == rule


def test_beside_opsboard_and_those_ports_the_same_machines_may_be_dialled():
    assert PRODUCTION.judge("10.20.0.5", 443) is None
    assert PRODUCTION.judge("8.8.8.8", 8443) is None
    assert PRODUCTION.judge("1.1.1.1", 80) is None


def test_opsboards_own_address_is_dialled_where_the_allow_list_names_just_that():
    refusal = PRODUCTION.judge("10.20.0.5", 8443)
    assert refusal
    line = refusal.sentence.rpartition("OPSBOARD_EGRESS_ALLOW=")[2]
    named = Policy(allow=parse_allow(line), own=PRODUCTION.own)
    assert named.judge("10.20.0.5", 8443) is None


def test_of_a_name_only_the_port_and_whether_it_is_opsboards_own_are_told():
    own = PRODUCTION.judge_name("opsboard.example", 443)
    assert own and own.rule == "own-service"
    port = PRODUCTION.judge_name("fares.example", 6379)
    assert port and port.rule == "port" and "kind tcp" in port.sentence
    assert PRODUCTION.judge_name("opsboard.example", 8443) is None
    assert PRODUCTION.judge_name("fares.example", 443) is None


def test_nothing_is_not_an_address():
    refusal = PRODUCTION.judge("", 443)
    assert refusal and refusal.rule == "not-an-address"


@pytest.mark.parametrize(("rule", "address"), HARD)
def test_no_allow_list_and_no_switch_reaches_the_hard_rules(rule: str, address: str):
    everything = Policy(
        allow=parse_allow("0.0.0.0/0,::/0"), allow_loopback=True, allow_private=True
    )
    refusal = everything.judge(address, 80)
    assert refusal and refusal.rule == rule
    assert "OPSBOARD_EGRESS_ALLOW" not in refusal.sentence


@pytest.mark.parametrize(("rule", "address"), SOFT)
def test_the_printed_line_allows_exactly_what_was_refused(rule: str, address: str):
    refusal = PRODUCTION.judge(address, 80)
    assert refusal and refusal.rule == rule
    line = refusal.sentence.rpartition("OPSBOARD_EGRESS_ALLOW=")[2]
    assert Policy(allow=parse_allow(line)).judge(address, 80) is None


def test_the_printed_line_is_the_whole_setting():
    refusal = PRODUCTION.judge("10.21.0.1", 80)
    assert refusal and refusal.sentence.endswith(" OPSBOARD_EGRESS_ALLOW=10.21.0.1/32")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.21.0.1", "100.64.0.1", "fd99::1"])
def test_script_up_reaches_loopback_and_private_addresses(address: str):
    assert SCRIPT_UP.judge(address, 8000) is None


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111"])
def test_public_addresses_can_be_switched_off(address: str):
    refusal = Policy(allow_public=False).judge(address, 443)
    assert refusal and refusal.rule == "public-not-allowed"


def test_a_named_public_address_is_reached_although_public_ones_are_off():
    assert Policy(allow=parse_allow("8.8.8.8"), allow_public=False).judge("8.8.8.8", 443) is None


@pytest.mark.parametrize(
    ("address", "port"), [("127.0.0.1", 8001), ("127.0.0.2", 8000), ("8.8.8.8", 8000)]
)
def test_opsboards_own_service_is_one_address_and_one_port(address: str, port: int):
    own = Policy.only("127.0.0.1", 8000)
    assert own.judge("127.0.0.1", 8000) is None
    assert own.judge("::ffff:127.0.0.1", 8000) is None
    refusal = own.judge(address, port)
    assert refusal and refusal.rule == "only-one-address"


def test_even_opsboards_own_service_is_never_the_metadata_service():
    refusal = Policy.only("169.254.169.254", 80).judge("169.254.169.254", 80)
    assert refusal and refusal.rule == "metadata"


def test_a_verdict_stays_the_same_when_more_addresses_were_judged_than_are_remembered():
    for number in range(17_000):
        assert PRODUCTION.judge(f"11.0.{number // 250}.{number % 250}", 80) is None
    assert len(PRODUCTION._verdicts) <= 16_384
    assert PRODUCTION.judge("10.21.0.1", 80)


def test_the_allow_list_is_read_with_blanks_and_single_addresses():
    allowed = parse_allow(" 10.20.0.0/16 , fd12:3456::/32,192.168.1.7,")
    assert [str(network) for network in allowed] == [
        "10.20.0.0/16",
        "fd12:3456::/32",
        "192.168.1.7/32",
    ]


def test_an_empty_allow_list_names_nothing():
    assert parse_allow("") == ()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("10.20.0.0/16,fares.internal", "'fares.internal' is not a network"),
        ("10.20.0.0/33", "'10.20.0.0/33' is not a network"),
        ("10.20.0.1/16", "write 10.20.0.0/16"),
        ("::ffff:10.0.0.0/104", "as the IPv4 network"),
    ],
)
def test_a_bad_item_of_the_allow_list_is_named(text: str, named: str):
    with pytest.raises(ValueError, match="OPSBOARD_EGRESS_ALLOW: ") as caught:
        parse_allow(text)
    assert named in str(caught.value)
