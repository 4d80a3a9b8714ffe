"""Where PostgreSQL's files lie when root starts it: where `nobody`, as whom it then runs, can reach them.

Below a folder that others may not enter, such as root's home, `nobody` reaches nothing. The cluster then lies in a
folder of `ELSEWHERE`, one for each desk, and a link in its place leads there. The folder knows its link: a checkout
that is moved keeps its database, and a copy of a checkout does not start on the database of the first.
"""

from __future__ import annotations

import os
import pwd
import secrets
import tempfile
from pathlib import Path

from core.exceptions import PermanentError
from ecomsite.stack.files import write_private

ELSEWHERE = Path("/var/lib/ecomsite-postgres")
# In each folder of ELSEWHERE: the path of the link that leads there.
BELONGS_TO = "belongs-to"
WHY = "PostgreSQL refuses to run as root and runs as nobody, who"
WAY_OUT = "Set ECOMSITE_VAR to a folder below one that others may enter, or run as another user than root."


def can_reach(path: Path) -> bool:
    """Return whether a user that owns nothing on the way may traverse to `path`."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


def settle(root: Path, elsewhere: Path = ELSEWHERE) -> Path:
    """Return where the cluster of `root` lives that `nobody` has to reach: there, or where a link at `root` leads.

    The link is made, to a new folder of `elsewhere`, where `nobody` cannot reach `root`. Raises `PermanentError` with
    the way out rather than start on somebody else's data, or anew beside data that is there.
    """
    # Without following `root` itself, which may be the link.
    root.parent.mkdir(parents=True, exist_ok=True)
    root = root.parent.resolve() / root.name
    if root.is_symlink():
        _check_link(root)
    elif not can_reach(root):
        _make_link(root, elsewhere)
    home = root.resolve()
    if not can_reach(home):
        raise PermanentError(f"{WHY} cannot reach {home}.", hint=WAY_OUT)
    home.mkdir(exist_ok=True)
    # Entered, not listed; what is in there has modes of its own.
    home.chmod(home.stat().st_mode & 0o7777 | 0o711)
    return home


def _make_link(root: Path, elsewhere: Path) -> None:
    if root.exists() and any(root.iterdir()):
        place = elsewhere / f"desk-{secrets.token_hex(4)}"
        raise PermanentError(
            f"{WHY} cannot reach the data in {root}.",
            hint="Move it where others may enter (docs/runbook.md has more on it):\n"
            f"mkdir -p -m 755 {elsewhere} && mv {root} {place} && ln -s {place} {root}",
        )
    try:
        if not elsewhere.exists():
            elsewhere.mkdir(parents=True)
            elsewhere.chmod(0o755)
        home = Path(tempfile.mkdtemp(prefix="desk-", dir=elsewhere))
    except OSError as exc:
        raise PermanentError(
            f"{WHY} cannot reach {root}; and nothing can be made in {elsewhere}: {exc.strerror}.", hint=WAY_OUT
        ) from exc
    write_private(home / BELONGS_TO, str(root))
    if root.exists():
        root.rmdir()
    root.symlink_to(home)


def _check_link(root: Path) -> None:
    """Raise `PermanentError` where the link leads to nothing, or to the data of a desk that this one is a copy of."""
    home = root.resolve()
    if not home.is_dir():
        raise PermanentError(
            f"The database lies in {home}, which is not there any more.",
            hint=f"Bring it back from your copy, or remove {root.parent} to begin with an empty desk.",
        )
    note = home / BELONGS_TO
    owner = Path(note.read_text()) if note.exists() else root
    if owner != root and owner.is_symlink() and owner.resolve() == home:
        raise PermanentError(
            f"The database in {home} is that of {owner}, of which {root} is a copy.",
            hint=(
                f"Remove {root.parent} to begin with an empty desk, or give it a copy of the database: docs/runbook.md."
            ),
        )
    # As before, or moved here.
    write_private(note, str(root))


def give(path: Path, user: pwd.struct_passwd) -> None:
    """Have `path`, with everything in it, belong to `user`."""
    for each in (path, *path.rglob("*")):
        os.chown(each, user.pw_uid, user.pw_gid, follow_symlinks=False)


def name_of(uid: int) -> str:
    """Return what to call the user `uid`."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"the user {uid}"
