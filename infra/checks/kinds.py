"""`python3 -m checks.kinds`: writes into template.yaml what each receiver kind needs that has nothing there yet.

Invariant: a new kind gets what MODEL has, line by line: a resource of MODEL's own is copied under the new name, and where
every kind is listed, the new one is listed too. What is there already is left as it is.
"""

import re
import sys
from pathlib import Path

from .repository import Repository

INFRA = Path(__file__).resolve().parent.parent

# The kind that is copied, which has no secret of its own in the layer's config, and the one that stands before it in lists.
MODEL, BEFORE = "webhook", "linear"

RESOURCE = re.compile(r"  (\w+):\n?$")


def names(kind: str) -> tuple:
    """A kind in ids, in variables and in names."""
    return "".join(part.capitalize() for part in kind.split("_")), kind.upper(), kind


def renamed(line: str, old: str, new: str) -> str:
    for own, other in zip(names(old), names(new)):
        line = re.sub(rf"(?<![A-Za-z]){own}(?![a-z])|(?<=Deliver){own}(?![a-z])", other, line)
    return line


def blocks(lines: list) -> list:
    """The template in pieces: each resource is one, and what stands between two."""
    found = [[]]
    for line in lines:
        between = line.startswith("  #") or not line.strip()
        if between or RESOURCE.match(line) or not line.startswith(" "):
            found.append([])
        found[-1].append(line)
    return found


def owner(block: list, kinds: list) -> str | None:
    """Whose resource it is."""
    match = RESOURCE.match(block[0])
    of = [kind for kind in kinds if match and re.match(rf"(Deliver)?{names(kind)[0]}(?![a-z])", match[1])]
    # The longest: another's name may go on where one ends.
    return max(of, key=len, default=None)


def listed(block: list, at: int) -> bool:
    """True for a line where every kind has one of its own."""
    line = block[at]
    return at > 0 and renamed(line, MODEL, BEFORE) != line and block[at - 1] == renamed(line, MODEL, BEFORE)


def grown(block: list, new: str, others: list, is_copy: bool) -> list:
    """A block with the new kind in its lists; in a copy, the model's own lines are the new kind's."""
    lines, late = [], None
    for at, line in enumerate(block):
        # Behind those that came before it.
        if late and not any(line == renamed(block[late[0]], MODEL, other) for other in others):
            lines.append(late[1])
            late = None
        if listed(block, at):
            late = (at, renamed(line, MODEL, new))
            lines.append(line)
        else:
            lines.append(renamed(line, MODEL, new) if is_copy else line)
    return lines + ([late[1]] if late else [])


def with_kind(text: str, new: str, others: list) -> str:
    """The template with one more kind; `others` are those that came after the model before."""
    made, copies = [], []
    for block in filter(None, blocks(text.splitlines(keepends=True))):
        whose = owner(block, [MODEL, *others])
        if copies and whose is None:
            made += copies
            copies = []
        if whose == MODEL:
            # As far from what stands before it as the model's.
            copies += [made[-1]] if made and made[-1] == ["\n"] else []
            copies.append(grown(block, new, others, True))
        made.append(grown(block, new, others, False))
    return "".join(line for block in made + copies for line in block)


def complete(text: str, kinds: list) -> tuple:
    """The template with all of them, and those that it lacked."""
    lacking = [kind for kind in kinds if f"\n  {names(kind)[0]}Queue:\n" not in text]
    others = [kind for kind in kinds[kinds.index(MODEL) + 1 :] if kind not in lacking]
    for kind in lacking:
        text = with_kind(text, kind, others)
        others.append(kind)
    return text, lacking


def main() -> int:
    path = INFRA / "template.yaml"
    text, lacking = complete(path.read_text(), Repository(INFRA.parent).kinds())
    path.write_text(text)
    print(f"template.yaml: {', '.join(lacking) or 'nothing'} added")
    return 0


if __name__ == "__main__":
    sys.exit(main())
