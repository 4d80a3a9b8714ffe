"""A button of the console is one `action`: it parses, names the one function to call, and leaves the rest to `pages.py`."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

CONSOLE = Path(__file__).resolve().parents[2] / "ecomsite" / "console"


def views() -> list[tuple[Path, ast.FunctionDef]]:
    """Every function of the console's modules."""
    return [
        (path, node)
        for path in sorted(CONSOLE.glob("*.py"))
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef)
    ]


def decorators(view: ast.FunctionDef) -> set[str]:
    return {ast.unparse(decorator) for decorator in view.decorator_list}


def test_what_returns_an_act_is_an_action():
    found = [
        (path.name, view.name)
        for path, view in views()
        if view.returns is not None and ast.unparse(view.returns).startswith("Act[") and not view.name.startswith("_")
        if "action" not in decorators(view)
    ]
    assert found == []


def test_no_view_repeats_by_hand_what_an_action_does():
    found = [
        (path.name, view.name)
        for path, view in views()
        if path.name != "my_sign_in.py"  # may ask for the password first
        if "require_POST" in decorators(view) and sum(isinstance(part, ast.Return) for part in ast.walk(view)) == 1
        if ast.unparse(view.body[-1]).startswith("return act(")
    ]
    assert found == []


def test_no_view_of_a_form_says_by_hand_that_it_is_done():
    found = [
        (path.name, view.name)
        for path, view in views()
        if "require_POST" in decorators(view) and "messages.success(" in ast.unparse(view)
    ]
    assert found == []


def test_an_action_takes_post_alone(rf):
    actions = [
        getattr(import_module(f"ecomsite.console.{path.stem}"), view.name)
        for path, view in views()
        if "action" in decorators(view)
    ]
    assert len(actions) > 20
    assert {view(rf.get("/")).status_code for view in actions} == {405}
