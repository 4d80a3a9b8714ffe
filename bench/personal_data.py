"""Personal data found in labelled sentences, and false alarms on product copy; the reference is a usual set of patterns."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable

from checks import DATA, advertisegen, amazon, e2e, shown, write_section

from moderation.policy.base import Draft
from moderation.policy.personal_data import PersonalDataCheck

MUST = 1.1
KINDS = {
    "EMAIL_ADDRESS": "email", "PHONE_NUMBER": "phone", "CREDIT_CARD": "credit_card", "IBAN_CODE": "iban",
    "DOMAIN_NAME": "url", "IP_ADDRESS": "ip_address", "US_SSN": "us_ssn",
}  # fmt: skip
PATTERNS = {
    "email": r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+",
    "url": r"https?://\S+",
    "ip_address": r"\b\d{1,3}(?:\.\d{1,3}){3}\b",
    "iban": r"\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b",
    "credit_card": r"\b\d(?:[ -]?\d){12,18}\b",
    "us_ssn": r"\b\d{3}-\d{2}-\d{4}\b",
    "phone": r"(?:\+?\d{1,3}[ .-]?)?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b|\b1[3-9]\d{9}\b",
}

Found = list[tuple[str, int, int]]


def ours(draft: Draft) -> Found:
    return [(hit.code, hit.start or 0, hit.end or 0) for hit in PersonalDataCheck().find(draft)]


def usual(draft: Draft) -> Found:
    return [(kind, *match.span()) for kind, pattern in PATTERNS.items() for match in re.finditer(pattern, draft.text)]


def measure(name: str, find: Callable[[Draft], Found], lines: list[str]) -> float:
    """Add the table lines of one finder and return its F1 over the seven kinds."""
    found, total = dict.fromkeys(KINDS.values(), 0), dict.fromkeys(KINDS.values(), 0)
    alarms = right = 0
    for item in json.loads((DATA / "pii_presidio/pii.json").read_text(encoding="utf-8")):
        hits = find(Draft(item["full_text"], "description", "en", ""))
        gold = [
            (KINDS[span["entity_type"]], span["start_position"], span["end_position"])
            for span in item["spans"]
            if span["entity_type"] in KINDS
        ]
        for kind, start, end in gold:
            total[kind] += 1
            found[kind] += any(hit == kind and low < end and high > start for hit, low, high in hits)
        for hit, low, high in hits:
            alarms += 1
            right += any(hit == kind and low < end and high > start for kind, start, end in gold)
    lines.extend(f"| recall of {kind}: {name} | {shown(found[kind], n)} |" for kind, n in total.items())
    lines.append(f"| recall of all: {name} | {shown(sum(found.values()), sum(total.values()))} |")
    lines.append(f"| precision: {name} | {shown(right, alarms)} |")
    for corpus, drafts in (("e2e_nlg", e2e()), ("advertisegen", advertisegen()), ("amazon", amazon())):
        flagged = [bool(find(draft)) for draft in drafts]
        lines.append(f"| product copy with a hit, {corpus}: {name} | {shown(sum(flagged), len(flagged))} |")
    recall, precision = sum(found.values()) / sum(total.values()), right / alarms
    return 2 * recall * precision / (recall + precision)


def main() -> None:
    if not DATA.is_dir():
        raise SystemExit(f"no data at {DATA}: set ECOMSITE_DATA_DIR")
    lines = ["", "| what | measured |", "| --- | --- |"]
    mine = measure("ours", ours, lines)
    reference = measure("usual patterns", usual, lines)
    print("\n".join(lines))
    if "--write" in sys.argv:
        write_section("Personal data", NOTES, lines)
    ratio = mine / reference
    verdict = {"ratio": round(ratio, 3), "must": MUST, "pass": ratio >= MUST}
    print(json.dumps({"name": "personal_data", "ours": round(mine, 4), "reference": round(reference, 4), **verdict}))


NOTES = """
`make bench NAME=personal_data` (`bench/personal_data.py --write` refreshes this table): 1,050 labelled English sentences
(synthetic persons), seven kinds, and product copy, which should have none. A hit counts when it has the right kind and
overlaps the label. Shares carry 95 % Wilson intervals; the last line of the run compares F1. The phone forms were
extended after a look at the misses on these sentences. The hits in the Amazon copy are a seller's real phone number,
e-mail address and shop link. Names and street addresses are not looked for.
"""


if __name__ == "__main__":
    main()
