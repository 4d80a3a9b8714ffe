"""Personal data found in labelled sentences, and false alarms on product copy; the reference is a usual set of patterns."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

from bench import page  # noqa: E402
from bench.checks import DATA, advertisegen, amazon, e2e, rows, shown  # noqa: E402
from moderation.policy.base import Draft  # noqa: E402
from moderation.policy.personal_data import PersonalDataCheck  # noqa: E402

MUST = 1.1
KINDS = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "CREDIT_CARD": "credit_card",
    "IBAN_CODE": "iban",
    "DOMAIN_NAME": "url",
    "IP_ADDRESS": "ip_address",
    "US_SSN": "us_ssn",
    "STREET_ADDRESS": "street_address",
}
PATTERNS = {
    "email": r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+",
    "url": r"https?://\S+",
    "ip_address": r"\b\d{1,3}(?:\.\d{1,3}){3}\b",
    "iban": r"\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b",
    "credit_card": r"\b\d(?:[ -]?\d){12,18}\b",
    "us_ssn": r"\b\d{3}-\d{2}-\d{4}\b",
    "phone": r"(?:\+?\d{1,3}[ .-]?)?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b|\b1[3-9]\d{9}\b",
}

STREET = "street_address"
Found = list[tuple[str, int, int]]


def ours(draft: Draft) -> Found:
    return [(hit.code, hit.start or 0, hit.end or 0) for hit in PersonalDataCheck().find(draft)]


def usual(draft: Draft) -> Found:
    return [(kind, *match.span()) for kind, pattern in PATTERNS.items() for match in re.finditer(pattern, draft.text)]


def presidio() -> Callable[[Draft], Found]:
    """Return Presidio's pattern recognisers for the same kinds, as they are shipped, off the network."""
    import presidio_analyzer.predefined_recognizers as shipped
    import tldextract

    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    kinds = {**KINDS, "URL": "url"}
    recognisers = [
        shipped.EmailRecognizer(),
        shipped.PhoneRecognizer(),
        shipped.CreditCardRecognizer(),
        shipped.IbanRecognizer(),
        shipped.IpRecognizer(),
        shipped.UrlRecognizer(),
        shipped.UsSsnRecognizer(),
    ]

    def find(draft: Draft) -> Found:
        found = [
            (kinds[item.entity_type], item.start, item.end)
            for recogniser in recognisers
            for item in recogniser.analyze(draft.text, recogniser.supported_entities, None)
        ]
        emails = [(start, end) for kind, start, end in found if kind == "email"]
        # It calls the host of an e-mail address a URL as well; that is no false alarm.
        return [item for item in found if item[0] != "url" or not any(a <= item[1] < b for a, b in emails)]

    return find


def clothing() -> list[Draft]:
    """Return every fourth review of clothes."""
    return [Draft(row["review_text"], "description", "en", "") for row in rows("womens_clothing/reviews.csv")[::4]]


def measure(name: str, find: Callable[[Draft], Found], lines: list[str], *, recall_only: bool = False) -> float:
    """Add the table lines of one finder and return its F1 over the kinds, street addresses aside."""
    n_right: dict[str, int] = dict.fromkeys(KINDS.values(), 0)
    n_hits: dict[str, int] = dict.fromkeys(KINDS.values(), 0)
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
            is_right = any(hit == kind and low < end and high > start for kind, start, end in gold)
            n_hits[hit] = n_hits.get(hit, 0) + 1
            n_right[hit] = n_right.get(hit, 0) + is_right
            if hit != STREET:
                alarms += 1
                right += is_right
    lines.extend(f"| recall of {kind}: {name} | {shown(found[kind], n)} |" for kind, n in total.items())
    if recall_only:
        return 0.0
    lines.extend(
        f"| precision of {kind}: {name} | {shown(n_right[kind], n_hits[kind])} |" for kind in total if n_hits[kind]
    )
    street, n_street = found.pop(STREET), total.pop(STREET)
    assert street <= n_street
    lines.append(f"| recall of all but street addresses: {name} | {shown(sum(found.values()), sum(total.values()))} |")
    lines.append(f"| precision of all but street addresses: {name} | {shown(right, alarms)} |")
    for corpus, drafts in (
        ("e2e_nlg", e2e()),
        ("advertisegen", advertisegen()),
        ("amazon", amazon()),
        ("womens_clothing", clothing()),
    ):
        flagged = [bool(find(draft)) for draft in drafts]
        lines.append(f"| product copy with a hit, {corpus}: {name} | {shown(sum(flagged), len(flagged))} |")
    recall, precision = sum(found.values()) / sum(total.values()), right / alarms
    return 2 * recall * precision / (recall + precision)


def main() -> None:
    if not DATA.is_dir():
        raise SystemExit(f"no data at {DATA}: set ECOMSITE_DATA_DIR")
    lines = ["| what | measured |", "| --- | --- |"]
    mine = measure("ours", ours, lines)
    theirs = presidio()
    measure("Presidio's patterns", theirs, lines)
    measure("ours and Presidio's patterns", lambda draft: [*ours(draft), *theirs(draft)], lines, recall_only=True)
    reference = measure("usual patterns", usual, lines)
    print("\n".join(lines))
    if "--write" in sys.argv:
        page.write("personal_data", lines)
    ratio = mine / reference
    verdict = {"ratio": round(ratio, 3), "must": MUST, "pass": ratio >= MUST}
    print(json.dumps({"name": "personal_data", "ours": round(mine, 4), "reference": round(reference, 4), **verdict}))


if __name__ == "__main__":
    main()
