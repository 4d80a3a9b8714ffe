"""A text file that grows by whole pages and can be continued after a crash."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

from labeling.exchange.rows import Item, Layout, Writer


class TextWriter(Writer):
    """Positions are bytes."""

    head = tail = ""

    def __init__(self, part: Path, layout: Layout, *, position: int) -> None:
        super().__init__(part, layout, position=position)
        self.stream = part.open("r+b" if position else "wb")
        self.stream.truncate(position)
        self.stream.seek(position)
        self.is_begun = position > 0

    @abstractmethod
    def text_of(self, items: Sequence[Item], *, is_first: bool) -> str:
        """Return the text of a page; `is_first`: there is no item before it."""

    def write(self, items: Sequence[Item]) -> int:
        text = self.text_of(items, is_first=not self.is_begun)
        self._put(text if self.is_begun else self.head + text)
        self.is_begun = True
        return self.stream.tell()

    def finish(self) -> Path:
        self._put(self.tail if self.is_begun else self.head + self.tail)
        self.close()
        return self.part

    def close(self) -> None:
        self.stream.close()

    def _put(self, text: str) -> None:
        self.stream.write(text.encode())
        self.stream.flush()
        os.fsync(self.stream.fileno())
