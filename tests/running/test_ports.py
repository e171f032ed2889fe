"""The ports that tests hand to the servers they start: nobody else may come upon them first."""

import socket

import pytest

from tests.running.processes import free_port


def test_a_free_port_is_kept_from_whoever_asks_for_any_until_its_server_listens() -> None:
    port = free_port()
    with socket.socket() as anybody, pytest.raises(OSError, match="Address already in use"):
        anybody.bind(("127.0.0.1", port))
    with socket.create_server(("127.0.0.1", port)) as its_server:
        assert its_server.getsockname()[1] == port
