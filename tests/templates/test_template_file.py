"""Templates as files: they read back unchanged, and invalid ones are refused."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pitasker_core.base.errors import InvalidSyntax, ParseError
from pitasker_core.templates.catalogue import FOLDER, built_in_templates
from pitasker_core.templates.checking import check_template
from pitasker_core.templates.model import Guard, Kind, Parameter, Template
from pitasker_core.templates.template_file import LARGEST_FILE, read_template, write_template

PATH = Parameter("folder", Kind.PATH, "Folder", "/srv")
PLAIN = Template("mine", "Mine", "My own.", "@daily", "/bin/job {{folder}}", parameters=(PATH,))
HEAD = "format: pitasker-template\nversion: 1\n"
REST = "name: mine\ntitle: Mine\nsummary: x\nschedule: '@daily'\ncommand: /bin/job\n"


@pytest.mark.parametrize("as_json", [False, True], ids=["yaml", "json"])
@pytest.mark.parametrize("template", built_in_templates(), ids=lambda template: template.name)
def test_a_template_reads_back_as_what_it_was(template, as_json):
    assert read_template(write_template(template, as_json=as_json).encode()) == template


@given(
    title=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=100),
    summary=st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")),
    as_json=st.booleans(),
)
@example(title="x", summary="\x85", as_json=False)
def test_any_words_of_a_template_read_back(title, summary, as_json):
    template = replace(PLAIN, title=title, summary=summary, task_name="x", notes=summary)
    assert read_template(write_template(template, as_json=as_json).encode()) == template


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_with_a_reason(data):
    with pytest.raises((ParseError, InvalidSyntax)):
        read_template(data)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_file_has_the_name_of_its_template(file):
    assert read_template(file.read_bytes()).name == file.stem


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + REST + "run: rm -rf /\n", "Line 8: a template has no key 'run'"),
        (HEAD + REST + "parameters:\n  x: {kind: path, label: x, default: /x, eval: y}\n",
         "Line 9: the parameter 'x' has no key 'eval'"),
        (HEAD + REST + "parameters:\n  x: {kind: code, label: x, default: y}\n",
         "Line 9: kind must be one of path, time, number, text, choice"),
        (HEAD + REST + "guards:\n  - sudo: x\n", "Line 9: a guard has no key 'sudo'"),
        (HEAD + REST + "guards:\n  - {lock: x, online: y}\n", "Line 9: a guard has one key"),
        (HEAD + "name: x\n", "Line 1: title is missing"),
        ("format: other\nversion: 1\n" + REST, "Line 1: the format is 'other'"),
        ("format: pitasker-template\nversion: 9\n" + REST, "Line 2: this is version 9"),
        (HEAD + REST + "recordRuns: 5\n", "Line 8: recordRuns must be true or false"),
        ("x: &a [1]\ny: *a\n", "Line 1: anchors"),
        (" " * (LARGEST_FILE + 1), "at most 64,000 bytes"),
        ('{"format": "pitasker-template"', "Line 1: "),
    ],
)  # fmt: skip
def test_a_file_that_is_no_template_is_refused_with_its_line(text, message):
    with pytest.raises(ParseError, match=re.escape(message)):
        read_template(text.encode())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Mine"}, "small letters"),
        ({"name": "../x"}, "small letters"),
        ({"title": ""}, "title"),
        ({"command": "/bin/job {{other}}"}, "no parameter 'other'"),
        ({"command": "/bin/job"}, "'folder' is not used"),
        ({"command": "/bin/job '{{folder}}'"}, "cannot stand in quotes"),
        ({"command": '/bin/job "{{folder}}"'}, "cannot stand in quotes"),
        ({"command": "/bin/job `ls {{folder}}`"}, "cannot stand in quotes"),
        ({"command": "/bin/job \\{{folder}}"}, "cannot stand in quotes"),
        ({"command": "/bin/job%{{folder}}"}, "standard input"),
        ({"command": "/bin/job {{folder}}\nrm"}, "line break"),
        ({"command": "/bin/job {{folder}}%x", "guards": ((Guard.LOCK, "/x"),)}, "cannot have guar"),
        ({"guards": ((Guard.LOCK, "'{{folder}}'"),)}, "cannot stand in quotes"),
        ({"schedule": "{{folder}} * * *"}, "a path cannot stand in a schedule"),
        ({"schedule": "60 * * * *"}, "Minute must be 0 to 59"),
        ({"schedule": "0 0 31 2 *"}, "never comes"),
        ({"parameters": (replace(PATH, default="srv"),)}, "write the whole path"),
        ({"parameters": (replace(PATH, label=""),)}, "no label"),
        ({"parameters": (replace(PATH, options={"a": "b"}),)}, "a choice has options"),
        ({"parameters": (PATH, replace(PATH, name="Bad Name"))}, "cannot be the name"),
    ],
)
def test_a_template_that_makes_no_task_is_refused(change, message):
    with pytest.raises(InvalidSyntax, match=re.escape(message)):
        check_template(replace(PLAIN, **change))


def test_a_number_of_json_can_be_a_default():
    data = json.loads(write_template(PLAIN, as_json=True))
    data["parameters"]["folder"] = {"kind": "number", "label": "N", "default": 5}
    assert read_template(json.dumps(data).encode()).parameters[0].default == "5"
