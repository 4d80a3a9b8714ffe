"""The door itself: a WSGI application before Label Studio that lets through what `policy` and the desk allow.

One implementation for both: in Label Studio's own process, and as `manage.py label_studio_door` before a server
elsewhere. Label Studio gets requests of the door's own making alone, as the service, with the person as the author of
the answer by the desk's word. People's own rights there would be of no use: its open edition has no roles, so an
account that may answer may also import, delete and read the secret of the webhook. So people need no right there at
all.
"""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from . import answers, page, tokens
from .desk import Desk
from .policy import Kind, Refused, Wish, read
from .upstream import BLOCK, Application, Headers, Upstream

log = logging.getLogger(__name__)
FILES_KEEP_S = 3600


@dataclass(frozen=True)
class Settings:
    """What the door has to know. `console` and `url` are as browsers see them, `desk` as the door does."""

    key: str = field(repr=False)
    # Label Studio's token of the service.
    token: str = field(repr=False)
    desk: str
    console: str
    url: str
    # Whether the service itself comes through here, by its token: where nothing but the door has an address.
    admits_service: bool = False

    def __post_init__(self) -> None:
        if not self.key or not self.token:
            raise ValueError("the door needs a key, and the token of the service")


class Door:
    """Before `application`, which is Label Studio."""

    def __init__(
        self, application: Application, settings: Settings, *, desk: Desk | None = None, host: str = ""
    ) -> None:
        self.application = application
        self.settings = settings
        self.desk = desk or Desk(settings.desk, settings.key)
        self.upstream = Upstream(application, token=settings.token, host=host or urlsplit(settings.url).netloc)
        self._secure = settings.url.startswith("https://")
        # A browser takes a cookie of the name with the prefix from this very host alone.
        self.cookie_name = "__Host-ecomsite_door" if self._secure else "ecomsite_door"
        origin = urlsplit(settings.console)
        self._console = f"{origin.scheme}://{origin.netloc}"

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve one request."""
        if self._is_service(environ):
            return self.application(environ, start_response)
        headers = {name[5:]: value for name, value in environ.items() if name.startswith("HTTP_")}
        try:
            wish = read(
                environ["REQUEST_METHOD"],
                environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""),
                environ.get("QUERY_STRING", ""),
                headers,
                raw_path=_raw_path(environ),
            )
            if wish.kind in (Kind.TASK, Kind.ANSWER):
                cookie = self._cookie(headers)
                if wish.kind is Kind.TASK:
                    return self._show(wish, cookie, start_response)
                return self._answer(wish, cookie, environ, start_response)
            return self._open(wish, environ["REQUEST_METHOD"], headers, start_response)
        except Refused as refusal:
            self.desk.count(refusal.reason, self._pass_of(headers))
            return self._refuse(refusal, headers, start_response)

    def _is_service(self, environ: Mapping[str, Any]) -> bool:
        given = environ.get("HTTP_AUTHORIZATION", "")
        expected = f"Token {self.settings.token}"
        return self.settings.admits_service and hmac.compare_digest(given.encode(), expected.encode())

    def _open(self, wish: Wish, method: str, headers: Mapping[str, str], start_response: Any) -> Iterable[bytes]:
        """What is for everybody."""
        if wish.kind is Kind.ENTER:
            token = self.desk.redeem(wish.value)
            cookie = tokens.seal_cookie(tokens.Cookie(token.pass_id, token.person), key=self.settings.key)
            kept = f"{self.cookie_name}={cookie}; Path=/; HttpOnly; SameSite=Lax{'; Secure' if self._secure else ''}"
            where = [("Location", f"/door/tasks/{token.ls_task}"), ("Set-Cookie", kept)]
            return self._reply(303, b"", "text/plain", start_response, where)
        if wish.kind is Kind.PROOF:
            proof = tokens.proof(wish.value, key=self.settings.key)
            return self._reply(200, proof.encode(), "text/plain", start_response)
        if wish.kind is Kind.HEALTH:
            if not self.upstream.is_up():
                raise Refused("label_studio_away", 503)
            return self._reply(200, b'{"status": "UP"}', "application/json", start_response)
        if wish.kind is Kind.OWN_FILE:
            content_type, file = page.OWN_FILES[wish.path]
            body = file.read_bytes() if method == "GET" else b""
            kept_for = [("Cache-Control", f"public, max-age={FILES_KEEP_S}")]
            return self._reply(200, body, content_type, start_response, kept_for)
        reply = self.upstream.file(method, wish.path, f"v={wish.value}" if wish.value else "", headers)
        if reply.status not in (200, 304):
            reply.close()
            raise Refused("no_file", 404)
        kept_for = [("Cache-Control", f"public, max-age={FILES_KEEP_S}")]
        start_response(_line(reply.status), [*reply.headers, *kept_for, ("X-Content-Type-Options", "nosniff")])
        return reply.body

    def _show(self, wish: Wish, cookie: tokens.Cookie, start_response: Any) -> Iterable[bytes]:
        leave, shown = self.desk.show(cookie, wish.ls_task)
        seen = {
            **shown,
            "task": leave.ls_task,
            "account": leave.account,
            "console": self._console,
            "flags": self.upstream.flags(),
        }
        return self._reply(200, page.task_page(seen), "text/html; charset=utf-8", start_response)

    def _answer(
        self, wish: Wish, cookie: tokens.Cookie, environ: Mapping[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        said = answers.read(_body(environ))
        # Asked after the body has come, however long that took: what counts is who holds the task now.
        leave = self.desk.leave(cookie, wish.ls_task)
        annotation = answers.annotation(said, leave=leave, key=self.settings.key)
        status = self.upstream.annotate(wish.ls_task, annotation)
        if status not in (201, 409):
            log.error("Label Studio did not take an answer to task %s (%s)", wish.ls_task, status)
            raise Refused("label_studio_refused", 502)
        return self._json(200, {"answered": wish.ls_task}, start_response)

    def _cookie(self, headers: Mapping[str, str]) -> tokens.Cookie:
        # By hand: cookies of other servers on this host come along, and may be such that a parser gives up on all of
        # them.
        pairs = (part.strip().partition("=") for part in headers.get("COOKIE", "").split(";"))
        held = [value for name, _, value in pairs if name == self.cookie_name]
        if len(held) != 1:
            raise Refused("cookie" if held else "no_pass")
        try:
            return tokens.open_cookie(held[0], key=self.settings.key)
        except tokens.Refused:
            raise Refused("cookie") from None

    def _pass_of(self, headers: Mapping[str, str]) -> str:
        """Whom to count a refusal for, where it can be told."""
        try:
            return self._cookie(headers).pass_id
        except Refused:
            return ""

    def _refuse(self, refusal: Refused, headers: Mapping[str, str], start_response: Any) -> Iterable[bytes]:
        extra = [("Retry-After", "5")] if refusal.status == 503 else []
        if "text/html" in headers.get("ACCEPT", ""):
            words = page.refusal_page(refusal.reason, console=self.settings.console)
            return self._reply(refusal.status, words, "text/html; charset=utf-8", start_response, extra)
        told = {"error": refusal.reason, "words": page.WORDS.get(refusal.reason, "")}
        return self._json(refusal.status, told, start_response, extra)

    def _json(
        self, status: int, value: Mapping[str, Any], start_response: Any, extra: Headers | None = None
    ) -> Iterable[bytes]:
        return self._reply(status, json.dumps(value).encode(), "application/json", start_response, extra)

    def _reply(
        self, status: int, body: bytes, content_type: str, start_response: Any, extra: Headers | None = None
    ) -> Iterable[bytes]:
        headers = [
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
            ("Content-Security-Policy", page.policy(self._console)),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
            *(extra or []),
        ]
        if all(name != "Cache-Control" for name, _ in headers):
            headers.append(("Cache-Control", "no-store"))
        start_response(_line(status), headers)
        return [body]


def _line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"


def _raw_path(environ: Mapping[str, Any]) -> str | None:
    """Return the path as it stood in the request line, where the server tells."""
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    return None if raw is None else str(raw).partition("?")[0]


def _body(environ: Mapping[str, Any]) -> bytes:
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused("content_type", 415)
    length = environ.get("CONTENT_LENGTH") or ""
    if not length.isascii() or not length.isdecimal():
        raise Refused("length", 411)
    if len(length) > 9 or int(length) > answers.LARGEST_BODY:
        raise Refused("too_large", 413)
    wanted, read = int(length), bytearray()
    try:
        while len(read) < wanted and (block := environ["wsgi.input"].read(min(BLOCK, wanted - len(read)))):
            read += block
    except OSError:
        raise Refused("broken_off", 400) from None
    if len(read) != wanted:
        raise Refused("broken_off", 400)
    return bytes(read)
