"""Public sets as questions that a file declares: their choices, their rows, and which are learnt from and tested on."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from bench import reviews

N_TEST = 1_000
Pairs = Iterator[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """One choice: what it is called in the set, what is stored, and what people read."""

    there: str
    value: str
    title: str


@dataclass(frozen=True)
class Declared:
    """A question over the rows of a set; `name` is the question's, `source` the folder of the set."""

    name: str
    source: str
    title: str
    rows: Callable[[], Pairs]
    choices: Sequence[Answer] = field(default=())

    @property
    def values(self) -> list[str]:
        """The values of the choices, in their order."""
        return [one.value for one in self.choices]

    def declaration(self) -> str:
        """Return the file that declares it."""
        choices = [{"value": one.value, "title": one.title} for one in self.choices]
        return yaml.safe_dump({"name": self.name, "title": self.title, "choices": choices}, allow_unicode=True)


class Draw:
    """One seed's texts, no text twice: those that are tested on and never imported, and those that are labelled."""

    def __init__(self, asked: Declared, *, seed: int, n_train: int) -> None:
        place = {one.there: number for number, one in enumerate(asked.choices)}
        known = {
            " ".join(text.split()).casefold(): (text, place[label]) for text, label in asked.rows() if text.strip()
        }
        rows = list(known.values())
        random.Random(seed).shuffle(rows)
        aside, learnt = rows[:N_TEST], rows[N_TEST : N_TEST + n_train]
        self.tested, self.truth = [text for text, _ in aside], [label for _, label in aside]
        self.texts, self.labels = [text for text, _ in learnt], [label for _, label in learnt]
        self._there = [one.there for one in asked.choices]

    def write(self, path: Path, n: int) -> None:
        """Write the first `n` labelled rows as a CSV, under the names of the set."""
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(["text", "label"])
            writer.writerows(
                (text, self._there[label]) for text, label in zip(self.texts[:n], self.labels[:n], strict=True)
            )


def _read(name: str, file: str) -> Iterator[dict[str, str]]:
    path = reviews.DATA / name / file
    if not path.is_file():
        raise SystemExit(f"{path} is absent: set ECOMSITE_DATA_DIR to the folder of the evaluation data.")
    with path.open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def _tweets() -> Pairs:
    return ((row["tweet"], row["class"]) for row in _read("davidson_toxic", "tweets.csv"))


def _intents() -> Pairs:
    return ((row["text"], row["category"]) for row in _read("banking77", "train.csv"))


def _garments() -> Pairs:
    for row in _read("womens_clothing", "reviews.csv"):
        if row["review_text"] and row["department_name"]:
            yield f"{row['title']}. {row['review_text']}".lstrip(". "), row["department_name"]


def _goods() -> Pairs:
    return ((row["review"], row["cat"]) for row in _read("zh_online_shopping", "reviews.csv"))


def _answers(names: Sequence[str]) -> list[Answer]:
    """Return a choice for each name: its value without capitals and signs, its title as people write it."""
    values = ["".join(char if char.isalnum() else "_" for char in name.casefold()).strip("_") for name in names]
    titles = [value.replace("_", " ").capitalize() for value in values]
    return [Answer(*one) for one in zip(names, values, titles, strict=True)]


def _intent_choices() -> list[Answer]:
    return _answers(sorted({label for _, label in _intents()}))


GOODS = {
    "书籍": "books",
    "平板": "tablet",
    "手机": "phone",
    "水果": "fruit",
    "洗发水": "shampoo",
    "热水器": "water_heater",
    "蒙牛": "milk",
    "衣服": "clothes",
    "计算机": "computer",
    "酒店": "hotel",
}


def _sets() -> dict[str, Declared]:
    tweets = [
        Answer("0", "hate", "Hate speech"),
        Answer("1", "offensive", "Offensive"),
        Answer("2", "neither", "Neither"),
    ]
    garments = _answers(["Bottoms", "Dresses", "Intimate", "Jackets", "Tops", "Trend"])
    goods = [Answer(there, value, there) for there, value in GOODS.items()]
    return {
        "davidson_toxic": Declared("offence", "davidson_toxic", "Does it offend?", _tweets, tweets),
        "banking77": Declared("intent", "banking77", "What does the customer want?", _intents, _intent_choices()),
        "womens_clothing": Declared("department", "womens_clothing", "Which department?", _garments, garments),
        "zh_online_shopping": Declared("goods", "zh_online_shopping", "哪一类商品?", _goods, goods),
    }


SETS = _sets()
