"""Servers that are particular about TLS: OpenSSL by itself, which sends the alerts that asyncio's keeps."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def particular(tls: ssl.SSLContext, starttls: bool = False) -> Iterator[int]:
    """A server that greets and answers EHLO inside TLS, if the handshake succeeds; its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def talk(raw: socket.socket) -> None:
        with suppress(OSError), raw:
            if starttls:
                _say(raw, b"220 peer.example")
                _say(raw, b"250-peer.example\r\n250 STARTTLS", raw.recv(999))
                _say(raw, b"220 go", raw.recv(999))
            with tls.wrap_socket(raw, server_side=True, do_handshake_on_connect=False) as inside:
                _shake_hands(inside)
                if not starttls:
                    _say(inside, b"220 peer.example")
                while (heard := inside.recv(999)) and not ended.is_set():
                    _say(inside, b"250 peer.example", heard)

    def listen() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _shake_hands(inside: ssl.SSLSocket) -> None:
    """A client that is refused is heard out: hung up on, it might not get to read the alert."""
    try:
        inside.do_handshake()
    except ssl.SSLError:
        socket.socket.shutdown(inside, socket.SHUT_WR)
        while os.read(inside.fileno(), 999):
            pass
        raise


def _say(to: socket.socket, words: bytes, heard: bytes = b" ") -> None:
    if not heard:
        raise OSError("hung up")
    to.sendall(words + b"\r\n")
