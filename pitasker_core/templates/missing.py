import shutil
from collections.abc import Mapping

from pitasker_core.base import paths
from pitasker_core.templates.model import Check, Kind, Template
from pitasker_core.templates.rendering import chosen_values

_WHERE_ROOT_LOOKS = "/usr/sbin:/sbin"
"""What templates add to cron's PATH for programs of the system."""


def list_missing(
    template: Template, values: Mapping[str, str], search_path: str
) -> tuple[str, ...]:
    """A sentence for each program, file and folder that is not there. `search_path` is cron's."""
    missing = [
        f"The program {program} is not on cron's PATH."
        for program in template.needs
        if shutil.which(program, path=f"{search_path}:{_WHERE_ROOT_LOOKS}") is None
    ]
    chosen = chosen_values(template, values)
    for parameter in template.parameters:
        if parameter.kind is not Kind.PATH or parameter.check is Check.NOTHING:
            continue
        value = chosen[parameter.name]
        path = paths.expand(value)
        is_there = paths.is_folder(path) if parameter.check is Check.FOLDER else paths.is_file(path)
        if not is_there:
            missing.append(f"There is no {parameter.check} {value}.")
    return tuple(missing)
