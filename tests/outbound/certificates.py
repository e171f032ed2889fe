"""Certificates of the tests: an authority that the asking side trusts, and one it does not."""

import ssl
from datetime import UTC, datetime, timedelta

import trustme

NOW = datetime.now(UTC)
DAY = timedelta(days=1)

TRUSTED = trustme.CA(organization_name="Trusted")
STRANGER = trustme.CA(organization_name="Stranger")


def speaks(leaf: trustme.LeafCert, chain: bytes = b"") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    return context


def good(*names: str) -> ssl.SSLContext:
    return speaks(TRUSTED.issue_cert(*(names or ("localhost", "127.0.0.1"))))
