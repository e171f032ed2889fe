"""A name server that does as the first letters of the name say.

    python -m tests.faults.name_server ADDRESS

"good": the server's own address. "servfail" and "nx": that answer. "slow": the address after 2 s.
"wrong": an answer to another question. "silent": nothing.
"""

import socket
import sys
import threading

SLOW_SECONDS = 2.0
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3
A = 1


def main(address: str) -> None:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))
    while True:
        question, client = server.recvfrom(512)
        label = question[13 : 13 + question[12]].decode("ascii", "replace")
        if label.startswith("silent"):
            continue
        said = _answer(question, label, address)
        wait = SLOW_SECONDS if label.startswith("slow") else 0
        threading.Timer(wait, server.sendto, (said, client)).start()


def _answer(question: bytes, label: str, address: str) -> bytes:
    code = {"servfail": SERVFAIL, "nx": NXDOMAIN}.get(label, NOERROR)
    end = question.index(0, 12) + 5
    kind = int.from_bytes(question[end - 4 : end - 2])
    answers = code == NOERROR and kind == A
    number = bytes([question[0] ^ 255, question[1]]) if label == "wrong" else question[:2]
    head = number + bytes([0x81, 0x80 | code, 0, 1, 0, int(answers), 0, 0, 0, 0])
    record = bytes.fromhex("c00c 0001 0001 0000 0000 0004") + socket.inet_aton(address)
    return head + question[12:end] + (record if answers else b"")


if __name__ == "__main__":
    main(sys.argv[1])
