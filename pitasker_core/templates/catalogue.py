"""The templates that come with PiTasker: one YAML file each, in the folder `data`."""

from functools import cache
from pathlib import Path

from pitasker_core.templates.model import Template
from pitasker_core.templates.template_file import read_template

FOLDER = Path(__file__).parent / "data"


@cache
def built_in_templates() -> tuple[Template, ...]:
    """All of them, by category and title."""
    templates = [read_template(file.read_bytes()) for file in sorted(FOLDER.glob("*.yaml"))]
    return tuple(sorted(templates, key=lambda template: (template.category, template.title)))
