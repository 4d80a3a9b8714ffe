"""What is said when something is not to be had: JSON where programs ask, a page where people do, never a bare 500.

A database that is away is a 503 with `Retry-After`, a value that nothing can hold (a NUL, a number too long, a bad
UUID) a 400. The pages need neither database nor session: they are shown when these are what is missing.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django.core.exceptions import ValidationError
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.datastructures import MultiValueDictKeyError

log = logging.getLogger(__name__)
RETRY_AFTER_S: Final = 5
# Programs ask below these; everybody else is a person with a browser.
PROGRAMS: Final = ("/api/", "/webhooks/", "/healthz", "/readyz")


@dataclass(frozen=True)
class Words:
    """How an error is told: a title, what happened, and what to do about it."""

    title: str
    message: str
    hint: str = ""


WORDS: Final = {
    400: Words(
        "This cannot be read", "The address or the form holds something that cannot be.", "Go back and correct it."
    ),
    403: Words(
        "Not for this account", "Your account may not do this.", "An administrator can give you a role that may."
    ),
    404: Words("Nothing here", "There is nothing at this address, or not any more."),
    408: Words("Too slow", "The request did not come in time.", "Try again."),
    413: Words("Too large", "More was sent than is taken."),
    429: Words("Too often", "This was tried too often.", "Wait a moment, then try again."),
    500: Words(
        "Our mistake",
        "Something went wrong on our side. It has been logged.",
        "Try again; if it stays, tell whoever runs the desk.",
    ),
    503: Words("Busy", "This cannot be answered right now.", "Try again in a few seconds."),
}
DATABASE_AWAY: Final = Words(
    "The database is away", "The database does not answer; nothing is lost.", "Try again in a few seconds."
)
BAD_VALUE: Final = "The request holds a value that cannot be."
FORGED: Final = Words(
    "This form is out of date",
    "The form was not sent from a page of this desk, or the page was too old.",
    "Go back, load the page again, and send it once more.",
)


def for_programs(path: str) -> bool:
    """Whether a program asks, who is answered in JSON."""
    return path.startswith(PROGRAMS)


def answer(path: str, status: int, words: Words | None = None) -> HttpResponse:
    """Return the error `status` for who asked for `path`; 429 and 503 say when to come back."""
    words = words or WORDS.get(status, WORDS[500])
    response: HttpResponse
    if for_programs(path):
        hint = {"hint": words.hint} if words.hint else {}
        response = JsonResponse({"error": words.message, **hint}, status=status)
    else:
        response = HttpResponse(
            render_to_string("error.html", {"status": status, "words": words}),
            status=status,
        )
    if status in (429, 503):
        response["Retry-After"] = str(RETRY_AFTER_S)
    response["Cache-Control"] = "no-store"
    return response


def expected(path: str, exc: BaseException | None) -> HttpResponse | None:
    """Return the answer to an exception that is nobody's mistake here; None for one that is."""
    if isinstance(exc, OperationalError | InterfaceError):
        # Away, restarting, full, or two of us waited for each other: all of it passes.
        log.warning("the database did not answer: %s", type(exc.__cause__ or exc).__name__)
        return answer(path, 503, DATABASE_AWAY)
    if isinstance(exc, DataError | ValidationError | OverflowError | MultiValueDictKeyError):
        log.info("refused a value: %s", type(exc).__name__)
        return answer(path, 400, Words(WORDS[400].title, BAD_VALUE))
    return None


def in_words(path: str, response: HttpResponse) -> HttpResponse:
    """Return `response`, or, where it is Django's empty 405, one that says which methods there are."""
    if response.status_code != 405 or response.content:
        return response
    told = answer(path, 405, Words("Not this way", f"This address answers {response['Allow']} alone."))
    told["Allow"] = response["Allow"]
    return told


class ExpectedErrors:
    """Middleware: answer the errors of views that are nobody's mistake here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or turn away what no view should have to look at."""
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return answer(request.path_info, 400)
        return in_words(request.path_info, self.get_response(request))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer `exception` if it was to be expected."""
        return expected(request.path_info, exception)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: Django found the request suspicious or unreadable."""
    return answer(request.path_info, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: the permission is missing."""
    return answer(request.path_info, 403)


def form_out_of_date(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the CSRF token is missing or wrong."""
    return answer(request.path_info, 403, FORGED)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return answer(request.path_info, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500; or what it really is, where a middleware met the database that is away."""
    return expected(request.path_info, sys.exc_info()[1]) or answer(request.path_info, 500)


def refusal(path: str, status: int, words: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Return the answer to a request that Django never sees, as status, headers and body."""
    return _refusal("/api/" if for_programs(path) else "/", status, words)


@lru_cache(maxsize=64)  # of a handful of words; whoever floods the server is not worth rendering a page for
def _refusal(path: str, status: int, words: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    told = WORDS.get(status, WORDS[503])
    response = answer(path, status, Words(told.title, words, told.hint))
    response["Content-Length"] = str(len(response.content))
    # Whatever else was sent on this connection has not been read.
    response["Connection"] = "close"
    return status, [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in response.items()], response.content
