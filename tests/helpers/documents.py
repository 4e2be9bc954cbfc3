"""The documents: their pages, blocks, examples and links."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
PAGES = [
    *(PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted(DOCS.glob("*.md")),
]

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block. `start` and `end` enclose its text in the page."""

    info: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Example:
    """A command, and the answer that the page shows; None if it shows none."""

    command: str
    shown: str | None


def read_blocks(page: str) -> list[Block]:
    return [Block(m["info"], m["text"], *m.span("text")) for m in _FENCE.finditer(page)]


def without_blocks(page: str) -> str:
    return _FENCE.sub("", page)


def read_examples(block: Block) -> list[Example]:
    """The commands of a block: behind `$ ` in ```console, each line in ```sh run.

    A command goes on in the next line after a backslash, and within quotes.
    """
    if block.info == "sh run":
        lines = block.text.replace("\\\n", "").splitlines()
        return [Example(line, None) for line in lines if line and not line.startswith("#")]
    examples = []
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines(keepends=True)
        length = 1
        while _goes_on("".join(lines[:length])) and length < len(lines):
            length += 1
        examples.append(Example("".join(lines[:length]).rstrip("\n"), "".join(lines[length:])))
    return examples


def _goes_on(command: str) -> bool:
    try:
        shlex.split(command)
    except ValueError:  # an open quote
        return True
    return command.endswith("\\\n")


def read_commands(page: str) -> Iterator[str]:
    """All commands of `./pitasker` in a page: in blocks, indented lines and text."""
    whole = page.replace("\\\n", " ")
    for match in re.finditer(r"^(?:    )?(?:\$ )?(\./pitasker(?: .*)?)$", whole, re.MULTILINE):
        yield match[1]
    for match in re.finditer(r"`(\./pitasker [^`]*)`", without_blocks(whole).replace("\n", " ")):
        yield match[1]


def read_links(page: str) -> list[str]:
    """The targets of all links and pictures that are not addresses of the web."""
    targets = re.findall(r"\]\(([^)\s]+)\)", without_blocks(page))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def read_anchors(page: str) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    anchors: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", without_blocks(page), re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        number = 0
        anchor = plain
        while anchor in anchors:
            number += 1
            anchor = f"{plain}-{number}"
        anchors.add(anchor)
    return anchors
