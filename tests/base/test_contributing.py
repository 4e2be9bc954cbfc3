"""The files and commands in CONTRIBUTING.md exist."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
TEXT = (PROJECT / "CONTRIBUTING.md").read_text()
NAMED = sorted(
    set(
        re.findall(
            r"[`\s]((?:tests|pages|pitasker_core|docs|\.ci)/[\w./]*\w/?|\w+\.toml)[`\s]", TEXT
        )
    )
)


@pytest.mark.parametrize("name", NAMED)
def test_every_path_that_it_names_exists(name):
    path = PROJECT / name
    assert path.is_dir() if name.endswith("/") else path.is_file() or path.is_dir()


def test_the_checks_of_why_are_in_the_files_that_it_names():
    recipe = TEXT.split("### Add a check to")[1].split("###")[0]
    for name in re.findall(r"`(\w+\.py)`", recipe):
        assert "CHECKS: Checks = {" in (PROJECT / "pitasker_core/runs/why" / name).read_text()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("TaskValues", "pitasker_core/tasks/model.py"),
        ("TaskRow", "pitasker_core/database/tables.py"),
        ("Facts", "pitasker_core/runs/why/facts.py"),
        ("NoticeKind", "pitasker_core/database/notices.py"),
    ],
)
def test_a_class_is_in_the_file_that_it_names(name, file):
    assert f"`{name}`" in TEXT
    assert f"`{file}`" in TEXT
    assert f"class {name}" in (PROJECT / file).read_text()
