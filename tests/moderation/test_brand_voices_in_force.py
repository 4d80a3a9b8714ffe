"""Brand voices from the file to the draft: who loads them, what the model is told, what is found, mended and kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from audit.models import LedgerEntry
from core.exceptions import PermanentError
from core.refs import ref
from inference.models import ModelVersion
from moderation import brand_voices, policy_versions
from moderation.decisions import settling
from moderation.drafting import generation, ordering, reproduction, screening
from moderation.models.candidates import Candidate, Finding
from moderation.models.policies import PolicyActivation, PolicyVersion
from moderation.models.reviews import Decision
from moderation.policy.brand_voices import BrandVoices, parse_voices
from questions.copy_verdict.question import CopyVerdict
from tests import factories
from tests import people as persons
from tests.labeling.conftest import choice
from tests.people import people

pytestmark = pytest.mark.django_db
BOTTLE = "Harbour mug by Tideway: a sea green stoneware bottle that holds 350 ml."
FLASK = "Harbour mug by Tideway: a sea green stoneware flask that holds 350 ml."
TIDEWAY = {
    "en": {"tone": "warm and plain", "preferred": [{"say": "flask", "not": ["bottle"]}], "forbidden": ["cheap"]},
    "zh-Hans": {"tone": "朴实", "longest_sentence": 30, "forbidden": [{"term": "水杯", "instead": "保温杯"}]},
}
Script = Callable[..., ModelVersion]


@pytest.fixture
def kim() -> User:
    return people("Administrator")


@pytest.fixture
def voices() -> BrandVoices:
    return parse_voices({"Tideway": TIDEWAY})


@pytest.fixture
def in_force(kim: User, voices: BrandVoices) -> PolicyVersion:
    version = brand_voices.load(voices, actor=kim, reason="Tideway has a guide.")
    assert version is not None
    return version


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "voices.yaml"
    path.write_text("brand_voices:\n  Tideway:\n    en: {tone: warm, forbidden: [cheap]}\n", encoding="utf-8")
    return str(path)


def drafted(locale: str = "en") -> Candidate:
    ordering.request_copy(
        [factories.product(title="Harbour mug")],
        channels=["description"],
        locales=[locale],
        n_candidates=1,
        actor=generation.GENERATOR,
    )
    assert generation.drain_generation() == 1
    return Candidate.objects.get(origin="machine")


def test_a_dry_run_tells_the_difference_and_changes_nothing(file: str, capsys: Any) -> None:
    call_command("load_brand_voices", file, dry_run=True)
    told = capsys.readouterr().out
    assert "+ brand voice Tideway, en" in told
    assert "Nothing was changed." in told
    assert PolicyVersion.objects.count() == 1


def test_a_bad_file_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "voices.yaml"
    path.write_text("brand_voices:\n  Tideway:\n    en: {tones: warm}\n", encoding="utf-8")
    with pytest.raises(CommandError, match=r"voices.yaml, line 3: .* allowed: tone"):
        call_command("load_brand_voices", str(path), dry_run=True)


def test_a_change_names_a_person_with_a_reason_and_the_permission(file: str, kim: User, capsys: Any) -> None:
    with pytest.raises(CommandError, match="--by"):
        call_command("load_brand_voices", file, reason="because")
    with pytest.raises(CommandError, match="reason"):
        call_command("load_brand_voices", file, by=kim.username)
    with pytest.raises(CommandError, match="lacks the permission"):
        call_command("load_brand_voices", file, by=people("Auditor").username, reason="because")
    assert PolicyVersion.objects.count() == 1
    call_command("load_brand_voices", file, by=kim.username, reason="Tideway has a guide.")
    latest = PolicyActivation.objects.first()
    assert latest is not None
    assert (latest.version.number, latest.by, latest.reason) == (2, kim, "Tideway has a guide.")
    entry = LedgerEntry.objects.get(action="moderation.policy.activated", subject=ref(latest.version))
    assert entry.actor == f"user:{kim.pk}"
    capsys.readouterr()
    call_command("load_brand_voices", file, by=kim.username, reason="again")
    assert "Nothing differs" in capsys.readouterr().out
    assert PolicyActivation.objects.count() == 2


def test_only_who_may_put_a_policy_in_force_loads_voices(voices: BrandVoices, kim: User) -> None:
    with pytest.raises(PermissionDenied):
        brand_voices.load(voices, actor=persons.reviewer(), reason="because")
    with pytest.raises(PermanentError):
        brand_voices.load(voices, actor=kim, reason=" ")


def test_the_version_differs_in_the_voices_alone_and_the_files_do_not_take_them_back(in_force: PolicyVersion) -> None:
    first = PolicyVersion.objects.get(number=1)
    told = policy_versions.difference(first.content, in_force.content)
    assert told == ("+ brand voice Tideway, en", "+ brand voice Tideway, zh-Hans", "~ check brand_voice: version")
    assert not policy_versions.difference(in_force.content, policy_versions.content_now())
    assert policy_versions.policy_in_force().version == in_force


def test_an_older_version_runs_with_the_voices_of_then(in_force: PolicyVersion) -> None:
    draft = screening.draft_of(factories.candidate(BOTTLE))
    codes = [
        {hit.code for check in policy_versions.checks_of(version) for hit in check.find(draft)}
        for version in (PolicyVersion.objects.get(number=1), in_force)
    ]
    assert codes[1] - codes[0] == {"brand_term"}


@pytest.mark.parametrize(
    ("locale", "told"),
    [
        ("en", ["Tone: warm and plain", "Write “flask”, not “bottle”.", "Never write “cheap”."]),
        ("zh-Hans", ["语气：朴实", "每句不超过 30 个字。", "要写“保温杯”，不写“水杯”。"]),
    ],
)
def test_the_model_is_told_and_the_draft_says_which_voice(
    script: Script, in_force: PolicyVersion, locale: str, told: list[str]
) -> None:
    script(BOTTLE)
    ModelVersion.objects.update(locales=["en", "zh-Hans"])
    draft = drafted(locale)
    prompt = reproduction.prompt_of(draft)
    lines = prompt.messages[-1].content.split("\n")
    at = lines.index("END_OF_DATA") + 1
    assert lines[at:-1] == told
    assert draft.brand_voice == in_force.content_hash
    assert prompt.is_same
    line = LedgerEntry.objects.get(action="moderation.candidate.generated", subject=ref(draft))
    assert line.payload["brand_voice"] == in_force.content_hash


def test_a_draft_is_written_again_with_the_voice_of_then(script: Script, in_force: PolicyVersion, kim: User) -> None:
    script(BOTTLE)
    draft = drafted()
    brand_voices.load(parse_voices({"Tideway": {"en": {"tone": "stern"}}}), actor=kim, reason="Another agency.")
    assert reproduction.prompt_of(draft).is_same


def test_without_a_voice_nothing_is_told_or_kept(script: Script) -> None:
    script(BOTTLE)
    draft = drafted()
    lines = reproduction.prompt_of(draft).messages[-1].content.split("\n")
    assert lines[-2] == "END_OF_DATA"
    assert draft.brand_voice == ""
    line = LedgerEntry.objects.get(action="moderation.candidate.generated", subject=ref(draft))
    assert "brand_voice" not in line.payload


def test_a_term_is_found_and_mended_with_one_key(script: Script, in_force: PolicyVersion) -> None:
    script(BOTTLE)
    draft = drafted()
    assert screening.screen_candidates() == 1
    finding = Finding.objects.get(candidate=draft, code="brand_term")
    assert (finding.severity, finding.policy_version) == ("warn", in_force)
    item, reviewer = factories.review_item(draft), persons.reviewer()
    factories.lease(item, reviewer)
    question = CopyVerdict()
    said = question.parse([choice("verdict", "fix_as_proposed")], question.task_data(item.candidate))
    factories.answer(item, reviewer, **said)

    assert settling.settle_decisions() == 1

    child = Candidate.objects.get(origin="human")
    assert child.text == FLASK
    assert child.brand_voice == in_force.content_hash
    assert [taken["code"] for taken in child.params["fixups"]] == ["brand_term"]
    assert Decision.objects.get().reason_codes == ["off_brand"]


def test_the_page_shows_terms_and_tone_and_says_what_it_is_for_before(kim: User, voices: BrandVoices) -> None:
    client = Client()
    client.force_login(kim)
    page = client.get(reverse("console:brand_voices")).content.decode()
    assert "No brand has a voice yet" in page
    assert "manage.py load_brand_voices" in page
    spoken = brand_voices.load(voices, actor=kim, reason="Tideway has a guide.")
    assert spoken is not None
    page = client.get(reverse("console:brand_voices")).content.decode()
    for told in ("Tideway", "warm and plain", "flask", "bottle", "cheap", "保温杯", "30 characters"):
        assert told in page
    brand_voices.load(parse_voices({}), actor=kim, reason="Tideway is sold.")
    assert "warm and plain" in client.get(reverse("console:policy", args=[spoken.number])).content.decode()
    assert "warm and plain" not in client.get(reverse("console:brand_voices")).content.decode()
    client.force_login(people("Merchant"))
    assert client.get(reverse("console:brand_voices")).status_code != 200
