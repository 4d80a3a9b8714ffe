"""Shopify's metafields as facts: what merchants say about a product, and not what apps keep there.

https://shopify.dev/docs/apps/build/custom-data/metafields/list-of-data-types
"""

from __future__ import annotations

import json
import re
from typing import Any

from catalog.units import canonical_unit

_COLUMN = re.compile(r"(?P<name>.+?) \((?:product|variant)\.metafields\.(?P<namespace>[^.)]+)\.(?P<key>[^)]+)\)")
# Where merchants and Shopify itself keep what a product is. Other namespaces are those of apps: reviews, search, feeds.
_OF_MERCHANTS = (
    "custom my_fields descriptors facts shopify spec specs specification specifications details attributes properties "
    "product info"
)
NAMESPACES = frozenset(_OF_MERCHANTS.split())
_IDENTIFIER = re.compile(r"gid://\S+")
_UNITS = {"FLUID_OUNCES": "fl oz", "US_FLUID_OUNCES": "fl oz", "CUBIC_METERS": "m³"}


def metafield(column: str, value: str) -> tuple[str, str] | None:
    """Return the fact (name, value) that a column of an export says, or None where it is no fact of a product."""
    match = _COLUMN.fullmatch(column)
    if match is None or match["namespace"].lower() not in NAMESPACES:
        return None
    text = _unpacked(value.strip())
    return (match["name"], text) if text else None


def _unpacked(value: str) -> str:
    if _IDENTIFIER.fullmatch(value):
        return ""
    if value[:1] not in "[{" or len(value) > 200_000:
        return value
    try:
        data = json.loads(value)
    except (ValueError, RecursionError):
        return value
    if isinstance(data, list):
        parts = [_unpacked_part(part) for part in data]
        return ", ".join(part for part in parts if part)
    return _unpacked_part(data)


def _unpacked_part(data: Any) -> str:
    if isinstance(data, dict):
        if "scale_max" in data:  # the stars customers gave it
            return ""
        if {"value", "unit"} <= set(data) and not isinstance(data["value"], dict | list):
            unit = str(data["unit"])
            return (
                f"{data['value']} {_UNITS.get(unit.upper()) or canonical_unit(unit.lower().replace('_', ' ')) or unit}"
            )
        if {"amount", "currency_code"} <= set(data):
            return f"{data['amount']} {data['currency_code']}"
        return "\n".join(_texts_of(data)) if "children" in data else ""
    if isinstance(data, bool) or data is None:
        return "" if data is None else "yes" if data else "no"
    text = str(data) if not isinstance(data, list) else ""
    return "" if _IDENTIFIER.fullmatch(text) else text


def _texts_of(root: dict[str, Any]) -> list[str]:
    """Return the lines of a rich text, which is a tree; walked without recursion, for nobody says how deep it is."""
    lines, stack = [""], list[Any]([root])
    while stack:
        node = stack.pop()
        if not isinstance(node, dict):
            continue
        if node.get("type") in ("paragraph", "heading", "list-item") and lines[-1]:
            lines.append("")
        if isinstance(node.get("value"), str):
            lines[-1] += node["value"]
        children = node.get("children")
        stack.extend(reversed(children) if isinstance(children, list) else ())
    return [line for line in lines if line.strip()]
