"""Started by root, PostgreSQL runs as `nobody`: it gets a place `nobody` can reach, and never another desk's data."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from core.exceptions import PermanentError
from ecomsite.stack import postgres as module
from ecomsite.stack.ports import free_port
from ecomsite.stack.postgres import Postgres, find_binaries
from ecomsite.stack.within_reach import can_reach, give, settle

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="another user's PostgreSQL runs as that user, wherever it is")


@pytest.fixture
def elsewhere(folder: Path) -> Path:
    """Return the place that others may enter, in these tests not /var/lib; not made yet."""
    if not can_reach(folder / "elsewhere"):
        pytest.skip(f"{folder} lies below a folder that others may not enter")
    return folder / "elsewhere"


@pytest.fixture
def home(folder: Path) -> Path:
    """Return a home that others may not enter."""
    path = folder / "home"
    path.mkdir(mode=0o700)
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_where_everybody_may_enter_the_data_stays_in_its_place(folder: Path, elsewhere: Path) -> None:
    root = folder / "var" / "postgres"
    assert settle(root, elsewhere) == root
    assert not root.is_symlink()
    assert not elsewhere.exists()


def test_below_a_private_home_the_data_goes_elsewhere_and_stays_there(home: Path, elsewhere: Path) -> None:
    root = home / "ecomsite" / "var" / "postgres"
    place = settle(root, elsewhere)
    assert place.parent == elsewhere
    assert root.resolve() == place
    assert can_reach(place)
    assert mode(place) == 0o711, "entered, not listed"
    assert settle(root, elsewhere) == place


def test_what_a_first_start_left_empty_is_no_obstacle(home: Path, elsewhere: Path) -> None:
    root = home / "var" / "postgres"
    root.mkdir(parents=True)
    assert settle(root, elsewhere) == root.resolve()


def test_two_desks_have_a_place_each(home: Path, elsewhere: Path) -> None:
    assert settle(home / "a" / "postgres", elsewhere) != settle(home / "b" / "postgres", elsewhere)


def test_a_desk_that_is_moved_keeps_its_data(home: Path, elsewhere: Path) -> None:
    place = settle(home / "a" / "postgres", elsewhere)
    (home / "a").rename(home / "b")
    assert settle(home / "b" / "postgres", elsewhere) == place
    assert settle(home / "a" / "postgres", elsewhere) != place, "a new one where it was is another"


def test_a_copy_of_a_desk_does_not_start_on_the_data_of_the_first(home: Path, elsewhere: Path) -> None:
    place = settle(home / "a" / "postgres", elsewhere)
    shutil.copytree(home / "a", home / "b", symlinks=True)
    with pytest.raises(PermanentError, match=rf"is that of {home}/a/postgres.* Remove {home}/b to begin"):
        settle(home / "b" / "postgres", elsewhere)
    assert settle(home / "a" / "postgres", elsewhere) == place


def test_data_that_is_gone_is_not_made_anew(home: Path, elsewhere: Path) -> None:
    shutil.rmtree(settle(home / "postgres", elsewhere))
    with pytest.raises(PermanentError, match="is not there any more"):
        settle(home / "postgres", elsewhere)


def test_data_that_lies_out_of_reach_is_kept_and_the_way_to_move_it_works(home: Path, elsewhere: Path) -> None:
    root = home / "postgres"
    (root / "data").mkdir(parents=True)
    (root / "data" / "PG_VERSION").write_text("18\n")
    with pytest.raises(PermanentError, match="cannot reach the data in") as caught:
        settle(root, elsewhere)
    assert (root / "data" / "PG_VERSION").exists()
    subprocess.run(["sh", "-ec", caught.value.hint.splitlines()[-1]], check=True)
    assert (settle(root, elsewhere) / "data" / "PG_VERSION").read_text() == "18\n"
    assert can_reach(settle(root, elsewhere))


def test_without_a_place_elsewhere_the_way_out_is_said(home: Path, elsewhere: Path) -> None:
    elsewhere.write_text("a file, in which no folder can be made")
    with pytest.raises(PermanentError, match=r"Not a directory\. Set ECOMSITE_VAR to a folder"):
        settle(home / "var" / "postgres", elsewhere)
    assert not (home / "var" / "postgres").exists()


def test_a_place_elsewhere_that_is_private_too_is_refused(home: Path, elsewhere: Path) -> None:
    elsewhere.mkdir(mode=0o700)
    with pytest.raises(PermanentError, match=rf"nobody, who cannot reach {elsewhere}/desk-.* Set ECOMSITE_VAR"):
        settle(home / "var" / "postgres", elsewhere)


@pytest.fixture
def postgres(home: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Postgres]:
    """A PostgreSQL of root, whose programs and data both lie in the private home."""
    package = find_binaries().parent.parent
    for name in (package.name, f"{package.name}.libs"):
        if (package.parent / name).exists():
            shutil.copytree(package.parent / name, home / name, symlinks=True)
    monkeypatch.setattr(module, "find_binaries", lambda: home / package.name / "pginstall" / "bin")
    monkeypatch.setattr(module, "settle", lambda root: settle(root, elsewhere))
    postgres = Postgres(home / "var" / "postgres", free_port())
    yield postgres
    postgres.stop()


@as_root
def test_root_runs_postgres_below_its_private_home_and_its_data_stays_private(postgres: Postgres, home: Path) -> None:
    """With all its libraries, whatever programs were left by an older version, and as a copy brought back by root."""
    place = module.settle(postgres.root)
    (place / "programs-0" / "old").mkdir(parents=True)
    postgres.start()
    postgres.create_database("shop", extensions=("vector", "pg_trgm"))
    postgres.stop()
    assert postgres.root == (home / "var" / "postgres").resolve() == place
    assert postgres.data.stat().st_uid == pwd.getpwnam("nobody").pw_uid
    assert mode(postgres.data) == 0o700
    assert mode(postgres.password_file) == 0o600
    assert len(list(place.glob("programs-*"))) == 1

    give(postgres.data, pwd.getpwuid(0))
    postgres.start()
    with psycopg.connect(postgres.url("shop")) as connection:
        assert connection.execute("SELECT '[1,2]'::vector <-> '[1,3]'::vector").fetchone() == (1.0,)


@as_root
def test_root_does_not_take_over_the_database_of_another_user(postgres: Postgres) -> None:
    data = module.settle(postgres.root) / "data"
    data.mkdir()
    os.chown(data, 4711, 4711)
    with pytest.raises(PermanentError, match=r"belongs to the user 4711; .* Run as the user 4711"):
        postgres.start()
