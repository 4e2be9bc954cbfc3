"""docs/architecture.md has every package, and files that exist."""

import re
import tomllib

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


def test_no_module_lies_loose_at_the_top_of_the_core():
    assert {path.name for path in CORE.glob("*.py")} == {"__init__.py", "__main__.py"}


def test_every_package_has_a_layer_and_every_function_of_the_core_a_limit():
    tools = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]
    layers = next(c for c in tools["importlinter"]["contracts"] if c["type"] == "layers")
    assert (layers["exhaustive"], layers["exhaustive_ignores"]) == (True, ["__main__"])
    lint = tools["ruff"]["lint"]
    assert lint["mccabe"]["max-complexity"] <= 10
    exempt = [path for path, rules in lint["per-file-ignores"].items() if "C901" in rules]
    assert [path for path in exempt if path.startswith("pitasker_core")] == [
        "pitasker_core/database/migrations/**"
    ]
