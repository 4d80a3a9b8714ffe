"""The app of questions."""

from django.apps import AppConfig


class QuestionsConfig(AppConfig):
    name = "questions"
