"""The app of questions: it has no tables."""

from django.apps import AppConfig


class QuestionsConfig(AppConfig):
    name = "questions"
