"""`manage.py questions`: check files that declare questions, load them as versions, list every question."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import CommandError, CommandParser

from core.command_line import WithExamples, actor_from, add_by, pairs_from
from core.exceptions import EcomsiteError
from labeling.models import Label
from labeling.question import all_questions
from labeling.subject import subject_of
from questions import versions
from questions.declared.question import DeclaredQuestion, file_of
from questions.declared.schema import Declaration, read_declaration

HELP = """Questions that people are asked and models learn to answer. A file declares one without code
(docs/questions.md).

  manage.py questions list                                     every question, its answers, labels and version
  manage.py questions check damage.yaml                        read files strictly; changes nothing
  manage.py questions load damage --by kim                     show what would change
  manage.py questions load damage --by kim --yes               keep the file as a version
  manage.py questions load damage --rename late=delayed --rename slow=delayed --by kim --yes
                                                               labels follow: an answer renamed, or two made one
  manage.py questions load damage --ask-again torn --by kim --yes
                                                               people answer anew where they said it: it was split
"""


class Command(WithExamples):
    help = HELP

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_subparsers(dest="what", required=True, metavar="{check,load,list}")
        check = what.add_parser("check", help="read files strictly; changes nothing")
        check.add_argument("files", nargs="+", type=Path, metavar="FILE")
        load = what.add_parser("load", help="keep a declared question as a version; labels follow renamed answers")
        load.add_argument("name", help="the question, as its file is named")
        load.add_argument("--rename", action="append", default=[], metavar="OLD=NEW", help="what an answer becomes")
        load.add_argument(
            "--ask-again", action="append", default=[], metavar="OLD", help="an answer that people give anew"
        )
        load.add_argument("--yes", action="store_true", help="do it; without, what would change is shown")
        add_by(load)
        what.add_parser("list", help="every question, its answers, labels and version")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            {"check": self._check, "load": self._load, "list": self._list}[options["what"]](options)
        except (EcomsiteError, PermissionDenied) as exc:
            raise CommandError(str(exc)) from exc

    def _check(self, options: dict[str, Any]) -> None:
        bad = []
        for path in options["files"]:
            try:
                self.stdout.write(f"{path.name}: {_told(read_declaration(path))}")
            except EcomsiteError as exc:
                bad.append(str(exc))
        if bad:
            raise CommandError("\n".join(bad))

    def _load(self, options: dict[str, Any]) -> None:
        declaration, actor = read_declaration(file_of(options["name"])), actor_from(options["by"])
        renamed = {old: str(new) for old, new in pairs_from(options["rename"], option="--rename").items()}
        again = options["ask_again"]
        found = versions.change(declaration, renamed=renamed, asked_again=again)
        self.stdout.write(f"{declaration.name}: {_told(declaration)}")
        for sign, values in (("+", found.added), ("-", found.removed)):
            for value in values:
                self.stdout.write(f"  {sign} {value}")
        for source, target, n in found.relabelled:
            self.stdout.write(f"  {source} → {target}: {n:,} labels and votes")
        for label, n in found.asked_again:
            self.stdout.write(f"  {label or 'not agreed on yet'}: {n:,} asked again; what was said is kept")
        if not found.is_new:
            self.stdout.write("Nothing differs from the version that was loaded last.")
        elif not options["yes"]:
            self.stdout.write("Nothing was changed. Do it with --yes.")
        else:
            version, done = versions.load(declaration, renamed=renamed, asked_again=again, actor=actor)
            told = "Kept as" if done.is_new else "Somebody else was faster: it is"
            self.stdout.write(self.style.SUCCESS(f"{told} {version}") + f" ({version.content_hash}).")

    def _list(self, options: dict[str, Any]) -> None:
        for one in all_questions():
            n = Label.objects.filter(question=one.name).count()
            self.stdout.write(f"{one.name}: {one.title}; {', '.join(one.labels)}; {n:,} labels{_version_of(one)}")


def _told(declaration: Declaration) -> str:
    answers = ", ".join(f"{one.value} ({one.hotkey})" if one.hotkey else one.value for one in declaration.keyed())
    return (
        f"{declaration.title}, about a {declaration.about}, {'several of' if declaration.multiple else 'one of'} "
        f"{answers}{_told_of_models(declaration)}"
    )


def _told_of_models(declaration: Declaration) -> str:
    return "" if subject_of(declaration.about).is_readable else "; answered by people only, no model reads it"


def _version_of(one: object) -> str:
    if not isinstance(one, DeclaredQuestion):
        return "; code"
    before = versions.latest(one.name)
    if before is None:
        return "; declared, not loaded yet"
    is_same = before.content == versions.content_of(one.declaration)
    return f"; declared, version {before.number}{'' if is_same else ', and its file says something else since'}"
