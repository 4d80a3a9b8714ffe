"""Questions are listed in the settings, and known in their folders: nowhere else is a list of their names."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.conf import settings

from tests.architecture.test_layers import MODULES, ROOT, name_of

NAMES = set(settings.QUESTIONS)
# What sets a few of them apart, with the reason.
ELSEWHERE = {
    "moderation/models/reviews.py": "the verdict that lets a draft out, and what the daily lot is drawn for",
    "moderation/drafting/opinions.py": "whose opinions a draft is ranked by",
    "labeling/question.py": "what questions were called before",
    "ecomsite/learning.py": "settings: how many people let a model in",
    "ecomsite/asking.py": "the list itself",
}


def _names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return strings & NAMES


def test_no_module_lists_questions() -> None:
    found = {
        name_of(path): names
        for path in MODULES
        if path.relative_to(ROOT).parts[0] != "questions" and len(names := _names_in(path)) > 1
    }
    assert set(found) <= set(ELSEWHERE), f"these list questions: {found}"


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_question_has_a_folder_of_its_name(name: str) -> None:
    assert settings.QUESTIONS[name].startswith(f"questions.{name}.")
    assert (ROOT / "questions" / name / "question.py").is_file()
