"""A job's output as a terminal would show it, as inert HTML. Pure.

Colours and styles (ECMA-48, "Select Graphic Rendition") become classes. A line that overwrites
itself, as a progress bar does, shows its last state. All other control sequences are removed.
Characters that are invisible or reverse the text are shown by name.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import groupby

from pitasker_core.base.text import visible

_ESCAPES = re.compile(
    "\x1b\\[([0-9:;<=>?]*)[ -/]*([@-~])"  # a control sequence: a colour, a move, …
    "|\x1b[\\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\\\)?"  # a title, a link, …
    "|\x1b[ -/]*[0-~]"
)
_CONTROLS = re.compile("([\r\b])")


@dataclass(frozen=True)
class Style:
    """The look of text. A colour is a number from 0 to 15, or `#rrggbb`."""

    ink: int | str | None = None
    paper: int | str | None = None
    marks: frozenset[str] = frozenset()
    """A subset of b(old), d(im), i(talic), u(nderlined), s(truck) and r(eversed)."""


Line = list[tuple[str, Style]]
"""Pieces of text, each with its style."""

_NORMAL = Style()
_ON = {1: "b", 2: "d", 3: "i", 4: "u", 7: "r", 9: "s"}
_OFF = {22: "bd", 23: "i", 24: "u", 27: "r", 29: "s"}


def lines(output: bytes) -> list[Line]:
    """Return the lines of an output. Bytes that are not UTF-8 become `\ufffd`."""
    text = output.decode("utf-8", "replace").replace("\r\n", "\n")
    style = _NORMAL
    drawn = []
    for line in text.removesuffix("\n").split("\n") if text else []:
        pieces: list[tuple[str, Style]] = []
        end = 0
        for escaped in _ESCAPES.finditer(line):
            pieces.append((line[end : escaped.start()], style))
            end = escaped.end()
            if escaped[2] == "m" and not escaped[1].startswith(("<", "=", ">", "?")):
                style = _after(style, escaped[1])
            elif escaped[2] == "K" and escaped[1] in ("", "0"):
                pieces.append((_ERASE, style))
        pieces.append((line[end:], style))
        drawn.append([(visible(text), look) for text, look in _written_over(pieces) if text])
    return drawn


def text(output: bytes) -> str:
    """Return an output without its colours, for comparing."""
    return "".join(f"{words(line)}\n" for line in lines(output))


def words(line: Line) -> str:
    """Return a line without its colours."""
    return "".join(text for text, _ in line)


def html(numbered: Sequence[tuple[int, Line]], find: str = "", *, numbers: bool = False) -> str:
    """Return lines as HTML with matches marked. It has only `pre`, `span` and `mark`."""
    drawn = []
    for number, line in numbered:
        at = f'<span class="n">{number}</span>' if numbers else ""
        pieces = (_piece(text, look, hit) for text, look, hit in _marked(line, find))
        drawn.append(at + "".join(pieces))
    body = "\n".join(drawn)
    return f'<pre class="printed">{body}</pre>'


def with_words(all_lines: Sequence[Line], find: str) -> list[tuple[int, Line]]:
    """Return the lines that contain a text, with their numbers; all lines for an empty text."""
    term = find.casefold()
    return [
        (number, line)
        for number, line in enumerate(all_lines, 1)
        if not term or term in words(line).casefold()
    ]


PALETTE = (
    ("#3b4048", "#8b929c"),
    ("#c2352a", "#f2766b"),
    ("#2b7a2e", "#7ec982"),
    ("#866700", "#e3c268"),
    ("#2d62b3", "#79a9f0"),
    ("#8e3fa0", "#d18fe0"),
    ("#10767f", "#6fcbd3"),
    ("#646b78", "#d4d8de"),
)
"""The eight colours on a light page and on a dark page."""


def style_sheet() -> str:
    """Return the styles of the classes. Colours follow the page's theme, so all are readable."""
    rules = [
        ".printed {margin:0; padding:.6rem .8rem; max-height:60vh; overflow:auto; font-size:13px;"
        " line-height:1.45; white-space:pre-wrap; overflow-wrap:anywhere; tab-size:8;"
        " background:rgba(127,127,127,.09); border-radius:.5rem; unicode-bidi:isolate}",
        # Reversed, so that the last line stays in view while output comes.
        ".live {display:flex; flex-direction:column-reverse; max-height:20rem; overflow:auto}",
        ".live .printed {max-height:none}",
        ".printed mark {background:#f5c84b; color:#000}",
        ".printed .n {display:inline-block; min-width:3.5em; opacity:.75; user-select:none}",
        ".printed .b {font-weight:700} .printed .d {opacity:.75} .printed .i {font-style:italic}",
        ".printed .u {text-decoration:underline} .printed .s {text-decoration:line-through}",
    ]
    # Later rules win: text colours (f) override those of backgrounds (g).
    rules.append(
        ".printed .r {background:light-dark(#3b4048,#d4d8de); color:light-dark(#fff,#111)}"
    )
    for number, (light, _) in enumerate(PALETTE):
        for at in (number, number + 8):
            rules.append(f".printed .g{at} {{background:{light}; color:#fff}}")
    for number, (light, dark) in enumerate(PALETTE):
        for at in (number, number + 8):
            rules.append(f".printed .f{at} {{color:light-dark({light},{dark})}}")
    return f"<style>{' '.join(rules)}</style>"


_ERASE = "\0erase"
"""Marks "erase to the end of the line". No text equals it: NULs are replaced."""


def _written_over(pieces: list[tuple[str, Style]]) -> list[tuple[str, Style]]:
    """Return a line's pieces after carriage returns, backspaces and erasing."""
    if not any(text == _ERASE or _CONTROLS.search(text) for text, _ in pieces):
        return pieces
    cells: list[tuple[str, Style]] = []
    at = 0
    for text, style in pieces:
        if text == _ERASE:
            del cells[at:]
            continue
        for char in text:
            if char == "\r":
                at = 0
            elif char == "\b":
                at = max(0, at - 1)
            else:
                cells[at : at + 1] = [(char, style)]
                at += 1
    return [
        ("".join(char for char, _ in same), style)
        for style, same in groupby(cells, lambda cell: cell[1])
    ]


def _after(style: Style, parameters: str) -> Style:
    """Return the style after a control sequence. `1;31` is bold and red."""
    # No code has more than five digits, and `int` refuses thousands of digits.
    codes = iter([int(word[-5:] or 0) for word in re.split("[;:]", parameters)])
    for code in codes:
        if code == 0:
            style = _NORMAL
        elif code in _ON:
            style = replace(style, marks=style.marks | {_ON[code]})
        elif code in _OFF:
            style = replace(style, marks=style.marks - set(_OFF[code]))
        elif code in (38, 48):
            colour = _mixed(codes)
            style = replace(style, ink=colour) if code == 38 else replace(style, paper=colour)
        elif code == 39:
            style = replace(style, ink=None)
        elif code == 49:
            style = replace(style, paper=None)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style = replace(style, ink=code - 30 if code < 90 else code - 82)
        elif 40 <= code <= 47 or 100 <= code <= 107:
            style = replace(style, paper=code - 40 if code < 100 else code - 92)
    return style


def _mixed(codes: Iterator[int]) -> int | str | None:
    """Return a colour of xterm's 256 (`5;n`) or an RGB colour (`2;r;g;b`)."""
    kind = next(codes, 0)
    if kind == 2:
        return _hex(*(next(codes, 0) for _ in range(3)))
    number = next(codes, 0)
    if kind != 5 or number > 255:
        return None
    if number < 16:
        return number
    if number >= 232:
        return _hex(*[8 + 10 * (number - 232)] * 3)
    steps = (0, 95, 135, 175, 215, 255)
    number -= 16
    return _hex(steps[number // 36], steps[number // 6 % 6], steps[number % 6])


def _hex(*parts: int) -> str:
    return "#" + "".join(f"{min(part, 255):02x}" for part in parts)


def _marked(line: Line, find: str) -> Iterator[tuple[str, Style, bool]]:
    """Yield the pieces of a line, split at the matches, and whether each piece matches."""
    cuts: list[tuple[int, int]] = []
    if find:
        cuts = [m.span() for m in re.finditer(re.escape(find), words(line), re.IGNORECASE)]
    at = 0
    next_cut = 0
    for text, style in line:
        begin = 0
        while next_cut < len(cuts) and cuts[next_cut][0] < at + len(text):
            cut_start, cut_end = cuts[next_cut]
            start, end = max(cut_start - at, begin), min(cut_end - at, len(text))
            yield text[begin:start], style, False
            yield text[start:end], style, True
            begin = end
            if cut_end > at + len(text):
                break  # the match continues in the next piece
            next_cut += 1
        yield text[begin:], style, False
        at += len(text)


def _piece(text: str, style: Style, hit: bool) -> str:
    if not text:
        return ""
    body = f"<mark>{escape(text)}</mark>" if hit else escape(text)
    ink, paper = style.ink, style.paper
    classes = sorted(style.marks - {"r"})
    if "r" in style.marks:
        ink, paper = paper, ink
        if paper is None:
            classes.append("r")
    mixed = []
    for letter, what, colour in (("f", "color", ink), ("g", "background", paper)):
        if isinstance(colour, int):
            classes.append(f"{letter}{colour}")
        elif colour:
            mixed.append(f"{what}:{colour}")
    if not (classes or mixed):
        return body
    names = ' class="' + " ".join(classes) + '"' if classes else ""
    look = ' style="' + ";".join(mixed) + '"' if mixed else ""
    return f"<span{names}{look}>{body}</span>"
