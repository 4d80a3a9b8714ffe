"""The page of one task: Label Studio's own editor, alone, with what the desk says is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

STATIC = Path(__file__).with_name("static")
OWN_FILES = {
    "/door/editor.js": ("text/javascript; charset=utf-8", STATIC / "editor.js"),
    "/door/keys.js": ("text/javascript; charset=utf-8", STATIC / "keys.js"),
    "/door/editor.css": ("text/css; charset=utf-8", STATIC / "editor.css"),
}
# Pictures of products come from the shop, wherever that is; the editor fetches them. Nothing else comes from elsewhere.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "img-src 'self' data: blob: https: http:; connect-src 'self' data: blob: https: http:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-src 'none'; frame-ancestors {console}"
)
_TASK = """<!doctype html>
<html lang="en" data-color-scheme="light">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/react-app/main.css">
<link rel="stylesheet" href="/door/editor.css?v={version}">
{ahead}
</head>
<body>
<main id="task" aria-busy="true"><h1 class="door-hidden">{title}</h1>
<p id="door-note" role="status">Loading the task …</p>
<div id="label-studio"></div></main>
<script type="application/json" id="door-shown">{shown}</script>
<script src="/door/keys.js?v={version}"></script>
<script src="/door/editor.js?v={version}"></script>
<script src="/react-app/runtime.js"></script>
<script src="/react-app/vendor.js"></script>
</body>
</html>
"""
_REFUSAL = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/door/editor.css?v={version}">
</head>
<body><main class="door-refusal"><h1>{title}</h1><p>{words}</p>
<p><a href="{console}" target="_top">Back to the desk</a></p></main></body>
</html>
"""
# Of the door's own files; goes up with them.
VERSION = "1"
# Asked for at once, and not one after the other as they find out that they need each other.
_AHEAD = "\n".join(
    f'<link rel="preload" as="script" href="/react-app/{name}.js">' for name in ("main", "594", "288", "358")
)
WORDS = {
    "no_lease": (
        "This task is not yours at the moment: it was never handed to you, you let go of it, or its time ran out."
    ),
    "token": "This way in works once, and for half a minute. Open the task from the desk again.",
    "used": "This way in works once, and for half a minute. Open the task from the desk again.",
    "no_pass": "Tasks are opened from the desk.",
    "signed_out": "You are not signed in to the desk any more.",
    "no_account": "You have no account in Label Studio yet; one is made within a minute or so. Try again then.",
    "desk_away": "The desk does not answer, so nobody can say whose task this is. Try again in a moment.",
    "label_studio_away": "Label Studio does not answer. Try again in a moment.",
}


def task_page(shown: Mapping[str, Any]) -> bytes:
    """Return the page of a task; `shown` is what `editor.js` reads."""
    # In a script element that is data nothing ends but `</`, and nothing begins but `<!--`.
    text = json.dumps(shown).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    title = _escaped(str(shown.get("title") or "Task"))
    return _TASK.format(shown=text, title=title, version=VERSION, ahead=_AHEAD).encode()


def refusal_page(reason: str, *, console: str) -> bytes:
    """Return a page that says why, and the way back."""
    words = WORDS.get(reason, "This is not open here.")
    return _REFUSAL.format(title="Not here", words=words, console=_escaped(console), version=VERSION).encode()


def policy(console: str) -> str:
    """Return the content security policy of the door's pages: the console alone may frame them."""
    return _POLICY.format(console=console)


def _escaped(text: str) -> str:
    for mark, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(mark, name)
    return text
