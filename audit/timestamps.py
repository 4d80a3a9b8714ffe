"""Time stamps (RFC 3161) about signed heads: somebody else says when the ledger was as it was.

An authority that is away delays the stamp and nothing else. A stamp on a head covers all lines before it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from pathlib import Path

import httpx
from cryptography import x509
from django.conf import settings
from django.utils import timezone
from rfc3161_client import (
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from audit import heads
from audit.models import TimeStamp
from audit.signing import Head
from core.exceptions import PermanentError, TransientError
from core.http import client

EVERY = dt.timedelta(hours=1)
# An authority that takes longer is asked again at the next head.
TIMEOUT_S = 10.0
MOST_BYTES = 1 << 20


def stamp_if_due() -> TimeStamp | None:
    """Have the newest head stamped, unless one was within the hour, and keep the answer. Call outside of transactions.

    Raises `TransientError` when the authority cannot be reached, `PermanentError` when its answer does not hold.
    """
    url = settings.LEDGER.tsa_url
    found = heads.newest() if url else None
    if found is None or TimeStamp.objects.filter(head=found[0].size).exists():
        return None
    newest = TimeStamp.objects.order_by("-head").values_list("at", flat=True).first()
    if newest and newest > timezone.now() - EVERY:
        return None
    head = found[0]
    request = TimestampRequestBuilder().data(_message(head)).nonce(nonce=True).cert_request(cert_request=True).build()
    answer = _ask(url, request.as_bytes())
    response = _decoded(answer)
    if response.status not in (0, 1):  # granted, granted with modifications
        problem_found = f"it refused ({response.status})"
    elif response.tst_info.nonce != request.nonce:
        problem_found = "it answers another question"
    else:
        problem_found = _problem_with(response, head)
    if problem_found:
        raise PermanentError(f"{httpx.URL(url).host} gave no good time stamp: {problem_found}.")
    return TimeStamp.objects.create(
        head_id=head.size, at=response.tst_info.gen_time, authority=httpx.URL(url).host[:200], response=answer
    )


def _message(head: Head) -> bytes:
    """What is stamped: what was signed, and the signature."""
    return head.statement() + bytes.fromhex(head.signature)


def _ask(url: str, query: bytes) -> bytes:
    """Send a query as RFC 3161, 3.4 has it over HTTP."""
    try:
        with client(timeout_s=TIMEOUT_S) as session:
            answer = session.post(url, content=query, headers={"Content-Type": "application/timestamp-query"})
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise TransientError(f"The time-stamping authority cannot be reached ({type(exc).__name__}).") from exc
    if not answer.is_success or len(answer.content) > MOST_BYTES:
        raise TransientError(f"The time-stamping authority answered {answer.status_code}.")
    return answer.content


def _decoded(answer: bytes) -> TimeStampResponse:
    try:
        return decode_timestamp_response(answer)
    except ValueError as exc:
        raise PermanentError("The time-stamping authority answered with something that is no time stamp.") from exc


def _problem_with(response: TimeStampResponse, head: Head) -> str:
    """Why a stamp does not hold for `head`; against the roots of LEDGER_TSA_ROOTS where they are set."""
    message = _message(head)
    roots = settings.LEDGER.tsa_roots
    try:
        if not roots:
            digest = hashlib.new(
                _HASHES[response.tst_info.message_imprint.hash_algorithm.dotted_string], message
            ).digest()
            return "" if response.tst_info.message_imprint.message == digest else "it is about something else"
        builder = VerifierBuilder()
        for root in x509.load_pem_x509_certificates(Path(roots).read_bytes()):
            builder = builder.add_root_certificate(root)
        builder.build().verify_message(response, message)
    except (VerificationError, ValueError, KeyError, OSError) as exc:
        return f"{type(exc).__name__}: {exc}"
    return ""


_HASHES = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}


def problem(stored: Sequence[Head]) -> str:
    """Return the first stamp that does not belong to its head, in words; empty when all do."""
    by_size = {head.size: head for head in stored}
    for stamp in TimeStamp.objects.order_by("head").iterator(chunk_size=500):
        head = by_size.get(stamp.head_id)
        found = "there is no such head" if head is None else _problem_with(_decoded(bytes(stamp.response)), head)
        if found:
            return f"the time stamp on the head of {stamp.head_id:,} lines does not hold: {found}"
    return ""
