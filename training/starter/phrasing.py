"""English grammar for the starter pairs: articles, plural verbs, lists."""

from __future__ import annotations

import re
from collections.abc import Sequence

_LETTERS_WITH_AN = "AEFHILMNORSX"
_SPOKEN_AS_WORDS = {"MIDI", "LAN"}
_IRREGULAR = {"is": "are", "has": "have", "does": "do"}
_PLURALS = {"feet", "teeth", "people"}
_NOT_PLURAL = {"canvas", "glass", "process", "series", "scissors'"}


def with_article(words: str) -> str:
    """Return `words` after "a" or "an", by how their beginning is spoken."""
    first = re.split(r"[\s-]", words, maxsplit=1)[0]
    is_spelled = len(first) > 1 and first.isupper() and first.isalnum() and not first.isdigit()
    if first[0].isdigit():
        takes_an = bool(re.match(r"8|11(?!\d)|18(?!\d)", first))
    elif is_spelled or len(first) == 1:
        takes_an = first[0].upper() in _LETTERS_WITH_AN and first not in _SPOKEN_AS_WORDS
    else:
        takes_an = bool(re.match(r"[aeiou]|hour|honest", first, re.I)) and not re.match(
            r"uni|use|uk|one\b|eu", first, re.I
        )
    return f"{'an' if takes_an else 'a'} {words}"


def is_plural(noun: str) -> bool:
    """Return whether `noun` is spoken of as "they"."""
    last = noun.split()[-1].lower()
    return last in _PLURALS or (last.endswith("s") and not last.endswith("ss") and last not in _NOT_PLURAL)


def plural_verb(phrase: str) -> str:
    """Return a verb phrase of the third person singular in the plural: "weighs 2 kg" gives "weigh 2 kg"."""
    verb, _, rest = phrase.partition(" ")
    if verb in _IRREGULAR:
        verb = _IRREGULAR[verb]
    elif verb.endswith("ies"):
        verb = f"{verb[:-3]}y"
    elif verb.endswith(("ches", "shes", "sses", "xes")):
        verb = verb[:-2]
    elif verb.endswith("s"):
        verb = verb[:-1]
    return f"{verb} {rest}".strip()


def listed(parts: Sequence[str]) -> str:
    """Return `parts` as a list in a sentence: "a", "a and b", "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def verbs_listed(phrases: Sequence[str]) -> str:
    """Return verb phrases as a list; a verb that all of them begin with is said once."""
    verb = phrases[0].split()[0]
    is_common = all(phrase.split()[0] == verb and phrase.split()[1] != "to" for phrase in phrases)
    if verb in {"is", "are", "has", "have"} and is_common:
        return listed([phrases[0], *(phrase.partition(" ")[2] for phrase in phrases[1:])])
    return listed(phrases)


def capital(text: str) -> str:
    """Return `text` with a capital at its beginning, the rest as it is."""
    return text[:1].upper() + text[1:]


def common_noun(title: str) -> str:
    """Return a noun of a title as it stands in a sentence: "Folding Chair" gives "folding chair", "MIDI" stays."""
    proper = {"Chelsea", "Oxford"}
    return " ".join(
        word
        if word in proper or (word.isupper() and len(word) > 1)
        else word[0].lower() + word[1:]
        if word[:2] != "T-"
        else word[:2] + word[2:].lower()
        for word in title.split()
    )
