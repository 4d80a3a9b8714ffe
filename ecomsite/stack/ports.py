"""TCP ports of this machine: which is free."""

from __future__ import annotations

import socket


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free now; nothing keeps it free."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def is_free(host: str, port: int) -> bool:
    """Return whether a server could listen on `port` of `host` now."""
    with socket.socket() as sock:
        # As the servers do it: a connection of the last run that is still closing does not count.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError:
            return False
    return True
