"""Label quality on real votes and labels: runs the parts that are named, or all of them.

A part is a file `label_quality_<part>.py` beside this one, which also runs by itself; options are handed to it.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
from pathlib import Path

PARTS = {path.stem.removeprefix("label_quality_"): path for path in Path(__file__).parent.glob("label_quality_*.py")}


def main() -> int:
    about = "\n".join(
        f"  {name:12s} {(ast.get_docstring(ast.parse(path.read_text())) or '').splitlines()[0]}"
        for name, path in sorted(PARTS.items())
    )
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=f"parts:\n{about}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(sorted(PARTS))}; without, all")
    chosen, options = parser.parse_known_args()
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    commands = [[sys.executable, str(PARTS[part]), *options] for part in chosen.parts or sorted(PARTS)]
    return max(subprocess.run(command, check=False).returncode for command in commands)


if __name__ == "__main__":
    sys.exit(main())
