"""Through the door in a real browser: the editor alone, answered by keyboard, in a frame of the console or by itself."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page

from labeling import sync
from labeling.accounts import sync_accounts
from labeling.door import stamps
from labeling.models import LabelingTask
from moderation.decisions import settling
from moderation.queues import handing_out
from tests import factories, people
from tests.chromium import needs_chromium
from tests.label_studio_server import REVIEWER, Desk
from tests.moderation.conftest import GOOD
from tests.workers import wait_for

pytestmark = [
    pytest.mark.browser,
    pytest.mark.label_studio,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]
READY = "#task:not([aria-busy])"


@pytest.fixture
def address(open_door: str) -> str:
    """Where the door is."""
    return open_door


@pytest.fixture
def task(label_studio: Desk) -> LabelingTask:
    """A draft in Label Studio that waits for the reviewer."""
    people.people("Reviewer", email=REVIEWER.email)
    sync_accounts()
    factories.candidate(GOOD, status="in_review", rank=1)
    assert settling.open_reviews() == 1
    sync.push_tasks()
    return LabelingTask.objects.get()


def sign_in(page: Page, console: str) -> list[str]:
    """Sign in to the console; returns the list that everything that goes wrong in the browser is added to."""
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text) if _is_trouble(message) else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(f"{console}/")
    page.fill("[name=username]", REVIEWER.email)
    page.fill("[name=password]", people.PASSWORD)
    page.click("[type=submit]")
    page.wait_for_selector("[data-refresh]")
    return troubles


def _is_trouble(message: Any) -> bool:
    # The editor tells itself, as an error, in which order it wakes up: with Label Studio's own page too.
    return message.type == "error" and not message.text.startswith("LSF: annotation accessed before store")


def answers_to(desk: Desk, task: LabelingTask) -> list[Any]:
    return list(desk.service.tasks.get(str(task.ls_task_id)).annotations or [])


def test_the_door_leads_to_the_editor_alone_and_the_answer_is_stamped(
    page: Page, address: str, task: LabelingTask, label_studio: Desk, live_server: Any
) -> None:
    troubles = sign_in(page, live_server.url)
    assert handing_out.next_item(task_holder()) is not None
    page.goto(f"{live_server.url}/console/review/door/{task.pk}/")
    page.wait_for_selector(READY)
    assert page.url == f"{address}/door/tasks/{task.ls_task_id}"
    assert page.locator("text=Data Manager").count() == 0
    assert page.locator("text=Your verdict").count() == 1

    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#door-note:has-text('Sent.')")
    assert (
        page.locator("#door-note a").get_attribute("href") == f"{live_server.url}/console/next/?question=copy_verdict"
    )

    wait_for(lambda: answers_to(label_studio, task), seconds=20, what="the answer in Label Studio")
    [given] = answers_to(label_studio, task)
    result = dict(given)["result"]
    assert stamps.stamp_of(result, key="only-for-tests") is not None
    assert [part["value"] for part in stamps.without_stamp(result)] == [{"choices": ["accept"]}]
    assert troubles == []


def test_in_a_frame_of_the_console_it_tells_what_happens(
    page: Page, address: str, task: LabelingTask, label_studio: Desk, live_server: Any
) -> None:
    # Only pages that say so may hold the door in a frame; which these are is not this test's concern.
    browser = page.context.browser
    assert browser is not None
    page = browser.new_page(bypass_csp=True)
    sign_in(page, live_server.url)
    assert handing_out.next_item(task_holder()) is not None
    page.evaluate(
        """path => {
            window.heard = [];
            window.addEventListener("message", (event) => window.heard.push({origin: event.origin, ...event.data}));
            const frame = document.createElement("iframe");
            frame.id = "task-frame"; frame.src = path; frame.width = 1200; frame.height = 800;
            document.body.replaceChildren(frame);
        }""",
        f"/console/review/door/{task.pk}/",
    )
    heard = lambda: page.evaluate("window.heard")  # noqa: E731
    began = time.monotonic()
    page.wait_for_function("window.heard.some(message => message.ecomsite === 'ready')")
    print(f"the editor was ready in {time.monotonic() - began:.1f} s")  # noqa: T201
    frame = page.frame_locator("#task-frame")
    frame.locator("text=Your verdict").click()
    page.keyboard.press("s")
    page.wait_for_function("window.heard.some(message => message.ecomsite === 'key' && message.key === 's')")
    page.evaluate("document.getElementById('task-frame').contentWindow.postMessage({ecomsite: 'shown'}, '*')")
    page.keyboard.press("1")
    page.evaluate("document.getElementById('task-frame').contentWindow.postMessage({ecomsite: 'submit'}, '*')")
    page.wait_for_function("window.heard.some(message => message.ecomsite === 'answered')")
    assert all(message["origin"] == address and message["task"] == task.ls_task_id for message in heard())
    assert len(answers_to(label_studio, task)) == 1


def task_holder() -> Any:
    """The reviewer of these tests."""
    return User.objects.get(email=REVIEWER.email)


def test_who_holds_nothing_is_told_so_in_words(page: Page, address: str, task: LabelingTask, live_server: Any) -> None:
    sign_in(page, live_server.url)
    page.goto(f"{live_server.url}/console/review/door/{task.pk}/")
    assert "This task is not yours." in page.inner_text("main")
    page.goto(f"{address}/door/tasks/{task.ls_task_id}")
    assert "Tasks are opened from the desk." in page.inner_text("main")
    page.goto(f"{address}/projects/")
    assert "This is not open here." in page.inner_text("main")


def test_on_a_narrow_screen_nothing_is_cut_off(page: Page, address: str, task: LabelingTask, live_server: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, live_server.url)
    assert handing_out.next_item(task_holder()) is not None
    page.goto(f"{live_server.url}/console/review/door/{task.pk}/")
    page.wait_for_selector(READY)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
