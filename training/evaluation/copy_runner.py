"""Have a new copywriter and the champion write for the products of the test part, and put both before the gate.

Greedily, from the very prompts of the snapshot, cleaned as drafts are, and judged by the checks of production.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.exceptions import PermanentError
from inference import loader, prompts, resolver
from inference.contracts import CopyBrief, Fact, Message, TextGenerator
from inference.models import ModelVersion
from moderation.drafting.screening import draft_from
from moderation.policy import base
from moderation.policy.base import Draft
from training.evaluation import conditions, copy_gate, copy_metrics, smoke
from training.evaluation.copy_gate import GATE_VERSION
from training.evaluation.copy_metrics import Written
from training.evaluation.gate import Verdict
from training.work import Counted, Row, Work

__all__ = ["GATE_VERSION", "Measured", "draft_of", "judge", "measure", "messages_of", "write"]
# More texts narrow the intervals little and take minutes on a CPU.
MOST_TEXTS, BATCH = 300, 16
SMOKE_PROMPTS, SAMPLES = 2, 12


@dataclass(frozen=True)
class Measured:
    """What both models wrote for the test part, its figures by side ("new", "champion"),
    and what the gate has to know besides.
    """

    new: Sequence[Written]
    old: Sequence[Written]
    figures: Mapping[str, Any]
    groups: Mapping[str, Sequence[str]]
    facts: Mapping[str, bool]
    products: Sequence[str]
    samples: Sequence[Mapping[str, str]]
    notes: Sequence[tuple[str, str]]


def measure(work: Work, version: ModelVersion, *, tell: Counted = lambda done, of: None) -> Measured:
    """Let `version` and the champion of `work` write for the same prompts. Nothing is written to the database.

    `tell(done, of)` hears of each batch of texts. Raises `PermanentError` when the artefact was changed.
    """
    champion = work.champion
    rival = champion if champion is not None and champion.pk != version.pk else None
    rows = _rows(work.parts["test"], [version, *([rival] if rival else [])])
    of = len(rows) * (2 if rival else 1)
    backend = _generator(version)
    facts = _facts(work, version, rows, backend)  # first of all: what was read before can tip a near-tie
    new = _written(rows, write(backend, rows, tell=lambda done: tell(done, of)))
    del backend  # two models at once may be more than the memory holds
    checks = base.load_checks()
    figures = {"new": copy_metrics.measure(new, checks)}
    old: list[Written] = []
    if rival is not None:
        old = _written(rows, write(_generator(rival), rows, tell=lambda done: tell(len(rows) + done, of)))
        figures["champion"] = copy_metrics.measure(old, checks)
    return Measured(
        new,
        old,
        figures,
        _groups(rows),
        facts,
        [row.group for row in rows],
        _samples(rows, new, old),
        _notes(version, rival),
    )


def judge(measured: Measured) -> tuple[Verdict, dict[str, Any]]:
    """Return what the gate says of `measured`, and the figures for the report."""
    new, figures, groups = measured.new, measured.figures, measured.groups
    found: dict[str, Any] = {"kind": "copy", "new": copy_metrics.describe(new, figures["new"])}
    if "champion" in figures:
        found["champion"] = copy_metrics.describe(measured.old, figures["champion"])
    rules = copy_gate.Rules()
    found["by_slice"] = {
        name: copy_metrics.slices(side, groups, measured.products, fewest=rules.min_slice)
        for name, side in figures.items()
        if side
    }
    sides = {name: _side(new, side) for name, side in figures.items() if side}
    if len(sides) == 2:
        found["comparison"] = copy_gate.differences(sides["new"], sides["champion"])
    found["samples"] = [dict(sample) for sample in measured.samples]
    verdict = copy_gate.judge(sides.get("new"), sides.get("champion"), rules=rules, groups=groups, facts=measured.facts)
    return replace(verdict, findings=(*verdict.findings, *measured.notes)), found


def _rows(rows: Sequence[Row], versions: Sequence[ModelVersion]) -> list[Row]:
    """Return those of the test `rows` in languages that all of `versions` write."""
    return [row for row in rows if all(resolver.can_work_in(version, row.locale) for version in versions)][:MOST_TEXTS]


def _generator(version: ModelVersion) -> TextGenerator:
    backend = loader.build(version)
    if not isinstance(backend, TextGenerator):
        raise PermanentError(f"{version} runs on the back end {version.backend}, which writes no text")
    return backend


def write(backend: TextGenerator, rows: Sequence[Row], *, tell: Callable[[int], None] = lambda done: None) -> list[str]:
    """Return what `backend` writes for each row, greedily and cleaned as a draft is.

    `tell(done)` hears of each batch.
    """
    texts: dict[int, str] = {}
    kinds = [(str(row.fields["brief"]["channel"]), row.locale) for row in rows]
    for channel, locale in sorted(set(kinds)):
        # Prompts of one kind begin alike, and what they begin with is read once.
        places = [place for place, kind in enumerate(kinds) if kind == (channel, locale)]
        params = prompts.params_for(channel, seed=0, overrides={"temperature": 0})
        for start in range(0, len(places), BATCH):
            tell(len(texts))
            batch = places[start : start + BATCH]
            answers = backend.generate([messages_of(rows[place]) for place in batch], params)
            for place, answer in zip(batch, answers, strict=True):
                texts[place] = prompts.clean(
                    answer.text, channel=channel, locale=locale, finish_reason=answer.finish_reason
                )
    return [texts[place] for place in range(len(rows))]


def messages_of(row: Row) -> list[Message]:
    """Return the prompt of a row."""
    return [Message(turn["role"], turn["content"]) for turn in row.fields["prompt"]]


def draft_of(row: Row, text: str) -> Draft:
    """Return what the policy checks see of `text`, written for the product of a row as it was then."""
    fields = dict(row.fields["brief"])
    facts = fields.pop("facts")
    return draft_from(CopyBrief(**fields, facts=tuple(Fact(**fact) for fact in facts)), text)


def _written(rows: Sequence[Row], texts: Sequence[str]) -> list[Written]:
    """Return the texts, each with what a person wrote instead of a draft, where one did.

    A draft that was let out as it was is a model's text, mostly the champion's own: to be near it is no merit.
    """
    return [
        Written(
            draft_of(row, text),
            product=row.group,
            human=str(row.fields["completion"]) if row.fields.get("rejected") else "",
        )
        for row, text in zip(rows, texts, strict=True)
    ]


def _groups(rows: Sequence[Row]) -> dict[str, list[str]]:
    return {
        "language": [row.locale for row in rows],
        "channel": [str(row.fields["brief"]["channel"]) for row in rows],
        "category": [row.category.split(" > ")[0] or "none" for row in rows],
    }


def _side(texts: Sequence[Written], figures: Mapping[str, copy_metrics.Floats]) -> copy_gate.Measured:
    return copy_gate.Measured(
        products=[text.product for text in texts],
        unsupported_claims=figures["unsupported_claims"],
        blocked=figures["blocked"],
        edit_distance=figures["edit_distance"],
    )


def _samples(rows: Sequence[Row], new: Sequence[Written], old: Sequence[Written]) -> list[dict[str, str]]:
    """Return texts for those who have to approve: a product, and what each side wrote for it."""
    return [
        {
            "title": text.draft.title,
            "channel": text.draft.channel,
            "human": str(row.fields["completion"]),
            "new": text.draft.text,
            "champion": old[place].draft.text if old else "",
        }
        for place, (row, text) in enumerate(zip(rows[:SAMPLES], new[:SAMPLES], strict=True))
    ]


def _notes(version: ModelVersion, champion: ModelVersion | None) -> list[tuple[str, str]]:
    lost = [locale for locale in (champion.locales if champion else ()) if not resolver.can_work_in(version, locale)]
    words = (
        f"it writes {', '.join(version.locales)}; copy in {', '.join(lost)}, which the champion writes, would be "
        "refused"
    )
    return [(copy_gate.NOTE, words)] if lost else []


def _facts(work: Work, version: ModelVersion, rows: Sequence[Row], backend: TextGenerator) -> dict[str, bool]:
    asked = [messages_of(row) for row in rows[:SMOKE_PROMPTS]]
    why = smoke.writes_alone(version, asked, smoke.begin(backend, asked)) if asked else None
    return {
        **conditions.runs_standalone("writes", why),
        **conditions.preconditions(version, work, tested={row.group for row in rows}),
    }
