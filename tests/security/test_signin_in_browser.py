"""Signing in as people do it, in a real browser and on a phone's width: app, passkey, single sign-on, and being locked out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser, Page

from accounts.models import Factor
from tests import people
from tests.chromium import barriers, needs_chromium
from tests.security.oidc_provider import serving
from tests.security.test_signin_second_factor import code_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), needs_chromium]
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Phone:
    """A tab of 390 px that notes every error in it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address, self.troubles = page, address, []
        page.on("console", lambda said: self.troubles.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))

    def open(self, name: str) -> None:
        """Open a page by its name."""
        self.page.goto(f"{self.address}{reverse(name)}")

    def password(self, person: User, typed: str = people.PASSWORD) -> None:
        """Fill in the login page."""
        self.open("admin:login")
        self.page.fill("[name=username]", person.username)
        self.page.fill("[name=password]", typed)
        self.page.click("#login-form [type=submit]")

    def leave(self) -> None:
        """Sign out by forgetting the session."""
        self.page.context.clear_cookies()

    def looks_right(self, name: str) -> None:
        """Nothing sticks out to the side; keep a picture where CONSOLE_SHOTS names a folder."""
        self.page.wait_for_load_state("networkidle")
        if folder := os.environ.get("CONSOLE_SHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(Path(folder) / f"sign-in-{name}.png"), full_page=True)
        assert self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
        assert barriers(self.page) == [], name

    def is_in(self) -> bool:
        """Whether the desk opens."""
        self.page.goto(f"{self.address}{reverse('admin:index')}")
        return not self.page.url.startswith(f"{self.address}{reverse('admin:login')}")


@pytest.fixture
def phone(live_server: Any, settings: Any, chromium: Browser) -> Iterator[Phone]:
    settings.SITE_URL = live_server.url
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield Phone(page, live_server.url)
    context.close()


def test_an_app_is_set_up_and_asked_for(phone: Phone) -> None:
    person, page = people.senior(), phone.page
    phone.password(person)
    phone.open("console:my_sign_in")
    phone.looks_right("mine-without")
    page.click("text=Set up an authenticator app")
    key = re.search(r"secret=([A-Z2-7]{32})", page.content())
    assert key
    assert page.locator("img.es-qr").evaluate("image => image.naturalWidth") > 100
    phone.looks_right("app")
    page.fill("[name=code]", code_of(key[1]))
    page.click("text=Set it up")
    page.wait_for_selector(".es-codes")
    phone.looks_right("codes")
    recovery = page.locator(".es-codes li").first.inner_text()
    page.click("text=I have kept them")
    phone.looks_right("mine-with-app")
    phone.leave()
    phone.password(person)
    page.wait_for_selector("[name=code]")
    phone.looks_right("second-step")
    page.fill("[name=code]", "000000")
    page.keyboard.press("Enter")
    page.wait_for_selector("#wrong")
    assert not phone.is_in()
    phone.password(person)
    page.fill("[name=code]", recovery)
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-refresh]")
    # The browser notes the 422 of a wrong code as an error of its own.
    assert [words for words in phone.troubles if "422" not in words] == []


def test_a_passkey_is_made_and_signs_in_without_a_password(phone: Phone) -> None:
    person, page = people.senior(), phone.page
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    name = device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]
    phone.password(person)
    phone.open("console:my_sign_in")
    page.fill("[name=name]", "phone")
    page.click("text=Make a passkey")
    page.wait_for_selector(".es-codes")
    assert Factor.objects.get(kind="passkey").name == "phone"
    phone.leave()
    phone.open("admin:login")
    phone.looks_right("first-step")
    page.click("text=Sign in with a passkey")
    page.wait_for_selector("[data-refresh]")
    phone.leave()
    phone.password(person)
    page.click("text=Use your passkey")
    page.wait_for_selector("[data-refresh]")
    phone.open("console:my_sign_in")
    phone.looks_right("mine-with-passkey")
    phone.leave()
    device.send("WebAuthn.setUserVerified", {"authenticatorId": name, "isUserVerified": False})
    phone.open("admin:login")
    page.click("text=Sign in with a passkey")
    page.wait_for_selector("[data-trouble]:not([hidden])")
    phone.looks_right("passkey-refused")
    assert not phone.is_in()
    assert phone.troubles == []


def test_single_sign_on_leads_there_and_back(phone: Phone, settings: Any) -> None:
    people.people("Reviewer", email="robin@example.com")
    with serving() as provider:
        oidc = replace(
            settings.ACCOUNTS.oidc,
            issuer=provider.issuer,
            client_id=provider.client_id,
            client_secret=provider.client_secret,
            name="Tideway ID",
        )
        settings.ACCOUNTS = replace(settings.ACCOUNTS, oidc=oidc)
        phone.open("console:my_work")
        phone.looks_right("first-step-with-sso")
        phone.page.click("text=Sign in with Tideway ID")
        phone.page.wait_for_url(f"{phone.address}{reverse('console:my_work')}")
        phone.leave()
        provider.claims = {"sub": "43", "email": "nobody@example.com", "email_verified": True}
        phone.open("admin:login")
        phone.page.click("text=Sign in with Tideway ID")
        phone.page.wait_for_selector("text=There is no account here")
        phone.looks_right("sso-refused")
    assert phone.troubles == []


def test_who_is_locked_out_reads_for_how_long_and_who_helps(phone: Phone) -> None:
    person = people.reviewer()
    for _ in range(5):
        phone.password(person, typed="not this one")
    assert "locked for this account for 15 minutes" in phone.page.inner_text("main")
    assert "An administrator can let you in sooner" in phone.page.inner_text("main")
    phone.looks_right("locked")
    phone.page.click("text=Back to sign-in")
    phone.page.wait_for_selector("#login-form")
