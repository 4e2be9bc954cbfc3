"""A job's output on the page: coloured, searchable and inert."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pitasker_core.dashboard import terminal_output


class Seen(HTMLParser):
    """Parse HTML as a browser does: the tags, their attributes and the text."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text = set(), set(), ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}

    def handle_data(self, data):
        self.text += data


def drawn(output, find=""):
    return terminal_output.html(
        terminal_output.with_words(terminal_output.lines(output), find), find
    )


@pytest.mark.parametrize(
    ("printed", "looks"),
    [
        (b"plain", "plain"),
        (b"\x1b[31mred\x1b[0m", '<span class="f1">red</span>'),
        (b"\x1b[1;92mdone\x1b[m ok", '<span class="b f10">done</span> ok'),
        (b"\x1b[38;5;196mx", '<span style="color:#ff0000">x</span>'),
        (b"\x1b[38;5;3mx", '<span class="f3">x</span>'),
        (b"\x1b[48;2;1;2;300mx", '<span style="background:#0102ff">x</span>'),
        (b"\x1b[7mx", '<span class="r">x</span>'),
        (b"\x1b[7;31mx", '<span class="g1">x</span>'),
        (b"\x1b[4m\x1b[24mx", "x"),
        (b"\x1b[35ma\nb\x1b[39mc", '<span class="f5">a</span>\n<span class="f5">b</span>c'),
    ],
)
def test_colours_become_classes(printed, looks):
    assert drawn(printed) == f'<pre class="printed">{looks}</pre>'


@pytest.mark.parametrize(
    ("printed", "stands"),
    [
        (b"10%\r50%\r100%\n", "100%\n"),
        (b"long line\rshort\x1b[K\n", "short\n"),
        (b"ab\b\bX\n", "Xb\n"),
        (b"a\r\nb\r\n", "a\nb\n"),
        (b"\x1b]0;a title\x07text\n", "text\n"),
        (b"\x1b]8;;javascript:alert(1)\x1b\\link\x1b]8;;\x1b\\\n", "link\n"),
        (b"\x1b[2J\x1b[1;1Hx\x1b[?25l\n", "x\n"),
        (b"caf\xe9 \xc3\xa9\n", "caf\ufffd é\n"),
        (b"a\x00b\x07\n", "a\u2400b\u2407\n"),
        ("abc\u202ecba\u2066\n".encode(), "abc⟨U+202E⟩cba⟨U+2066⟩\n"),
        (b"", ""),
        (b"no line end", "no line end\n"),
    ],
)
def test_what_a_terminal_would_obey_is_carried_out_named_or_left_out(printed, stands):
    assert terminal_output.text(printed) == stands


@pytest.mark.parametrize(
    "printed",
    [
        b"</pre></script><script>alert(1)</script>",
        b'"><img src=x onerror=alert(1)>',
        b"\x1b[31m<b>\x1b[1m</b>&lt;",
        b"# heading\n**bold** [link](javascript:x) :material/home: $x$",
        b"\x1b[38;2;1;2;3;url(javascript:x)mx",
    ],
)
def test_what_was_printed_stays_text(printed):
    parser = Seen(terminal_output.html(list(enumerate(terminal_output.lines(printed), 1)), "a"))
    assert parser.tags <= {"pre", "span", "mark"}
    assert parser.attributes <= {"class", "style"}
    assert parser.text + "\n" == terminal_output.text(printed)


@given(st.binary(max_size=200), st.text(max_size=3))
def test_any_bytes_are_text_however_one_searches(printed, find):
    parser = Seen(terminal_output.html(list(enumerate(terminal_output.lines(printed), 1)), find))
    assert parser.tags <= {"pre", "span", "mark"}
    assert parser.text == terminal_output.text(printed).removesuffix("\n")


def test_what_is_looked_for_is_marked_across_colours():
    looks = 'an <span class="f1"><mark>er</mark></span><mark>ror</mark> here'
    assert drawn(b"fine\nan \x1b[31mer\x1b[0mror here\nfine", "ERROR") == (
        f'<pre class="printed">{looks}</pre>'
    )
