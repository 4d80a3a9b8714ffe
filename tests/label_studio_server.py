"""A real Label Studio for the tests that ask for one, one for each process, on the session's PostgreSQL.

To make its tables and people takes 45 s; one process does it, and all have copies, which start in eight.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from label_studio_sdk import LabelStudio as Sdk

from ecomsite.stack.label_studio import LabelStudio, Person
from tests import people, servers

REVIEWER = Person("reviewer@example.com", people.PASSWORD, "1" * 40)
SENIOR = Person("senior@example.com", people.PASSWORD, "2" * 40)
# For questions that several people are asked.
OTHERS = tuple(Person(f"reviewer-{n}@example.com", people.PASSWORD, str(n) * 40) for n in (4, 5, 6))
ADMIN = Person("admin@example.com", people.PASSWORD, "3" * 40, is_admin=True)
SERVICE_TOKEN = "0" * 40
PEOPLE = (REVIEWER, SENIOR, *OTHERS, ADMIN)


def as_person(url: str, token: str) -> Sdk:
    """What the holder of `token` can do in Label Studio, by its own SDK."""
    return Sdk(base_url=url, api_key=token, timeout=60, max_retries=0)


@pytest.fixture(scope="session")
def label_studio_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelStudio]:
    """The server of this process."""
    # Imported here: conftest, which starts the session's servers, loads this module as a plugin.
    from ecomsite.stack.ports import free_port

    root, database = tmp_path_factory.mktemp("label-studio"), servers.database_of(f"labelstudio_{servers.PROCESS}")
    server = LabelStudio(root, free_port(), servers.url_of(database), SERVICE_TOKEN)
    if not Path(server.venv / "bin" / "python").exists():
        pytest.skip(f"Label Studio is not installed in {server.venv}: run `make setup`")
    made = servers.root() / "label-studio"
    servers.copy_template(
        "labelstudio",
        database,
        make=lambda name: LabelStudio(made, 0, servers.url_of(name), SERVICE_TOKEN).bootstrap(PEOPLE),
    )
    # Which accounts were made for us is written beside the tables.
    shutil.copytree(made, root, dirs_exist_ok=True)
    server.start(PEOPLE)
    server.wait_until_ready()
    yield server
    server.stop()
    servers.drop_database(database)


@dataclass
class Desk:
    """What a test needs of Label Studio: its address, and its people by their own tokens."""

    url: str
    reviewer: Sdk
    senior: Sdk
    service: Sdk
    # Of Label Studio itself: what a restored backup or a wrong clock leaves can be put there, and what it holds read.
    database_url: str


@pytest.fixture
def label_studio(label_studio_server: LabelStudio, settings: Any) -> Iterator[Desk]:
    """An empty Label Studio that the settings of the test point at. Webhooks go nowhere: see `webhooks`."""
    settings.LABELING = replace(
        settings.LABELING,
        url=label_studio_server.url,
        door_url="http://door.test",
        token=SERVICE_TOKEN,
        webhook_url="http://127.0.0.1:9",
        webhook_secret="a-secret-of-the-tests",
        accounts_file=label_studio_server.accounts_file,
    )
    url = label_studio_server.url
    people = (as_person(url, token) for token in (REVIEWER.token, SENIOR.token, SERVICE_TOKEN))
    desk = Desk(url, *people, database_url=label_studio_server.database_url)
    yield desk
    for project in list(desk.service.projects.list(page_size=100)):
        desk.service.projects.delete(project.id)


@pytest.fixture
def webhooks(label_studio: Desk, live_server: Any, settings: Any) -> str:
    """Let Label Studio's webhooks reach the server of the test; returns their address."""
    settings.LABELING = replace(settings.LABELING, webhook_url=live_server.url)
    return f"{live_server.url}/webhooks/label-studio/"
