"""docs/architecture.md has every package, and files that exist."""

import re

import pytest

from tests.helpers.documents import DOCS, PROJECT

PAGE = (DOCS / "architecture.md").read_text()
PARTS = PAGE.split("## The parts")[1].split("```")[1]
CORE = PROJECT / "pitasker_core"
FILES = sorted(set(re.findall(r"`((?:\w+/)+\w+\.py)`", PAGE)))


def test_every_package_is_in_the_list():
    packages = {path.parent.name for path in CORE.glob("*/__init__.py")}
    assert set(re.findall(r"^  (\w+)/", PARTS, re.MULTILINE)) == packages


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_it_names_exists(name):
    assert (CORE / name).is_file() or (PROJECT / name).is_file()
