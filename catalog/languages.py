"""Which language a text is in, as far as letters and the commonest words tell; one of ours, or one that is not. Pure.

A short text may tell nothing; then what the others of its feed are in says it (`Languages`). Nothing is held to be
English because it has Latin letters.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property
from operator import itemgetter

from catalog.cleaning import language_of
from catalog.language_model import LIKELY, SURE, identify

ENGLISH, CHINESE = "en", "zh-Hans"
OURS = ("", ENGLISH, CHINESE)

# Scripts that neither of our languages is written in.
_SCRIPTS = (
    ("Japanese", re.compile("[\u3041-\u30ff]")),
    ("Korean", re.compile("[\uac00-\ud7af\u1100-\u11ff]")),
    ("one with Cyrillic letters", re.compile("[\u0400-\u052f]")),
    ("Greek", re.compile("[\u0370-\u03ff]")),
    ("Arabic or Persian", re.compile("[\u0600-\u06ff]")),
    ("Hebrew", re.compile("[\u0590-\u05ff]")),
    ("Thai", re.compile("[\u0e00-\u0e7f]")),
    ("one of India", re.compile("[\u0900-\u0dff]")),
)
# Words that are frequent there, and are none in English.
_WORDS = {
    "German": "der das und ist nicht ein eine einen einem einer mit für auf dem den sehr sich auch ich wir ihr zu zum "
    "zur von vom aus bei wie noch nur oder aber sind wird haben habe hat wurde ohne nach im als mir mich gut gerne "
    "wieder ganz immer alles schnell schön",
    "French": "le la les des une est et dans pour avec que qui sur pas plus très ce cette ces je nous vous il elle "
    "sont du au aux mais sans tout mon ma bon bonne bien produit recommande rien qualité",
    "Spanish": (
        "el los las una es y en para con que por muy del al este esta estos no se lo pero más como mi son sin "
        "su bueno buena bien todo producto recomiendo calidad"
    ),
    "Italian": (
        "il lo gli una è e di che per con molto del della dei delle sono non questo questa ma più come nel "
        "alla ottimo bello bene tutto prodotto consiglio qualità"
    ),
    "Portuguese": (
        "o os uma é em para com que por muito do da dos das não este esta mas mais como meu são seu bom boa "
        "produto recomendo tudo"
    ),
    "Dutch": "het een van en is voor met dat niet op zijn heel deze dit ook maar ik naar bij goed erg",
    "Polish": "jest nie się na dla bardzo jak ale od są tak oraz przez",
    "Swedish": "och är det en ett att för med som på inte den av till mycket jag har",
}
_LANGUAGES: dict[str, list[str]] = {}
for _name, _words in _WORDS.items():
    for _word in _words.split():
        _LANGUAGES.setdefault(_word, []).append(_name)
_OF_ENGLISH = (
    "the a an and is are was it this that of to in for with on i my you not but very so as have has had at be they we "
    "from or if just all me its too these will would when no do"
)
_ENGLISH = frozenset(_OF_ENGLISH.split())
# Of these, those that no other European language has: they alone show that a text is English.
_SHARED = "a an is was in on i so had has as we me all no do be at or will"
_ENGLISH_ALONE = _ENGLISH - frozenset(_SHARED.split())
_KNOWN = frozenset(_LANGUAGES) | _ENGLISH
_OTHER_SCRIPTS = {CHINESE, *(name for name, _ in _SCRIPTS)}
_WORD = re.compile(r"[^\W\d_]+")
_LETTER = re.compile(r"[^\W\d_]")
MOST_WORDS = 400  # enough to tell
FEWEST = 3  # frequent words of another language, before we say so
MOST_TEXTS = 20_000
MOST_UNTOLD = 500
ENOUGH = 200  # characters of a text for the model of letters
NEARLY_ALL = 0.9
MIXED = "several languages"
SHORT = 8  # words of a review, of which two will do: names of things are no reviews


def other_language(text: str, *, is_review: bool = False) -> str:
    """Return what a text looks like that is in none of our languages; empty where it may be in one.

    Errs on the side of our languages: a name of three words may be of any.
    """
    name = language_in(text, is_review=is_review)
    return "" if name in OURS else name


def language_in(text: str, more: str = "", *, is_review: bool = False) -> str:
    """Return the language of a text, with `more` of the same: a locale of ours, the name of another;
    empty if nothing tells.
    """
    whole = f"{text}\n{more}" if more else text
    if not whole.isascii():
        letters = len(_LETTER.findall(whole))
        for name, script in _SCRIPTS:
            if len(script.findall(whole)) * (8 if name == "Japanese" else 3) >= letters > 0:
                return name
        if language_of(text) == CHINESE:
            return CHINESE
    words = _WORD.findall(whole[:5_000].casefold())[:MOST_WORDS]
    fewest = 2 if is_review and len(words) <= SHORT else FEWEST
    known = [word for word in words if word in _KNOWN]
    hits = Counter(name for word in known for name in _LANGUAGES.get(word, ()))
    name, n_foreign = max(hits.items(), key=itemgetter(1)) if hits else ("", 0)
    if n_foreign >= fewest and n_foreign > 2 * sum(word in _ENGLISH for word in known):
        return name
    if sum(word in _ENGLISH_ALONE for word in known) > sum(word not in _ENGLISH for word in known):
        return ENGLISH
    return CHINESE if language_of(whole) == CHINESE else ""


def surely_in(text: str, more: str = "", *, is_review: bool = False) -> str:
    """Return what `language_in` does, and where words tell nothing what the model of letters is sure of."""
    if name := language_in(text, more, is_review=is_review):
        return name
    name, share = identify(f"{text}\n{more}"[:ENOUGH])
    return name if share >= SURE else ""


class Languages:
    """What the texts of one feed are in, counted."""

    def __init__(self) -> None:
        self.counts = Counter[str]()
        self.untold: list[str] = []
        self.n_heard = 0

    def hear(self, text: str, more: str = "", *, is_review: bool = False) -> None:
        """Count one text; of so many, more would say nothing new."""
        if self.n_heard < MOST_TEXTS and text:
            self.n_heard += 1
            name = surely_in(text, more, is_review=is_review)
            self.counts[name] += 1
            if not name and len(self.untold) < MOST_UNTOLD:
                self.untold.append(text[:200])

    @cached_property
    def common(self) -> str:
        """The language of the texts that tell theirs, of nearly all; of those in Latin letters, if there are any.

        Where none tells, what all of them together are likely in; empty if that is nothing.
        """
        told = {name: n for name, n in self.counts.items() if name}
        if not told:
            name, share = identify("\n".join(self.untold))
            return name if share >= LIKELY else ""
        latin = {name: n for name, n in told.items() if name not in _OTHER_SCRIPTS} or told
        name, n = max(latin.items(), key=itemgetter(1))
        return name if n >= NEARLY_ALL * sum(latin.values()) else MIXED
