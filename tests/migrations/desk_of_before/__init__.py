"""Fills a desk of commit 6c052e0 as one that lived, and dumps it: the program that made `desk_6c052e0.sql.xz`.

It is kept so that everybody can see what is in the dump. It runs in a checkout of that commit alone, with its code:

    git worktree add ../before 6c052e0 && cp -r tests/migrations/desk_of_before ../before/ && cd ../before
    python -m desk_of_before FOLDER
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

ROOT = Path(tempfile.mkdtemp(prefix="desk-"))
os.environ |= {
    "ECOMSITE_VAR": str(ROOT / "var"),
    "SECRET_KEY": "only-for-a-dump-0123456789-0123456789-0123456789-abcdef",
    "LABEL_STUDIO_WEBHOOK_SECRET": "only-for-a-dump",
    "WEBHOOKS_ALLOW_PRIVATE": "1",
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "DJANGO_SETTINGS_MODULE": "tests.settings",
}
