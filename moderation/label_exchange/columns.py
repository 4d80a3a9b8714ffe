"""Which columns of a file of labels say what, by what its question is about; and which row a row of it names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError

from catalog.cleaning import clean_line
from catalog.feeds.base import BadRow
from core.refs import pk_of, ref_to
from labeling.question import Question
from labeling.subject import Subject, subject_of

REVIEW = "review"
# Field → the columns it is looked for in, the first that is there; the label is also found under Label Studio's
# control.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "text": ("text",),
    "label": ("label",),  # and the name of the question, before it
    "rater": ("rater",),
    "subject": ("subject",),
    "external_id": ("external_id",),
    "title": ("title",),
    "sku": ("sku",),
    "locale": ("locale", "language"),
    "rating": ("rating",),
    "annotated_at": ("annotated_at", "labelled_at"),
    "seconds": ("seconds",),
}
OF_ANY = ("label", "rater", "subject", "annotated_at", "seconds")


def columns_of(asked: Question) -> Mapping[str, tuple[str, ...]]:
    """Return the fields of a row that answers `asked`, each with the columns it is looked for in.

    A customer review comes with its text, and is made where it is new. Anything else is there, and named by our
    reference (`subject`) or by what its subject is known by: the sku of a product, the id of a draft.
    """
    if asked.about == REVIEW:
        return COLUMNS
    about = subject_of(asked.about)
    own = filter(None, (about.key, *about.told_by))
    return {**{name: COLUMNS[name] for name in OF_ANY}, **{name: (name,) for name in own}}


def named_by(asked: Question) -> tuple[str, ...]:
    """Return the fields of which a row has one at least: they say what its label is about."""
    if asked.about == REVIEW:
        return ("text", "external_id", "subject")
    key = subject_of(asked.about).key
    return (key, "subject") if key else ("subject",)


def reference_in(values: Mapping[str, str], about: Subject) -> str:
    """Return our reference in `values`, of a row about a subject `about`; empty where it names it by its key.

    Raises `BadRow` for a reference to anything else.
    """
    said = values["subject"]
    if not said:
        return ""
    try:
        return ref_to(about.model, about.model._meta.pk.to_python(pk_of(said, about.model)))
    except (ValueError, ValidationError):
        raise BadRow(f"the subject {said[:80]!r} is no {about.name}") from None


def stated_in(values: Mapping[str, str], about: Subject) -> tuple[tuple[str, str], ...]:
    """Return what `values` say of which row is meant, beside our reference to it."""
    said = ((name, clean_line(values.get(name, ""))) for name in about.told_by)
    return tuple((name, value) for name, value in said if value)


def key_in(values: Mapping[str, str], about: Subject) -> str:
    """Return the key in `values` by which a subject `about` is found. Raises `BadRow` without one."""
    said = clean_line(values.get(about.key, ""))  # as imports of what it names do
    if not said:
        raise BadRow(
            f"there is no {' or '.join(filter(None, (about.key, 'subject')))}: nothing says which {about.name}"
        )
    field: Any = about.model._meta.get_field(about.key)
    try:
        return str(field.to_python(said))
    except ValidationError:
        raise BadRow(f"the {about.key} {said[:80]!r} is none of a {about.name}") from None
