"""What the sample services are configured with, in production and on staging: made up, as they are.

    python -m opsboard.demo.configuration fares-api staging > staging.env

writes it for `opsboard config --env-file`, with the key of the fingerprints.
"""

import sys

from opsboard.instrument.config import config_root

# Of the demonstration alone: a real one is a secret, of `openssl rand -hex 32`.
KEY = "skerry-ferries-demonstration-key"
NAMES = ("CURRENCY", "DATABASE_URL", "DEBUG", "SECRET_KEY", "V1_FARES")
PRODUCTION, STAGING = "production", "staging"


def values_of(service: str, environment: str) -> dict[str, str]:
    return {
        "CURRENCY": "EUR",
        "DATABASE_URL": f"sqlite:///{environment}/{service}.sqlite3",
        "DEBUG": "false",
        "SECRET_KEY": f"not a secret, of {service} in {environment}",
    }


def root_of(service: str, *, is_staging: bool) -> str:
    """As the service tells it beside its commit."""
    return config_root(KEY, NAMES, values_of(service, STAGING if is_staging else PRODUCTION))


def environment_file(service: str, environment: str) -> str:
    values = {"OPSBOARD_CONFIG_KEY": KEY} | values_of(service, environment)
    return "".join(f"{name}={value}\n" for name, value in values.items())


if __name__ == "__main__":
    sys.stdout.write(environment_file(*sys.argv[1:3]))
