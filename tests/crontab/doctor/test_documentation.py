"""docs/doctor.md is generated from the rules."""

from pathlib import Path

from pitasker_core.crontab.doctor.catalogue import RULES
from pitasker_core.crontab.doctor.documentation import render_documentation


def test_the_documentation_is_made_from_the_rules() -> None:
    path = Path(__file__).parents[3] / "docs" / "doctor.md"
    # `./pitasker doctor --rules > docs/doctor.md` writes it.
    assert path.read_text() == render_documentation()


def test_every_rule_is_documented() -> None:
    text = render_documentation()
    assert all(f"### `{code}`: " in text for code in RULES)
