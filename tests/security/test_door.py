"""The door as a whole: what reaches Label Studio is of the door's own making, whatever a browser sends."""

from __future__ import annotations

import datetime as dt
import json
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ecomsite.console import system
from labeling.consensus import _read
from labeling.door import answers, stamps, tokens
from labeling.door.desk import PATH, SIGNATURE, Desk
from labeling.door.policy import Refused
from labeling.models import Annotation
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out, rules
from monitoring import refusals
from monitoring.models import Refusal
from tests import people
from tests.door import Visitor, ask_in_process, door_before
from tests.security.conftest import SERVICE, Held, Recorder

Hold = Callable[..., Held]
ACCEPT = [{"id": "a", "from_name": "verdict", "to_name": "draft", "type": "choices", "value": {"choices": ["accept"]}}]
# What may reach Label Studio for the sake of people: method, path, and whether as the service.
SHAPES = {("GET", "/health", False), ("GET", "/feature-flags/", True)}


@pytest.fixture
def visitor(recorder: Recorder) -> Visitor:
    """A browser without a cookie."""
    return Visitor(door_before(recorder))


def test_an_answer_is_the_persons_and_stamped(recorder: Recorder, visitor: Visitor, hold: Hold, settings: Any) -> None:
    held = hold()
    visitor.come_in(held.user, held.task)

    done = visitor.answer(held.ls_task, ACCEPT, lead_time=4.5)

    assert (done.status, done.json()) == (200, {"answered": held.ls_task})
    [made] = recorder.annotations
    stamp = stamps.stamp_of(made["result"], key=settings.LABELING.door_key)
    assert stamp is not None
    assert (stamp.task, stamp.ls_task, stamp.person) == (str(held.task.pk), held.ls_task, held.user.pk)
    assert stamp.lease == str(ReviewItem.objects.get(pk=held.item.pk).lease_token)
    assert stamp.result_hash == stamps.hash_of(ACCEPT)
    assert abs(stamp.at - timezone.now().timestamp()) < 60
    assert stamps.without_stamp(made["result"]) == ACCEPT
    assert made["completed_by"] == held.user.annotator.ls_user_id
    assert made["lead_time"] == 4.5
    assert set(made) == {"result", "was_cancelled", "lead_time", "completed_by", "unique_id"}


def test_a_stamp_is_no_part_of_what_was_said(recorder: Recorder, visitor: Visitor, hold: Hold) -> None:
    held = hold()
    visitor.come_in(held.user, held.task)
    visitor.answer(held.ls_task, ACCEPT)
    annotation = Annotation(task=held.task, ls_annotation_id=1, result=recorder.annotations[0]["result"])
    assert _read(held.task, annotation)[0] == "single"
    assert _read(held.task, annotation)[1]["verdict"] == "accept"


def test_the_same_attempt_twice_is_one_annotation(recorder: Recorder, visitor: Visitor, hold: Hold) -> None:
    held = hold()
    visitor.come_in(held.user, held.task)
    attempt = "6c1f7a44-5f6c-4d0c-8f8e-6b8f0f0f0f0f"
    visitor.answer(held.ls_task, ACCEPT, attempt=attempt)
    recorder.status = "409 Conflict"  # what Label Studio says of a unique_id that it has
    assert visitor.answer(held.ls_task, ACCEPT, attempt=attempt).status == 200
    first, second = recorder.annotations
    assert first["unique_id"] == second["unique_id"] != attempt


@pytest.mark.parametrize(
    "said",
    [
        {"completed_by": 1},
        {"updated_by": 1},
        {"task": 1},
        {"project": 1},
        {"ground_truth": True},
        {"parent_annotation": 1},
        {"parent_prediction": 1},
        {"unique_id": "x"},
        {"id": 1},
        {"draft_id": 1},
        {"created_at": "2026-01-01"},
        {"attempt": "x"},
        {"attempt": 1},
        {"was_cancelled": "yes"},
        {"result": {}},
        {"result": "[]"},
        {"result": [1]},
        {"result": [ACCEPT[0] | {"type": stamps.REGION_TYPE}]},
        {"result": [{"value": "\0"}]},
        {"result": [{"value": "\ud800"}]},
        {"result": [{"value": 1e300}]},
        {"result": [{"value": -0.0}]},
        {"result": ACCEPT * 400},
    ],
)
def test_what_is_not_the_persons_to_say_is_refused(
    recorder: Recorder, visitor: Visitor, hold: Hold, said: dict[str, Any]
) -> None:
    held = hold()
    visitor.come_in(held.user, held.task)
    body = json.dumps({"result": ACCEPT, **said}).encode()
    assert visitor.ask("POST", f"/door/tasks/{held.ls_task}/answer", body=body).status == 400
    assert recorder.annotations == []


@pytest.mark.parametrize(
    ("body", "environ", "status"),
    [
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b'{"result": [NaN]}', {}, 400),
        (b"[" * 100_000, {}, 400),
        (b"\xff\xfe", {}, 400),
        (b'{"result": []}', {"CONTENT_TYPE": "text/plain"}, 415),
        (b'{"result": []}', {"CONTENT_TYPE": ""}, 415),
        (b'{"result": []}', {"CONTENT_LENGTH": "-1"}, 411),
        (b'{"result": []}', {"CONTENT_LENGTH": ""}, 411),
        (b'{"result": []}', {"CONTENT_LENGTH": "99999999999999"}, 413),
        (b'{"result": []}', {"CONTENT_LENGTH": "400"}, 400),
        (b" " * (answers.LARGEST_BODY + 1), {}, 413),
        (b'{"result": []}', {"HTTP_TRANSFER_ENCODING": "chunked"}, 400),
        (b'{"result": []}', {"HTTP_SEC_FETCH_SITE": "cross-site"}, 403),
        (b'{"result": []}', {"HTTP_SEC_FETCH_SITE": "same-site"}, 403),
        (b'{"result": []}', {"REQUEST_METHOD": "PUT"}, 405),
        (b'{"result": []}', {"REQUEST_METHOD": "PATCH"}, 405),
        (b'{"result": []}', {"REQUEST_METHOD": "DELETE"}, 405),
        (b'{"result": []}', {"SCRIPT_NAME": "/door"}, 400),
    ],
)
def test_a_body_or_request_out_of_order_is_refused(
    recorder: Recorder, visitor: Visitor, hold: Hold, body: bytes, environ: dict[str, str], status: int
) -> None:
    held = hold()
    visitor.come_in(held.user, held.task)
    answer = visitor.ask("POST", f"/door/tasks/{held.ls_task}/answer", body=body, environ=environ)
    assert answer.status == status
    assert recorder.annotations == []


def test_nothing_a_browser_sends_goes_along_to_label_studio(recorder: Recorder, visitor: Visitor, hold: Hold) -> None:
    held = hold()
    visitor.come_in(held.user, held.task)
    loud = {
        "Cookie": f"sessionid=x; ecomsite_door={visitor.cookies['ecomsite_door']}",
        "Referer": "http://evil",
        "X-Forwarded-For": "9",
        "X-Forwarded-Host": "evil",
        "Accept-Language": "zz",
        "User-Agent": "loud",
        "Origin": "http://evil",
        "Range": "bytes=0-1",
    }
    body = json.dumps({"result": ACCEPT}).encode()
    visitor.ask("POST", f"/door/tasks/{held.ls_task}/answer", body=body, headers=loud)
    visitor.ask("GET", "/react-app/main.js", headers=loud)
    visitor.ask("GET", f"/door/tasks/{held.ls_task}", headers=loud)
    assert len(recorder.seen) == 3
    for seen in recorder.seen:
        headers = {name for name in seen if name.startswith("HTTP_")}
        assert headers <= {"HTTP_HOST", "HTTP_ACCEPT", "HTTP_AUTHORIZATION"}
        assert seen["HTTP_HOST"] == "door.test"
    [file] = [seen for seen in recorder.seen if seen["PATH_INFO"].startswith("/react-app")]
    assert "HTTP_AUTHORIZATION" not in file


def test_a_file_comes_without_label_studios_cookies(visitor: Visitor) -> None:
    file = visitor.ask("GET", "/react-app/main.js")
    assert file.status == 200
    assert "Set-Cookie" not in file.headers
    assert "X-Internal" not in file.headers


def test_people_do_not_come_in_by_any_token_of_label_studio(recorder: Recorder, visitor: Visitor) -> None:
    for headers in (
        {"Authorization": f"Token {SERVICE}"},
        {"Authorization": f"Token {'1' * 40}"},
        {"Authorization": "Bearer x.y.z"},
        {"X-Api-Key": SERVICE},
        {"Authorization": f"Basic {SERVICE}"},
    ):
        for target in ("/api/projects/", "/api/tasks/1/annotations/", "/react-app/main.js"):
            assert visitor.ask("GET", target, headers=headers).status == 403
    assert recorder.seen == []


def test_the_service_comes_through_where_it_is_let(recorder: Recorder) -> None:
    service = Visitor(door_before(recorder, admits_service=True))
    assert service.ask("DELETE", "/api/projects/1/", headers={"Authorization": f"Token {SERVICE}"}).status == 200
    assert recorder.seen[0]["PATH_INFO"] == "/api/projects/1/"
    for near in (f"token {SERVICE}", f"Token  {SERVICE}", f"Token {SERVICE} ", f"Token {SERVICE[:-1]}", "Token ", ""):
        assert service.ask("DELETE", "/api/projects/1/", headers={"Authorization": near}).status == 403
    assert len(recorder.seen) == 1


@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
    target=st.one_of(
        st.from_regex(
            r"/(door|api|react-app|static|projects|user)(/[a-zA-Z0-9.%\\;_-]{0,12}){0,4}(\?[a-z=&%0-9]{0,9})?",
            fullmatch=True,
        ),
        st.text(max_size=40),
        st.sampled_from(["/door/tasks/700/answer", "/door/tasks/700", "/react-app/main.js", "/health"]),
    ),
    body=st.one_of(st.none(), st.binary(max_size=60), st.just(json.dumps({"result": ACCEPT}).encode())),
    headers=st.dictionaries(
        st.sampled_from(
            [
                "Authorization",
                "X-Api-Key",
                "Cookie",
                "X-HTTP-Method-Override",
                "X-Original-URL",
                "Upgrade",
                "Host",
                "Transfer-Encoding",
                "X-Forwarded-Host",
                "Content-Length",
                "Accept",
            ]
        ),
        st.text(st.characters(codec="latin-1"), max_size=20),
        max_size=3,
    ),
)
@hypothesis_settings(
    max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_no_request_of_a_stranger_reaches_more_than_files(
    recorder: Recorder, method: str, target: str, body: bytes | None, headers: dict[str, str]
) -> None:
    recorder.seen.clear()
    refusing = Desk("http://127.0.0.1:9", "only-for-tests", lambda body, signature: (200, b"{}", "forged"), None)
    stranger = Visitor(door_before(recorder, admits_service=True, desk=refusing))
    answer = stranger.ask(method, target, body=body, headers=headers)
    assert answer.status < 500 or answer.status == 503
    for seen in recorder.seen:
        shape = (seen["REQUEST_METHOD"], seen["PATH_INFO"], "HTTP_AUTHORIZATION" in seen)
        is_file = seen["PATH_INFO"].startswith(("/react-app/", "/static/")) and ".." not in seen["PATH_INFO"]
        assert shape in SHAPES or (is_file and shape[0] in ("GET", "HEAD") and not shape[2])
    assert recorder.annotations == []


# --- The desk fails, or is not the desk ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "post",
    [
        lambda body, signature: (_ for _ in ()).throw(TimeoutError()),
        lambda body, signature: (_ for _ in ()).throw(ConnectionRefusedError()),
        lambda body, signature: (500, b"", ""),
        lambda body, signature: (200, b'{"allowed": true}', "forged"),
        lambda body, signature: (200, b"not JSON", tokens.sign_reply(b"not JSON", to=signature, key="only-for-tests")),
        lambda body, signature: (200, b"[]", tokens.sign_reply(b"[]", to=signature, key="only-for-tests")),
        lambda body, signature: (
            200,
            b'{"allowed": true}',
            tokens.sign_reply(b'{"allowed": true}', to=signature, key="only-for-tests"),
        ),
        lambda body, signature: (
            200,
            b'{"allowed": 1}',
            tokens.sign_reply(b'{"allowed": 1}', to=signature, key="only-for-tests"),
        ),
    ],
)
def test_it_stays_shut_while_the_desk_gives_no_yes_of_its_own(recorder: Recorder, hold: Hold, post: Any) -> None:
    held = hold()
    inside = Visitor(door_before(recorder))
    inside.come_in(held.user, held.task)
    shut = Visitor(door_before(recorder, desk=Desk("http://127.0.0.1:9", "only-for-tests", post, None)), inside.cookies)
    assert shut.ask("GET", f"/door/tasks/{held.ls_task}").status in (403, 503)
    assert shut.answer(held.ls_task, ACCEPT).status in (403, 503)
    assert recorder.annotations == []


def test_it_does_not_wait_for_a_desk_that_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        desk = Desk(f"http://127.0.0.1:{listening.getsockname()[1]}", "only-for-tests")
        began = time.monotonic()
        with pytest.raises(Refused, match="desk_away"):
            desk.leave(tokens.Cookie("x", 1), 1)
        assert time.monotonic() - began < 4


@pytest.mark.django_db
def test_the_desk_answers_nobody_but_the_door(settings: Any) -> None:
    key = settings.LABELING.door_key
    body = b'{"ask": "refused", "counts": [{"reason": "closed", "pass": "", "n": 3}]}'

    def post(body: bytes, signature: str) -> int:
        headers: Any = {f"HTTP_{SIGNATURE.upper().replace('-', '_')}": signature}
        return Client().post(PATH, body, content_type="application/json", **headers).status_code

    assert post(body, tokens.sign_call(body, key=key)) == 200
    assert post(body, "") == 401
    assert post(body, tokens.sign_call(body, key="another")) == 401
    assert post(body + b" ", tokens.sign_call(body, key=key)) == 401
    assert post(body, tokens.sign_call(body, key=key, now=1)) == 401
    for nonsense in (
        b"",
        b"[]",
        b"{}",
        b'{"ask": "open"}',
        b'{"ask": "refused", "counts": 1}',
        b'{"ask": "reach"}',
        b"\xff",
    ):
        assert post(nonsense, tokens.sign_call(nonsense, key=key)) == 400
    for strange in (
        b'{"ask":"reach","pass":"x","ls_task":1}',
        b'{"ask":"show","pass":"","ls_task":"1"}',
        b'{"ask":"reach","pass":"x","ls_task":99999999999999}',
        b'{"ask":"enter","token":5}',
    ):
        status, content, signed = ask_in_process(strange, tokens.sign_call(strange, key=key))
        assert (status, json.loads(content)["allowed"]) == (200, False)
        assert signed
    settings.LABELING = replace(settings.LABELING, door_key="")
    assert post(body, tokens.sign_call(body, key="x")) == 401, "without a key nobody is the door"


# --- What is seen ------------------------------------------------------------------------------------------------


def test_the_page_shows_the_task_as_the_desk_has_it(visitor: Visitor, hold: Hold) -> None:
    held = hold(text="Closing a script: </script><script>alert(1)</script> & so <!-- on.")
    visitor.come_in(held.user, held.task)
    page = visitor.ask("GET", f"/door/tasks/{held.ls_task}")
    assert page.status == 200
    text = page.body.decode()
    assert text.count("<script") == 5
    shown = json.loads(text.partition('id="door-shown">')[2].partition("</script>")[0])
    assert shown["data"]["text"] == held.task.payload["text"]
    assert shown["config"].strip().startswith("<View")
    assert (shown["task"], shown["account"]) == (held.ls_task, held.user.annotator.ls_user_id)
    assert "frame-ancestors http://127.0.0.1:8000" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"


def test_refused_access_is_counted_and_shown(visitor: Visitor, hold: Hold, rf: Any) -> None:
    mine, theirs = hold(), hold()
    visitor.come_in(mine.user, mine.task)
    for _ in range(3):
        visitor.ask("GET", f"/door/tasks/{theirs.ls_task}")
    visitor.ask("POST", "/api/projects/1/import", body=b"[]")
    visitor.door.desk.tell()  # type: ignore[attr-defined]

    assert Refusal.objects.get(what="no_lease").n == 3
    assert Refusal.objects.get(what="no_lease").account == f"user:{mine.user.pk}"
    assert Refusal.objects.get(what="closed").account == f"user:{mine.user.pk}"
    Visitor(visitor.door).ask("GET", "/api/users/")
    visitor.door.desk.tell()  # type: ignore[attr-defined]
    assert Refusal.objects.get(what="closed", account="").n == 1
    since = timezone.now() - dt.timedelta(hours=2)
    assert [(row["what"], row["times"], row["people"]) for row in refusals.at_the_door(since=since)] == [
        ("no_lease", 3, 1),
        ("closed", 2, 1),
    ]
    page = rf.get("/")
    page.user = people.senior()
    assert b"no_lease" in system.system_fragment(page).content


def test_counts_are_kept_while_the_desk_is_away(recorder: Recorder) -> None:
    told: list[bytes] = []
    ways: list[Any] = [lambda body, signature: (_ for _ in ()).throw(ConnectionRefusedError())]

    def post(body: bytes, signature: str) -> tuple[int, bytes, str]:
        told.append(body)
        return ways[0](body, signature)  # type: ignore[no-any-return]

    desk = Desk("http://127.0.0.1:9", "k", post=post, tell_after=None)
    for n in range(2000):
        desk.count("closed", f"pass {n}")
    desk.tell()
    ways[0] = lambda body, signature: (200, b"{}", tokens.sign_reply(b"{}", to=signature, key="k"))
    desk.tell()
    rows = json.loads(told[-1])["counts"]
    assert sum(row["n"] for row in rows) == 2000
    assert len(rows) <= 501, "however many knock, what is told is bounded"
    n_told = len(told)
    desk.tell()
    assert len(told) == n_told


@pytest.mark.parametrize("role", ["Reviewer", "Senior reviewer", "Auditor", "Administrator", None])
def test_nobody_reaches_a_task_that_another_holds(recorder: Recorder, hold: Hold, role: str | None) -> None:
    held, other = hold(), people.people(role)
    inside = Visitor(door_before(recorder))
    inside.come_in(held.user, held.task)
    client = Client()
    client.force_login(other)
    answer = client.get(f"/console/review/door/{held.task.pk}/")
    assert answer.status_code in (403, 409)
    # A sealed cookie of theirs, which nobody but the door could make: the pass is another person's.
    stolen = tokens.open_cookie(inside.cookies["ecomsite_door"], key="only-for-tests")
    theirs = Visitor(
        inside.door,
        {"ecomsite_door": tokens.seal_cookie(tokens.Cookie(stolen.pass_id, other.pk), key="only-for-tests")},
    )
    assert theirs.ask("GET", f"/door/tasks/{held.ls_task}").status == 503
    assert theirs.answer(held.ls_task, ACCEPT).status == 503
    assert recorder.annotations == []


def test_where_nothing_is_reserved_who_may_take_may_answer(recorder: Recorder, hold: Hold) -> None:
    held = hold()
    handing_out.release_item(held.item, actor=held.user)
    rules.set_policy("copy_verdict", actor=people.administrator(), enable_reservations=False)
    visitor = Visitor(door_before(recorder))
    assert visitor.come_in(held.user, held.task).status == 303
    assert visitor.answer(held.ls_task, ACCEPT).status == 200
    stamp = stamps.stamp_of(recorder.annotations[0]["result"], key="only-for-tests")
    assert stamp is not None
    assert stamp.lease == ""
    ReviewItem.objects.filter(pk=held.item.pk).update(status="decided", decided_at=timezone.now())
    assert visitor.answer(held.ls_task, ACCEPT).status == 403, "what is decided is open to nobody"
