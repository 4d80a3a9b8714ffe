"""Where webhooks may not go, however the address is written and whatever its name says a second later."""

from __future__ import annotations

import ipaddress
import socket
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.exceptions import PermanentError
from outbox import sending
from outbox.addresses import Address, check_address, check_url, resolve
from tests.outbox.receiver import Receiver, Reply

PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fc00::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
    "2002:a00:1::",
]
NEVER = [
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "fe80::1",
    "0.0.0.0",  # noqa: S104
    "::",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
    "240.0.0.1",
    "2002:a9fe:a9fe::",
    "64:ff9b::a9fe:a9fe",
]
PUBLIC = ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"]


def allow_private(settings: Any, allowed: bool) -> None:
    settings.OUTBOX = replace(settings.OUTBOX, allow_private=allowed)


def post(url: str, **options: Any) -> sending.Answer:
    return sending.post(url, body=b"{}", headers={}, timeout_s=options.pop("timeout_s", 2), **options)


@pytest.mark.parametrize("address", [*PRIVATE, *NEVER])
def test_an_address_that_is_not_public_is_refused(address: str, settings: Any) -> None:
    allow_private(settings, False)
    with pytest.raises(PermanentError, match="not sent to"):
        check_address(ipaddress.ip_address(address), secure=True)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_taken_over_https_alone(address: str) -> None:
    check_address(ipaddress.ip_address(address), secure=True)
    with pytest.raises(PermanentError, match="HTTPS only"):
        check_address(ipaddress.ip_address(address), secure=False)


@pytest.mark.parametrize("address", PRIVATE)
def test_the_setting_lets_private_networks_in_and_plain_http_to_this_machine_alone(address: str) -> None:
    here = ipaddress.ip_address(address)
    check_address(here, secure=True)
    if address in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"):
        check_address(here, secure=False)
    else:
        with pytest.raises(PermanentError, match="HTTPS only"):
            check_address(here, secure=False)


@pytest.mark.parametrize("address", NEVER)
def test_link_local_and_nonsense_are_refused_whatever_the_setting(address: str) -> None:
    with pytest.raises(PermanentError, match="not sent to"):
        check_address(ipaddress.ip_address(address), secure=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example.com/hooks",
        "ftp://shop.example.com",
        "file:///etc/passwd",
        "shop.example.com",
        "",
        "//x",
        "https://user:password@shop.example.com/",
        "https://user@shop.example.com",
        "https://127.0.0.1@evil.example/",
        "https://shop.example.com/#part",
        "https://shop.example.com/" + "x" * 1000,
        "https://",
        "https://[::1",
        "https://shop.example.com:99999/",
        "https://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/",
        "https://[fe80::1%25eth0]/",
        "https://[::ffff:169.254.169.254]/",
        "https://a\nb.example/",
        "gopher://127.0.0.1:25/",
        "https://0177.0.0.1/",
    ],
)
def test_an_address_that_is_no_receivers_is_refused_when_it_is_added(url: str) -> None:
    with pytest.raises(PermanentError):
        check_url(url)


def test_this_machine_may_be_added_only_when_the_setting_says_so(settings: Any) -> None:
    for url in ("http://127.0.0.1:8123/hooks", "http://localhost:8123/hooks", "https://10.0.0.1/hooks"):
        assert check_url(url) == url
    allow_private(settings, False)
    for url in ("http://127.0.0.1:8123/hooks", "http://localhost:8123/hooks", "https://10.0.0.1/hooks"):
        with pytest.raises(PermanentError):
            check_url(url)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1"])
def test_no_spelling_of_this_machine_is_reached(host: str, receiver: Receiver, settings: Any) -> None:
    allow_private(settings, False)
    for scheme in ("http", "https"):
        assert post(f"{scheme}://{host}:{receiver.port}/").error
    assert receiver.received == []


def test_a_name_that_changes_its_mind_gains_nothing(receiver: Receiver, settings: Any) -> None:
    """The first look-up says a public address, the second this machine: there is no second one."""
    allow_private(settings, False)
    answers = [[ipaddress.ip_address("192.88.99.1")], [ipaddress.ip_address("127.0.0.1")]]
    asked = []

    def changing(host: str, port: int) -> list[Address]:
        asked.append(host)
        return answers[len(asked) - 1]

    url = f"https://rebinding.example:{receiver.port}/"
    assert post(url, resolve=changing, timeout_s=0.5).status is None
    assert asked == ["rebinding.example"]
    answers.insert(0, answers.pop())
    asked.clear()
    assert "not sent to 127.0.0.1" in post(url, resolve=changing).error
    assert receiver.received == []


def test_one_private_address_among_public_ones_is_enough_to_refuse(receiver: Receiver, settings: Any) -> None:
    allow_private(settings, False)
    mixed = [ipaddress.ip_address("1.1.1.1"), ipaddress.ip_address("127.0.0.1")]
    assert "not sent to 127.0.0.1" in post(f"https://x.example:{receiver.port}/", resolve=lambda *_: mixed).error


def test_the_next_address_of_a_name_is_tried_when_one_refuses(receiver: Receiver) -> None:
    both = [ipaddress.ip_address("127.0.0.2"), ipaddress.ip_address("127.0.0.1")]
    assert post(f"http://two.example:{receiver.port}/", resolve=lambda *_: both).status == 204


def test_a_name_without_an_address_is_an_error_and_no_crash() -> None:
    assert "cannot be resolved" in post("https://no-such-host.invalid/").error
    assert resolve("127.0.0.1", 80) == [ipaddress.ip_address("127.0.0.1")]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(status: int, receiver: Receiver, start_receiver: Any) -> None:
    target = start_receiver()
    receiver.replies.append(Reply(status, headers={"Location": target.url}))
    answer = post(receiver.url)
    assert (answer.status, answer.is_success) == (status, False)
    assert target.received == []


def test_a_receiver_that_is_too_slow_is_hung_up_on(receiver: Receiver) -> None:
    receiver.usual = Reply(delay_s=5)
    began = time.monotonic()
    assert "did not answer within 0.5 s" in post(receiver.url, timeout_s=0.5).error
    assert time.monotonic() - began < 3


def test_one_that_drips_its_answer_is_hung_up_on_too(receiver: Receiver) -> None:
    receiver.usual = Reply(200, drip_s=0.1)
    began = time.monotonic()
    assert "did not answer within 0.5 s" in post(receiver.url, timeout_s=0.5).error
    assert time.monotonic() - began < 3


def test_an_endless_answer_is_cut_off(receiver: Receiver) -> None:
    receiver.usual = Reply(200, b"x" * 5_000_000)
    answer = post(receiver.url)
    assert answer.is_success
    assert len(answer.excerpt) == 500


def test_what_is_no_http_is_an_error_and_no_crash() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def babble() -> None:
            connection, _ = server.accept()
            connection.recv(1000)
            connection.sendall(b"\x00\xff SSH-2.0 nonsense\r\n\r\n")
            connection.close()

        threading.Thread(target=babble, daemon=True).start()
        assert "cannot be reached" in post(f"http://127.0.0.1:{server.getsockname()[1]}/").error


def certificate(folder: Path, name: str) -> Path:
    """A self-signed certificate with its key for the host `name`."""
    path = folder / f"{name}.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            f"/CN={name}",
            "-addext",
            f"subjectAltName=DNS:{name}",
            "-keyout",
            folder / "key",
            "-out",
            folder / "cert",
        ],
        check=True,
        capture_output=True,
    )
    path.write_text((folder / "key").read_text() + (folder / "cert").read_text())
    return path


def test_over_tls_the_certificate_must_be_for_the_name_and_from_a_known_authority(
    tmp_path: Path, start_receiver: Any, settings: Any
) -> None:
    right, wrong = certificate(tmp_path, "localhost"), certificate(tmp_path, "elsewhere.example")
    receiver, impostor = start_receiver(certificate=right), start_receiver(certificate=wrong)
    assert "CERTIFICATE_VERIFY_FAILED" in post(receiver.url).error
    for ca_file, url, status in ((right, receiver.url, 204), (wrong, impostor.url, None)):
        settings.OUTBOX = replace(settings.OUTBOX, ca_file=str(ca_file))
        assert post(url).status == status
    assert [request.headers["host"] for request in receiver.received] == [f"localhost:{receiver.port}"]
    assert impostor.received == []
