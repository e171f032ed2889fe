"""A receiver on loopback that keeps every POST it got, and answers as it is told."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Listener:
    def __init__(self, port: int = 0) -> None:
        # What came: when (seconds since 1970), the path, headers in lower case, the JSON body.
        self.got: list[tuple[float, str, dict[str, str], dict[str, Any]]] = []
        self.answer: tuple[int, dict[str, str]] = (204, {})
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, extra = listener.answer
                listener.got.append((time.time(), self.path, headers, json.loads(body)))
                self.send_response(status)
                for name, value in extra.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = int(self._server.server_port)
        self.url = f"http://127.0.0.1:{self.port}"

    def bodies(self, path: str = "/") -> list[dict[str, Any]]:
        return [body for _, at, _, body in self.got if at.startswith(path)]

    def times(self, path: str = "/") -> list[float]:
        return [when for when, at, _, _ in self.got if at.startswith(path)]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
