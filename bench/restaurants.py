"""Restaurants with their facts and what people wrote of them (E2E NLG, Dušek et al. 2020), and an exact check of slots.

Area, food, rating and who is welcome are matched here by the values of the data set, apart from the house's grounding
check, which reads them by its lexicons since its version 2: so that a model is not judged by the check alone.
"""

from __future__ import annotations

import csv
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("ECOMSITE_DATA_DIR", ROOT.parent / "shared" / "data"))
NAMES_OF_SLOTS = {
    "eatType": "Type",
    "food": "Food",
    "priceRange": "Price range",
    "customer rating": "Customer rating",
    "area": "Area",
    "familyFriendly": "Family friendly",
    "near": "Near",
}
# Ways of saying the value of a slot; several values of the set mean the same level.
PRICES = {
    "low": r"cheap|inexpensive|low[- ]?(?:cost|pric)|less than £ ?20|under £ ?20|affordable",
    "middle": r"moderate(?:ly)?[- ]pric|moderate price|pric\w*(?: range)?(?: is| are| of)? moderate|£ ?20 ?(?:-|–|to) ?£? ?25",
    "high": r"(?<!in)expensive|high(?:ly|er)?[- ]pric|high price|pric\w*(?: range)?(?: is| are| of)?(?: in the)? high|(?:more than|over) £ ?30",
}
RATINGS = {
    "low": r"\blow(?:ly)?[- ](?:customer[- ])?rat|(?:\b1|\bone) (?:out )?of (?:5|five)|(?<!of )(?:\b1|\bone)[- ]star|rat\w*(?: is| of|:)? low|poor(?:ly)?[- ](?:customer[- ])?rat",
    "middle": r"\baverage(?:ly)?[- ](?:customer[- ])?rat|(?:\b3|\bthree) (?:out )?of (?:5|five)|(?<!of )(?:\b3|\bthree)[- ]star|rat\w*(?: is| of|:)?(?: an?)? average",
    "high": r"\bhigh(?:ly)?[- ](?:customer[- ])?rat|(?:\b5|\bfive) (?:out )?of (?:5|five)|(?<!of )(?:\b5|\bfive)[- ]star|rat\w*(?: is| of|:)?(?: a)? high",
}
LEVEL = {
    "cheap": "low",
    "less than £20": "low",
    "moderate": "middle",
    "£20-25": "middle",
    "high": "high",
    "more than £30": "high",
    "1 out of 5": "low",
    "low": "low",
    "3 out of 5": "middle",
    "average": "middle",
    "5 out of 5": "high",
}
AREAS = {
    "riverside": r"river ?side|\briver\b",
    "city centre": r"(?:city|town) cent(?:re|er)|cent(?:re|er) of (?:the )?(?:city|town)",
}
FOODS = {
    food: rf"\b{food}\b" for food in ("chinese", "english", "french", "indian", "italian", "japanese", "fast food")
}
TYPES = {"coffee shop": r"coffee[- ]?shop|\bcaf[eé]\b|coffee (?:house|place)", "pub": r"\bpub\b"}
KIN = r"(?:famil|kid|child)\w*"
UNWELCOME = rf"\b(?:not|no|non|isn't|aren't|doesn't|don't|never|adults?)\b[\w\s'-]{{0,30}}?{KIN}|{KIN}[- ]?(?:friendly)?[\w\s]{{0,12}}\b(?:not|no)\b"


@dataclass(frozen=True)
class Restaurant:
    """The facts of one restaurant, as slot → value, and the texts that people wrote from just these."""

    slots: Mapping[str, str]
    texts: Sequence[str]

    @property
    def name(self) -> str:
        return self.slots["name"]


def load() -> list[Restaurant]:
    """Return all restaurants of the development set, in its order."""
    path = DATA / "e2e_nlg" / "devset.csv"
    if not path.is_file():
        raise SystemExit(f"{path} is absent: set ECOMSITE_DATA_DIR to the folder of the evaluation data.")
    found: dict[str, list[str]] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            found.setdefault(row["mr"], []).append(" ".join(row["ref"].split()))
    return [Restaurant(dict(re.findall(r"(\w[\w ]*)\[([^\]]*)\]", mr)), texts) for mr, texts in found.items()]


def said(restaurant: Restaurant, text: str, *, places: Sequence[str]) -> dict[str, set[str]]:
    """Return for each slot the values that `text` states; `places` are all names that may be near or be meant."""
    own = {plain(restaurant.name), plain(restaurant.slots.get("near", ""))}
    rest = plain(text)
    found: dict[str, set[str]] = {"near": {place for place in map(plain, places) if place not in own and place in rest}}
    for slot in ("name", "near"):
        value = plain(restaurant.slots.get(slot, ""))
        if value and value in rest:
            found.setdefault(slot, set()).add(value)
            rest = rest.replace(value, " ")  # “Raja Indian Cuisine” says nothing of the food
    for place in found["near"]:
        rest = rest.replace(place, " ")
    ways = {"priceRange": PRICES, "customer rating": RATINGS, "area": AREAS, "food": FOODS, "eatType": TYPES}
    for slot, patterns in ways.items():
        found[slot] = {value for value, pattern in patterns.items() if re.search(pattern, rest)}
    if re.search(KIN, rest):
        found["familyFriendly"] = {"no" if re.search(UNWELCOME, rest) else "yes"}
    return found


def words_of(text: str) -> list[str]:
    """Return the words of `text` in lower case."""
    return re.findall(r"[a-z]+", plain(text))


def plain(text: str) -> str:
    """Return `text` in lower case without accents."""
    decomposed = unicodedata.normalize("NFD", text.lower().replace("’", "'"))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def value_of(restaurant: Restaurant, slot: str) -> str:
    """Return the value of a slot as `said` names it."""
    value = restaurant.slots.get(slot, "")
    return LEVEL.get(value, value) if slot in {"priceRange", "customer rating"} else plain(value)


def wrong_values(restaurant: Restaurant, text: str, *, places: Sequence[str]) -> dict[str, int]:
    """Return for each slot how many values `text` states that are not the restaurant's."""
    found = said(restaurant, text, places=places)
    return {slot: n for slot, values in found.items() if (n := len(values - {value_of(restaurant, slot)}))}


def judged(restaurant: Restaurant, text: str, *, places: Sequence[str]) -> tuple[float, int]:
    """Return the share of the facts that `text` realises, and how many values it states that are none of them."""
    found = said(restaurant, text, places=places)
    told = [value_of(restaurant, slot) in found.get(slot, set()) for slot in restaurant.slots]
    return sum(told) / len(told), sum(wrong_values(restaurant, text, places=places).values())
