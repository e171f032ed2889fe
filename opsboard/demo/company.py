"""The board file of the ferry company, with the addresses of the sample services in it."""

from collections.abc import Mapping
from pathlib import Path

NAME = "ferry-company.yaml"
_SHIPPED = Path(__file__).with_name(NAME)


def board_file(sites: Mapping[str, str]) -> str:
    """`sites`: the address of each process, as in {"flask": "http://127.0.0.1:9003"}."""
    text = _SHIPPED.read_text()
    for kind, site in sites.items():
        text = text.replace(f"http://{kind}.example", site)
        text = text.replace(f"{kind}.example:80", site.removeprefix("http://"))
    return text
