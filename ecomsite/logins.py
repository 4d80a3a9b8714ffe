"""The first logins, one per role and two seniors: in the console and, with the same password, in Label Studio.

Their passwords are generated on the first start and kept in var/logins.txt (0600). Nobody is a superuser: the
administrator's rights are those of the role, and the console needs no more.
"""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction

from ecomsite.stack.files import write_private

LOGINS = {
    "reviewer@example.com": ("Reviewer", "Robin", "Reviewer"),
    "senior@example.com": ("Senior reviewer", "Sam", "Senior"),
    # Four eyes need two pairs of them.
    "senior-2@example.com": ("Senior reviewer", "Sasha", "Second"),
    "auditor@example.com": ("Auditor", "Alex", "Auditor"),
    "ml@example.com": ("ML engineer", "Mika", "Learner"),
    "admin@example.com": ("Administrator", "Ada", "Administrator"),
}
HEADER = (
    "# e-mail and password, for the console and for Label Studio. A password changed here is taken over at the next\n"
    "# start. Change them before anybody else can reach this machine.\n"
)


def read_passwords(path: Path) -> dict[str, str]:
    """Return e-mail → password from `path`; empty when there is no such file."""
    if not path.is_file():
        return {}
    lines = (line.split() for line in path.read_text().splitlines() if not line.startswith("#"))
    return {words[0]: words[1] for words in lines if len(words) == 2}


def ensure_passwords(path: Path) -> dict[str, str]:
    """Return e-mail → password of the first logins, generating and writing (0600) those that are missing."""
    held = read_passwords(path)
    passwords = {email: held.get(email) or secrets.token_urlsafe(12) for email in LOGINS}
    if passwords != held:
        write_private(path, HEADER + "".join(f"{email:<24}{password}\n" for email, password in passwords.items()))
    return passwords


def create_logins(path: Path) -> list[str]:
    """Create the accounts of the first logins that are missing and return their e-mails.

    Accounts that exist keep their role, and their password too, unless `path` changed since it was last applied.
    """
    User = get_user_model()
    passwords = ensure_passwords(path)
    applied = path.with_suffix(".applied")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    has_changed = not applied.exists() or applied.read_text() != digest
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
            elif has_changed and not users[email].check_password(passwords[email]):
                users[email].set_password(passwords[email])
                users[email].save(update_fields=["password"])
    write_private(applied, digest)
    return created
