"""What a sheet will dial, told while it is written: its server of names too."""

import pytest

from opsboard.probes.early import addresses_of
from opsboard.services.sheets import Sheet


@pytest.mark.parametrize(
    ("kind", "route", "url"),
    [
        ("tcp", "10.0.0.9:5432", "http://10.0.0.9:5432"),
        ("tls", ":443", "http://fares.example:443"),
        ("dns", "fares.example", None),
        ("dns", "fares.example MX @10.0.0.53", "http://10.0.0.53:53"),
        ("dns", "fares.example MX @10.0.0.53:5353", "http://10.0.0.53:5353"),
        ("dns", "fares.example MX @2001:db8::53", "http://[2001:db8::53]:53"),
        ("dns", "fares.example MX @[2001:db8::53]:5353", "http://[2001:db8::53]:5353"),
    ],
)
def test_every_kind_tells_whom_it_will_dial(kind: str, route: str, url: str | None):
    told = addresses_of(Sheet(kind=kind, route=route), "https://fares.example/", str)
    assert [address for _, address in told] == ([url] if url else [])
