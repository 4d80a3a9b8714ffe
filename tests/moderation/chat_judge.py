"""A chat endpoint on 127.0.0.1 in the place of a judge: real HTTP, and answers as the test tells it."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class ChatJudge:
    """Says `answer` to whatever it is asked, after `delay_s` and with `status`; notes what it was asked."""

    answer: str = '{"claims": []}'
    delay_s: float = 0.0
    status: int = 200
    finish: str = "stop"
    by_text: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def says(self, body: dict[str, Any]) -> str:
        text = str(body["messages"][-1]["content"])
        return next((answer for part, answer in self.by_text.items() if part in text), self.answer)


@contextlib.contextmanager
def serving(judge: ChatJudge) -> Iterator[ChatJudge]:
    """Serve `judge` for the block."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            judge.asked.append(body)
            time.sleep(judge.delay_s)
            choice = {"message": {"content": judge.says(body)}, "finish_reason": judge.finish}
            told = json.dumps({"choices": [choice]}).encode()
            with contextlib.suppress(ConnectionError):  # who asked may wait no longer
                self.send_response(judge.status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    judge.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield judge
    finally:
        server.shutdown()
        server.server_close()
