"""What the door asks the desk: may this person reach this task now? Fails closed: no answer is a no."""

from __future__ import annotations

import json
import logging
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import tokens
from .policy import Refused

log = logging.getLogger(__name__)
PATH = "/webhooks/label-studio/door/"
SIGNATURE = "X-Door-Signature"
TIMEOUT_S = 2.0
LARGEST_REPLY = 4 * 1024 * 1024
# Refusals are counted here and told together: whoever knocks as often as they like must not make us call as often.
TELL_AFTER_S = 1.0
MOST_COUNTS = 500

# Posts a body with a signature to the desk; returns status, body and signature of its reply.
Post = Callable[[bytes, str], tuple[int, bytes, str]]


@dataclass(frozen=True)
class Leave:
    """The desk's yes: whose answer it will be, on what, under which lease."""

    # Our id of the task, and Label Studio's.
    task: str
    ls_task: int
    # The pk of our user, and their account in Label Studio.
    person: int
    account: int
    # Empty where a queue reserves nothing.
    lease: str


@dataclass
class Desk:
    """The desk, by its address; `post` stands for another way to it."""

    url: str
    key: str = field(repr=False)
    post: Post | None = None
    # Seconds after which refusals are told; None: when `tell` is called.
    tell_after: float | None = TELL_AFTER_S

    def __post_init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def redeem(self, token: str) -> tokens.Token:
        """Use a token, once. Raises `Refused` when it is not ours, too old, or was used before."""
        try:
            found = tokens.open_token(token, key=self.key)
        except tokens.Refused:
            raise Refused("token") from None
        reply = self._ask({"ask": "enter", "token": token})
        if reply.get("allowed") is not True:
            raise Refused(_reason(reply))
        return found

    def leave(self, cookie: tokens.Cookie, ls_task: int) -> Leave:
        """Return the leave to answer a task at this moment. Raises `Refused`."""
        return self._leave("reach", cookie, ls_task)[0]

    def show(self, cookie: tokens.Cookie, ls_task: int) -> tuple[Leave, dict[str, Any]]:
        """Return the leave to see a task, and what is seen: as the desk has it,
        whatever Label Studio was made to say.
        """
        leave, reply = self._leave("show", cookie, ls_task)
        shown = reply.get("shown")
        if not isinstance(shown, dict):
            raise Refused("desk_unreadable", 503)
        return leave, shown

    def _leave(self, ask: str, cookie: tokens.Cookie, ls_task: int) -> tuple[Leave, dict[str, Any]]:
        reply = self._ask({"ask": ask, "pass": cookie.pass_id, "ls_task": ls_task})
        if reply.get("allowed") is not True:
            raise Refused(_reason(reply))
        try:
            leave = Leave(
                task=str(reply["task"]),
                ls_task=int(reply["ls_task"]),
                person=int(reply["person"]),
                account=int(reply["account"]),
                lease=str(reply["lease"]),
            )
        except (KeyError, TypeError, ValueError):
            raise Refused("desk_unreadable", 503) from None
        if leave.ls_task != ls_task or leave.person != cookie.person:
            raise Refused("desk_unreadable", 503)
        return leave, reply

    def count(self, reason: str, pass_id: str = "") -> None:
        """Note that somebody was refused; the desk hears of it within a second or so."""
        with self._lock:
            if (reason, pass_id) in self._counts or len(self._counts) < MOST_COUNTS:
                self._counts[reason, pass_id] += 1
            else:
                self._counts[reason, ""] += 1
            if self._timer is None and self.tell_after is not None:
                self._timer = threading.Timer(self.tell_after, self.tell)
                self._timer.daemon = True
                self._timer.start()

    def tell(self) -> None:
        """Tell the desk what was counted; while it is away the counts are kept."""
        with self._lock:
            counts, self._counts, self._timer = self._counts, Counter(), None
        if not counts:
            return
        rows = [{"reason": reason, "pass": pass_id, "n": n} for (reason, pass_id), n in counts.items()]
        try:
            self._ask({"ask": "refused", "counts": rows})
        except Refused:
            with self._lock:
                self._counts.update(counts)

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        body = json.dumps(question).encode()
        signature = tokens.sign_call(body, key=self.key)
        try:
            status, answer, signed = (self.post or self._post)(body, signature)
        except (OSError, ValueError) as exc:
            log.warning("the desk does not answer the door (%s)", type(exc).__name__)
            raise Refused("desk_away", 503) from None
        if status != 200 or not tokens.is_reply(answer, signed, to=signature, key=self.key):
            log.warning("the desk gave the door no answer that is its own (%s)", status)
            raise Refused("desk_unreadable", 503)
        try:
            reply = json.loads(answer)
        except ValueError:
            raise Refused("desk_unreadable", 503) from None
        return reply if isinstance(reply, dict) else {}

    def _post(self, body: bytes, signature: str) -> tuple[int, bytes, str]:
        headers = {"Content-Type": "application/json", SIGNATURE: signature}
        request = urllib.request.Request(f"{self.url}{PATH}", data=body, headers=headers, method="POST")  # noqa: S310
        try:
            with _OPENER.open(request, timeout=TIMEOUT_S) as reply:
                return int(reply.status), reply.read(LARGEST_REPLY), reply.headers.get(SIGNATURE, "")
        except urllib.error.HTTPError as exc:
            exc.close()
            return exc.code, b"", ""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Follow none: the desk is where its address says."""


# No proxy of the environment either.
_OPENER = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))


def _reason(reply: Mapping[str, Any]) -> str:
    reason = reply.get("reason")
    return reason if isinstance(reason, str) and reason.isidentifier() and len(reason) <= 40 else "no_leave"
