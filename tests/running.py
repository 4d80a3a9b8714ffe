"""How the suite is run: what takes long first, the Label Studio tests of a file in one process, and what took too long is named."""

from __future__ import annotations

import pytest

SLOW_S = 20
# Each process tells all ids to the first, and has each in its environment while the test runs: one was of eight million.
LONGEST_VALUE = 100


def arrange(items: list[pytest.Item]) -> None:
    """Have the Label Studio tests of a file run in one process, and the longest begin first, so that none is waited for last.

    Each process has a Label Studio; what stands before it is started once for each file.

    Raises `pytest.UsageError` for a test that is marked `slow` and does not say what for.
    """
    for item in items:
        if "label_studio_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
        marker = item.get_closest_marker("slow")
        if marker and not (marker.args and isinstance(marker.args[0], str)):
            raise pytest.UsageError(f"{item.nodeid} is marked slow without a reason")
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def id_of(value: object, name: str) -> str | None:
    """Return the id of a test's parameter where its value is too long for one; None: pytest may make it."""
    if isinstance(value, str | bytes) and len(value) > LONGEST_VALUE:
        return f"{name} of {len(value)}"
    return None


def nodeid_of(item: pytest.Item) -> str:
    """Return the id of a test as it is in a process alone: pytest-xdist adds the group."""
    marker = item.get_closest_marker("xdist_group")
    return item.nodeid.removesuffix(f"@{marker.args[0]}") if marker else item.nodeid


class Overlong:
    """Names at the end the tests that took over 20 s and are not marked `slow`: a remark, as the machine may be busy."""

    def __init__(self) -> None:
        self.found: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.duration > SLOW_S and "slow" not in report.keywords:
            self.found[report.nodeid] = report.duration

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.found:
            terminalreporter.section(f"over {SLOW_S} s without the marker slow (docs/testing.md)")
        for nodeid, seconds in sorted(self.found.items(), key=lambda row: -row[1]):
            terminalreporter.line(f"{seconds:6.1f} s  {nodeid}")
