"""Whether Label Studio is reached through the door alone: people are sent there, and nothing leads around it."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from labeling.door import tokens

TIMEOUT_S = 1.5
LOGIN, SIGN_UP = "/user/login/", "/user/signup/"


@dataclass(frozen=True)
class Look:
    """What was found. `away`: the door does not answer; `around`: a way past it; both empty: all is well."""

    away: str = ""
    around: str = ""
    hint: str = ""


def look() -> Look:
    """Look at the door, and for a way around it. Takes two calls of 1.5 s at most."""
    url, door = settings.LABELING.url, settings.LABELING.door_url
    stands = _is_our_door(door)
    if stands is False:
        return Look(
            around="No door of ours stands before Label Studio: whoever has an account there may do anything.",
            hint="`manage.py label_studio_door` is one; LABEL_STUDIO_DOOR_URL says where people reach it.",
        )
    if url != door and not _is_inside(url) and (page := _open_page(url)):
        return Look(
            around=f"Label Studio can be reached around the door: {page} answers.",
            hint="Let nobody but the desk and the door reach it: by the firewall, or in a network of their own.",
        )
    if stands is None:
        return Look(
            away="The door in front of Label Studio does not answer; reviewers cannot work until it does.",
            hint="Start the stack (`make run`) or `manage.py label_studio_door`, and check LABEL_STUDIO_DOOR_URL.",
        )
    return Look()


def _is_our_door(url: str) -> bool | None:
    """Whether what answers there has our key; None when nothing answers."""
    challenge = secrets.token_hex(16)
    try:
        answer = httpx.get(f"{url}/door/proof", params={"challenge": challenge}, timeout=TIMEOUT_S)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
    if answer.status_code >= 500:
        return None
    expected = tokens.proof(challenge, key=settings.LABELING.door_key)
    return bool(settings.LABELING.door_key) and secrets.compare_digest(answer.text.encode(), expected.encode())


def _is_inside(url: str) -> bool:
    """Whether the address is one that only this machine or its own network has.

    Who else is in that network the desk cannot know: what is asked here is whether the whole world has a way.
    """
    try:
        found = socket.getaddrinfo(urlsplit(url).hostname or "", None, type=socket.SOCK_STREAM)
    except OSError:
        return True  # no address, no way
    return all(not ipaddress.ip_address(str(entry[4][0]).partition("%")[0]).is_global for entry in found)


def _open_page(url: str) -> str:
    """Return the address of a page there that lets people sign in or up; empty when there is none."""
    for path in (LOGIN, SIGN_UP):
        try:
            answer = httpx.get(f"{url}{path}", timeout=TIMEOUT_S)
        except (httpx.HTTPError, httpx.InvalidURL):
            return ""
        if answer.status_code == 200:
            return f"{url}{path}"
    return ""
