"""Limits as a server understands them: a regular expression for vLLM, a GBNF grammar for llama.cpp; numbers alone.

A server that decodes by a grammar holds the numbers with their units. Words and what a number is said of stay with the
judge: a list of a thousand words that may not occur is no grammar that a server compiles in reasonable time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, Literal

from inference.writing.limits import AllowedNumber, Limits

Guide = Literal["vllm_structured_outputs", "vllm_guided_regex", "llama_cpp_grammar"]
MOST_FORMS: Final = 400
# A unit in a word or sign, as copy writes it; Chinese spellings where the fact has them.
_PLAIN_WAY: Final = re.compile(r"[ -]?[a-z%°\"/.²³ ]{1,20}|[ -]?[\u4e00-\u9fff]{1,4}| [x×] ")


def guided(limits: Limits, guide: Guide) -> dict[str, Any]:
    """Return what a request says so that the server of this kind keeps to the numbers of `limits`."""
    if guide == "llama_cpp_grammar":
        return {"grammar": as_gbnf(limits)}
    if guide == "vllm_guided_regex":
        return {"guided_regex": as_regex(limits)}
    return {"structured_outputs": {"regex": as_regex(limits)}}


def as_regex(limits: Limits) -> str:
    """Return an expression for whole texts: any text whose digits are numbers of the facts, with their units."""
    forms = "|".join(map(_escaped, _sorted(limits)))
    return f"([^0-9]|({forms})[^0-9])*({forms})?" if forms else "[^0-9]+"


def as_gbnf(limits: Limits) -> str:
    """Return the same as a grammar of llama.cpp (GBNF)."""
    forms = " | ".join(json.dumps(form, ensure_ascii=False) for form in _sorted(limits))
    if not forms:
        return "root ::= [^0-9]+\n"
    return f"root ::= piece* number?\npiece ::= [^0-9] | number [^0-9]\nnumber ::= {forms}\n"


def _sorted(limits: Limits) -> list[str]:
    return sorted(set(_forms(limits)), key=lambda form: (-len(form), form))


def _escaped(form: str) -> str:
    """Escape no more than what every dialect of expressions reads alike (a space stays one)."""
    return re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", form)


def _forms(limits: Limits) -> Iterator[str]:
    made = 0
    for form in (*(form for number in limits.numbers for form in _written(number)), *sorted(limits.codes)):
        for way in dict.fromkeys((form, form.upper())) if form in limits.codes else (form,):
            if made < MOST_FORMS:
                made += 1
                yield way


def _written(number: AllowedNumber) -> Iterator[str]:
    if not number.follows:
        yield number.digits
    for end in number.follows:
        if _PLAIN_WAY.fullmatch(end):
            yield number.digits + end
