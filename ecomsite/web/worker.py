"""The web's processes: gunicorn starts and watches them, uvicorn speaks HTTP in them."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import sys
from typing import Final

from gunicorn.workers.base import Worker
from uvicorn.config import Config
from uvicorn.server import Server

from ecomsite.web.protocol import PatientProtocol

# A thread that computes lets another one in after so long: half a hundredth of a second, Python's own, is what the shop
# waited for several times in one answer, while a page of the console was made.
SWITCH_INTERVAL_S: Final = 0.001
MOST_FILES: Final = 16_384


class WebWorker(Worker):  # type: ignore[misc]
    """One process: an event loop that talks to everybody, and the threads of `ecomsite.web.lanes`."""

    def init_signals(self) -> None:
        """Take gunicorn's signals, but leave the waking up to the event loop."""
        super().init_signals()
        signal.set_wakeup_fd(-1)

    def run(self) -> None:
        """Serve until told to stop."""
        raise_file_limit()
        # What is loaded by now stays: going through all of it now and then is a tenth of a second in which nobody is
        # served.
        gc.collect()
        gc.freeze()
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        config = Config(
            self.wsgi,
            http=PatientProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            # Who asked for what by which scheme is for Django's settings to believe (BEHIND_TLS_PROXY).
            proxy_headers=False,
            backlog=self.cfg.backlog,
            timeout_keep_alive=self.cfg.keepalive,
            timeout_graceful_shutdown=max(1, self.cfg.graceful_timeout - 2),
            timeout_notify=1,
            callback_notify=self._beat,
        )
        self.server: Server | None = Server(config)
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(self.server.serve(sockets=[listener.sock for listener in self.sockets]))

    async def _beat(self) -> None:
        self.notify()
        if os.getppid() != self.ppid and self.server is not None:
            self.server.should_exit = True  # gunicorn is gone, and nobody would stop this process


def raise_file_limit() -> None:
    """Let this process hold as many connections as it may: a thousand files, the usual limit,
    are a thousand clients.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
