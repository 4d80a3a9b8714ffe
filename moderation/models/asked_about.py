"""What a review item is about: a row of whatever can be asked about, found by its reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from core.exceptions import PermanentError
from labeling.subject import Subject, subject_behind

if TYPE_CHECKING:
    from moderation.models.reviews import ReviewItem


class AskedAbout:
    """The part of a review item that knows what people are asked about."""

    @property
    def leading(self) -> ReviewItem:
        """The item that leads the panel: itself, for one that is nobody's seat."""
        item = cast("ReviewItem", self)
        return item.lead or item

    @property
    def subject(self) -> Any:
        """What people are asked about: a row. Raises `PermanentError` where it is gone."""
        lead = self.leading
        found = lead.candidate or lead.customer_review or subject_behind(lead.about).rows([lead.about]).get(lead.about)
        if found is None:
            raise PermanentError(f"What {lead} is about is not there any more.")
        return found

    @property
    def words(self) -> str:
        """The words in question, as pages show them; that they are gone, where they are."""
        return self._told(lambda behind, row: behind.words(row), gone="(not there any more)")

    @property
    def picture(self) -> str:
        """The address of the picture in question, as its row holds it; empty where it is about none, or it is gone."""
        return self._told(lambda behind, row: behind.picture(row))

    @property
    def subject_address(self) -> str:
        """The page of what people are asked about; empty where that is gone."""
        return self._told(lambda behind, row: behind.address(row))

    def _told(self, tell: Callable[[Subject, Any], str], *, gone: str = "") -> str:
        try:
            return tell(subject_behind(self.leading.about), self.subject)
        except PermanentError:
            return gone
