"""Labels, and what is learnt from them: panels, second reviews, imports, runs, models, searches for wrong labels."""

from __future__ import annotations

import json

from desk_of_before import ROOT
from desk_of_before.people import Desk, People, push, rules, sign


def sentiments(who: People) -> None:
    """Reviews scored, asked about in panels, by lot and again; ties adjudicated; answers sent back; issues raised."""
    from catalog.models import CustomerReview
    from core.refs import ref
    from labeling import issues
    from labeling.models import Label, LabelIssue
    from moderation import panels, review, second_reviews, sentiment
    from moderation.models.reviews import ReviewItem
    from tests import factories

    desk, kind = Desk(), "review_sentiment"
    factories.model_version(
        "sentiment", backend="word_count", artifact_hash="", name="words-for-tests", locales=["en", "zh-Hans"]
    )
    while sentiment.score_reviews():
        pass
    rules(num_reviewers_per_item=3, rereview_percent=20, blind_percent=30)
    for n in range(8):
        made = factories.customer_review(f"good and bad, number {n}")
        factories.sentiment(made, "neutral", confidence=0.4)
    review.open_reviews()
    push()
    one, two, three, four, five = who.reviewers
    said = [
        ("negative", "negative", "neutral"),
        ("positive", "positive", "positive"),
        ("negative", "positive", "neutral"),
        ("neutral", "neutral", "positive"),
        ("negative", "negative", "negative"),
        ("positive", "neutral", "positive"),
    ]
    leads = list(ReviewItem.objects.filter(kind=kind, lead=None, seats__isnull=False).distinct().order_by("created_at"))
    for lead, words in zip(leads, [*said, ("negative",), ("negative", "positive")], strict=False):
        for seat, user, word in zip([lead, *lead.seats.order_by("created_at")], (one, two, three), words, strict=False):
            factories.lease(seat, user)
            factories.answer(seat, user, sentiment=word)
            desk.settle()
    adjudication = ReviewItem.objects.filter(purpose="adjudication", status="escalated").order_by("created_at").first()
    push()
    adjudication.refresh_from_db()
    from moderation import queue

    queue.take_escalated(adjudication, user=who.seniors[0])
    adjudication.refresh_from_db()
    factories.answer(adjudication, who.seniors[0], sentiment="positive")
    desk.settle()
    answered = ReviewItem.objects.filter(kind=kind, status="answered").order_by("created_at").first()
    panels.send_back(answered, actor=who.seniors[1], reason="Judge the words, not the stars.", to_same_person=True)
    rules(num_reviewers_per_item=1)
    for n in range(12):
        factories.sentiment(factories.customer_review(f"neither good nor bad, {n}"), "neutral", confidence=0.5)
    review.open_reviews()
    push()
    for n in range(9):
        desk.answers((four, five)[n % 2], kind, sentiment=("positive", "negative", "neutral")[n % 3])
    # Labels that look wrong, a known answer, and second reviews of both.
    labelled = list(Label.objects.filter(kind=kind).order_by("pk")[:4])
    issues.raise_issues(
        kind,
        [
            issues.Suspicion(
                label.subject,
                label.label,
                "negative" if label.label != "negative" else "positive",
                0.1 * n + 0.05,
                ["cleanlab", "loss"],
            )
            for n, label in enumerate(labelled)
        ],
    )
    second_reviews.open_second_reviews()
    further = list(Label.objects.filter(kind=kind).order_by("pk")[4:6])
    issues.raise_issues(kind, [issues.Suspicion(one.subject, one.label, "", 0.3, ["combined"]) for one in further])
    LabelIssue.objects.filter(subject=further[1].subject).update(status="stale")
    decided = ReviewItem.objects.filter(kind=kind, status="decided", lead=None, customer_review__isnull=False).last()
    second_reviews.set_gold(decided, label="neutral", actor=who.seniors[0])
    second_reviews.keep_gold_ready()
    push()
    for seat in list(ReviewItem.objects.filter(purpose="second_review").order_by("created_at")[:3]):
        expected = labelled[0].label if seat.leading.subject == labelled[0].subject else "negative"
        user = next(
            u
            for u in (*who.seniors, *who.reviewers)
            if not seat.leading.seats.filter(assignee=u).exists() and seat.leading.assignee_id != u.pk
        )
        factories.lease(seat, user)
        factories.answer(seat, user, sentiment=expected)
        desk.settle()
    for user in (one, two):
        desk.answers(user, kind, sentiment="neutral")
    push()
    assert queue.next_item(three, kind=kind) is not None
    assert CustomerReview.objects.exists()
    assert ref(decided)
    sign()


def labels_and_files(who: People) -> None:
    """Labels that came in by a file, known answers too; what is known of raters; the inbox, proofs, accounts there."""
    from django.utils import timezone

    from labeling import raters, webhooks
    from labeling.models import Annotator, CompletenessProof, LabelingProject
    from moderation.label_exchange.importing import File, import_labels
    from moderation.label_exchange.records import Rules

    words = {"positive": "good", "negative": "bad", "neutral": "so so"}
    rows = [
        {"id": f"file-{n}", "text": f"{words[label]}, says row {n}", "label": label, "rater": f"r{n % 3}@example.com"}
        for n, label in enumerate(list(words) * 8)
    ]
    path = ROOT / "labels.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    import_labels(File(path, Rules(), "jsonl"), gold=False, actor=who.engineers[0])
    path.write_text(
        "".join(json.dumps({**row, "id": f"gold-{row['id']}", "text": row["text"] + "!"}) + "\n" for row in rows[:4])
    )
    import_labels(File(path, Rules(), "jsonl"), gold=True, actor=who.engineers[0])
    raters.fit_all()
    for n, user in enumerate((*who.reviewers, *who.seniors), start=11):
        Annotator.objects.create(user=user, ls_user_id=n)
    for n, project in enumerate(LabelingProject.objects.all()):
        body = {"action": "ANNOTATION_CREATED", "project": {"id": project.ls_project_id}, "task": {"id": 5001 + n}}
        event = webhooks.store_event(json.dumps(body).encode())
        if n:
            type(event).objects.filter(pk=event.pk).update(status="processed", processed_at=timezone.now())
        CompletenessProof.objects.create(
            project=project, finished_at=timezone.now(), n_tasks=9, n_accounted=9, words="all there"
        )
    sign()


def learning(who: People) -> None:
    """Snapshots, runs that ended, wait and were cancelled, reports, approvals, aliases that moved, shadow scores."""
    from inference import artifacts, loader
    from inference.models import ModelAlias
    from moderation import sentiment, shadow
    from tests import factories
    from tests.model_store import tiny_bert
    from tests.training.shop import CHARACTERS, label_reviews
    from training import label_checks, pipeline, release, runs
    from training.evaluation import smoke
    from training.models import EvaluationReport

    smoke.works_alone = lambda *args: ""
    loader.forget()
    label_reviews(180, chinese=0.2)
    factories.model_version("encoder", artifact_hash=artifacts.store_directory(tiny_bert(ROOT / "encoder")))
    champion = factories.model_version(
        "sentiment",
        locales=["en", "zh-Hans"],
        name="guesses-for-tests",
        artifact_hash=artifacts.store_directory(
            tiny_bert(ROOT / "classifier", labels=("positive", "neutral", "negative"))
        ),
    )
    run, _ = runs.plan("sentiment", reason="more labels", actor=who.engineers[0], recipe=CHARACTERS)
    assert pipeline.run_next()
    run.refresh_from_db()
    assert run.status == "succeeded", run.last_error
    if ModelAlias.objects.get(role="sentiment", name="champion").version == run.version:
        release.roll_back("sentiment", actor=who.engineers[1], reason="too harsh")
    factories.model_version("sentiment", alias="challenger", backend="word_count", artifact_hash="", name="words-again")
    sentiment.score_reviews()
    shadow.score()
    writer = factories.model_version(
        "copywriter",
        alias=None,
        dataset_hash="d" * 64,
        artifact_hash="",
        backend="scripted",
        options={"texts": ["A mug."]},
        name="script-again",
    )
    serving = ModelAlias.objects.get(role="copywriter", name="champion").version
    EvaluationReport.objects.create(
        version=writer, snapshot=run.snapshot, against=serving, gate_version="1", verdict="pass"
    )
    release.consider(EvaluationReport.objects.get(version=writer))
    release.approve(writer, actor=who.engineers[0], reason="fewer invented claims")
    release.approve(writer, actor=who.engineers[1], reason="read forty of them")
    assert ModelAlias.objects.get(role="copywriter", name="champion").version == writer
    release.roll_back("copywriter", actor=who.engineers[1], reason="too short")
    more, _ = runs.plan(
        "sentiment", reason="once more", actor=who.engineers[0], recipe={"method": "head"}, trigger="hand"
    )
    runs.cancel(more, actor=who.engineers[0])
    runs.plan("sentiment", reason="tonight", actor=who.engineers[1], recipe=CHARACTERS)
    factories.model_version("encoder", backend="word_vectors", artifact_hash="", name="words-again")
    label_checks.plan("review_sentiment", reason="by hand", actor=who.engineers[0])
    label_checks.run_next()
    label_checks.plan("review_sentiment", reason="again", actor=who.engineers[0])
    assert champion.pk
    sign()
