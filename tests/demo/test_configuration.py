"""The sample services tell a config root that `opsboard config` tells too."""

import subprocess
import sys

import yaml

from opsboard.demo import company, configuration, house
from opsboard.instrument import config


def desk(*, is_staging: bool) -> house.Desk:
    board = house.House("fastapi", (), None, None)
    return house.Desk(board, "fares-api", {}, lambda *_: [], is_staging)


def test_a_service_tells_the_root_of_what_the_command_would_send():
    for environment in ("production", "staging"):
        told = house.version(desk(is_staging=environment == "staging"))["config_root"]
        values = configuration.values_of("fares-api", environment)
        sent = config.report(configuration.KEY, configuration.NAMES, values, {})
        assert told == sent["root"]
    assert house.version(desk(is_staging=True)) != house.version(desk(is_staging=False))


def test_the_board_file_declares_the_keys_that_the_service_tells():
    declared = yaml.safe_load(company.board_file({}))["services"]["fares-api"]
    assert sorted(declared["config"]) == sorted(configuration.NAMES)
    for environment in declared["environments"].values():
        assert environment["version"]["config_root"] == "json $.config_root"


def test_its_configuration_is_written_for_the_command():
    said = subprocess.run(
        [sys.executable, "-m", "opsboard.demo.configuration", "fares-api", "staging"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert f"OPSBOARD_CONFIG_KEY={configuration.KEY}\n" in said
    assert "DEBUG=false\n" in said
