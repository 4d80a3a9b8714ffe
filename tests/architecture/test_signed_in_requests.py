"""Code behind the sign-in says so in its types: it reads `request.user` of an `AuthenticatedHttpRequest`, with nothing ignored."""

from __future__ import annotations

import ast
from pathlib import Path

from django.apps import apps

ROOT = Path(__file__).resolve().parents[2]
APPS = [Path(config.path) for config in apps.get_app_configs() if Path(config.path).parent == ROOT]
# Here it is asked whether anybody has signed in, so that the request may be a stranger's.
BEFORE_THE_SIGN_IN = {
    "accounts/sign_in.py",
    "ecomsite/api.py:wrapper",
    "ecomsite/console/my_sign_in.py:me",
    "ecomsite/security.py",
}


def readers_of_a_bare_request(tree: ast.Module) -> list[str]:
    """The functions of `tree` that take a plain `HttpRequest` and read its user."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        taken = {arg.arg for arg in [*node.args.args, *node.args.kwonlyargs] if _is_bare(arg.annotation)}
        if any(
            isinstance(part, ast.Attribute)
            and part.attr == "user"
            and isinstance(part.value, ast.Name)
            and part.value.id in taken
            for part in ast.walk(node)
        ):
            found.append(node.name)
    return found


def _is_bare(annotation: ast.expr | None) -> bool:
    return isinstance(annotation, ast.Name) and annotation.id == "HttpRequest"


def test_no_view_reads_the_user_of_a_bare_request():
    found = {
        f"{path.relative_to(ROOT)}:{name}"
        for path in (ROOT / "ecomsite").rglob("*.py")
        for name in readers_of_a_bare_request(ast.parse(path.read_text()))
    }
    allowed = {name for name in found if name in BEFORE_THE_SIGN_IN or name.partition(":")[0] in BEFORE_THE_SIGN_IN}
    assert found - allowed == set(), "take an AuthenticatedHttpRequest (core/actors.py)"


def test_a_reader_of_a_bare_request_is_found():
    tree = ast.parse("def show(request: HttpRequest) -> None:\n    greet(request.user)\n")
    assert readers_of_a_bare_request(tree) == ["show"]
    tree = ast.parse("def show(request: AuthenticatedHttpRequest) -> None:\n    greet(request.user)\n")
    assert readers_of_a_bare_request(tree) == []


def test_no_line_ignores_the_type_of_the_user():
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for app in APPS
        for path in app.rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if "request.user" in line and "type: ignore" in line and str(path.relative_to(ROOT)) not in BEFORE_THE_SIGN_IN
    ]
    assert found == []
