"""Settings of what compliance rests on: policy checks, personal data, proofs, the AI mark, the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ecomsite import env
from ecomsite.env import VAR_DIR

# --- Policy checks: pure functions of text and facts, in the order they run ---------------------------------------
POLICY_CHECKS = [
    "moderation.policy.form.LengthCheck",
    "moderation.policy.form.RefusalCheck",
    "moderation.policy.language.LanguageCheck",
    "moderation.policy.rules.PolicyRulesCheck",
    "moderation.policy.facts_graph.FactsGraphCheck",
    "moderation.policy.profanity.ProfanityCheck",
    "moderation.policy.personal_data.PersonalDataCheck",
    "moderation.policy.injection.InjectionCheck",
    "moderation.policy.grounding.GroundingCheck",
    "moderation.policy.duplicates.DuplicateCheck",
    "moderation.policy.brand_voice_check.BrandVoiceCheck",
]


@dataclass(frozen=True)
class PolicyRules:
    """When a rule that people dismiss is proposed for a softer severity (moderation/policy_record.py)."""

    # The share of the drafts a rule asks about in which people have to confirm it; a rule may have a floor of its own.
    floor: float
    # Answers of so many days count.
    days: int


POLICY_RULES = PolicyRules(
    floor=env.integer("POLICY_RULE_FLOOR_PERCENT", 20) / 100, days=env.integer("POLICY_RULE_DAYS", 90, minimum=1)
)


# --- Personal data ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class PersonalData:
    """How personal data is looked for in what is written."""

    # A spaCy model (a package or a directory) by which Presidio looks for names of people and places; empty = it does
    # not.
    spacy_model: str


PERSONAL_DATA = PersonalData(spacy_model=env.text("PERSONAL_DATA_SPACY_MODEL"))
if PERSONAL_DATA.spacy_model:
    POLICY_CHECKS.append("moderation.policy.named_people.NamedPeopleCheck")


# --- Proofs attached to facts -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class EvidenceStore:
    """Proofs attached to facts."""

    folder: Path
    max_bytes: int


FACT_EVIDENCE = EvidenceStore(
    folder=VAR_DIR / "evidence",
    max_bytes=env.integer("FACT_EVIDENCE_MAX_MIB", 10, minimum=1) * 1024 * 1024,
)


# --- The AI mark on published copy (moderation/live/marking.py, monitoring/mark_checks.py) ----------------------------
@dataclass(frozen=True)
class AiMark:
    """The AI mark on published copy, and where its being there is looked at."""

    # GB 45438-2025: ContentProducer.
    producer: str
    # Where a C2PA manifest goes into the text itself, 2 KB that do not show: not into lines that are cut to length.
    c2pa_channels: Sequence[str]
    # An Ed25519 key and its certificate, then those of who issued it, in one PEM; made at first use, signed by itself.
    key_file: Path
    # Where shoppers see a product, with {sku}, {locale} and {channel}: read to see that the mark is still there.
    page_url: str


AI_MARK = AiMark(
    producer=env.text("AI_CONTENT_PRODUCER", "ecomsite"),
    c2pa_channels=env.words("AI_MARK_C2PA_CHANNELS", "description"),
    key_file=Path(env.text("AI_MARK_KEY_FILE", str(VAR_DIR / "keys" / "ai-mark.pem"))),
    page_url=env.text("SHOP_PAGE_URL"),
)


# --- The ledger: who signs it, where its heads are kept a second time (audit/) -------------------------------------
@dataclass(frozen=True)
class Ledger:
    """Keys of the ledger, and the places outside of the database that vouch for it."""

    # An Ed25519 key in PEM. Without one the first signature makes the file: outside of the database it signs for.
    key: str = field(repr=False)
    key_file: Path
    # Wraps the keys that seal what people wrote: 64 hex digits.
    sealing_key: str = field(repr=False)
    sealing_key_file: Path
    # The second place. By default on the same disk, which is better than nothing and no more.
    anchor_file: Path
    # The last head that was verified and is in both places: a third file, so that those two cannot go back together.
    mark_file: Path
    # A time-stamping authority (RFC 3161), and the certificates that its answers must lead to.
    tsa_url: str
    tsa_roots: str


LEDGER = Ledger(
    key=env.text("LEDGER_KEY"),
    key_file=VAR_DIR / "keys" / "ledger.pem",
    sealing_key=env.text("LEDGER_SEALING_KEY"),
    sealing_key_file=VAR_DIR / "keys" / "ledger-sealing",
    anchor_file=Path(env.text("LEDGER_ANCHOR_FILE", str(VAR_DIR / "anchors" / "ledger.jsonl"))),
    mark_file=Path(env.text("LEDGER_MARK_FILE", str(VAR_DIR / "keys" / "ledger-high-water.json"))),
    tsa_url=env.text("LEDGER_TSA_URL"),
    tsa_roots=env.text("LEDGER_TSA_ROOTS"),
)

# --- Appeals and statements of reasons ------------------------------------------------------------------------------
# The EU's DSA asks for at least six months to complain (Art. 20).
APPEAL_DAYS = env.integer("APPEAL_DAYS", 184, minimum=1)
EU = "AT,BE,BG,CY,CZ,DE,DK,EE,ES,FI,FR,GR,HR,HU,IE,IT,LT,LU,LV,MT,NL,PL,PT,RO,SE,SI,SK"


@dataclass(frozen=True)
class Statements:
    """Statements of reasons."""

    # Where a text is not shown: countries of the EU and the EEA by their ISO codes.
    territories: Sequence[str]
    # The house rules as whoever is affected can read them.
    terms_url: str
    # How to appeal, besides the API: an address or a page, as it shall stand in the text for whom it affects.
    appeal_contact: str


STATEMENTS = Statements(
    territories=env.words("STATEMENT_TERRITORIES", EU),
    terms_url=env.text("STATEMENT_TERMS_URL", ""),
    appeal_contact=env.text("APPEAL_CONTACT", ""),
)
