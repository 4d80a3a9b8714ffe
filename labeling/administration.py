"""What we set up in Label Studio: projects, webhooks, accounts. Plain values in and out, as in `labeling.client`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from django.conf import settings

from labeling.client import WRITE, Gone, connection, explained
from labeling.remote import RemoteUser

# --- Projects ----------------------------------------------------------------------------------------------------


def find_project(*, marker: str) -> int | None:
    """Return the id of the project that we made whose description ends in `marker`, the oldest if there are several.

    Anybody can make a project that says so; who made it, Label Studio notes by itself.
    """
    me = own_id()
    with explained("list the projects"):
        found = [
            int(project.id or 0)
            for project in connection().projects.list(page_size=100)
            if (project.description or "").endswith(marker) and project.created_by and project.created_by.id == me
        ]
    return min(found) if found else None


def show_project(project_id: int, names: Iterable[str]) -> dict[str, Any]:
    """Return the fields `names` of a project. Raises `Gone`."""
    with explained(f"show project {project_id}"):
        project = connection().projects.get(project_id)
    return {name: getattr(project, name, None) for name in names}


def create_project(fields: Mapping[str, Any]) -> int:
    """Create a project and return its id."""
    with explained(f"create the project {fields['title']!r}"):
        return int(connection().projects.create(**fields, request_options=WRITE).id)


def update_project(project_id: int, fields: Mapping[str, Any]) -> None:
    """Change a project. Raises `PermanentError` when an answered control would be lost."""
    with explained(f"update project {project_id}"):
        connection().projects.update(project_id, **fields, request_options=WRITE)


def list_webhooks(project_id: int) -> list[dict[str, Any]]:
    """Return the webhooks of a project, as `set_webhook` sets them and with their `id`."""
    with explained(f"list the webhooks of project {project_id}"):
        return [
            {
                "id": int(hook.id or 0),
                "url": hook.url,
                "headers": dict(hook.headers or {}),
                "actions": sorted(map(str, hook.actions or [])),
                "send_for_all_actions": bool(hook.send_for_all_actions),
                "send_payload": bool(hook.send_payload),
                "is_active": bool(hook.is_active),
            }
            for hook in connection().webhooks.list(project=str(project_id))
        ]


def webhook_fields(*, url: str, headers: Mapping[str, str], actions: Sequence[str]) -> dict[str, Any]:
    """Return a webhook as Label Studio has it, but for its id."""
    return {
        "url": url,
        "headers": dict(headers),
        "actions": sorted(actions),
        "send_for_all_actions": False,
        "send_payload": True,
        "is_active": True,
    }


def set_webhook(project_id: int, *, url: str, headers: Mapping[str, str], actions: Sequence[str]) -> None:
    """Make this the one webhook of a project: one that is there already is changed, further ones are removed."""
    fields: Any = webhook_fields(url=url, headers=headers, actions=actions)
    path = "/" + url.split("://", 1)[-1].partition("/")[2]
    there = sorted(list_webhooks(project_id), key=lambda hook: (not hook["url"].endswith(path), hook["id"]))
    with explained(f"set the webhook of project {project_id}"):
        hooks = connection().webhooks
        for extra in there[1:]:
            hooks.delete(extra["id"], request_options=WRITE)
        if there:
            hooks.update(there[0]["id"], **fields, request_options=WRITE)
        else:
            hooks.create(project=project_id, **fields, request_options=WRITE)


# --- Accounts ----------------------------------------------------------------------------------------------------


def own_id() -> int:
    """Return the id of the account whose token we use."""
    return _whoami(settings.LABELING.url, settings.LABELING.token)[0]


@lru_cache(maxsize=4)
def _whoami(url: str, token: str) -> tuple[int, int | None]:
    """Return the id of our account and of its organisation; neither ever changes."""
    with explained("say who we are"):
        me = connection().users.whoami()
    return int(me.id or 0), me.active_organization


def list_users() -> list[RemoteUser]:
    """Return all accounts of our organisation there."""
    with explained("list the users"):
        return [RemoteUser(int(user.id), str(user.email)) for user in connection().users.list()]


def create_user(email: str) -> int:
    """Make an account in our organisation, which nobody can sign in to by itself, and return its id.

    Raises `PermanentError` when there is one with that address.
    """
    organization = _whoami(settings.LABELING.url, settings.LABELING.token)[1]
    with explained("make an account"):
        made = connection().users.create(
            username=email, email=email, active_organization=organization, request_options=WRITE
        )
    return int(made.id or 0)


def remove_member(user_id: int) -> None:
    """Take an account out of our organisation; one that is out already is fine."""
    organization = _whoami(settings.LABELING.url, settings.LABELING.token)[1]
    with suppress(Gone), explained(f"remove account {user_id}"):
        connection().organizations.members.delete(organization or 0, user_id, request_options=WRITE)
