"""The model card: what a version is, what it learnt from, what was measured, what the gate says. Markdown.

After Mitchell, M. et al. (2019), "Model Cards for Model Reporting", FAT*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inference import artifacts
from training.models import DatasetSnapshot, EvaluationReport, TrainingRun
from training.models.datasets import BY_FILE


def write(run: TrainingRun, report: EvaluationReport) -> Path:
    """Write the card of the version of `run` beside its weights and return the file;
    the folder itself never changes.
    """
    path = artifacts.root() / f"{report.version.artifact_hash}.card.md"
    path.write_text(render(run, report), encoding="utf-8")
    return path


def render(run: TrainingRun, report: EvaluationReport) -> str:
    """Return the card as Markdown."""
    version, snapshot, found = report.version, report.snapshot, report.metrics
    parts = version.card.get("parts", {})
    lines = [
        f"# {version}",
        "",
        f"Made by training run {run.pk} on {run.created_at:%-d %B %Y}.",
        "",
        "## Use",
        "",
        f"{run.task_title}, in {', '.join(version.locales)}. {_labels(found)}"
        "It ranks and suggests; what is shown to anybody is decided by people.",
        "",
        "## Data",
        "",
        f"Snapshot `{snapshot.artifact_hash}`: {snapshot.n_train} texts to train on, {snapshot.n_validation} "
        f"{validated(parts)}, {snapshot.n_test} to test. Split: {snapshot.manifest.get('split', '')}. "
        f"{labelled(snapshot)}",
        "",
        *_table(("left out", "texts"), sorted(snapshot.manifest.get("excluded", {}).items())),
        "## Training",
        "",
        based_on(version.base_hash, parts),
        "",
        *_table(("part", "method", "texts", "figures"), _parts(parts)),
        *bounded(parts),
        "## Measured",
        "",
        *_copy_figures(found),
        *_figures("this version", found.get("new", {})),
        *_figures(f"champion: {report.against}", found.get("champion", {})),
        *_table(
            ("slice", "texts", "accuracy"),
            [(f"{row['by']}: {row['value']}", row["n"], interval(row["accuracy"])) for row in found.get("slices", [])],
        ),
        *_table(
            ("slice", "texts", "claims without a fact", "blocked"),
            [
                (f"{row['by']}: {row['value']}", row["n"], row["unsupported_claims"], row["blocked"])
                for row in found.get("by_slice", {}).get("new", [])
            ],
        ),
        *_table(
            ("changed texts", "texts", "accuracy", "as they were", "champion"),
            [
                (row["kind"], row["n"], row.get("accuracy", ""), row.get("unchanged", ""), row.get("champion", ""))
                for row in found.get("robustness", [])
            ],
        ),
        *_table(
            ("texts that name", "texts", "wrong", "champion"),
            [
                (row["group"], row["n"], row["errors"], row.get("champion", ""))
                for row in found.get("fairness", {}).get("groups", [])
            ],
        ),
        "## Gate",
        "",
        f"**{report.get_verdict_display()}** by the rules {report.gate_version}.",
        "",
        *[f"- {verdict}: {words}" for verdict, words in report.reasons],
        "",
        "## Limits",
        "",
        "Measured on texts of this shop that people were asked about; those are not a random sample of all texts, but "
        "for the share drawn by lot. Languages and categories with few test texts are not judged apart; of a label "
        "with too few people decide.",
        "",
    ]
    return "\n".join(lines)


def labelled(snapshot: DatasetSnapshot) -> str:
    """Return by whom the test texts of `snapshot` were labelled, in words; nothing where it does not say."""
    counts = snapshot.manifest.get("test_labels", {})
    parts = [f"{counts[how]} by {whom}" for how, whom in BY_WHOM.items() if how in counts]
    return f"The test texts were labelled: {'; '.join(parts)}." if parts else ""


BY_WHOM = {
    "blind": "people who saw no suggestion of a model",
    "assisted": "people some of whom saw a model's suggestion",
    "unknown": "people of whom it is not known whether a model's suggestion was shown",
    BY_FILE: "a file that nobody here answers for",
}


def based_on(base_hash: str, parts: Mapping[str, Mapping[str, Any]]) -> str:
    """Return in words what a version was fitted on: a part on characters has no base."""
    without = [name for name, part in parts.items() if part.get("method") == "characters"]
    if not base_hash or (parts and len(without) == len(parts)):
        return "No base: it was fitted to the characters of its texts, from nothing."
    but = f", but for the part {without[0]}, which has none" if without else ""
    return f"Base `{base_hash}`{but}."


def bounded(parts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return from which probability on each of several answers is said, by part; nothing where one answer holds."""
    rows = [
        (name, label, f"{bound:.3f}") for name, part in parts.items() for label, bound in part.get("bounds", {}).items()
    ]
    return _table(("part", "answer", "said from a probability of"), rows)


def validated(parts: Mapping[str, Mapping[str, Any]]) -> str:
    """Return in words what the validation texts were for: where a linear part had enough of them to choose by,
    and in the end.
    """
    uses = dict.fromkeys(
        "to choose from which probability on an answer is said, and how far to learn"
        if part.get("bounds")
        else "to choose the moment to stop"
        if part.get("method") not in {"head", "characters", "contrastive"}
        else "to choose how far weights may go, and then to learn from"
        if part.get("best_eval_loss") is not None
        else "to learn from as well"
        for part in parts.values()
    )
    return " or ".join(uses) or "to choose by"


def interval(figure: Mapping[str, float]) -> str:
    """Return a figure with its interval as text."""
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def _parts(parts: Mapping[str, Mapping[str, Any]]) -> list[tuple[object, ...]]:
    shown = ("steps", "best_eval_loss", "stopped_early", "C", "trained_parameters")
    return [
        (
            name,
            part.get("method", ""),
            f"{part.get('n_train', '')}{_copies(part)}",
            "; ".join(f"{key} {part[key]}" for key in shown if part.get(key) is not None),
        )
        for name, part in parts.items()
    ]


def _copies(part: Mapping[str, Any]) -> str:
    return f" and {part['n_copies']} changed copies of them" if part.get("n_copies") else ""


def _labels(found: Mapping[str, Any]) -> str:
    if not found.get("labels"):
        return ""
    several = "; several of them may hold, or none" if found.get("new", {}).get("is_several") else ""
    return f"Labels: {', '.join(found['labels'])}{several}. "


def _copy_figures(found: Mapping[str, Any]) -> list[str]:
    if found.get("kind") != "copy" or not found["new"].get("n"):
        return []
    new, champion = found["new"], found.get("champion", {})
    rows = [
        (title, interval(new[name]) if name in new else "", interval(champion[name]) if name in champion else "")
        for name, title in COPY_FIGURES.items()
    ]
    return [
        f"{new['n']} texts for {new['products']} products; for {new.get('n_human', 0)} a person wrote a text, with "
        "which share to change, BLEU, chrF, TER and ROUGE-L compare.",
        "",
        *_table(("figure", "this version", "champion"), rows),
    ]


COPY_FIGURES = {
    "unsupported": "texts with claims no fact backs",
    "unsupported_claims": "such claims in a text",
    "blocked": "blocked texts",
    "grounding": "how well the facts back a text",
    "edit_distance": "share to change to what a person wrote",
    "bleu": "BLEU",
    "chrf": "chrF",
    "ter": "TER",
    "rouge_l": "ROUGE-L",
    "characters": "characters",
}


def _figures(title: str, found: Mapping[str, Any]) -> list[str]:
    if "accuracy" not in found:
        return []
    right = "all answers of a text right" if found.get("is_several") else "accuracy"
    lines = [
        f"{title}: {right} {interval(found['accuracy'])}, macro-F1 {interval(found['macro_f1'])}, AUC {found['auc']}, "
        f"log loss {found['log_loss']}, calibration error {found['ece']}, {found['n']} texts.",
        "",
    ]
    rows = [
        (row["label"], row["n"], *(_of_label(row, name) for name in ("precision", "recall", "f1")))
        for row in found["labels"]
    ]
    return lines + _table(("label", "texts", "precision", "recall", "F1"), rows)


def _of_label(row: Mapping[str, Any], name: str) -> object:
    """Return a figure of one label, with its interval where there is one."""
    if name not in row.get("intervals", {}):
        return row[name]
    low, high = row["intervals"][name]
    return interval({"value": row[name], "low": low, "high": high})


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    if not rows:
        return []
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in lines] + [""]
