"""Hand-written cases of policy: texts that break a rule and texts that only look like it, kind by kind, through all checks.

They lie beside the data (`ECOMSITE_DATA_DIR`), in `cases/policy`: one file of cases that the checks once got wrong, one of
those they got right and have to go on getting right. Cases marked `held_back` are counted apart.
"""

from __future__ import annotations

import json
import os
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecomsite.settings")

from bench import page  # noqa: E402
from bench.checks import DATA, shown  # noqa: E402
from moderation.policy.base import Check, Draft, Fact, Severity, load_checks, run_checks  # noqa: E402
from moderation.policy.literals import LEXICONS  # noqa: E402
from moderation.policy.packs import load_packs  # noqa: E402

CASES = DATA.parent / "cases" / "policy"
UNSEEN = ROOT / "bench" / "unseen"
MUST_CATCH, MUST_WARN = 0.75, 0.15
# Kinds whose truth is a fact of the product: numbers, units, brands, compatibility, origin, a denied yes or no.
OF_FACTS = {"units", "compatibility", "grounding_fa", "origin", "negation", "duplicate"}


@dataclass(frozen=True)
class Outcome:
    """What the checks made of one case."""

    name: str
    file: str
    kind: str
    is_held_back: bool
    is_violation: bool
    is_caught: bool
    is_warned: bool
    is_blocked: bool

    @property
    def is_right(self) -> bool:
        return self.is_caught if self.is_violation else not self.is_warned


def outcomes(file: str, checks: list[Check]) -> list[Outcome]:
    path = CASES / f"{file}.jsonl"
    return [outcome(json.loads(line), file, checks) for line in path.read_text(encoding="utf-8").splitlines() if line]


def outcome(case: dict[str, Any], file: str, checks: list[Check]) -> Outcome:
    draft = Draft(
        case["text"],
        case.get("channel", "description"),
        case["locale"],
        case["title"],
        category=case.get("category", ""),
        facts=[Fact(name, value) for name, value in case["facts"].items()],
    )
    asks = [hit for result in run_checks(draft, checks) for hit in result.hits if hit.severity is not Severity.INFO]
    wanted = case.get("expect") or case.get("want", "").partition("one of: ")[2].split(", ")
    return Outcome(
        case["id"],
        file,
        case["kind"],
        bool(case.get("held_back")),
        case["gold"] == "violates",
        any(hit.code in wanted for hit in asks),
        bool(asks),
        any(hit.severity is Severity.BLOCK for hit in asks),
    )


def share(found: Iterable[bool]) -> str:
    kept = list(found)
    return shown(sum(kept), len(kept)) if kept else "none there"


def lines_of(found: list[Outcome], named: str) -> list[str]:
    """Return the rows about `found`: violations caught, fine ones warned and blocked."""
    bad, fine = [one for one in found if one.is_violation], [one for one in found if not one.is_violation]
    return [
        f"| {named}: violations caught with a right code | {share(one.is_caught for one in bad)} |",
        f"| {named}: fine texts warned about or blocked | {share(one.is_warned for one in fine)} |",
        f"| {named}: fine texts blocked | {share(one.is_blocked for one in fine)} |",
    ]


def sentences(checks: list[Check]) -> list[str]:
    """Return a row for each round of the project's own sentences; the last one led to no change of a rule."""
    # What they have to be found as is the business of their test.
    from tests.moderation.policy.test_sentences import ANY_OF, SENTENCES, asks

    some = [check for check in checks if check.name not in ("grounding", "facts_graph", "length")]
    rows = []
    for number in sorted({one["round"] for one in SENTENCES}):
        codes = [(one, {hit.code for hit in asks(one, some)}) for one in SENTENCES if one["round"] == number]
        caught = share(bool(found & ANY_OF[one["kind"]]) for one, found in codes if one["kind"] != "fine")
        warned = share(bool(found) for one, found in codes if one["kind"] == "fine")
        named = f"own sentences, round {number}{', no rule changed for it' if number == 3 else ''}"
        rows += [f"| {named}: violations caught | {caught} |", f"| {named}: fine ones warned about | {warned} |"]
    return rows


def unseen(checks: list[Check]) -> list[str]:
    """Return the rows about `bench/unseen`: its even lines, which may be read, and its odd ones, which nobody reads.

    A finding counts as caught where anything but a hint is said; the check of length is left out, since single sentences
    are short.
    """
    rows = []
    of_words = [check for check in checks if check.name not in ("grounding", "facts_graph", "length")]
    of_facts = [check for check in checks if check.name != "length"]
    for file, some in (("policy", of_words), ("grounding", of_facts)):
        cases = [json.loads(line) for line in (UNSEEN / f"{file}.jsonl").read_text(encoding="utf-8").splitlines()]
        found = [(case["expect"], n % 2, *asks_a_person(case, some)) for n, case in enumerate(cases)]
        for half, named in ((0, "may be read"), (1, "nobody reads")):
            for expect, said in (("finding", "caught"), ("fine", "fine ones warned about")):
                part = [is_asked for what, parity, is_asked, _ in found if (what, parity) == (expect, half)]
                rows.append(f"| unseen {file}, half that {named}: {said} | {share(part)} |")
        blocked = [is_blocked for what, _, _, is_blocked in found if what == "fine"]
        rows.append(f"| unseen {file}, both halves: fine ones blocked | {share(blocked)} |")
    return rows


def asks_a_person(case: dict[str, Any], checks: list[Check]) -> tuple[bool, bool]:
    """Whether the checks find more than a hint in a line of `bench/unseen`, and whether they block it."""
    locale, title = ("en", "Product") if case["lang"] == "en" else ("zh-Hans", "商品")
    draft = Draft(
        case["text"], "description", locale, title, facts=[Fact(name, value) for name, value in case["facts"].items()]
    )
    found = [hit.severity for result in run_checks(draft, checks) for hit in result.hits]
    return any(severity is not Severity.INFO for severity in found), Severity.BLOCK in found


def exceptions() -> str:
    """Return how many wordings are named that mean something else: of the packs, and of the list of slurs."""
    packs = sum(len(rule.unless) + len(rule.unless_patterns) for pack in load_packs() for rule in pack.rules)
    words = tomllib.loads((LEXICONS / "profanity.toml").read_text(encoding="utf-8"))
    return f"{packs}, {sum(len(entry['not']) for entry in words.values())}"


def main() -> None:
    if not CASES.is_dir():
        print(
            f"skipped: no cases at {CASES}; set ECOMSITE_DATA_DIR to the folder of data beside theirs", file=sys.stderr
        )
        print(json.dumps({"name": "policy_cases", "skipped": True, "pass": True}))
        return
    checks = load_checks()
    failing, passing = outcomes("failing", checks), outcomes("passing", checks)
    seen, apart = [one for one in failing if not one.is_held_back], [one for one in failing if one.is_held_back]
    lines = ["| what | measured |", "| --- | --- |"]
    lines += lines_of(seen, "once wrong")
    lines += lines_of([one for one in seen if one.kind not in OF_FACTS], "… of these, what is no matter of facts")
    lines += lines_of(apart, "once wrong, held back")
    lines += [f"| right before: still right | {share(one.is_right for one in passing)} |"]
    fine = [one for one in (*failing, *passing) if not one.is_violation]
    lines += [f"| all fine texts: warned about or blocked | {share(one.is_warned for one in fine)} |"]
    lines += [f"| all fine texts: blocked | {share(one.is_blocked for one in fine)} |"]
    lines += sentences(checks)
    lines += unseen(checks)
    wrong = Counter(one.kind for one in failing if not one.is_right)
    lines += [f"| still wrong, by kind | {', '.join(f'{kind} {n}' for kind, n in sorted(wrong.items())) or 'none'} |"]
    lines += [f"| wordings named as exceptions: packs, slurs and vulgar words | {exceptions()} |"]
    print("\n".join(lines))
    if "-v" in sys.argv:
        print("\n".join(f"{one.file} {one.name} {one.kind}" for one in (*failing, *passing) if not one.is_right))
    if "--write" in sys.argv:
        page.write("policy_cases", lines)
    caught = [one.is_caught for one in failing if one.is_violation]
    warned = sum(one.is_warned for one in fine) / len(fine)
    ours = sum(caught) / len(caught)
    kept = all(one.is_right for one in passing if one.kind not in OF_FACTS)
    blocked = sum(one.is_blocked for one in fine)
    print(
        json.dumps(
            {
                "name": "policy_cases",
                "ours": round(ours, 3),
                "must": MUST_CATCH,
                "fine_warned": round(warned, 3),
                "fine_blocked": blocked,
                "passing_kept": kept,
                "pass": ours >= MUST_CATCH and warned <= MUST_WARN and not blocked and kept,
            }
        )
    )


if __name__ == "__main__":
    import django

    django.setup()
    main()
