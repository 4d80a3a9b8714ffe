"""From where a request comes: the client's network address, also behind proxies of one's own."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Return the address of who asks; of IPv6 the /64, which one customer has.

    Empty when there is none (a socket file).

    Each of the `CLIENT_ADDRESS_PROXIES` proxies of ours appends to X-Forwarded-For whom it heard, so the client stands
    that many from the right; what is left of it anybody may have written. With fewer entries no proxy of ours was
    passed.
    """
    direct = str(request.META.get("REMOTE_ADDR", ""))
    n_proxies = settings.ACCOUNTS.proxies
    heard = [part.strip() for part in str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")]
    return network_of(heard[-n_proxies]) or network_of(direct) if 0 < n_proxies <= len(heard) else network_of(direct)


def network_of(text: str) -> str:
    """Return the one name of a client: an IPv4 address, the /64 of an IPv6 one; empty for what is no address."""
    text = text.strip()
    if text.startswith("["):  # [v6]:port, as some proxies write it
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:  # v4:port
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
