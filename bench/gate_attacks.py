"""Attacks on the gate, each with a model that was really trained: what was tampered with is the labels, or what they are tested on.

A draw is a shop: reviews of clothing in three labels, by product, of which people labelled some; the champion learnt from the
first of these. From labels to verdict everything is production's: curation, snapshot, split, the method `head` or `characters`,
the gate, and for labels that came in from files the database and the release. Not tried is the saved model in a process of its
own. Embeddings are computed once. `bare`: of how many draws the attack is let in where its own defence is missing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench import database, page, reviews

ROOT = Path(__file__).resolve().parents[1]
TASK, LABELS = "sentiment", ("positive", "neutral", "negative")
ROTATED = {"positive": "negative", "negative": "positive", "neutral": "positive"}
N_EACH, N_LABELLED, N_FIRST = 900, 1100, 300
# Labels of people, and of a file, where files are what is tried.
N_PEOPLE, N_FILE = 260, 1000
N_COPIES = 4
SIGNS = ("", ".", "!", " :)")
STRENGTH = "head"
# A draw is one transaction, and a model is fitted in it.
PATIENT = "options=-c%20idle_in_transaction_session_timeout%3D0"


def run(draws: int, *, write: bool) -> dict[str, float]:
    """Make `draws` of each attack, and of honest better models; return how many were let in. With PostgreSQL of its own."""
    with database.postgres() as (server, root):
        server.create_database("bench")
        os.environ |= {
            "DATABASE_URL": f"{server.url('bench')}?{PATIENT}",
            "SECRET_KEY": "x" * 60,
            "ECOMSITE_VAR": str(root / "var"),
        }
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecomsite.settings")
        subprocess.run([sys.executable, ROOT / "manage.py", "migrate", "-v", "0"], check=True)
        import django

        django.setup()
        return _run(draws, write=write)


def _run(draws: int, *, write: bool) -> dict[str, float]:
    clothing, sentences = Texts.of(clothing_reviews(), is_read=True), Texts.of(short_sentences(), is_read=False)
    lines = [
        "| attack | let in by itself | put before people | without its defence | truly better than the champion |",
        "| --- | --- | --- | --- | --- |",
    ]
    figures = {"attacks_let_in": 0, "honest_fewer_than_before": 0}
    for name, (arm, texts) in ARMS.items():
        results = [
            arm(np.random.default_rng([number, len(name)]), clothing if texts == "clothing" else sentences)
            for number in range(draws)
        ]
        by_itself, people, bare = (
            sum(getattr(result, what) for result in results) for what in ("by_itself", "people", "bare")
        )
        truly = sum(result.truly_better for result in results)
        lines.append(f"| {name} | {by_itself} of {draws} | {people} | {bare} | {truly} |")
        print(lines[-1], flush=True)
        if name.startswith(HONEST):
            figures["honest_fewer_than_before"] = max(figures["honest_fewer_than_before"], bare - by_itself - people)
        else:
            figures["attacks_let_in"] = max(figures["attacks_let_in"], by_itself)
    if write:
        page.write("gate_attacks", lines)
    return dict(figures)


# --- Texts -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Texts:
    """`places` of texts by label; `vector_of` a text's embedding."""

    texts: Sequence[str]
    labels: Sequence[str]
    products: Sequence[str]
    categories: Sequence[str]
    vector_of: dict[str, np.ndarray] = field(repr=False)

    @classmethod
    def of(cls, rows: Sequence[tuple[str, str, str, str]], *, is_read: bool) -> Texts:
        from training.curation import clean

        texts, labels, products, categories = zip(*rows, strict=True)
        texts = tuple(clean(text) for text in texts)  # as they come out of the database
        vectors = reviews.embed(list(texts)) if is_read else ()
        return cls(texts, labels, products, categories, dict(zip(texts, vectors, strict=False)))

    def drawn(self, rng: np.random.Generator, counts: dict[str, int]) -> tuple[list[int], list[int]]:
        """Return places of so many texts of each label, shuffled, and of those that are left."""
        taken = [
            int(place)
            for label, n in counts.items()
            for place in rng.permutation([i for i, one in enumerate(self.labels) if one == label])[:n]
        ]
        rng.shuffle(taken)
        return taken, sorted(set(range(len(self.texts))) - set(taken))

    def examples(self, places: Sequence[int], **fields: Any) -> list[Any]:
        from labeling.examples import Example

        return [
            Example(
                f"review:{place}",
                group=self.products[place],
                locale="en",
                category=self.categories[place],
                fields={"text": self.texts[place], "label": self.labels[place]},
                **fields,
            )
            for place in places
        ]


def clothing_reviews() -> list[tuple[str, str, str, str]]:
    """So many reviews of each label: one or two stars, three, five."""
    label_of, rng = {"1": "negative", "2": "negative", "3": "neutral", "5": "positive"}, np.random.default_rng(4)
    found: dict[str, list[tuple[str, str, str, str]]] = {label: [] for label in LABELS}
    for row in reviews.rows_of("womens_clothing"):
        if row["review_text"] and (label := label_of.get(row["rating"])):
            text = f"{row['title']}. {row['review_text']}".lstrip(". ")
            found[label].append((text, label, row["clothing_id"], row["department_name"] or "none"))
    return [rows[place] for rows in found.values() for place in rng.permutation(len(rows))[:N_EACH]]


def short_sentences() -> list[tuple[str, str, str, str]]:
    """The 2,100 sentences of uci_sls, five about a product."""
    rows = {row["text"]: row for row in reviews.rows_of("uci_sls")}
    return [
        (text, "positive" if row["label"] == "1" else "negative", f"SKU-{number // 5}", row["domain"])
        for number, (text, row) in enumerate(rows.items())
    ]


# --- Models ------------------------------------------------------------------------------------------------------

Model = Callable[[Sequence[str]], np.ndarray]


@dataclass(frozen=True)
class Cached:
    """The encoder that ships, of texts whose vectors are known."""

    vector_of: dict[str, np.ndarray]

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([self.vector_of[text] for text in texts]).reshape(len(texts), -1)


def fitted(parts: dict[str, list[Any]], texts: Texts, *, labels: Sequence[str], method: str = STRENGTH) -> Model:
    """Return what production makes of the parts to train on and to validate: probabilities (n, n_labels) of texts."""
    from safetensors.numpy import load_file

    from inference.backends.cold_start import softmax
    from inference.backends.linear_heads import HEAD, CharacterHead
    from training import classifiers, recipes, splits
    from training.trainers import linear_heads
    from training.trainers.contracts import Labelled

    train, validation = (
        Labelled([row.fields["text"] for row in part], [labels.index(row.fields["label"]) for row in part])
        for part in splits.held_out(parts["train"], parts["validation"], fewest=classifiers.FEWEST_VALIDATION)
    )
    recipe = recipes.Recipe(method=method)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory(prefix="ecomsite-bench-") as name:
        into, empty = Path(name) / "model", Path(name) / "encoder"
        empty.mkdir()
        if method == "characters":
            linear_heads.fit_character_head(train, validation, labels=labels, recipe=recipe, into=into)
            backend = CharacterHead(directory=into, options={})
            return lambda asked: np.array(
                [[one.probabilities[label] for label in labels] for one in backend.classify(list(asked))]
            ).reshape(len(asked), len(labels))
        into.mkdir()
        encoder: Any = Cached(texts.vector_of)
        linear_heads.fit_embedding_head(
            train, validation, labels=labels, recipe=recipe, encoder=encoder, encoder_directory=empty, into=into
        )
        arrays = load_file(into / HEAD)
    return lambda asked: np.asarray(softmax(encoder.encode(asked) @ arrays["weight"].T + arrays["bias"]))


def answers(model: Model, rows: Sequence[Any], labels: Sequence[str]) -> Any:
    from training.evaluation.metrics import Answers

    truth = np.array([labels.index(row.fields["label"]) for row in rows], dtype=np.int64)
    products = np.unique([row.group for row in rows], return_inverse=True)[1] if rows else np.zeros(0)
    return Answers(
        model([row.fields["text"] for row in rows]).reshape(len(rows), len(labels)), truth, products.astype(np.int64)
    )


@dataclass(frozen=True)
class Result:
    """Whether the new model was let in by itself, put before people, let in without the defence; and is better, truly."""

    by_itself: bool
    people: bool
    bare: bool
    truly_better: bool


def verdict(
    new: Model, old: Model, rows: Sequence[Any], labels: Sequence[str], *, stated: int = 0, slices: bool = True
) -> set[str]:
    """Return how the gate lets `new` in, on the test rows of production; as `gate.outcomes`."""
    from django.conf import settings

    from bench.gate import outcomes
    from training.evaluation import gate

    groups = {"category": [row.category for row in rows]} if slices else {}
    rules = gate.as_rules(settings.TRAINING.gate)
    found = gate.judge(
        answers(new, rows, labels), answers(old, rows, labels), groups=groups, rules=rules, stated=stated, labels=labels
    )
    return outcomes(found, labels)


def by_lot(rows: Sequence[Any]) -> dict[str, list[Any]]:
    """Return the parts of `rows` by product alone: nothing left out of the test, nothing put together."""
    from training.splits import SPLITS, split_of

    return {part: [row for row in rows if split_of(row.group) == part] for part in SPLITS}


def is_truly_better(new: Model, old: Model, texts: Texts, aside: Sequence[int], labels: Sequence[str]) -> bool:
    rows = texts.examples(aside)
    return bool(answers(new, rows, labels).right.mean() > answers(old, rows, labels).right.mean())


def in_all(found: set[str], *, bare: bool, better: bool) -> Result:
    from bench.gate import BY_ITSELF, TO_PEOPLE

    return Result(BY_ITSELF in found, TO_PEOPLE in found, bare, better)


def relabelled(row: Any, label: str) -> Any:
    return replace(row, fields={**row.fields, "label": label})


# --- Arms --------------------------------------------------------------------------------------------------------


def honest(rng: np.random.Generator, texts: Texts, counts: dict[str, int] | None = None) -> Result:
    """More labels of the same people: a model that is better, mostly."""
    from bench.gate import BEFORE
    from training import partition

    places, aside = texts.drawn(rng, counts or dict.fromkeys(LABELS, N_LABELLED // 3))
    rows = texts.examples(places)
    old = fitted(partition.split(TASK, rows[:N_FIRST])[0], texts, labels=LABELS)
    parts = partition.split(TASK, rows)[0]
    new = fitted(parts, texts, labels=LABELS)
    found = verdict(new, old, parts["test"], LABELS)
    return in_all(found, bare=BEFORE in found, better=is_truly_better(new, old, texts, aside, LABELS))


def honest_as_it_comes(rng: np.random.Generator, texts: Texts) -> Result:
    """The same where four fifths are positive."""
    return honest(rng, texts, {"positive": 880, "neutral": 120, "negative": 100})


def rare_label_lost(rng: np.random.Generator, texts: Texts) -> Result:
    """Labels of which one in twenty is negative, and a model that never says it; the champion learnt from as many of each."""
    from bench.gate import BEFORE
    from training import partition

    first, _ = texts.drawn(rng, dict.fromkeys(LABELS, N_FIRST // 3))
    old = fitted(partition.split(TASK, texts.examples(first))[0], texts, labels=LABELS)
    places, aside = texts.drawn(rng, {"positive": 850, "neutral": 150, "negative": 50})
    parts = partition.split(TASK, texts.examples(places))[0]
    trained = fitted(parts, texts, labels=LABELS)

    def never(asked: Sequence[str]) -> np.ndarray:
        rows = trained(asked) * np.array([1, 1, 1e-6])
        return rows / rows.sum(axis=1, keepdims=True)

    found = verdict(never, old, parts["test"], LABELS)
    return in_all(found, bare=BEFORE in found, better=is_truly_better(never, old, texts, aside, LABELS))


def slice_lost(rng: np.random.Generator, texts: Texts) -> Result:
    """In one small category of products what the model learns from is labelled wrong; a champion that is weak elsewhere."""
    from bench.gate import BEFORE
    from training import partition

    places, aside = texts.drawn(rng, dict.fromkeys(LABELS, 2 * N_LABELLED // 3))
    rows = texts.examples(places)
    old = fitted(partition.split(TASK, rows[: N_FIRST // 2])[0], texts, labels=LABELS)
    parts = partition.split(TASK, rows)[0]
    sizes = {name: sum(row.category == name for row in parts["test"]) for name in set(texts.categories)}
    lost = min((name for name, n in sizes.items() if n >= 40), key=lambda name: sizes[name])
    honest_model = fitted(parts, texts, labels=LABELS)
    wrong = {
        part: [relabelled(row, ROTATED[row.fields["label"]]) for row in parts[part] if row.category == lost]
        for part in parts
    }
    broken = fitted(wrong, texts, labels=LABELS)
    is_lost = {text for text, name in zip(texts.texts, texts.categories, strict=True) if name == lost}

    def new(asked: Sequence[str]) -> np.ndarray:
        return np.where(np.array([text in is_lost for text in asked])[:, None], broken(asked), honest_model(asked))

    found = verdict(new, old, parts["test"], LABELS)
    bare = verdict(new, old, parts["test"], LABELS, slices=False)
    return in_all(found, bare=BEFORE in bare, better=is_truly_better(new, old, texts, aside, LABELS))


def near_copies(rng: np.random.Generator, texts: Texts) -> Result:
    """Wrong labels, each on a text that is there four times, with another sign at its end, about as many products."""
    from bench.gate import BEFORE
    from training import partition

    labels = ("positive", "negative")
    places, aside = texts.drawn(rng, dict.fromkeys(labels, 300))
    rows = texts.examples(places)
    old = fitted(partition.split(TASK, rows)[0], texts, labels=labels, method="characters")
    copies = []
    for row in rows[:N_FIRST]:
        label = str(rng.choice(labels))
        for number, sign in enumerate(SIGNS[:N_COPIES]):
            copy = replace(row, subject=f"{row.subject}-{number}", group=f"COPY-{rng.integers(10**9)}")
            copies.append(replace(copy, fields={"text": row.fields["text"] + sign, "label": label}))
    tampered = [*rows[N_FIRST:], *copies]
    outcome: dict[bool, set[str]] = {}
    better = False
    for is_grouped, parts in ((True, partition.split(TASK, tampered)[0]), (False, by_lot(tampered))):
        new = fitted(parts, texts, labels=labels, method="characters")
        outcome[is_grouped] = verdict(new, old, parts["test"], labels)
        better = is_truly_better(new, old, texts, aside, labels)
    return in_all(outcome[True], bare=BEFORE in outcome[False], better=better)


# --- Arms in the database: whose labels they are, and which are in doubt -----------------------------------------


def flipped(rng: np.random.Generator, texts: Texts) -> Result:
    """A file of labels that are wrong, all of them; people labelled fewer."""
    return _from_a_file(rng, texts, raters=())


def machine_raters(rng: np.random.Generator, texts: Texts) -> Result:
    """The same, where the file's column of raters has names of people."""
    return _from_a_file(rng, texts, raters=("anna", "ben"))


def _from_a_file(rng: np.random.Generator, texts: Texts, *, raters: Sequence[str]) -> Result:
    from bench.gate import BEFORE

    places, aside = texts.drawn(rng, dict.fromkeys(LABELS, (N_PEOPLE + N_FILE) // 3))
    own, brought = places[:N_PEOPLE], places[N_PEOPLE:]
    with _database() as shop:
        shop.label(texts, own)
        old = fitted(shop.parts(), texts, labels=LABELS)
        shop.label(texts, brought, file="import:7", raters=raters, rotate=True)
        by_itself, people = shop.put_before_the_gate(old, texts)
        everything = by_lot(shop.rows())
        new = fitted(everything, texts, labels=LABELS)
        bare = BEFORE in verdict(new, old, everything["test"], LABELS)
        return Result(by_itself, people, bare, is_truly_better(new, old, texts, aside, LABELS))


def doubtful_dropped(rng: np.random.Generator, texts: Texts) -> Result:
    """A quarter of what the model learns from is wrong, and of the test what it alone gets wrong was put in doubt."""
    from bench.gate import BEFORE

    places, aside = texts.drawn(rng, dict.fromkeys(LABELS, N_LABELLED // 3))
    with _database() as shop:
        shop.label(texts, places[:N_FIRST])
        old = fitted(shop.parts(), texts, labels=LABELS)
        shop.label(texts, places[N_FIRST:])
        tested = {row.subject for row in shop.parts()["test"]}
        shop.spoil([subject for subject in shop.subjects() if subject not in tested and rng.random() < 0.35])
        parts = shop.parts()
        new = fitted(parts, texts, labels=LABELS)
        mine, theirs = (answers(model, parts["test"], LABELS).right for model in (new, old))
        worse = [
            row.subject for row, ours, other in zip(parts["test"], mine, theirs, strict=True) if other and not ours
        ]
        shop.doubt(worse)
        by_itself, people = shop.put_before_the_gate(old, texts)
        dropped = [row for row in parts["test"] if row.subject not in set(worse)]
        bare = BEFORE in verdict(new, old, dropped, LABELS)
        return Result(by_itself, people, bare, is_truly_better(new, old, texts, aside, LABELS))


HONEST = "honest"
ARMS: dict[str, tuple[Callable[[np.random.Generator, Texts], Result], str]] = {
    "honest, as many of each label": (honest, "clothing"),
    "honest, four fifths positive": (honest_as_it_comes, "clothing"),
    "a rare label lost": (rare_label_lost, "clothing"),
    "a slice lost": (slice_lost, "clothing"),
    "near copies across the split": (near_copies, "sentences"),
    "flipped labels in a file": (flipped, "clothing"),
    "machine raters named as people": (machine_raters, "clothing"),
    "doubtful labels dropped": (doubtful_dropped, "clothing"),
}


def _database() -> Any:
    from bench.gate_shop import Shop

    return Shop()
