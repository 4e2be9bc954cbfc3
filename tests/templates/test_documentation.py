"""docs/templates.md and docs/formats.md are true."""

import re
import runpy
from pathlib import Path

import pytest

from pitasker_core.formats.fields import FIELDS
from pitasker_core.formats.icalendar_file import MOST_A_DAY, MOST_EVENTS, MOST_WEEKS, WEEKS
from pitasker_core.formats.record import LARGEST_FILE, MOST_RECORDS
from pitasker_core.formats.registry import Source, Target, read_tasks
from pitasker_core.templates.checking import MOST_OPTIONS, MOST_PARAMETERS
from pitasker_core.templates.model import Form, Guard, Kind
from pitasker_core.templates.own import MOST_TEMPLATES
from pitasker_core.templates.rendering import render
from pitasker_core.templates.template_file import _KEYS, read_template
from pitasker_core.templates.template_file import LARGEST_FILE as LARGEST_TEMPLATE

DOCS = Path(__file__).parents[2] / "docs"
TEMPLATES = (DOCS / "templates.md").read_text()
FORMATS = (DOCS / "formats.md").read_text()


def block(page, language):
    return re.search(rf"```{language}\n(.*?)```", page, re.DOTALL)[1]


def test_the_list_of_templates_is_that_of_today():
    # `PYTHONPATH=. .venv/bin/python docs/template_list.py` writes it.
    assert runpy.run_path(str(DOCS / "template_list.py"))["page"]() == TEMPLATES


def test_the_template_of_the_page_is_one():
    template = read_template(block(TEMPLATES, "yaml").encode())
    assert render(template, {}).command.endswith('rsync -a "$HOME"/ /mnt/nas/home/')


@pytest.mark.parametrize("word", sorted({*_KEYS, *Kind, *Form, *Guard, "folder", "file"}))
def test_each_word_of_the_schema_is_explained(word):
    assert re.search(rf"`{word}\b", TEMPLATES)


def test_the_limits_of_templates_are_those_of_the_page():
    for limit in (f"{LARGEST_TEMPLATE:,} bytes", f"be {MOST_TEMPLATES}.",
                  f"{MOST_PARAMETERS} parameters", f"{MOST_OPTIONS} options"):  # fmt: skip
        assert limit in TEMPLATES


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.key)
def test_each_field_of_a_file_is_explained(field):
    assert f"| `{field.key}` |" in FORMATS


@pytest.mark.parametrize("name", sorted({*Source, *Target}))
def test_each_format_is_in_the_table(name):
    row = re.search(rf"^\| `{name}` \| (yes)? ?\| (yes)? ?\|", FORMATS, re.MULTILINE)
    assert (row[1] == "yes", row[2] == "yes") == (name in set(Target), name in set(Source))


@pytest.mark.parametrize(
    ("language", "source"), [("yaml", Source.YAML), ("crontab", Source.CRONTAB)]
)
def test_the_files_of_the_page_are_read(language, source):
    file = read_tasks(block(FORMATS, language).encode(), source)
    assert [(record.name, record.record_runs) for record in file.records] == [
        ("Nightly backup", True)
    ]


def test_the_limits_of_files_are_those_of_the_page():
    for limit in (f"{LARGEST_FILE:,} bytes and {MOST_RECORDS:,} tasks", f"at most {MOST_WEEKS}",
                  f"more than {MOST_A_DAY} times", f"{MOST_EVENTS:,} events"):  # fmt: skip
        assert limit in FORMATS.replace("\n", " ")
    assert WEEKS == 4
