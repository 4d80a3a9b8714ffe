"""Settings of what people and models are asked."""

from __future__ import annotations

from ecomsite import env

# Files of your own that declare questions; looked for there first, then among those that ship (docs/questions.md).
QUESTIONS_DIR: str = env.text("QUESTIONS_DIR")
# Name → a subclass of labeling.question.Question, or one of its instances. The declared ones are named by
# DECLARED_QUESTIONS.
QUESTIONS: dict[str, str] = {
    "copy_verdict": "questions.copy_verdict.question.CopyVerdict",
    "policy_claims": "questions.policy_claims.question.PolicyClaims",
    "review_safety": "questions.review_safety.question.ReviewSafety",
    "sentiment": "questions.sentiment.question.Sentiment",
    "validity": "questions.validity.question.Validity",
    **{name: f"questions.declared.{name}" for name in env.words("DECLARED_QUESTIONS")},
}
# What a question can be about: name → a subclass of labeling.subject.Subject, or one of its instances.
SUBJECTS: dict[str, str] = {
    "review": "questions.subjects.review.ReviewSubject",
    "draft": "questions.subjects.draft.DraftSubject",
    "product": "questions.subjects.product.ProductSubject",
    "message": "questions.subjects.message.MessageSubject",
    "picture": "questions.subjects.picture.PictureSubject",
}
