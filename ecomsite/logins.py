"""The first logins, one per role: in the console and, with the same password, in Label Studio.

Their passwords are generated on the first start and kept in var/logins.txt (0600). Nobody is a superuser: the
administrator's rights are those of the role, and the console needs no more.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction

from ecomsite.stack.files import write_private

LOGINS = {
    "reviewer@example.com": ("Reviewer", "Robin", "Reviewer"),
    "senior@example.com": ("Senior reviewer", "Sam", "Senior"),
    "auditor@example.com": ("Auditor", "Alex", "Auditor"),
    "ml@example.com": ("ML engineer", "Mika", "Learner"),
    "admin@example.com": ("Administrator", "Ada", "Administrator"),
}
HEADER = (
    "# e-mail and password, for the console and for Label Studio. Change them before anybody else can reach this.\n"
)


def read_passwords(path: Path) -> dict[str, str]:
    """Return e-mail → password from `path`; empty when there is no such file."""
    if not path.is_file():
        return {}
    lines = (line.split() for line in path.read_text().splitlines() if line.strip() and not line.startswith("#"))
    return {words[0]: words[1] for words in lines if len(words) == 2}


def ensure_logins(path: Path) -> list[str]:
    """Create the first logins that are missing, their passwords in `path`, and return their e-mails.

    Accounts that exist keep their password and roles, which people may have changed; only one whose line was lost from
    `path` gets a new password, or nobody could use it.
    """
    User = get_user_model()
    held = read_passwords(path)
    passwords = {email: held.get(email) or secrets.token_urlsafe(12) for email in LOGINS}
    users = {user.username: user for user in User.objects.filter(username__in=LOGINS)}
    created = []
    with transaction.atomic():
        for email, (role, first_name, last_name) in LOGINS.items():
            if email not in users:
                user = User.objects.create_user(
                    email,
                    email=email,
                    password=passwords[email],
                    first_name=first_name,
                    last_name=last_name,
                    is_staff=True,
                )
                user.groups.add(Group.objects.get(name=role))
                created.append(email)
            elif email not in held:
                users[email].set_password(passwords[email])
                users[email].save(update_fields=["password"])
        if passwords != held:
            # Inside the transaction: no password in the database that nobody knows.
            write_private(path, HEADER + "".join(f"{email:<24}{password}\n" for email, password in passwords.items()))
    return created
