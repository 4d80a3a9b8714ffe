"""Serve Label Studio under gunicorn. Run by Label Studio's own Python, never imported by ours.

    python serve_label_studio.py serve PORT   migrate if need be, make the people, serve on 127.0.0.1:PORT
    python serve_label_studio.py people       make the people, while the server runs

The people come as JSON from the file named by ECOMSITE_PEOPLE: [{email, password, token, is_admin}]. Label Studio's
own API cannot make an account that can log in (it drops the password and joins no organisation), hence its models.
Which accounts were made here is written to accounts.json beside it: e-mail → id. One that somebody else made first is
not taken over.

With a file named by ECOMSITE_DOOR, our door stands before it in the same process (labeling/door): people reach nothing
else.
"""

import importlib
import importlib.util
import json
import os
import sys
from pathlib import Path

import label_studio

PACKAGE = Path(label_studio.__file__).parent
DOOR = Path(__file__).resolve().parents[2] / "labeling" / "door"
READY = "Label Studio is ready"
THREADS = 16


def set_up() -> None:
    """Load Label Studio's Django, as its own `label-studio` command does."""
    sys.path.insert(0, str(PACKAGE))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "label_studio.core.settings.label_studio")
    import django

    django.setup()


def migrate() -> None:
    """Bring the database up to date: about 40 s the first time, nothing later."""
    from django.core.management import call_command
    from label_studio.server import is_database_synchronized

    if not is_database_synchronized("default"):
        sys.stdout.write("Creating the tables of Label Studio\n")
        call_command("migrate", "--no-color", verbosity=0)


def make_people(people: list[dict]) -> None:
    """Make every account that is missing, in the one organisation, with the password and API token given."""
    from django.db import transaction
    from organizations.models import Organization
    from rest_framework.authtoken.models import Token
    from users.models import User

    file = Path(os.environ["ECOMSITE_PEOPLE"]).with_name("accounts.json")
    made = json.loads(file.read_text()) if file.exists() else {}
    with transaction.atomic():
        for person in people:
            email, is_admin = person["email"].lower(), bool(person.get("is_admin"))
            user = User.objects.filter(email=email).first()
            if user is None:
                user = User.objects.create_user(email=email, password=person["password"], username=email[:200])
            elif not user.check_password(person["password"]):
                # Ours if we made it; and that we did shows in the record, or in the password that we gave it.
                if made.get(email) != user.pk:
                    sys.stdout.write(f"Account {user.pk} has the address of one of our people, and is none of ours\n")
                    continue
                user.set_password(person["password"])
            made[email] = user.pk
            organization = Organization.objects.first() or Organization.create_organization(
                created_by=user, title="ecomsite", legacy_api_tokens_enabled=True
            )
            organization.add_user(user)
            user.active_organization = organization
            user.is_staff = user.is_superuser = is_admin
            user.save()
            if token := person.get("token"):
                Token.objects.filter(user=user).exclude(key=token).delete()
                Token.objects.get_or_create(user=user, defaults={"key": token})
            jwt = organization.jwt
            if not jwt.legacy_api_tokens_enabled:
                jwt.legacy_api_tokens_enabled = True
                jwt.save()
    # Whole or not at all, for nobody but us to read.
    new = file.with_suffix(".new")
    new.write_text(json.dumps(made))
    new.chmod(0o600)
    new.replace(file)


def behind_the_door(application):
    """Return Label Studio with our door before it, if it shall have one."""
    file = os.environ.get("ECOMSITE_DOOR")
    if not file:
        return application
    # Under a name of its own: Label Studio's packages are called as ours are.
    spec = importlib.util.spec_from_file_location(
        "ecomsite_door", DOOR / "__init__.py", submodule_search_locations=[str(DOOR)]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules["ecomsite_door"] = package
    spec.loader.exec_module(package)
    middleware = importlib.import_module("ecomsite_door.middleware")
    settings = middleware.Settings(**json.loads(Path(file).read_text()), admits_service=True)
    return middleware.Door(application, settings)


def serve(port: int) -> None:
    """Serve until stopped: one process, many threads, for every request but a few waits for the database."""
    from django.core.wsgi import get_wsgi_application
    from django.db import connections
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):
        def load_config(self) -> None:
            options = {
                "bind": f"127.0.0.1:{port}",
                "worker_class": "gthread",
                "workers": 1,
                "threads": THREADS,
                # Imports of thousands of tasks take minutes; the worker's heart beats on meanwhile.
                "timeout": 600,
                "graceful_timeout": 10,
                "preload_app": True,
                "control_socket_disable": True,
                "when_ready": lambda server: sys.stdout.write(f"{READY}\n"),
                # A query for many tasks by our ids is a long address.
                "limit_request_line": 8190,
                # No header says where a request is mounted or whence it came: nobody stands before us whom we would
                # believe.
                "forwarded_allow_ips": "",
                "forwarder_headers": "",
            }
            for name, value in options.items():
                self.cfg.set(name, value)

        def load(self) -> object:
            application = behind_the_door(get_wsgi_application())
            # What was opened here must not be shared with the worker that is forked off next.
            connections.close_all()
            return application

    Server().run()


def main() -> None:
    command, *arguments = sys.argv[1:]
    set_up()
    migrate()
    make_people(json.loads(Path(os.environ["ECOMSITE_PEOPLE"]).read_text()))
    if command == "serve":
        serve(int(arguments[0]))


if __name__ == "__main__":
    main()
