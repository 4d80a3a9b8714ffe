"""What may come through the door at all: a short list of what the editor needs. All else is refused, with a reason.

Pure: no network, no tables. Who may reach *this* task is another question, which the desk answers (`desk`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a request is for."""

    HEALTH = "health"
    # The door shows by a signed answer that it is ours.
    PROOF = "proof"
    # A person comes from the console with a token.
    ENTER = "enter"
    # The page of one task: the editor, and the task in it.
    TASK = "task"
    ANSWER = "answer"
    # Files of the editor, and the door's own.
    FILE = "file"
    OWN_FILE = "own_file"


@dataclass(frozen=True)
class Wish:
    """A request that the door knows. `path` is canonical; `value` is what its one parameter says, if it has one."""

    kind: Kind
    path: str
    ls_task: int = 0
    value: str = ""


class Refused(Exception):
    """Not let through; `reason` is one of a few words, fit to be counted."""

    def __init__(self, reason: str, status: int = 403) -> None:
        super().__init__(reason)
        self.reason, self.status = reason, status


LONGEST_PATH = 300
LONGEST_QUERY = 2100
# Each name starts with a letter, a digit or an underscore, and so does whatever follows a dot: none is `..`.
_NAME = r"[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*"
_FILE = rf"{_NAME}(?:\.{_NAME})*\.(?:js|css|svg|png|wasm|woff2|woff|ttf)"
_TASK = r"/door/tasks/([1-9][0-9]{0,9})"

# Method, path, the one parameter the query may hold, what it is. Paths are matched whole.
RULES: tuple[tuple[frozenset[str], re.Pattern[str], str, Kind], ...] = tuple(
    (frozenset(methods.split()), re.compile(path, re.ASCII), parameter, kind)
    for methods, path, parameter, kind in (
        ("GET", r"/health", "", Kind.HEALTH),
        ("GET", r"/door/proof", "challenge", Kind.PROOF),
        ("GET", r"/door/enter", "token", Kind.ENTER),
        ("GET", _TASK, "", Kind.TASK),
        ("POST", rf"{_TASK}/answer", "", Kind.ANSWER),
        ("GET HEAD", r"/door/(?:editor\.css|editor\.js|keys\.js)", "v", Kind.OWN_FILE),
        ("GET HEAD", rf"/react-app/{_FILE}", "v", Kind.FILE),
        ("GET HEAD", rf"/static/(?:fonts|icons|images)/(?:{_NAME}/)*{_FILE}", "v", Kind.FILE),
    )
)
VALUE = re.compile(r"[A-Za-z0-9._~-]{1,2000}", re.ASCII)
# By these a request says that it is another one than it looks, or asks for another connection than HTTP.
TRICKS = (
    "UPGRADE",
    "TRANSFER_ENCODING",
    "EXPECT",
    "X_HTTP_METHOD",
    "X_HTTP_METHOD_OVERRIDE",
    "X_METHOD_OVERRIDE",
    "X_ORIGINAL_URL",
    "X_REWRITE_URL",
    "X_ORIGINAL_METHOD",
    "X_FORWARDED_PREFIX",
    "X_SCRIPT_NAME",
)
CREDENTIALS = ("AUTHORIZATION", "X_API_KEY", "PROXY_AUTHORIZATION")


def read(method: str, path: str, query: str, headers: Mapping[str, str], *, raw_path: str | None = None) -> Wish:
    """Return what a request is for. Raises `Refused`.

    `path` is decoded, `raw_path` as it stood in the request line, where the server tells; `headers` have names as CGI
    has them, without HTTP_. Nothing that reaches Label Studio has an escape in it, so a path that has one is refused.
    """
    _no_tricks(method, headers)
    if len(path) > LONGEST_PATH or len(query) > LONGEST_QUERY:
        raise Refused("too_long", 414)
    if raw_path is not None and raw_path != path:
        raise Refused("not_canonical", 400)
    for methods, pattern, parameter, kind in RULES:
        if found := pattern.fullmatch(path):
            if method not in methods:
                raise Refused("method", 405)
            ls_task = int(found.group(1)) if found.groups() else 0
            return Wish(kind, path, ls_task, _value(query, parameter))
    raise Refused("not_canonical" if is_odd(path) else "closed")


def _no_tricks(method: str, headers: Mapping[str, str]) -> None:
    if any(name in headers for name in TRICKS):
        raise Refused("trick", 400)
    if any(name in headers for name in CREDENTIALS):
        # A person comes with the door's own cookie; a token of theirs would be a way around their lease.
        raise Refused("credentials")
    if method == "POST" and headers.get("SEC_FETCH_SITE", "same-origin") != "same-origin":
        raise Refused("other_site")


def _value(query: str, parameter: str) -> str:
    if not query:
        return ""
    name, _, value = query.partition("=")
    if not parameter or name != parameter or not VALUE.fullmatch(value):
        raise Refused("query", 400)
    return value


def is_odd(path: str) -> bool:
    """Whether a path tries to be read as another: dots, escapes, backslashes, doubled slashes,
    characters beyond ASCII.
    """
    parts = path.split("/")[1:]
    return (
        not path.startswith("/")
        or not path.isascii()
        or not path.isprintable()
        or any(mark in path for mark in ("%", "\\", ";", "?", "#", " "))
        or any(part in (".", "..") for part in parts)
        or "" in parts[:-1]
    )
