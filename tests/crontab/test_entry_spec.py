"""The check of an entry gives all reasons at once, and agrees with writing it."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.crontab.document import parse
from pitasker_core.crontab.draft import Draft
from pitasker_core.crontab.entry_spec import EntrySpec, check_entry
from pitasker_core.crontab.recording import PLAIN, Recorder, Recording
from pitasker_core.crontab.rejection import refuse

TAG = UUID("3f8c1d52-7a44-4e0b-9b1e-5d2c8f6a9e01")
GOOD = EntrySpec("Backup", "0 5 * * *", "/bin/backup", TAG)
RECORDER = Recorder("/home/pi/pitasker-recorder", 7)

names = st.sampled_from(["Backup", "", " a", "two\nlines", "x" * 201, f"# PITASKER_ID:{TAG}"])
schedules = st.sampled_from(
    ["0 5 * * *", "@daily", "61 * * * *", "", "1-5-9 * * * *", "0\n5 * * *"]
)
commands = st.sampled_from(
    ["/bin/a", "", " a", "* a", "=x", "echo 'open", "a \\", "cat%in", "a\rb", "x" * 990, "é" * 400]
)
specs = st.builds(
    EntrySpec,
    names,
    schedules,
    commands,
    st.just(TAG),
    st.booleans(),
    st.sampled_from([PLAIN, Recording(True), Recording(True, 60, True)]),
    st.just(RECORDER),
)
texts = st.sampled_from(["", "SHELL=/usr/bin/fish\n", "SHELL=/usr/bin/python3\n", "@daily x\n"])


@given(specs, texts)
@settings(max_examples=150, deadline=None)
def test_the_check_says_what_writing_says(spec, text):
    document = parse(text)
    assert check_entry(spec, document) == Draft(document).add(spec)


@given(specs, texts)
@settings(max_examples=150, deadline=None)
def test_an_entry_that_is_refused_leaves_the_draft_as_it_was(spec, text):
    draft = Draft(parse(text))
    if draft.add(spec):
        assert draft.done() is parse(text)


def test_every_wrong_field_has_its_reason():
    spec = replace(GOOD, name="", schedule="61 * * * *", command="")
    rejections = check_entry(spec, parse(""))
    assert [rejection.field for rejection in rejections] == ["name", "schedule", "command"]
    with pytest.raises(InvalidSyntax, match=r"needs a name\. Minute must be .* needs a command\."):
        refuse(rejections)


def test_a_command_that_only_the_recorder_makes_too_long_is_refused_for_its_recording():
    spec = replace(GOOD, command="x" * 940, recording=Recording(True), recorder=RECORDER)
    [rejection] = check_entry(spec, parse(""))
    assert (rejection.field, "too long" in rejection.message) == ("recording", True)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"schedule": "5-1 * * * *"}, "schedule"),
        ({"recording": Recording(False, 0)}, "recording"),
        ({"recording": Recording(True, 10**7)}, "recording"),
    ],
)
def test_what_cron_accepts_and_nobody_means_is_refused_only_when_it_is_new(changes, field):
    spec = replace(GOOD, **changes)
    assert [rejection.field for rejection in check_entry(spec, parse(""), is_new=True)] == [field]
    if field == "schedule":
        assert check_entry(spec, parse("")) == []


def test_an_entry_that_says_it_already_keeps_its_bytes():
    document = parse(f"\t0 5 * * *  /bin/backup # PITASKER_ID:{TAG} by hand\n")
    draft = Draft(document)
    assert draft.put(replace(GOOD, name=None), 0) == []
    assert draft.done() is document


def test_the_same_text_is_read_once():
    assert parse("@daily a\n") is parse("@daily " + "a\n")
