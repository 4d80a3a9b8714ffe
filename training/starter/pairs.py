"""Compose the starter pairs: facts of a product, and copy that tells each of the chosen ones once."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from inference.contracts import CopyBrief, Fact
from training.starter import material
from training.starter.material import Category, Said
from training.starter.phrasing import capital, common_noun, is_plural, listed, plural_verb, verbs_listed, with_article

SEED = 17
LOCALE = "en"
TRAIN, DEVELOPMENT, TEST = "train", "development", "test"
# How many pairs each category gives, by channel. In a prompt for a description all facts are to be told.
PAIRS = {"description": 18, "recommendation": 10, "ad_slogan": 8}
MOST_FACTS = 9
# What the length check of the house asks of copy, in words.
WORDS = {"description": (12, 400), "recommendation": (5, 60), "ad_slogan": (2, 10)}
_SLOT = re.compile(r"\{(vp|np|part|made|Made|tag|Tag)\}")
_KIND = {"vp": "does", "np": "has", "part": "parts", "made": "made", "tag": "tags"}


@dataclass(frozen=True)
class Pair:
    """A brief and copy for it. `told`: the names of the facts that the copy tells; `part`: train, development, test."""

    brief: CopyBrief
    text: str
    told: tuple[str, ...]
    part: str


@dataclass(frozen=True)
class _Product:
    title: str
    brand: str
    kind: str
    is_many: bool
    is_mass: bool
    facts: Sequence[tuple[str, str, Said]]
    category: str

    def words(self, *, says_brand: bool, bare: bool) -> dict[str, str]:
        """Return what stands for the product in a pattern; its verbs agree with it."""
        by = f" by {self.brand}" if says_brand and self.brand and self.brand not in self.title else ""
        known = self.title if bare else f"the {self.title}"
        pronoun, its = ("they", "their") if self.is_many else ("it", "its")
        a_kind = self.kind if self.is_many or self.is_mass else with_article(self.kind)
        verbs = (
            {"is": "are", "has": "have", "comes": "come"}
            if self.is_many
            else {"is": "is", "has": "has", "comes": "comes"}
        )
        this = "these" if self.is_many else "this"
        return {
            "T": capital(known) + by,
            "t": known + by,
            "N": self.title,
            "n": self.title,
            "a kind": a_kind,
            "A kind": capital(a_kind),
            "The kind": f"The {self.kind}",
            "This kind": capital(f"{this} {self.kind}"),
            "it": pronoun,
            "It": capital(pronoun),
            "Its": capital(its),
            **verbs,
        }


def compose(*, seed: int = SEED) -> Iterator[Pair]:
    """Yield the pairs of all categories; the same for the same seed and material."""
    for category in material.categories():
        rng = random.Random(f"{seed} {' '.join(category.path)}")  # noqa: S311  (no secret)
        seen: set[str] = set()
        for channel, n in PAIRS.items():
            found = 0
            while found < n:
                pair = _pair(category, channel, rng)
                if pair is not None and pair.text not in seen:
                    seen.add(pair.text)
                    found += 1
                    yield pair


def _pair(category: Category, channel: str, rng: random.Random) -> Pair | None:
    """Return a pair, or None where a value would be told twice, or the draw does not come out."""
    product = _product(category, rng)
    if channel == "description":
        told, text = _description(product, rng)
    else:
        told, text = _line(product, channel, rng)
    own = text.replace(product.title, "")
    values = [value for name, value, _ in product.facts if name in told and value not in {"yes", "no"}]
    if not text or any(_times(value, own) != 1 or _times(value, product.title) for value in values):
        return None
    untold = [value for name, value, _ in product.facts if name not in told]
    if any(_times(value, own) for value in untold):
        return None
    fewest, most = WORDS[channel]
    if not fewest <= len(text.split()) <= most:
        return None
    facts = [Fact(name, value) for name, value, _ in product.facts]
    brief = CopyBrief(channel, LOCALE, product.title, brand=product.brand, category=product.category, facts=facts)
    return Pair(brief, text, tuple(told), category.part)


def _times(value: str, text: str) -> int:
    return len(re.findall(rf"(?<![\w.]){re.escape(value)}(?![\w]|\.\d)", text, re.IGNORECASE))


def _product(category: Category, rng: random.Random) -> _Product:
    words = material.wording()
    noun, brand, line = rng.choice(category.nouns), rng.choice(words["brands"]), rng.choice(words["lines"])
    titles = [
        f"{brand} {noun}",
        f"{brand} {line} {noun}",
        f"{line} {noun}",
        f"{brand} {line} {rng.randint(20, 980)} {noun}",
    ]
    title = rng.choices(titles, (4, 4, 3, 1))[0]
    chosen = rng.sample(category.attributes, k=min(len(category.attributes), rng.randint(2, MOST_FACTS)))
    lower, facts = rng.random() < 0.4, []
    for attribute in chosen:
        name, value = rng.choice(attribute.names), rng.choice(attribute.values)
        name = name.lower() if lower else name
        facts.append((name, value, attribute.said(name, value)))
    path = rng.choice([" > ".join(category.path), " | ".join(category.path), category.path[-1], ""])
    known = brand if brand in title or rng.random() < 0.7 else ""
    return _Product(title, known, common_noun(noun), is_plural(noun), category.is_mass, facts, path)


def _description(product: _Product, rng: random.Random) -> tuple[list[str], str]:
    facts = list(product.facts)
    if rng.random() < 0.4:
        rng.shuffle(facts)
    own = [fact for fact in facts if not fact[2].does or (fact[2].plain and rng.random() < 0.35)]
    joined = [fact for fact in facts if fact not in own]
    if not joined:
        return [], ""
    words, wording = product.words(says_brand=True, bare=rng.random() < 0.3), material.wording()
    sentences, patterns = [], wording["first"]
    while joined:
        n = rng.choices((1, 2, 3), (2, 4, 2))[0]
        chunk, joined = joined[:n], joined[n:]
        sentences.append(_sentence(chunk, patterns, product, words, rng))
        patterns = wording["next"]
    for _, _, said in own:
        sentences.insert(rng.randint(1, len(sentences)), _filled(rng.choice(said.plain), words))
    return [name for name, _, _ in facts], " ".join(sentences)


def _sentence(
    chunk: Sequence[tuple[str, str, Said]],
    patterns: Sequence[str],
    product: _Product,
    words: Mapping[str, str],
    rng: random.Random,
) -> str:
    """Return one sentence that tells all of `chunk`, by a pattern whose places it fills."""
    for pattern in rng.sample(patterns, k=len(patterns)):
        slots = _SLOT.findall(pattern)
        if len(slots) > len(chunk):
            continue
        cuts = sorted(rng.sample(range(1, len(chunk)), k=len(slots) - 1))
        shares = [chunk[a:b] for a, b in zip([0, *cuts], [*cuts, len(chunk)], strict=True)]
        if all(
            getattr(fact[2], _KIND[slot.lower()]) for slot, share in zip(slots, shares, strict=True) for fact in share
        ):
            said = {slot: _joined(slot, share, product, rng) for slot, share in zip(slots, shares, strict=True)}
            return _filled(pattern, {**words, **said})
    return _filled("{It} {vp}.", {**words, "vp": _joined("vp", chunk, product, rng)})


def _joined(slot: str, share: Sequence[tuple[str, str, Said]], product: _Product, rng: random.Random) -> str:
    phrases = [rng.choice(getattr(said, _KIND[slot.lower()])) for _, _, said in share]
    if slot == "vp":
        return verbs_listed([plural_verb(phrase) for phrase in phrases] if product.is_many else phrases)
    return capital(listed(phrases)) if slot[0].isupper() else listed(phrases)


def _line(product: _Product, channel: str, rng: random.Random) -> tuple[list[str], str]:
    """Return a recommendation or a slogan that tells one or two of the facts."""
    pattern = rng.choice(material.wording()["slogan" if channel == "ad_slogan" else "recommendation"])
    slots = _SLOT.findall(pattern)
    n = len(slots) if channel == "ad_slogan" else rng.randint(1, 2)
    fitting = [fact for fact in product.facts if all(getattr(fact[2], _KIND[slot.lower()]) for slot in slots)]
    if len(fitting) < n:
        return [], ""
    chosen = rng.sample(fitting, k=n)
    text = pattern
    for i, slot in enumerate(slots):
        share = chosen[i : i + 1] if len(slots) > 1 else chosen
        text = text.replace(f"{{{slot}}}", _joined(slot, share, product, rng), 1)
    words = product.words(says_brand=channel != "ad_slogan" and rng.random() < 0.4, bare=False)
    return [name for name, _, _ in chosen], _filled(text, words)


def _filled(pattern: str, words: Mapping[str, str]) -> str:
    return re.sub(r"\{([^{}]+)\}", lambda match: words[match[1]], pattern)
