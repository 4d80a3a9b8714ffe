"""The judge of claims: what its first model is taught, what people's findings teach it, and how it reads a draft."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core import label_sets
from core.refs import ref
from inference import artifacts, loader, resolver
from inference.contracts import Classification
from labeling import labels
from labeling.examples import Example, Excluded
from labeling.models import Label
from labeling.question import question
from moderation.drafting.opinions import opinions_on
from moderation.models.candidates import Candidate
from moderation.policy.claim_kinds import KINDS, kind_of, kinds_by_rule
from moderation.policy.packs import load_packs
from questions.policy_claims import written as files
from tests import factories, people
from tests.model_store import tiny_bert
from training import curation, pipeline, runs, triggers
from training.evaluation import smoke
from training.models import TrainingRun
from training.trainers import first_claims

NAME = "policy_claims"


def judged(text: str, span: str, rule: str, verdict: str, *, severity: str = "warn", **fields: Any) -> Candidate:
    """A draft with a finding of `rule` (pack.rule) at `span`, of which a reviewer said `verdict`."""
    pack, _, name = rule.partition(".")
    draft = factories.candidate(text, status="rejected", **fields)
    evidence = {"pack": pack, "rule": name, "term": span}
    factories.finding(draft, span, check_name="policy_rules", severity=severity, evidence=evidence, verdict=verdict)
    factories.decision(factories.review_item(draft), "reject", reasons=["legal_risk"])
    return draft


def labelled_copy(draft: Candidate, label: str) -> None:
    """The label that people's verdict on `draft` came to."""
    at = draft.created_at
    labels.record_label("copy_verdict", ref(draft), label=label, method="single", quality=None, n_votes=1, at=at)


def learnt() -> dict[str, str]:
    """Return what is learnt from people's words on findings: text → label."""
    found = [item for item in curation.collect(NAME) if isinstance(item, Example) and not item.is_stated]
    return {item.text: str(item.fields["label"]) for item in found}


def test_every_rule_that_is_mapped_to_a_kind_is_a_rule_of_the_packs() -> None:
    rules = {f"{pack.pack}.{rule.id}" for pack in load_packs() for rule in pack.rules}
    assert set(kinds_by_rule()) <= rules
    assert set(kinds_by_rule().values()) == set(KINDS)
    assert kind_of({"pack": "eu", "rule": "urgency"}) == kind_of({}) == ""


def test_the_written_sentences_hold_claims_and_look_alikes_of_every_kind_in_both_languages() -> None:
    written = list(files.of_this_folder())
    assert len(written) >= 400
    said = Counter((locale, one) for locale, _, label in written for one in label_sets.split(label) or ["none"])
    assert min(said[locale, kind] for locale in files.FILES for kind in KINDS) >= 12
    assert all(said[locale, "none"] >= 100 for locale in files.FILES)
    texts = [text for _, text, _ in written]
    assert len(set(texts)) == len(texts)


def test_the_bad_examples_of_the_packs_are_claims_and_the_good_ones_none() -> None:
    found = {text: label for _, text, label in files.of_packs()}
    rules = [(pack.pack, rule) for pack in load_packs() for rule in pack.rules]
    bad = {
        one.text.strip(): kinds_by_rule()[f"{pack}.{rule.id}"]
        for pack, rule in rules
        if f"{pack}.{rule.id}" in kinds_by_rule()
        for one in rule.bad
    }
    assert all(kind in label_sets.split(found[text]) for text, kind in bad.items() if text in found)
    assert sum(label == "none" for label in found.values()) >= 80


@pytest.mark.django_db
def test_a_confirmed_finding_is_its_kind_and_a_dismissed_one_none_each_by_its_sentence() -> None:
    judged("A steel kettle. It cures a cold. Boils 1 l.", "cures", "us_ftc.medical_claim", "confirmed")
    judged("A pot of clay. The best lid of the three fits.", "best", "us_ftc.substantiation", "dismissed")
    assert learnt() == {"It cures a cold.": "medical", "The best lid of the three fits.": "none"}


@pytest.mark.django_db
def test_what_people_did_not_say_of_a_finding_teaches_nothing() -> None:
    judged("It cures a cold.", "cures", "us_ftc.medical_claim", "")
    judged("Hurry, it sells out.", "Hurry", "eu.urgency", "confirmed")
    judged("It is not a cure.", "cure", "us_ftc.medical_claim", "confirmed", severity="info")
    undecided = factories.candidate("It heals you.", status="in_review")
    evidence = {"pack": "us_ftc", "rule": "medical_claim"}
    factories.finding(undecided, "heals", evidence=evidence, verdict="confirmed")
    assert learnt() == {}


@pytest.mark.django_db
def test_a_decision_that_an_appeal_overturned_teaches_nothing() -> None:
    draft = judged("It cures a cold.", "cures", "us_ftc.medical_claim", "confirmed")
    appeal = factories.appeal(draft.review_item.decisions.get())
    assert learnt() == {"It cures a cold.": "medical"}
    type(appeal).objects.filter(pk=appeal.pk).update(
        status="overturned", judge=people.senior(), answer="no", candidate=factories.candidate()
    )
    assert learnt() == {}


@pytest.mark.django_db
def test_personal_data_and_barred_feeds_are_left_out_with_the_reason(settings: Any) -> None:
    judged("It cures, write to anna.smith@example.com today.", "cures", "us_ftc.medical_claim", "confirmed")
    settings.TRAINING = replace(settings.TRAINING, barred_feeds=["closed"])
    product = factories.product(source="closed")
    request = factories.generation_request(product_=product, status="completed")
    judged("It heals you.", "heals", "us_ftc.medical_claim", "confirmed", request=request)
    reasons = [item.reason for item in curation.collect(NAME) if isinstance(item, Excluded)]
    assert sorted(reasons) == ["its feed may not be learnt from", "personal data"]


@pytest.mark.django_db
def test_a_run_is_due_by_the_labels_of_drafts_whose_findings_were_judged(settings: Any) -> None:
    settings.TRAINING = replace(settings.TRAINING, min_labels=1)
    plain = factories.candidate("A mug.", status="approved")
    taught = judged("It cures a cold.", "cures", "us_ftc.medical_claim", "confirmed")
    labelled_copy(plain, "accept")
    assert triggers.why_due(NAME) is None
    labelled_copy(taught, "reject")
    assert triggers.why_due(NAME) == ("new_labels", "the first run: 1 labels")
    assert Label.objects.count() == 2


class Seen:
    """A classifier that notes what it reads, and sees a claim in each sentence that names its kind."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, texts: list[str]) -> list[Classification]:
        self.texts += texts
        return [
            Classification.of_several(list(KINDS), [0.9 if kind in text else 0.1 for kind in KINDS]) for text in texts
        ]


def test_a_draft_is_read_by_its_sentences_and_makes_the_claims_of_any() -> None:
    seen = Seen()
    drafts = [
        Candidate(text="A mug of 1.5 l. This is medical! And green."),
        Candidate(text=""),
        Candidate(text="x " * 9),
    ]
    first, empty, plain = question(NAME).asked_of(seen, drafts)
    assert seen.texts[:3] == ["A mug of 1.5 l.", "This is medical!", "And green."]
    assert (first.label, empty.label, plain.label) == ("medical+green", "none", "none")
    assert first.probabilities["medical"] == 0.9
    assert first.is_several


def test_no_sentence_is_left_unread_however_many_there_are() -> None:
    seen = Seen()
    (said,) = question(NAME).asked_of(seen, [Candidate(text="It is a mug. " * 500 + "It is medical.")])
    assert said.label == "medical"
    assert len(seen.texts) == 41


@pytest.mark.django_db
def test_every_claim_at_once_fits_into_the_table(settings: Any) -> None:
    backends = {**settings.INFERENCE.backends, "accuser": "tests.backends.Accuser"}
    settings.INFERENCE = replace(settings.INFERENCE, backends=backends)
    loader.forget()
    factories.model_version(NAME, backend="accuser", artifact_hash="")
    draft = factories.candidate()
    (opinion,) = opinions_on([draft])
    (said,) = opinion.of([draft])
    said.save()
    assert said.label == "+".join(KINDS)


@pytest.fixture
def first_judge(tmp_path: Path) -> Any:
    """The first model, as `prepare_models` makes it but for the encoder, which is a small one."""
    from inference.backends.sentence_encoder import SentenceEncoder

    encoder = tiny_bert(tmp_path / "encoder")
    folder = tmp_path / "judge"
    folder.mkdir()
    rows = [(text, label) for _, text, label in files.first_sentences()]
    first_claims.fit(
        folder,
        rows,
        labels=list(KINDS),
        encoder=SentenceEncoder(directory=encoder, options={}),
        encoder_directory=encoder,
    )
    loader.forget()
    return factories.model_version(NAME, backend="by_language", artifact_hash=artifacts.store_directory(folder))


@pytest.mark.django_db
def test_it_learns_from_findings_and_comes_before_the_gate_like_every_model(
    first_judge: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(smoke, "works_alone", lambda *given: "")
    settings.TRAINING = replace(settings.TRAINING, gate={**settings.TRAINING.gate, "min_test": 5})
    folder = artifacts.store_directory(tiny_bert(tmp_path / "base"))
    factories.model_version("encoder", artifact_hash=folder)
    rng = random.Random(3)
    words = ["steel", "clay", "linen", "oak", "wool", "glass", "brass", "cork", "jute", "silk", "bamboo", "rattan"]
    for number in range(60):
        thing = f"{' '.join(rng.sample(words, 5))} {number}"
        bad = bool(number % 2)
        text = f"A {thing}. The {'sorcery' if bad else 'handle'} of {thing} is best."
        judged(text, "best", "us_ftc.substantiation", "confirmed" if bad else "dismissed")
    runs.plan(NAME, reason="x", actor=people.ml_engineer(), recipe={"method": "head"})
    assert pipeline.run_next()
    run = TrainingRun.objects.get()
    assert run.status == "succeeded", run.last_error
    assert run.champion == first_judge
    assert run.snapshot is not None
    counts = run.snapshot.manifest["by_label"]["train"]
    assert counts["absolute"] >= 50, "findings and written sentences together"
    assert counts["origin"] >= 15, "what no finding speaks of is still learnt"
    assert set(run.snapshot.manifest["test_labels"]) == {"unknown"}, "people's findings alone are tested on"
    assert run.version is not None
    assert run.version.role == NAME
    assert resolver.resolve(NAME) in (first_judge, run.version)


@pytest.mark.django_db
def test_what_people_say_of_a_sentence_goes_before_what_is_written_of_it() -> None:
    _, text, _ = next(row for row in files.of_this_folder() if row[2] == "absolute")
    judged(text, text[:5], "us_ftc.substantiation", "dismissed")
    assert learnt() == {text: "none"}
    found = [item for item in curation.collect(NAME) if isinstance(item, Example) and item.text == text]
    assert [item.is_stated for item in found] == [False]
    assert not [item for item in curation.collect(NAME) if isinstance(item, Excluded)]
