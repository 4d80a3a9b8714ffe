"""What comes through the door at all: each thing the editor needs, and nothing that was made to look like it."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ecomsite.env import BASE_DIR
from labeling.door.policy import CREDENTIALS, RULES, TRICKS, Kind, Refused, Wish, is_odd, read

OPEN = [
    ("GET", "/health", "", Kind.HEALTH),
    ("GET", "/door/proof", "challenge=00ff", Kind.PROOF),
    ("GET", "/door/enter", "token=abc.def-_", Kind.ENTER),
    ("GET", "/door/tasks/17", "", Kind.TASK),
    ("POST", "/door/tasks/17/answer", "", Kind.ANSWER),
    ("GET", "/door/editor.js", "v=1", Kind.OWN_FILE),
    ("GET", "/react-app/358.js", "", Kind.FILE),
    ("HEAD", "/react-app/main.css", "v=ab12", Kind.FILE),
    ("GET", "/react-app/caret-down.3b05e320cc8acaad.svg", "", Kind.FILE),
    ("GET", "/static/fonts/Figtree-Regular.ttf", "", Kind.FILE),
    ("GET", "/static/icons/a/b.svg", "", Kind.FILE),
]
# What Label Studio does for whoever has an account there, in its own words.
CLOSED = [
    "/",
    "/api",
    "/api/",
    "/projects/",
    "/projects/1/",
    "/projects/1/settings/",
    "/projects/1/data",
    "/user/login/",
    "/user/login",
    "/user/signup/",
    "/user/account/",
    "/logout",
    "/api/invite",
    "/api/invite/reset-token",
    "/api/users/",
    "/api/users/1/",
    "/api/projects/",
    "/api/projects/1/",
    "/api/projects/1/import",
    "/api/projects/1/reimport",
    "/api/projects/1/export",
    "/api/projects/1/exports/",
    "/api/projects/1/tasks/",
    "/api/projects/1/next/",
    "/api/projects/1/summary/reset/",
    "/api/projects/validate/",
    "/api/webhooks/",
    "/api/webhooks/1/",
    "/api/organizations/",
    "/api/organizations/1/memberships",
    "/api/tasks/",
    "/api/tasks/17/",
    "/api/tasks/17/annotations/",
    "/api/tasks/17/drafts",
    "/api/annotations/3/",
    "/api/annotations/3/convert-to-draft",
    "/api/drafts/3/",
    "/api/predictions/",
    "/api/dm/actions/",
    "/api/dm/views/",
    "/api/dm/tasks/17/",
    "/api/current-user/token",
    "/api/current-user/reset-token/",
    "/api/current-user/whoami",
    "/api/token/",
    "/api/token/refresh/",
    "/api/token/rotate/",
    "/api/jwt/settings",
    "/api/storages/",
    "/api/ml/",
    "/api/labels/",
    "/api/import/file-upload/1",
    "/data/upload/1/a.svg",
    "/data/local-files/",
    "/tasks/1/presign/",
    "/admin/",
    "/admin/login/",
    "/django-rq/",
    "/feature-flags/",
    "/docs/api/",
    "/metrics/",
    "/trigger500/",
    "/version/",
    "/api/version/",
    "/__lsa/",
    "/heidi-tips/",
    "/sw.js",
    "/dm/main.js",
    "/label-studio-frontend/main.js",
    "/x/health/",
    "/health/",
    "/react-app/",
    "/react-app/main.js.map",
    "/static/admin/js/core.js",
    "/static/",
    "/organization/",
    "/people/",
]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "")


@pytest.mark.parametrize(("method", "path", "query", "kind"), OPEN)
def test_what_the_editor_needs_is_open(method: str, path: str, query: str, kind: Kind) -> None:
    wish = read(method, path, query, {}, raw_path=path)
    assert wish.kind is kind
    assert wish.path == path


@pytest.mark.parametrize("path", CLOSED)
def test_all_else_is_closed_by_every_method(path: str) -> None:
    for method in METHODS:
        with pytest.raises(Refused):
            read(method, path, "", {})


def test_every_address_that_label_studio_has_is_closed_but_a_font_and_health() -> None:
    known = BASE_DIR / ".venv-label-studio" / "lib"
    found = next(iter(known.glob("python*/site-packages/label_studio/core/all_urls.json")), None)
    if found is None:
        pytest.skip("Label Studio is not installed: run `make setup`")
    opened = set()
    for row in json.loads(found.read_text()):
        path = re.sub(r"<[^>]*>|\(\?P<[^>]*>[^)]*\)", "1", str(row["url"])).replace("\\", "").rstrip("$")
        for candidate in {path, path.rstrip("/"), f"/{path.strip('/^')}", f"/{path.strip('/^')}/"}:
            for method in METHODS:
                try:
                    opened.add(read(method, candidate, "", {}).path)
                except Refused:
                    continue
    assert opened <= {"/health", "/static/fonts/roboto/roboto.css"}


@pytest.mark.parametrize("name", [*TRICKS, *CREDENTIALS])
def test_a_header_that_makes_a_request_another_is_refused(name: str) -> None:
    for method, path, query, _ in OPEN:
        with pytest.raises(Refused):
            read(method, path, query, {name: "anything"})


@pytest.mark.parametrize(
    "raw",
    [
        "/door/%74asks/17",
        "/door/tasks/17%2f",
        "//door/tasks/17",
        "http://door/door/tasks/17",
        "/x/../door/tasks/17",
        "/door/./tasks/17",
        "/door/tasks/17#x",
        "/Door/tasks/17",
    ],
)
def test_a_path_that_was_written_otherwise_is_refused(raw: str) -> None:
    with pytest.raises(Refused, match="not_canonical"):
        read("GET", "/door/tasks/17", "", {}, raw_path=raw)


@pytest.mark.parametrize(
    "path",
    [
        "/door/tasks/017",
        "/door/tasks/0",
        "/door/tasks/-1",
        "/door/tasks/17/",
        "/door/tasks/17\n",
        "/door/tasks/１７",
        "/door/tasks/99999999999",
        "/door/tasks/17/answer/",
        "/door/tasks/17/../18",
        "/react-app/../api/tasks/1.js",
        "/react-app/..%2fapi.js",
        "/react-app/a/b.js",
        "/react-app/.js",
        "/react-app/a..js",
        "/static/fonts/../../x.ttf",
        "/static/fonts//x.ttf",
        "/static/fonts/x.html",
        "/react-app/main.js\x00",
        "/react-app\\main.js",
        "/react-app/main.js;x",
    ],
)
def test_a_path_that_only_looks_right_is_refused(path: str) -> None:
    for method in ("GET", "POST"):
        with pytest.raises(Refused):
            read(method, path, "", {})


@pytest.mark.parametrize(
    "query", ["token", "token=", "tok=1", "token=a&token=b", "token=a&x=1", "token=%41", "token=a b", "a"]
)
def test_a_query_other_than_the_one_parameter_is_refused(query: str) -> None:
    with pytest.raises(Refused):
        read("GET", "/door/enter", query, {})


PIECES = st.sampled_from(
    [
        "/",
        "//",
        ".",
        "..",
        "/../",
        "%2e%2e",
        "%2f",
        "%252e",
        "\\",
        ";",
        "\x00",
        "\r\n",
        " ",
        "?",
        "#",
        "api",
        "tasks",
        "door",
        "react-app",
        "static",
        "fonts",
        "answer",
        "enter",
        "health",
        "annotations",
        "projects",
        "import",
        "user",
        "login",
        "1",
        "17",
        "main.js",
        "x.ttf",
        "editor.js",
        ".js",
        "é",
        "Ａ",
        "~",
        "-",
        "_",
    ]
)


@given(
    method=st.sampled_from(METHODS),
    pieces=st.lists(PIECES, max_size=9),
    start=st.sampled_from(["", "/"]),
    query=st.one_of(st.just(""), st.text(max_size=20), st.just("v=1")),
    headers=st.dictionaries(st.sampled_from(["COOKIE", "ACCEPT", "HOST", *TRICKS]), st.text(max_size=5), max_size=2),
)
@example(method="POST", pieces=["door/tasks/1/answer"], start="/", query="", headers={})
def test_no_path_put_together_by_chance_gets_past(
    method: str, pieces: list[str], start: str, query: str, headers: dict[str, str]
) -> None:
    path = start + "".join(pieces)
    try:
        wish = read(method, path, query, headers)
    except Refused:
        return
    assert isinstance(wish, Wish)
    assert not is_odd(path)
    assert not set(headers) & set(TRICKS)
    assert any(pattern.fullmatch(path) and method in methods for methods, pattern, _, _ in RULES)
    if method != "POST":
        assert wish.kind is not Kind.ANSWER


def test_the_rules_name_no_address_of_label_studio_that_writes() -> None:
    writing = [
        pattern.pattern for methods, pattern, _, kind in RULES if methods - {"GET", "HEAD"} and kind is not Kind.ANSWER
    ]
    assert writing == []
