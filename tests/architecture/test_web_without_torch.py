"""The web process stays light: everything it imports, with every URL resolved, brings in no ML stack."""

from __future__ import annotations

import json
import os
import subprocess
import sys

PROGRAM = """
import json, sys
import ecomsite.asgi
from django.urls import get_resolver

def walk(patterns):
    for pattern in patterns:
        walk(pattern.url_patterns) if hasattr(pattern, "url_patterns") else pattern.callback
walk(get_resolver().url_patterns)
heavy = {"torch", "transformers", "peft", "trl", "cleanlab", "sklearn", "scipy", "pandas", "numpy", "safetensors"}
print(json.dumps(sorted(heavy & set(sys.modules))))
"""


def test_the_web_process_imports_no_ml_stack() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "ecomsite.settings"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []
