"""Where webhooks may go: never to this machine or a private network, unless the settings say so.

A name proves nothing: it may point anywhere, and somewhere else a second later. So the address is checked, and the
connection goes to the very address that was checked (`outbox.sending`).
"""

from __future__ import annotations

import ipaddress
import socket

import httpx
from django.conf import settings

from core.exceptions import PermanentError, TransientError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LONGEST_URL = 1000
# An IPv4 address inside an IPv6 one (RFC 6052, NAT64).
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
WAY_OUT = "Set WEBHOOKS_ALLOW_PRIVATE=1 if receivers in your own network are meant to be reached."


def check_url(url: str) -> str:
    """Return `url` as it will be used. Raises `PermanentError` with the reason when webhooks cannot go there."""
    try:
        parsed = httpx.URL(url.strip())
    except httpx.InvalidURL as exc:
        raise PermanentError(f"This is no address: {exc}.") from exc
    if parsed.scheme not in ("https", "http") or not parsed.host or not 0 < (parsed.port or 443) < 65536:
        raise PermanentError("A webhook goes to an address that begins with https://.")
    if parsed.userinfo:
        raise PermanentError("An address must not hold a name or a password.", hint="The signature is the proof.")
    if parsed.fragment or len(str(parsed)) > LONGEST_URL:
        raise PermanentError(f"An address has at most {LONGEST_URL} characters and no part after #.")
    if (address := _literal(parsed.host)) is not None:
        check_address(address, secure=parsed.scheme == "https")
    elif parsed.scheme == "http" and not (settings.OUTBOX.allow_private and parsed.host == "localhost"):
        raise PermanentError("A webhook goes to an address that begins with https://.")
    return str(parsed)


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def check_address(address: Address, *, secure: bool) -> None:
    """Raise `PermanentError` unless webhooks may go to `address`; without TLS (`secure`) only to this very machine."""
    real = _unwrapped(address)
    private_allowed = settings.OUTBOX.allow_private
    if not secure and not (real.is_loopback and private_allowed):
        raise PermanentError("Webhooks are sent over HTTPS only.", hint=WAY_OUT if real.is_loopback else "")
    if real.is_global and not real.is_multicast:
        return
    # Link-local addresses are never a receiver's: cloud providers answer there with credentials.
    never = (
        real.is_multicast or real.is_link_local or real.is_unspecified or (real.is_reserved and not real.is_loopback)
    )
    if never or not private_allowed:
        raise PermanentError(f"Webhooks are not sent to {address}.", hint="" if never else WAY_OUT)


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, else the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inside is None and address in NAT64:
            inside = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return inside or address
    return address


def resolve(host: str, port: int) -> list[Address]:
    """Return the addresses of `host`, in the order to try. Raises `TransientError` when there are none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise TransientError(f"the name {host} cannot be resolved") from exc
    return list(dict.fromkeys(ipaddress.ip_address(str(where[0]).partition("%")[0]) for *_, where in found))
