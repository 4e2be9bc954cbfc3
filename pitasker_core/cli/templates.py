import argparse

from pitasker_core.base.environment import Environment
from pitasker_core.base.text import on_one_line
from pitasker_core.cli.answer import NOT_YET, Answer, by_task, raw, table
from pitasker_core.cli.command import ACTOR, Commands, Words, command, group, switch
from pitasker_core.cli.files import read_file, write_file
from pitasker_core.server.answers.files import Rendered, Used, template_answer
from pitasker_core.tasks import Applied
from pitasker_core.templates import own, using
from pitasker_core.templates.model import Kind, Parameter, Template
from pitasker_core.templates.template_file import LARGEST_FILE, template_data, write_template


def add_to(commands: Commands) -> None:
    templates = group(commands, "templates")
    command(templates, "list", _list, "list all templates")

    show = command(templates, "show", _show, "show the parameters and the command of a template")
    show.add_argument("name")

    use = command(templates, "use", _use, "create a task from a template")
    use.add_argument("name")
    use.add_argument("values", nargs="*", type=_pair, metavar="PARAMETER=VALUE")
    use.add_argument("--name", dest="task_name", default="", help="the name of the task")
    switch(use, "--preview", "show the task, and stop")
    use.add_argument("--paused", action="store_true")
    switch(use, "--database-only", "write no entry to the crontab")

    save = command(templates, "save", _save, "save a task as a template of your own")
    save.add_argument("task", type=int)
    save.add_argument("name")
    save.add_argument("--title", default="")
    save.add_argument(
        "--parameter",
        type=_pair,
        action="append",
        default=[],
        metavar="PARAMETER=WORD",
        help="a word of the command that becomes a parameter; may be repeated",
    )
    switch(save, "--replace", "replace a template of this name")

    export = command(templates, "export", _export, "write a template to a file, to share it")
    export.add_argument("name")
    export.add_argument("file", nargs="?", default="-", help="default: standard output")
    export.add_argument("--format", choices=["yaml", "json"], default="yaml")

    imports = command(templates, "import", _import, "add a template from a file; run nothing")
    imports.add_argument("file", help="- is standard input")
    switch(imports, "--replace", "replace a template of this name")

    command(templates, "remove", _remove, "remove a template of your own").add_argument("name")


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError(f"not NAME=VALUE: {text}")
    return name, value


def _list(environment: Environment, words: Words) -> Answer:
    listed = own.list_templates(environment)
    rows = [(item.template.name, item.template.category, item.template.title) for item in listed]
    data = {"templates": [template_answer(item) for item in listed]}
    return Answer(data, table(("name", "category", "title"), rows))


def _show(environment: Environment, words: Words) -> Answer:
    listed = own.get_template(environment, words.name)
    template = listed.template
    rows = [
        (parameter.name, parameter.default, parameter.kind.value, _meaning(parameter))
        for parameter in template.parameters
    ]
    lines = [on_one_line(template.title), on_one_line(template.summary), ""]
    if rows:
        lines += [table(("parameter", "default", "kind", "meaning"), rows), ""]
    lines += [f"schedule  {template.schedule}", f"command   {on_one_line(template.command)}"]
    lines += [f"{guard.value:9} {on_one_line(operand)}" for guard, operand in template.guards]
    return Answer(template_answer(listed), "\n".join(lines))


def _meaning(parameter: Parameter) -> str:
    if parameter.kind is Kind.NUMBER:
        return f"{parameter.label} ({parameter.least} to {parameter.most})"
    if parameter.kind is Kind.CHOICE:
        return f"{parameter.label} ({', '.join(parameter.options)})"
    return parameter.label


def _use(environment: Environment, words: Words) -> Answer:
    values = dict(words.values)
    preview = using.render_template(environment, words.name, values, words.task_name)
    missing = [on_one_line(sentence) for sentence in preview.missing]
    if words.preview:
        record = preview.record
        lines = [
            f"name      {on_one_line(record.name)}",
            f"schedule  {record.schedule}",
            f"command   {on_one_line(record.command)}",
            *(f"Warning: {sentence}" for sentence in missing),
        ]
        return Answer(Rendered.of(preview), "\n".join(lines))
    done = using.use_template(
        environment,
        ACTOR,
        words.name,
        values,
        words.task_name,
        system_managed=not words.database_only,
        paused=words.paused,
    )
    return _used(done, missing)


def _used(done: Applied, missing: list[str]) -> Answer:
    lines = [f"task {task.id} added: {on_one_line(task.name)}" for task in done.tasks]
    lines += by_task(done.failures)
    lines += [f"Warning: {sentence}" for sentence in missing]
    if done.problem:
        lines.append(f"{NOT_YET} {done.problem.user_message}")
    data = Used.of_use(done, missing)
    return Answer(data, "\n".join(lines), not (done.failures or done.problem))


def _save(environment: Environment, words: Words) -> Answer:
    template = using.save_as_template(
        environment,
        ACTOR,
        words.task,
        words.name,
        words.title,
        dict(words.parameter),
        replace_own=words.replace,
    )
    return _saved(template)


def _export(environment: Environment, words: Words) -> Answer | int:
    template = own.get_template(environment, words.name).template
    text = write_template(template, as_json=words.format == "json")
    if words.file == "-":
        return raw(words, [text.encode()], {"content": text})
    write_file(words.file, text.encode())
    return Answer({"file": words.file}, f"The template is in {on_one_line(words.file)}.")


def _import(environment: Environment, words: Words) -> Answer:
    data = read_file(words.file, LARGEST_FILE)
    return _saved(own.import_template(environment, ACTOR, data, replace=words.replace))


def _saved(template: Template) -> Answer:
    text = f"Saved the template {template.name}. `templates show {template.name}` shows it."
    return Answer(template_data(template), text)


def _remove(environment: Environment, words: Words) -> Answer:
    own.remove_template(environment, ACTOR, words.name)
    return Answer({"removed": words.name}, f"Removed the template {words.name}.")
