"""A name server on loopback, over UDP and TCP of one port, that answers well, badly or not at all.

A behaviour gets the question's bytes and gives the messages that are sent back.
"""

import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

Behaviour = Callable[[bytes], Iterable[bytes]]


def says(*records: str, rcode: str = "NOERROR", flags: int = 0) -> Behaviour:
    """An answer with these records, as "A 10.0.0.9", all of the name that was asked for."""

    def behave(wire: bytes) -> list[bytes]:
        return [response(wire, *records, rcode=rcode, flags=flags)]

    return behave


def response(wire: bytes, *records: str, rcode: str = "NOERROR", flags: int = 0) -> bytes:
    question = dns.message.from_wire(wire)
    answer = dns.message.make_response(question)
    answer.set_rcode(dns.rcode.from_text(rcode))
    answer.flags |= flags
    for record in records:
        kind, _, value = record.partition(" ")
        answer.answer.append(dns.rrset.from_text(question.question[0].name, 60, "IN", kind, value))
    return answer.to_wire(max_size=65_535)


def cut(wire: bytes) -> list[bytes]:
    return [response(wire, flags=dns.flags.TC)]


def silence(_wire: bytes) -> list[bytes]:
    return []


class NameServer:
    """`questions` tells how many came, over UDP and over TCP."""

    def __init__(self, udp: Behaviour, tcp: Behaviour | None = None) -> None:
        self._udp, self._tcp = udp, tcp
        self.questions = [0, 0]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        if tcp is None:
            self._listener.close()
        self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._datagrams.bind(("127.0.0.1", self.port))
        self._threads = [threading.Thread(target=self._serve_datagrams, daemon=True)]
        if tcp:
            self._threads.append(threading.Thread(target=self._serve_streams, daemon=True))

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for opened in (self._datagrams, self._listener):
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()

    def _serve_datagrams(self) -> None:
        with suppress(OSError):
            while True:
                wire, sender = self._datagrams.recvfrom(65_535)
                if not wire:
                    return
                self.questions[0] += 1
                for message in self._udp(wire):
                    self._datagrams.sendto(message, sender)

    def _serve_streams(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.settimeout(5)
                self.questions[1] += 1
                with suppress(OSError), connection:
                    wire = connection.recv(65_535)
                    for message in self._tcp(wire[2:]) if self._tcp else ():
                        connection.sendall(message)
