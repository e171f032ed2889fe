"""A forward proxy for the tests: tunnels by CONNECT, and carries requests in absolute form."""

import contextlib
import socket
import threading

from tests.far_side import LONGEST, Behaviour, Visit, answer


def forward(to: tuple[str, int], *, needs: str = "") -> Behaviour:
    """Passes everything on to one machine, whatever was asked for.

    `needs` is the Proxy-Authorization without which it answers 407.
    """

    def behave(visit: Visit) -> None:
        request = visit.request
        assert request
        if needs and request.header("Proxy-Authorization") != needs:
            answer(407, body=b"who are you?")(visit)
            return
        with socket.socket() as far:
            far.settimeout(LONGEST)
            far.connect(to)
            if request.method == "CONNECT":
                visit.send(b"HTTP/1.1 200 Established\r\nX-Proxy: tunnel\r\n\r\n")
            else:
                path = "/" + request.path.split("/", 3)[3]
                head = [f"{request.method} {path} HTTP/1.1", "Connection: close"]
                head += [f"{name}: {value}" for name, value in request.headers]
                far.sendall("\r\n".join([*head, "", ""]).encode() + request.body)
            back = threading.Thread(target=_pour, args=(far, visit.connection))
            back.start()
            _pour(visit.connection, far)
            back.join()

    return behave


def refuse(status: int) -> Behaviour:
    return answer(status, ("X-Proxy", "no"), body=b"no")


def _pour(source: socket.socket, into: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            into.sendall(data)
        into.shutdown(socket.SHUT_WR)
