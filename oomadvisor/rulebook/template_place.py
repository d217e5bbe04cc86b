"""Where in a rule file a place of a template stands."""

from oomadvisor.rulebook.errors import Mark, Spot
from oomadvisor.rulebook.yaml_nodes import Scalar


def text_in_source(node: Scalar, text: str) -> Mark:
    """Return the position of ``text`` (on one line) within ``node``, or that of the node itself."""
    for number in range(node.mark.line, node.end.line + 1):
        column = node.source.line(number + 1).find(text, node.mark.column if number == node.mark.line else 0)
        if column >= 0:
            return Spot(number, column)
    return node.mark


def place_in_source(node: Scalar, place: int) -> Mark:
    """Return the position of the ``place``-th ``{{`` of the text that ``node`` holds, or that of the node itself.

    YAML folds, unfolds and unindents text, but leaves the braces alone: they are counted in the file as it is.
    """
    seen = -1
    for number in range(node.mark.line, node.end.line + 1):
        line = node.source.line(number + 1)
        start = node.mark.column if number == node.mark.line else 0
        stop = node.end.column if number == node.end.line else len(line)
        column = line.find("{{", start, stop)
        while column >= 0:
            seen += 1
            if seen == place:
                return Spot(number, column)
            column = line.find("{{", column + 1, stop)
    return node.mark
