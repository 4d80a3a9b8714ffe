"""The plugin that pytest loads first: the session's servers are there before pytest-django reads the settings they are in."""

from __future__ import annotations

from tests import servers

servers.start()
