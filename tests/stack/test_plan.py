"""What the environment says decides which servers are ours, on which ports; secrets stay private and stay the same."""

from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from core.exceptions import PermanentError
from ecomsite import env
from ecomsite.stack.plan import Plan, choose_ports, read_plan, write_environment
from ecomsite.stack.ports import free_port, is_free

VARIABLES = (
    "DATABASE_URL",
    "CELERY_BROKER_URL",
    "LABEL_STUDIO_URL",
    "LABEL_STUDIO_TOKEN",
    "LABEL_STUDIO_DATABASE_URL",
    "ECOMSITE_HOST",
    "SITE_URL",
    "LABEL_STUDIO_WEBHOOK_URL",
)
PORTS = ("ECOMSITE_PORT", "LABEL_STUDIO_PORT", "ECOMSITE_POSTGRES_PORT", "ECOMSITE_BROKER_PORT")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*VARIABLES, *PORTS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(env, "VAR_DIR", tmp_path)


@pytest.fixture
def usual_ports_taken() -> Iterator[None]:
    """Somebody else listens on each of the usual ports: we do, unless another does already."""
    with ExitStack() as sockets:
        for _, port, _ in read_plan().ports():
            sock = sockets.enter_context(socket.socket())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                sock.bind(("127.0.0.1", port))
                sock.listen()
        yield


def two_free_neighbours() -> int:
    """Return a port that is free as the next one is."""
    return next(
        port for port in range(free_port(), 65000) if is_free("127.0.0.1", port) and is_free("127.0.0.1", port + 1)
    )


def test_everything_is_embedded_when_nothing_is_set() -> None:
    plan = read_plan()
    assert [port for _, port, _ in plan.ports()] == [8000, 8080, 15432, 16379]
    assert plan.external == {}


def test_servers_that_are_named_are_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:secret@db.example.com/desk")
    monkeypatch.setenv("CELERY_BROKER_URL", "amqp://me:secret@mq.example.com//")
    monkeypatch.setenv("LABEL_STUDIO_URL", "https://label.example.com/")
    monkeypatch.setenv("LABEL_STUDIO_TOKEN", "0" * 40)
    plan = read_plan()
    assert [variable for *_, variable in plan.ports()] == ["ECOMSITE_PORT"]
    assert plan.label_studio_address == "https://label.example.com"


def test_an_embedded_label_studio_keeps_an_embedded_database_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:secret@db.example.com/desk")
    assert read_plan().needs_postgres
    monkeypatch.setenv("LABEL_STUDIO_DATABASE_URL", "postgresql://me:secret@db.example.com/label")
    assert not read_plan().needs_postgres


def test_a_label_studio_without_a_token_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", "https://label.example.com")
    with pytest.raises(PermanentError, match=r"LABEL_STUDIO_TOKEN is not.*label\.example\.com/user/account"):
        read_plan()


@pytest.mark.parametrize("nonsense", ["eight thousand", "0", "70000", "-1"])
def test_a_port_that_is_none_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, nonsense: str) -> None:
    monkeypatch.setenv("ECOMSITE_PORT", nonsense)
    with pytest.raises(PermanentError, match="ECOMSITE_PORT must be a port number"):
        read_plan()


def test_two_parts_on_one_port_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_PORT", "8000")
    with pytest.raises(PermanentError, match="ECOMSITE_PORT and LABEL_STUDIO_PORT are both 8000"):
        read_plan()


@pytest.mark.usefixtures("usual_ports_taken")
def test_where_the_usual_ports_are_taken_the_next_free_ones_are_used_and_said() -> None:
    plan, notes = choose_ports(read_plan())
    ports = [port for _, port, _ in plan.ports()]
    assert len(set(ports)) == 4
    assert all(is_free("127.0.0.1", port) for port in ports)
    for (part, usual, variable), port, note in zip(read_plan().ports(), ports, notes, strict=True):
        assert usual < port < usual + 100
        assert note == f"Port {usual} (for {part}) is already in use, {port} is used instead. Set {variable} to choose."
    assert plan.site_url == f"http://127.0.0.1:{plan.web_port}"
    assert plan.label_studio_address == f"http://127.0.0.1:{plan.label_studio_port}"


@pytest.mark.usefixtures("usual_ports_taken")
def test_the_next_start_takes_the_ports_of_the_last_one_which_stand_in_bookmarks() -> None:
    last = replace(read_plan(), web_port=free_port(), label_studio_port=free_port())
    write_environment(last, database_url="postgresql://a", broker_url="redis://b")
    plan, _ = choose_ports(read_plan())
    assert (plan.web_port, plan.label_studio_port) == (last.web_port, last.label_studio_port)
    with socket.socket() as other:
        other.bind(("127.0.0.1", last.web_port))
        other.listen()
        assert choose_ports(read_plan())[0].web_port != last.web_port


def test_a_port_kept_from_the_last_start_is_said_with_the_way_back(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = two_free_neighbours()
    for variable in PORTS[1:]:
        monkeypatch.setenv(variable, str(free_port()))
    plan = replace(read_plan(), web_port=usual)
    assert choose_ports(plan) == (plan, [])
    write_environment(replace(plan, web_port=usual + 1))
    kept, notes = choose_ports(plan)
    assert kept.web_port == usual + 1
    assert notes == [
        f"Port {usual + 1} (for console and API) is used as last time. Set ECOMSITE_PORT={usual} to go back."
    ]


def test_a_port_that_another_part_was_given_is_not_taken_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = two_free_neighbours()
    monkeypatch.setenv("ECOMSITE_BROKER_PORT", str(usual + 1))
    with socket.socket() as other:
        other.bind(("127.0.0.1", usual))
        other.listen()
        plan, _ = choose_ports(replace(read_plan(), web_port=usual))
    assert plan.broker_port == usual + 1
    assert plan.web_port > usual + 1


@pytest.mark.usefixtures("usual_ports_taken")
@pytest.mark.parametrize("variable", ["SITE_URL", "LABEL_STUDIO_WEBHOOK_URL"])
def test_the_console_does_not_move_away_from_an_address_that_was_given(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "https://desk.example.com")
    with pytest.raises(PermanentError, match=r"Port 8000 \(for console and API\) is already in use; set ECOMSITE_PORT"):
        choose_ports(read_plan())


def test_an_address_that_is_not_of_this_machine_is_said_to_be_the_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECOMSITE_HOST", "192.0.2.1")
    with pytest.raises(
        PermanentError, match=r"Cannot assign requested address. Look at ECOMSITE_HOST and ECOMSITE_PORT"
    ):
        choose_ports(read_plan())


def test_every_given_port_that_is_taken_is_named_with_the_variable_to_change(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as first, socket.socket() as second:
        for sock, variable in ((first, "ECOMSITE_PORT"), (second, "ECOMSITE_BROKER_PORT")):
            sock.bind(("127.0.0.1", 0))
            sock.listen()
            monkeypatch.setenv(variable, str(sock.getsockname()[1]))
        for variable in ("LABEL_STUDIO_PORT", "ECOMSITE_POSTGRES_PORT"):
            monkeypatch.setenv(variable, str(free_port()))
        plan = read_plan()
        with pytest.raises(PermanentError) as caught:
            choose_ports(plan)
    web, broker = str(caught.value).strip().splitlines()
    assert f"Port {plan.web_port} (for console and API) is already in use; set ECOMSITE_PORT to a free one" in web
    assert f"Port {plan.broker_port} (for broker) is already in use; set ECOMSITE_BROKER_PORT" in broker


def test_secrets_are_generated_once_and_kept_in_a_private_file(tmp_path: Path) -> None:
    first = write_environment(read_plan(), database_url="postgresql://a", broker_url="redis://b")
    second = write_environment(read_plan(), database_url="postgresql://c", broker_url="redis://b")
    secrets = ("SECRET_KEY", "LABEL_STUDIO_TOKEN", "LABEL_STUDIO_WEBHOOK_SECRET", "LABEL_STUDIO_DOOR_KEY")
    assert all(first[name] == second[name] and len(first[name]) >= 40 for name in secrets)
    path = tmp_path / "stack.env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert env.read_env_file(path) == second


def test_the_address_of_an_external_server_is_not_written_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_environment(read_plan(), database_url="postgresql://embedded", broker_url="redis://embedded")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hush@db.example.com/desk")
    plan: Plan = read_plan()
    write_environment(plan, broker_url="redis://embedded")
    content = (tmp_path / "stack.env").read_text()
    assert "hush" not in content
    assert "DATABASE_URL" not in content
