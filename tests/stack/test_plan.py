"""What the environment says decides which servers are ours, on which ports; secrets stay private and stay the same."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from core.exceptions import PermanentError
from ecomsite import env
from ecomsite.stack.plan import Plan, check_ports, read_plan, write_environment
from ecomsite.stack.ports import free_port

VARIABLES = (
    "DATABASE_URL",
    "CELERY_BROKER_URL",
    "LABEL_STUDIO_URL",
    "LABEL_STUDIO_TOKEN",
    "LABEL_STUDIO_DATABASE_URL",
    "ECOMSITE_HOST",
    "SITE_URL",
)
PORTS = ("ECOMSITE_PORT", "LABEL_STUDIO_PORT", "ECOMSITE_POSTGRES_PORT", "ECOMSITE_BROKER_PORT")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*VARIABLES, *PORTS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(env, "VAR_DIR", tmp_path)


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


def test_every_port_that_is_taken_is_named_with_the_variable_to_change(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as first, socket.socket() as second:
        for sock, variable in ((first, "ECOMSITE_PORT"), (second, "ECOMSITE_BROKER_PORT")):
            sock.bind(("127.0.0.1", 0))
            sock.listen()
            monkeypatch.setenv(variable, str(sock.getsockname()[1]))
        for variable in ("LABEL_STUDIO_PORT", "ECOMSITE_POSTGRES_PORT"):
            monkeypatch.setenv(variable, str(free_port()))
        plan = read_plan()
        with pytest.raises(PermanentError) as caught:
            check_ports(plan)
    web, broker = str(caught.value).strip().splitlines()
    assert f"Port {plan.web_port} (for console and API) is already in use; set ECOMSITE_PORT to a free one" in web
    assert f"Port {plan.broker_port} (for broker) is already in use; set ECOMSITE_BROKER_PORT" in broker


def test_secrets_are_generated_once_and_kept_in_a_private_file(tmp_path: Path) -> None:
    first = write_environment(read_plan(), database_url="postgresql://a", broker_url="redis://b")
    second = write_environment(read_plan(), database_url="postgresql://c", broker_url="redis://b")
    secrets = ("SECRET_KEY", "LABEL_STUDIO_TOKEN", "LABEL_STUDIO_WEBHOOK_SECRET")
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
