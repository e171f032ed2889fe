"""What alerts go to, on loopback: a webhook receiver and a mail server, and channels to them."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opsboard.alerts.models import Channel
from opsboard.services.models import Team


class Receiver:
    """A webhook receiver that keeps what it got and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], dict[str, Any], bytes]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.got.append((headers, json.loads(body), body))
                status, extra = receiver.answers.pop(0) if receiver.answers else (204, {})
                self.send_response(status)
                for name, value in extra.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def keys(self) -> list[str]:
        return [headers["webhook-id"] for headers, _, _ in self.got]

    @property
    def events(self) -> list[list[str]]:
        """Of each message, what it tells."""
        return [[alert["event"] for alert in message["alerts"]] for _, message, _ in self.got]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Letters:
    """A mail server's hand: what was taken, and what it answers instead of taking."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.answers: list[str] = []

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:  # noqa: N802
        if self.answers:
            return self.answers.pop(0)
        self.got.append(envelope.content.decode())  # type: ignore[attr-defined]
        return "250 taken"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as trial:
        return int(trial.getsockname()[1])


def webhook(url: str, team: Team | None = None, *, name: str = "ops hook") -> Channel:
    channel = Channel(name=name, kind="webhook", team=team)
    channel.keep(address=url, signing_secret="whsec_test")
    channel.save()
    return channel


def e_mail() -> Channel:
    channel = Channel(name="ops mail", kind="email")
    channel.keep(address="ops@example.com")
    channel.save()
    return channel
