"""The crontab layer is pure: reading, planning and writing a document does no I/O."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
IMPURE = {"program", "machine_facts"}
"""These modules run `crontab` or look at the machine."""


def test_each_module_of_the_crontab_layer_is_in_the_purity_contract():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = {c["name"]: c for c in settings["tool"]["importlinter"]["contracts"]}
    listed = contracts["Parsing, planning and merging are pure"]["source_modules"]
    files = (ROOT / "pitasker_core" / "crontab").iterdir()
    names = {path.stem for path in files if not path.name.startswith("_")}
    assert {f"pitasker_core.crontab.{name}" for name in names - IMPURE} <= set(listed)
