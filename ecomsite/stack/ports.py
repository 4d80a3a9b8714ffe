"""TCP ports of this machine: which is free."""

from __future__ import annotations

import errno
import socket


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free now; nothing keeps it free."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def is_free(host: str, port: int) -> bool:
    """Return whether a server could listen on `port` of `host` now."""
    return obstacle(host, port) is None


def obstacle(host: str, port: int) -> OSError | None:
    """Return what keeps a server from listening on `port` of `host` now; None when nothing does."""
    with socket.socket() as sock:
        # As the servers do it: a connection of the last run that is still closing does not count.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError as exc:
            return exc
    return None


def is_taken(problem: OSError | None) -> bool:
    """Return whether `problem` is that another program has the port: then the next one may be free."""
    return problem is not None and problem.errno == errno.EADDRINUSE
