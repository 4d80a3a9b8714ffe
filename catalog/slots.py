"""A slot is where one text stands: a product, a channel, a locale and, where it is not for everybody, an audience."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product as pairs
from typing import Any, Final, Protocol

from catalog.models import CONTROL, Channel, Locale, Product
from core.exceptions import PermanentError

__all__ = ["CONTROL", "EVERYBODY", "InASlot", "Slot", "across", "require_known", "require_name"]

EVERYBODY: Final = ""
_CLOSED: Final = {"channel": Channel.values, "locale": Locale.values}
_A: Final = {"audience": "an audience", "variant": "a variant"}
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?", re.ASCII)


class InASlot(Protocol):
    """A row that belongs into a slot: an order for copy, a draft, live copy."""

    @property
    def product(self) -> Product: ...
    @property
    def channel(self) -> str: ...
    @property
    def locale(self) -> str: ...
    @property
    def audience(self) -> str: ...


@dataclass(frozen=True)
class Slot:
    """One place for copy. In each variant of it, at most one text is live.

    Raises `PermanentError` for a channel or locale that there is not, or an audience whose name is none.
    """

    product: Product
    channel: str
    locale: str
    audience: str = EVERYBODY

    def __post_init__(self) -> None:
        require_known(channel=self.channel, locale=self.locale, audience=self.audience)

    @classmethod
    def of(cls, row: InASlot) -> Slot:
        """Return the slot that `row` belongs into."""
        return cls(row.product, row.channel, row.locale, row.audience)

    def where(self) -> dict[str, Any]:
        """Return the fields that put a row into this slot: to filter by, and to create with."""
        return {
            "product": self.product,
            "channel": self.channel,
            "locale": self.locale,
            "audience": self.audience,
        }

    def as_event(self) -> dict[str, str]:
        """Return what others are told of it: in webhooks and in ledger lines."""
        return {
            "sku": self.product.sku,
            "channel": self.channel,
            "locale": self.locale,
            "audience": self.audience,
        }

    def __str__(self) -> str:
        return f"{self.product.sku} {self.channel} {self.locale}{f' for {self.audience}' if self.audience else ''}"


def across(
    products: Iterable[Product], *, channels: Sequence[str], locales: Sequence[str], audience: str = EVERYBODY
) -> list[Slot]:
    """Return the slot of each product × channel × locale.

    Raises `PermanentError` as `Slot`, and where a list is empty.
    """
    for name, given in (("channel", channels), ("locale", locales)):
        if not given or (unknown := sorted(set(given) - set(_CLOSED[name]))):
            raise _unknown(name, ", ".join(unknown) if given else "none")
    require_known(audience=audience)
    return [Slot(product, channel, locale, audience) for product, channel, locale in pairs(products, channels, locales)]


def require_known(**given: str) -> None:
    """Raise `PermanentError` unless the `channel` and `locale` that are given exist, and `audience` and `variant` are
    names.

    Who may see an audience, and which variant a shopper is shown, is the shop's to say: they are names here and nothing
    else.
    """
    for name, value in given.items():
        if name in _CLOSED:
            if value not in _CLOSED[name]:
                raise _unknown(name, value[:40])
        elif not (name == "audience" and value == EVERYBODY):
            require_name(value, what=_A[name])


def require_name(value: str, *, what: str) -> None:
    """Raise `PermanentError` unless `value` is a name that people may give, here to `what` ("a variant")."""
    if not _NAME.fullmatch(value):
        raise PermanentError(
            f"“{value[:40]}” is no name of {what}.",
            hint="Use up to 40 small letters, digits, hyphens and underscores, such as “summer-2027”.",
        )


def _unknown(name: str, value: str) -> PermanentError:
    return PermanentError(f"Unknown {name}: {value}.", hint=f"Choose from {', '.join(_CLOSED[name])}.")
