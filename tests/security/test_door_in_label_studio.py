"""The door in Label Studio's own process, and as a proxy before one: attacked as reviewer, senior and stranger, and used."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.contrib.auth.models import User
from django.test import Client
from label_studio_sdk.core.api_error import ApiError

from ecomsite.env import BASE_DIR
from ecomsite.stack.label_studio import DoorOptions, LabelStudio
from ecomsite.stack.ports import free_port
from labeling import client, side_door, sync
from labeling.accounts import sync_accounts
from labeling.door import stamps
from labeling.door.desk import TELL_AFTER_S
from labeling.models import LabelingTask
from moderation.decisions import settling
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out
from monitoring.models import Refusal
from tests import door, factories, people
from tests.label_studio_server import ADMIN, REVIEWER, SENIOR, SERVICE_TOKEN, Desk, as_person
from tests.labeling.conftest import choice
from tests.moderation.conftest import GOOD
from tests.security.test_door_policy import CLOSED

pytestmark = [pytest.mark.label_studio, pytest.mark.django_db(transaction=True)]
ACCEPT = [choice("verdict", "accept")]


@pytest.fixture(scope="module")
def embedded(
    label_studio_server: LabelStudio, live_server: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LabelStudio]:
    """A second process of the session's Label Studio, on the same tables, with the door in it as the stack starts it."""
    server = LabelStudio(
        tmp_path_factory.mktemp("behind-the-door"),
        free_port(),
        label_studio_server.database_url,
        SERVICE_TOKEN,
        door=DoorOptions("only-for-tests", desk=live_server.url, console=live_server.url),
    )
    server.start()
    server.wait_until_ready()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def proxied(label_studio_server: LabelStudio, live_server: Any) -> Iterator[str]:
    """`manage.py label_studio_door` before the session's Label Studio; gives its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "LABEL_STUDIO_URL": label_studio_server.url,
        "LABEL_STUDIO_TOKEN": SERVICE_TOKEN,
        "LABEL_STUDIO_DOOR_URL": url,
        "LABEL_STUDIO_DOOR_KEY": "only-for-tests",
        "SITE_URL": live_server.url,
        "LABEL_STUDIO_WEBHOOK_URL": live_server.url,
    }
    child = subprocess.Popen(
        [sys.executable, BASE_DIR / "manage.py", "label_studio_door", str(port)],
        env={**os.environ, **environment},
        cwd=BASE_DIR,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert child.poll() is None, "the door did not start"
        with suppress(httpx.HTTPError):
            if httpx.get(f"{url}/health").status_code == 200:
                break
        time.sleep(0.2)
    yield url
    child.terminate()
    child.wait(timeout=20)


@pytest.fixture(params=["embedded", "proxied"])
def address(request: pytest.FixtureRequest, label_studio: Desk, settings: Any, live_server: Any) -> str:
    """Where people reach Label Studio: both ways that the door stands there."""
    found = request.getfixturevalue(request.param)
    url = found if isinstance(found, str) else str(found.url)
    settings.LABELING = replace(settings.LABELING, door_url=url)
    settings.SITE_URL = live_server.url
    return url


@pytest.fixture
def reviewer() -> User:
    return people.people("Reviewer", email=REVIEWER.email)


@pytest.fixture
def held(label_studio: Desk, reviewer: User) -> LabelingTask:
    """A draft in Label Studio that the reviewer holds."""
    people.people("Senior reviewer", email=SENIOR.email)
    sync_accounts()
    factories.candidate(GOOD, status="in_review", rank=1)
    assert settling.open_reviews() == 1
    sync.push_tasks()
    item = handing_out.next_item(reviewer)
    assert item is not None
    return LabelingTask.objects.get(pk=item.labeling_task_id)


def browser_of(user: User, task: LabelingTask, address: str) -> httpx.Client:
    """A browser in which `user` came through the door to `task`."""
    browser = httpx.Client(base_url=address, timeout=30)
    arrived = browser.get(door.send_to_door(user, task), follow_redirects=True)
    assert arrived.status_code == 200, arrived.text
    assert arrived.url.path == f"/door/tasks/{task.ls_task_id}"
    return browser


def test_an_answer_through_the_door_is_theirs_and_proves_it(
    address: str, held: LabelingTask, reviewer: User, label_studio: Desk, settings: Any
) -> None:
    browser = browser_of(reviewer, held, address)
    done = browser.post(f"/door/tasks/{held.ls_task_id}/answer", json={"result": ACCEPT, "lead_time": 3})
    assert done.status_code == 200, done.text

    [there] = label_studio.service.tasks.get(str(held.ls_task_id)).annotations
    [annotation] = client.get_tasks(held.project.ls_project_id or 0, [held.ls_task_id or 0])[
        held.ls_task_id or 0
    ].annotations
    stamp = stamps.stamp_of(annotation.result, key=settings.LABELING.door_key)
    assert stamp is not None
    assert stamp.result_hash == stamps.hash_of(annotation.result), "what the API gives back is what was stamped"
    assert (stamp.task, stamp.ls_task, stamp.person) == (str(held.pk), held.ls_task_id, reviewer.pk)
    assert stamp.lease == str(ReviewItem.objects.get().lease_token)
    author = dict(there)["completed_by"]
    assert (author["id"] if isinstance(author, dict) else author) == reviewer.annotator.ls_user_id


def test_a_stamp_survives_whatever_label_studio_does_with_the_answer(
    held: LabelingTask, reviewer: User, label_studio: Desk
) -> None:
    door.answer(label_studio, reviewer, held, ACCEPT)
    [made] = label_studio.service.tasks.get(str(held.ls_task_id)).annotations
    kept = label_studio.service.annotations.get(dict(made)["id"])
    again = label_studio.service.annotations.update(kept.id, result=kept.result)
    for result in (kept.result, again.result, label_studio.service.annotations.get(kept.id).result):
        stamp = stamps.stamp_of(result, key="only-for-tests")
        assert stamp is not None
        assert stamp.result_hash == stamps.hash_of(result)


def test_everything_of_label_studio_is_closed_to_people(address: str, held: LabelingTask, reviewer: User) -> None:
    inside, outside = browser_of(reviewer, held, address), httpx.Client(base_url=address)
    for browser in (inside, outside):
        for path in CLOSED:
            if path == "/sw.js" or "\\" in path:
                continue
            for method in ("GET", "POST", "PATCH", "DELETE"):
                assert browser.request(method, path).status_code in (400, 403, 405), (method, path)


@pytest.mark.parametrize("person", [REVIEWER, SENIOR, ADMIN])
def test_no_account_of_label_studio_is_of_use_at_the_door(
    address: str, held: LabelingTask, label_studio: Desk, person: Any
) -> None:
    """The attacks on the side door, with people's own tokens, by Label Studio's own SDK."""
    theirs = as_person(address, person.token)
    project = held.project.ls_project_id or 0
    attacks = [
        lambda: theirs.annotations.create(held.ls_task_id or 0, result=ACCEPT),
        lambda: theirs.projects.import_tasks(project, request=[{"data": {"ext_id": str(held.pk)}}]),
        lambda: theirs.tasks.delete(str(held.ls_task_id)),
        lambda: theirs.projects.update(project, label_config="<View/>"),
        lambda: theirs.webhooks.list(),
        lambda: theirs.users.list(),
        lambda: theirs.projects.list().items,
        lambda: theirs.projects.delete(project),
        lambda: theirs.tasks.get(str(held.ls_task_id)),
    ]
    for attack in attacks:
        with pytest.raises(ApiError) as refused:
            attack()
        assert refused.value.status_code == 403
    there = label_studio.service.tasks.get(str(held.ls_task_id))
    assert not there.annotations
    assert label_studio.service.projects.get(project).label_config.strip().startswith("<View")


def test_nobody_signs_in_or_up_past_the_desk(address: str, label_studio: Desk) -> None:
    outside = httpx.Client(base_url=address)
    n_before = len(list(label_studio.service.users.list()))
    for path in (
        "/user/login/",
        "/user/signup/",
        "/user/signup/?token=x",
        "/api/invite",
        "/api/token/",
        "/admin/login/",
    ):
        assert outside.get(path).status_code in (400, 403)
        form = {"email": "senior-2@example.com", "password": people.PASSWORD}
        assert outside.post(path, data=form).status_code in (400, 403, 405)
    assert len(list(label_studio.service.users.list())) == n_before


def test_another_persons_task_is_closed(address: str, held: LabelingTask, reviewer: User) -> None:
    mine = browser_of(reviewer, held, address)
    handing_out.release_item(ReviewItem.objects.get(), actor=reviewer)
    other = people.people("Reviewer", email="reviewer-4@example.com")
    sync_accounts()
    assert handing_out.next_item(other) is not None
    assert mine.get(f"/door/tasks/{held.ls_task_id}").status_code == 403
    assert mine.post(f"/door/tasks/{held.ls_task_id}/answer", json={"result": ACCEPT}).json()["error"] == "no_lease"
    theirs = browser_of(other, held, address)
    assert theirs.post(f"/door/tasks/{held.ls_task_id}/answer", json={"result": ACCEPT}).status_code == 200


def raw(address: str, request: bytes) -> bytes:
    """Send bytes as they are, and return what comes back."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as sock:
        sock.sendall(request)
        sock.shutdown(socket.SHUT_WR)
        read = b""
        with suppress(OSError):
            while block := sock.recv(65536):
                read += block
    return read


TRICKS = [
    b"GET /door/../api/projects/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /door/%2e%2e/api/projects/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /react-app/%2e%2e/api/projects/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /react-app/..%2f..%2fapi%2fprojects%2f HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET //api/projects/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api%2fprojects%2f HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /%61pi/projects/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET \\api\\projects\\ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /health/../api/projects/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://x/api/projects/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api/projects/ HTTP/1.1\r\nHost: x\r\nSCRIPT_NAME: /api\r\n\r\n",
    b"GET /x/api/projects/ HTTP/1.1\r\nHost: x\r\nSCRIPT_NAME: /x\r\nPATH_INFO: /api/projects/\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\nX-Original-URL: /api/projects/\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\nX-HTTP-Method-Override: DELETE\r\n\r\n",
    b"GET /react-app/main.js HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: eA==\r\n\r\n",
    b"GET /api/projects/ HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AA\r\n\r\n",
    b"POST /door/tasks/1/answer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\nGET /api/projects/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /door/tasks/1/answer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\nContent-Length: 4\r\n\r\nabcd",
    b"POST /door/tasks/1/answer HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
    b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"TRACE /health HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api/projects/ HTTP/0.9\r\n\r\n",
    b"GET /api/projects/\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api/projects/ HTTP/1.1\r\nHost: x\r\nAuthorization : Token " + SERVICE_TOKEN.encode() + b"x\r\n\r\n",
    b"GET /API/PROJECTS/ HTTP/1.1\r\nHost: x\r\nCookie: sessionid=x\r\n\r\n",
]


def test_no_trick_on_the_wire_gets_past(address: str, held: LabelingTask) -> None:
    for trick in TRICKS:
        answer = raw(address, trick)
        for status in [line.split(b" ")[1] for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.")]:
            assert status[:1] == b"4" or status == b"501", (trick, answer[:300])
        assert b'"results"' not in answer
        assert GOOD.encode() not in answer


def test_the_service_comes_through_where_the_door_is_built_in(
    embedded: LabelStudio, label_studio: Desk, held: LabelingTask, settings: Any
) -> None:
    settings.LABELING = replace(settings.LABELING, url=embedded.url, door_url=embedded.url)
    [task] = client.get_tasks(held.project.ls_project_id or 0, [held.ls_task_id or 0]).values()
    assert task.ext_id == str(held.pk)


def test_the_service_does_not_come_through_a_door_that_stands_alone(proxied: str) -> None:
    """It has a way of its own; through here its token would be a key to everything for whoever finds it."""
    answer = httpx.get(f"{proxied}/api/projects/", headers={"Authorization": f"Token {SERVICE_TOKEN}"})
    assert answer.status_code == 403


def test_a_way_around_the_door_is_found(
    label_studio: Desk, embedded: LabelStudio, proxied: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    direct = label_studio.url

    def found(url: str, door_url: str) -> side_door.Look:
        settings.LABELING = replace(settings.LABELING, url=url, door_url=door_url)
        return side_door.look()

    assert found(embedded.url, embedded.url) == side_door.Look()
    assert found(direct, proxied) == side_door.Look(), "on this machine alone: only the desk and the door get there"
    assert "No door" in found(direct, direct).around
    assert "does not answer" in found(direct, "http://127.0.0.1:9").away
    monkeypatch.setattr(side_door, "_is_inside", lambda url: False)
    assert f"{direct}/user/login/" in found(direct, proxied).around
    assert found(embedded.url, proxied).around == "", "there the door is in the way"
    settings.LABELING = replace(settings.LABELING, door_key="another")
    assert "No door of ours" in found(embedded.url, embedded.url).around


def test_a_public_address_is_not_inside() -> None:
    assert side_door._is_inside("http://127.0.0.1:8080")
    assert side_door._is_inside("http://10.1.2.3")
    assert not side_door._is_inside("http://9.9.9.9")


def test_the_files_of_the_editor_come_through(address: str) -> None:
    outside = httpx.Client(base_url=address)
    for path in ("/react-app/runtime.js", "/react-app/358.css", "/static/fonts/Figtree-Regular.ttf", "/door/editor.js"):
        answer = outside.get(path)
        assert answer.status_code == 200
        assert len(answer.content) > 500
        assert "set-cookie" not in answer.headers
    assert outside.get("/react-app/none.js").status_code == 404
    kept = outside.get("/react-app/runtime.js").headers["Last-Modified"]
    assert outside.get("/react-app/runtime.js", headers={"If-Modified-Since": kept}).status_code == 304


def test_the_pieces_of_the_editor_are_those_that_are_installed() -> None:
    folder = next((BASE_DIR / ".venv-label-studio").glob("lib/python*/site-packages/web/dist/apps/labelstudio"))
    loads = "Promise.all([n.e(502),n.e(594),n.e(288),n.e(358)]).then(n.bind(n,41607))"
    assert loads in (folder / "main.js").read_text(), (
        "another Label Studio: look up the pieces for labeling/door/static/editor.js"
    )
    script = (BASE_DIR / "labeling" / "door" / "static" / "editor.js").read_text()
    assert "CHUNKS = [594, 288, 358]" in script
    assert "MODULE = 41607" in script


def test_half_a_request_holds_up_nobody(address: str, held: LabelingTask, reviewer: User) -> None:
    parts = urlsplit(address)
    stuck = []
    for _ in range(8):
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        connection.putrequest("POST", f"/door/tasks/{held.ls_task_id}/answer")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", "1000")
        connection.endheaders()
        connection.send(b'{"result": [')
        stuck.append(connection)
    began = time.monotonic()
    assert browser_of(reviewer, held, address).get(f"/door/tasks/{held.ls_task_id}").status_code == 200
    assert time.monotonic() - began < 10
    for connection in stuck:
        connection.close()


def test_the_console_counts_what_the_door_refused(address: str, held: LabelingTask, reviewer: User) -> None:
    time.sleep(3 * TELL_AFTER_S)  # what the door refused in the tests before is told by then, whatever their order
    Refusal.objects.all().delete()
    browser_of(reviewer, held, address).get("/api/projects/")
    deadline = time.monotonic() + 10
    while not Refusal.objects.filter(what="closed").exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert Refusal.objects.get(what="closed").n == 1
    client_of_senior = Client()
    client_of_senior.force_login(people.senior())
    assert b"Refused at the door" in client_of_senior.get("/console/system/now/").content
