"""Where in a file of YAML something stands, so that a mistake can be told with its line."""

from __future__ import annotations

import yaml


def line_of(node: yaml.Node | None, place: tuple[int | str, ...]) -> int:
    """Return the line, from 1, of what stands at `place` below `node`, or of the nearest thing around it."""
    line = 1 if node is None else node.start_mark.line + 1
    for step in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(step)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line
