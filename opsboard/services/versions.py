"""Where an environment tells its running version. Pure; every no is a sentence."""

from opsboard.expectations.paths import refusal
from opsboard.services.addresses import check_url


def read_version_route(written: str) -> tuple[str, str]:
    """The route as it is kept, "GET /version", and why it cannot be; one of the two is ""."""
    route = written.removeprefix("GET ").strip()
    if route and (not route.startswith("/") or check_url(f"http://a.test{route}")):
        return "", "Write a route that begins with /, as in GET /version."
    return (f"GET {route}" if route else ""), ""


def read_version_commit(written: str) -> tuple[str, str]:
    """Where the commit stands, as it is kept, "json $.commit", and why it cannot be."""
    return _read_place(written, "Write where the commit stands, as in json $.commit.")


def read_version_config_root(written: str) -> tuple[str, str]:
    """Where the config root stands, "json $.config_root", and why it cannot be."""
    return _read_place(written, "Write where the config root stands, as in json $.config_root.")


def _read_place(written: str, usual: str) -> tuple[str, str]:
    if not written:
        return "", ""
    word, _, rest = written.partition(" ")
    path = rest.strip()
    if word != "json" or not path.startswith("$"):
        return "", usual
    wrong = refusal(path)
    return ("", wrong) if wrong else (f"json {path}", "")
