"""The labelling interfaces: valid, safe to show, strict to read."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.models import CustomerReview, Product
from core.exceptions import PermanentError
from labeling.label_config import check_task, validate
from labeling.question import question
from moderation import markup
from questions.copy_verdict.question import reasons_suggested, task_data_of
from tests.labeling.conftest import DRAFT, FINDINGS, choice, typed

EVIL = '<script>alert(1)</script><img src=x onerror="alert(1)">'
PAYLOAD = task_data_of(title="Mug", channel="Ad", locale="en", text=DRAFT, findings=FINDINGS)


def sentiment(*parts: dict[str, Any]) -> dict[str, Any]:
    return question("sentiment").parse([{**part, "to_name": "review"} for part in parts], {})


def copy(*parts: dict[str, Any]) -> dict[str, Any]:
    return question("copy_verdict").parse(parts, PAYLOAD)


@pytest.mark.parametrize("name", ["copy_verdict", "sentiment"])
def test_the_configuration_is_valid(name: str) -> None:
    validate(question(name))


def test_payload_and_prediction_fit_the_interface() -> None:
    predictions = reasons_suggested(FINDINGS, model_version="m", score=0.5)
    check_task(question("copy_verdict"), PAYLOAD, predictions)
    check_task(
        question("sentiment"),
        question("sentiment").task_data(CustomerReview(text="Fine.")),
        question("sentiment").suggestions(None, label="neutral", model_version="m", score=0.4),
    )


def test_text_of_others_is_never_html() -> None:
    finding = {"id": 1, "code": "x", "severity": "block", "message": EVIL, "start": 0, "end": 9}
    payload = task_data_of(
        title=EVIL,
        brand=EVIL,
        category=EVIL,
        facts=[(EVIL, EVIL)],
        channel=EVIL,
        locale=EVIL,
        text=EVIL,
        findings=[finding],
        image_url="javascript:alert(1)",
        console_url="javascript:alert(1)",
    )
    shown = [payload["product_html"], payload["facts_html"], payload["draft_html"], payload["findings"][0]["html"]]
    review = CustomerReview(title=EVIL, text=EVIL, product=Product(title=EVIL), locale=EVIL)
    shown.append(question("sentiment").task_data(review)["review_html"])

    for html in shown:
        assert "<script" not in html
        assert "<img" not in html
        assert "javascript:" not in html
    assert payload["image"].startswith("data:image/svg+xml")


@pytest.mark.parametrize(
    ("spans", "marks"),
    [
        ([(0, 1)], ["A"]),
        ([(2, 11), (6, 20)], ["sea ", "green", " stonewar"]),
        ([(0, 10_000)], [DRAFT]),
        ([(5, 5), (9, 3)], []),
        ([(-4, 1)], ["A"]),
    ],
)
def test_findings_are_marked_where_they_point(spans: list[tuple[int, int]], marks: list[str]) -> None:
    findings = [
        {"id": n, "code": "x", "severity": "warn", "message": "m", "start": start, "end": end}
        for n, (start, end) in enumerate(spans)
    ]
    html = markup._marked(DRAFT, findings)

    assert [part.split(">", 1)[1].split("</mark>")[0] for part in html.split("<mark")[1:]] == marks


def test_an_accepted_draft_confirms_no_finding() -> None:
    answer = copy(choice("verdict", "accept"), choice("reasons", "tone"), typed("fixed_text", DRAFT))

    assert answer == {
        "verdict": "accept",
        "fixed_text": "",
        "reason_codes": [],
        "dismissed_findings": [],
        "confirmed_findings": [],
        "escalate": False,
        "comment": "",
    }


MENDED = task_data_of(
    title="Mug",
    channel="Ad",
    locale="en",
    text=DRAFT,
    findings=[
        {**FINDINGS[0], "code": "contradicted_attribute", "fixup": {"start": 49, "end": 57, "text": "6 hours"}},
        {**FINDINGS[0], "id": 43, "start": 2, "end": 11, "fixup": {"start": 2, "end": 12, "text": ""}},
    ],
)


def test_what_is_proposed_is_shown_beside_its_finding() -> None:
    assert "Proposed: <del>12 hours</del> <b>6 hours</b>" in MENDED["findings"][0]["html"]
    assert "<del>sea green</del> <b>(cut)</b>" in MENDED["findings"][1]["html"]
    assert "Fix as proposed (4)" in MENDED["draft_html"]
    assert "Fix as proposed" not in PAYLOAD["draft_html"]


def test_a_fix_as_proposed_is_a_fix_with_text_and_reason() -> None:
    answer = question("copy_verdict").parse([choice("verdict", "fix_as_proposed")], MENDED)

    assert answer["verdict"] == question("copy_verdict").label_of(answer) == "fix"
    assert answer["fixed_text"] == "A stoneware mug that keeps tea hot for 6 hours."
    assert answer["reason_codes"] == ["wrong_fact"]
    assert answer["fixups"] == answer["confirmed_findings"] == ["41", "43"]


def test_what_was_ticked_as_a_false_alarm_is_not_changed() -> None:
    answer = question("copy_verdict").parse([choice("verdict", "fix_as_proposed"), choice("dismissed", "41")], MENDED)

    assert answer["fixed_text"] == "A stoneware mug that keeps tea hot for 12 hours."
    assert answer["reason_codes"] == ["unsupported_claim"]
    assert (answer["fixups"], answer["dismissed_findings"]) == (["43"], ["41"])


@pytest.mark.parametrize(
    ("codes", "reasons"),
    [
        (["brand_term"], ["off_brand"]),
        (["unsupported_number", "brand_term"], ["unsupported_claim", "off_brand"]),
        (["contradicted_number", "brand_term"], ["wrong_fact", "off_brand"]),
    ],
)
def test_a_fix_as_proposed_says_whether_it_is_about_facts_or_the_brand(codes: list[str], reasons: list[str]) -> None:
    fixups = [{"finding": str(n), "code": code, "start": n, "end": n + 1, "text": "x"} for n, code in enumerate(codes)]
    answer = question("copy_verdict").parse([choice("verdict", "fix_as_proposed")], {**MENDED, "fixups": fixups})
    assert answer["reason_codes"] == reasons


def test_a_fix_as_proposed_of_nothing_holds_no_text() -> None:
    answer = copy(choice("verdict", "fix_as_proposed"))
    assert (answer["fixed_text"], answer["fixups"]) == ("", [])


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [typed("comment", "hm")],
        [choice("verdict", "accept", "reject")],
        [choice("verdict", "Accept")],
        [choice("verdict", "accept"), choice("verdict", "reject")],
        [choice("verdict", "reject"), choice("reasons", "boring")],
        [choice("verdict", "reject"), choice("dismissed", "99")],
        [choice("verdict", "accept"), choice("mood", "good")],
    ],
)
def test_what_the_interface_does_not_have_is_refused(parts: list[dict[str, Any]]) -> None:
    with pytest.raises(PermanentError):
        copy(*parts)


def test_a_sentiment_is_read() -> None:
    assert sentiment(choice("sentiment", "negative"), typed("comment", " sad ")) == {
        "sentiment": "negative",
        "escalate": False,
        "comment": "sad",
    }
    assert sentiment(choice("escalate", "escalate"))["sentiment"] == ""
    with pytest.raises(PermanentError):
        sentiment()


def test_an_unknown_sentiment_is_not_suggested() -> None:
    with pytest.raises(PermanentError, match="mixed"):
        question("sentiment").suggestions(None, label="mixed", model_version="m")


def test_an_unknown_kind_says_which_there_are() -> None:
    with pytest.raises(PermanentError, match="copy_verdict"):
        question("nothing")
