"""How the examples of documents are read and compared."""

from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.documents import Block, read_anchors, read_blocks, read_examples
from tests.helpers.example_session import Call, compare, read_call, render_json

TAG, OTHER = "7c0e0000-0000-4000-8000-000000000001", "7c0e0000-0000-4000-8000-000000000002"


def test_another_answer_is_noticed():
    assert compare("1 imported\n", "2 imported\n") is None
    assert compare("1 imported\n", "1 imported\nand more\n") is None


def test_times_and_measures_may_differ():
    shown = '2026-01-31 12:00:00  0.1 s\n"durationMs": 1.5\nFri 27 Nov 2026 07:30 UTC\n'
    real = '2027-02-01 01:02:03  12.5 s\n"durationMs": 2\nMon 30 Nov 2026 09:00 CET\n'
    assert compare(shown, real) == {}


def test_real_ids_are_learnt():
    assert compare(f"true # PITASKER_ID:{TAG}\n", f"true # PITASKER_ID:{OTHER}\n") == {TAG: OTHER}


def test_an_ellipsis_stands_for_lines_or_for_text_in_a_line():
    assert compare("a\n…\nd\n", "a\nb\nc\nd\n") == {}
    assert compare("a … d\n", "a b c d\n") == {}
    assert compare("a … d\n", "a b\nc d\n") is None


@given(st.text(st.characters(exclude_characters="…\r"), max_size=60))
def test_an_answer_equals_itself(answer):
    assert compare(answer, answer) is not None


def test_a_command_goes_on_after_a_backslash_and_within_quotes():
    block = Block("console", "$ a \\\n  b\nout\n$ c 'd\ne'\n$ f\n", 0, 0)
    examples = [(example.command, example.shown) for example in read_examples(block)]
    assert examples == [("a \\\n  b", "out\n"), ("c 'd\ne'", ""), ("f", "")]


def test_json_is_broken_only_where_it_is_long():
    assert render_json({"a": [1, 2]}) == '{"a": [1, 2]}'
    assert render_json({"a": "x" * 90, "b": []}).splitlines()[-2:] == ['  "b": []', "}"]


def test_blocks_and_anchors_are_found():
    page = "# One, two\n\n```sh run\n# no heading\n```\n\n## One, two\n"
    assert [(block.info, block.text) for block in read_blocks(page)] == [
        ("sh run", "# no heading\n")
    ]
    assert read_anchors(page) == {"one-two", "one-two-1"}


def test_a_call_has_words_variables_and_a_file():
    assert read_call("./pitasker list") == Call(["list"], {}, None)
    assert read_call("A=b ./pitasker raw get > x") == Call(["raw", "get"], {"A": "b"}, "x")
    assert read_call("./pitasker add A @daily 'true > x'") == Call(
        ["add", "A", "@daily", "true > x"], {}, None
    )


def test_what_needs_a_shell_is_no_call():
    for command in ("crontab -l", "echo x | ./pitasker password", "./pitasker backup $(date).x"):
        assert read_call(command) is None
