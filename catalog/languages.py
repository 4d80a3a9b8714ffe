"""Which language a text is in, as far as letters and the commonest words tell; one of ours, or one that is not. Pure."""

from __future__ import annotations

import re
from collections import Counter

from catalog.cleaning import language_of

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
    "German": "der das und ist nicht ein eine einen einem einer mit für auf dem den sehr sich auch ich wir ihr zu zum zur von "
    "vom aus bei wie noch nur oder aber sind wird haben habe hat wurde ohne nach im als mir mich gut gerne wieder ganz immer alles schnell schön",
    "French": "le la les des une est et dans pour avec que qui sur pas plus très ce cette ces je nous vous il elle sont du au aux "
    "mais sans tout mon ma bon bonne bien produit recommande rien qualité",
    "Spanish": "el los las una es y en para con que por muy del al este esta estos no se lo pero más como mi son sin su bueno buena bien todo producto recomiendo calidad",
    "Italian": "il lo gli una è e di che per con molto del della dei delle sono non questo questa ma più come nel alla ottimo bello bene tutto prodotto consiglio qualità",
    "Portuguese": "o os uma é em para com que por muito do da dos das não este esta mas mais como meu são seu bom boa produto recomendo tudo",
    "Dutch": "het een van en is voor met dat niet op zijn heel deze dit ook maar ik naar bij goed erg",
    "Polish": "jest nie się na do z dla bardzo i w to jak ale od po są tak",
    "Swedish": "och är det en ett att för med som på inte den av till mycket jag har",
}
_LANGUAGES: dict[str, list[str]] = {}
for _name, _words in _WORDS.items():
    for _word in _words.split():
        _LANGUAGES.setdefault(_word, []).append(_name)
_OF_ENGLISH = (
    "the a an and is are was it this that of to in for with on i my you not but very so as have has had at be they we from or "
    "if just all me its too these will would when no do"
)
_ENGLISH = frozenset(_OF_ENGLISH.split())
_WORD = re.compile(r"[^\W\d_]+")
_LETTER = re.compile(r"[^\W\d_]")
MOST_WORDS = 400  # enough to tell
FEWEST = 3  # frequent words of another language, before we say so
SHORT = 8  # words of a review, of which two will do: names of things are no reviews


def other_language(text: str, *, is_review: bool = False) -> str:
    """Return what a text looks like that is in none of our languages; empty where it may be in one.

    Errs on the side of our languages: a name of three words may be of any.
    """
    if not text.isascii():
        letters = len(_LETTER.findall(text))
        for name, script in _SCRIPTS:
            if len(script.findall(text)) * (8 if name == "Japanese" else 3) >= letters > 0:
                return name
    if language_of(text) != "en":
        return ""
    words = [word.casefold() for word in _WORD.findall(text[:5_000])[:MOST_WORDS]]
    fewest = 2 if is_review and len(words) <= SHORT else FEWEST
    n_english = sum(word in _ENGLISH for word in words)
    hits = Counter(name for word in words for name in _LANGUAGES.get(word, ()))
    if not hits:
        return ""
    name, n_foreign = hits.most_common(1)[0]
    return name if n_foreign >= fewest and n_foreign > 2 * n_english else ""
