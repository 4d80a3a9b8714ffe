"""What a question can be about: how rows of one sort are found, read, shown to people and taken out, in one place.

Which sorts there are stands in settings.SUBJECTS (name → dotted path); this app does not know what they are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model, QuerySet
from django.utils.module_loading import import_string

from core.exceptions import PermanentError
from core.refs import keys_of, ref


class Subject(ABC):
    """One sort of thing to ask about. Stateless."""

    name: str  # what a question's `about` says
    noun: str  # several of them, in words
    icon: str = "article"  # beside its name, one of Material Symbols
    # Columns of an export beside the reference and the label (labeling/exchange/rows.py has the types), and the one
    # that a file of labels names a row by.
    fields: Mapping[str, str] = MappingProxyType({})
    key: str = ""
    # Columns of a file that say which row is meant beside our reference to it: a number is another row's elsewhere.
    told_by: tuple[str, ...] = ()
    # Whether its words are a customer's own, which no file of errors keeps: they could not be erased there.
    is_personal: bool = False
    # Read along with a row: by a join, and by a query of their own for all rows.
    joined: tuple[str, ...] = ()
    fetched: tuple[str, ...] = ()
    # When a row came: the lot of first labels is drawn from the latest.
    came: str = "created_at"
    # The column with the product's key, for SQL.
    product_column: str = "product_id"
    # Whether a champion answers about every row there is, and each that comes: the table needs the triggers of
    # moderation/sql for that.
    is_scored_as_it_comes: bool = False
    # The column with its language, for SQL; empty where it has none.
    locale_column: str = "locale"
    # Whether a model of ours can read one: `text` says what it reads then. Of others people alone are asked.
    is_readable: bool = True

    @property
    @abstractmethod
    def model(self) -> type[Model]:
        """The table."""

    @abstractmethod
    def words(self, row: Any) -> str:
        """Return the words in question, as plain text: shown on pages of ours."""

    @abstractmethod
    def shows(self, row: Any) -> str:
        """Return `row` as HTML for the labelling page: what others wrote in it is escaped."""

    def tags(self) -> str:
        """Return what shows a row on the labelling page, as Label Studio's XML: a tag in it is named as the subject."""
        return f'<HyperText name="{self.name}" value="${self.name}_html" inline="true" selectionEnabled="false"/>'

    def data(self, row: Any) -> dict[str, Any]:
        """Return the task data of `row`, which `tags` show. `<name>_html` is what a note to who answers is added to."""
        return {f"{self.name}_html": self.shows(row)}

    def text(self, row: Any) -> str:
        """Return what a model reads of `row`; nothing where none can."""
        return self.words(row) if self.is_readable else ""

    def picture(self, row: Any) -> str:
        """Return the address of the picture that is asked about, as `row` holds it; empty where none is."""
        return ""

    def locale(self, row: Any) -> str:
        """Return the language of `row` (BCP 47), which who judges it has to read; empty: any."""
        return str(getattr(row, "locale", ""))

    def product(self, row: Any) -> Any:
        """Return the product that `row` is about, if any: all that is about one is kept together."""
        return getattr(row, "product", None)

    @abstractmethod
    def address(self, row: Any) -> str:
        """Return the path of the page of ours that shows `row`."""

    def values(self, row: Any) -> dict[str, Any]:
        """Return `fields` of `row`, for an export."""
        return {name: getattr(row, name) for name in self.fields}

    def values_of(self, references: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return `fields` of each of `references`; nothing for one that is gone."""
        return {reference: self.values(row) for reference, row in self.rows(references).items()}

    def is_meant(self, row: Any, stated: Mapping[str, str]) -> bool:
        """Whether `row` is what a file means that says `stated` of `told_by` beside our reference to it."""
        return True

    def edition(self, row: Any) -> str:
        """Return what tells the words of `row` from what they were before; kept with each task. Empty: not told."""
        return ""

    def edited(self, items: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow `items`, leading review items about rows of this sort, to those whose task shows other words than the
        row has by now.
        """
        return items.none()

    def all(self) -> QuerySet[Any]:
        """Return every row that can be asked about."""
        return self.model._default_manager.all()

    def rows(self, references: Sequence[str]) -> dict[str, Any]:
        """Return the row of each of `references`; nothing for one that is gone."""
        found = self.model._default_manager.filter(pk__in=keys_of(references, self.model))
        return {ref(row): row for row in found.select_related(*self.joined).prefetch_related(*self.fetched)}


def subject_of(about: str) -> Subject:
    """Return the sort of thing that `about` names. Raises `PermanentError` for one that cannot be asked about (yet)."""
    path = settings.SUBJECTS.get(about)
    if path is None:
        there = f"There are {', '.join(settings.SUBJECTS)}."
        raise PermanentError(f"Nothing can be asked about a {about} yet.", hint=there)
    loaded = import_string(path)
    found = loaded() if isinstance(loaded, type) else loaded
    if not isinstance(found, Subject) or found.name != about:
        raise ImproperlyConfigured(f"{path!r} is not the subject {about!r}")
    return found


def all_subjects() -> list[Subject]:
    """Return every sort of thing that can be asked about, in the order of the settings."""
    return [subject_of(name) for name in settings.SUBJECTS]


def subject_behind(reference: str) -> Subject:
    """Return the sort of thing that `reference` points at. Raises `PermanentError` for none of them."""
    label = reference.partition(":")[0]
    for one in all_subjects():
        if one.model._meta.label_lower == label:
            return one
    raise PermanentError(f"{reference[:120]!r} is nothing that can be asked about.")
