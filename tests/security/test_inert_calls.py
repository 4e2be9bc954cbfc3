"""No page hands a text to Streamlit's Markdown or HTML without escaping it.

The test reads every call in the dashboard, so that no new call is forgotten. Each argument must be
a literal, a number, a time, or the result of a function in `ESCAPING`.
"""

import ast
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
FILES = sorted(
    [*(PROJECT / "pages").glob("*.py"), *(PROJECT / "pitasker_core" / "dashboard").glob("*.py")]
)

MARKDOWN = {
    *("badge", "caption", "error", "header", "info", "markdown", "subheader", "success"),
    *("title", "toast", "warning", "spinner", "status", "progress", "metric", "tabs", "dialog"),
    *("button", "download_button", "form_submit_button", "link_button", "menu_button"),
    "write_button",
    *("checkbox", "toggle", "radio", "pills", "segmented_control", "selectbox", "multiselect"),
    *("text_area", "text_input", "number_input", "slider", "file_uploader"),
    *("date_input", "datetime_input", "time_input", "expander", "popover", "page_link"),
}
"""Elements whose first argument is Markdown."""

OPTIONS = {"menu_button", "pills", "radio", "segmented_control"}
"""Elements whose second argument is a list of Markdown."""

KEYWORDS = {"help", "label", "title", "body", "caption", "captions"}
"""Arguments that are Markdown in every element."""

FORBIDDEN = {"write", "write_stream", "latex", "exception", "echo", "iframe", "components"}
"""Elements that interpret their arguments, and that no page needs."""

ESCAPING = {"plain", "bold", "code"}

HARMLESS = {
    *("len", "ago", "percent", "counted", "today_text", "change_text", "sync_text"),
    *("time_text", "lasted", "size", "summary", "success_text"),
}
"""Functions that return numbers, times and words of PiTasker."""

HTML = {"style_sheet", "html"}
"""Functions that return inert HTML: see test_terminal.py."""

TABLES = {"dataframe", "data_editor", "table"}
"""Elements that show cells as they are, so that invisible characters must be made visible."""

OURS = {
    "choice.py": {"label", "choices"},
    "comparison.py": {"side"},
    "sync.py": {"label", "count"},
    "attention_list.py": {"action.value", "item.color", "item.icon"},
    "overview.py": {"counts"},
    "runs.py": {"history.FILTERS", "value", "explained"},
    "tasks.py": {"others", "task_grid.FILTERS", "staging.FIELDS"},
    "execution_dialog.py": {"RUN_NOW", "TRY"},
    "findings.py": {"fix.value", "finding.kind.value.replace('_', ' ')"},
    "notification_settings.py": {"label", "help_text"},
    "operations.py": {"value"},
    "row_menu.py": {"what", "offered or _NOTHING"},
    "run_actions.py": {"WHY"},
    "run_detail.py": {"run_list.STATES"},
    "timeline_chart.py": {"title"},
    "header.py": {"label", "title", "pitasker_core.__version__"},
    "messages.py": {"_LOOKS"},
    "shell.py": {"page.title", "_HERE / 'page.css'"},
    "schedule_builder.py": {
        "CHOICES",
        "Mode.OTHER",
        "field.kind.name",
        "kind.name",
        "kind.labels",
        "name",
    },
    "staged_bar.py": {"changes", "columns", "staging.FIELDS[collision.column]"},
    "finding_row.py": {"color", "SILENCE"},
    "task_findings.py": {"REPORT_AGAIN"},
    "template_form.py": {"helps.get(parameter.kind)"},
    "template_list.py": {"categories"},  # categories by format_func=plain
    "task_fields.py": {"kind.value"},
    "write_button.py": {"label"},  # each call of it is checked
    "task_page.py": {"chip", "label", "color", "task_grid.TRY", "task_grid.WHY"},
}
"""Expressions that are numbers, or words from elsewhere in the dashboard."""


class Names:
    """The values that the names in a function may have, and the results of the file's functions."""

    def __init__(self, tree, ours, outer=None):
        self.ours = ours
        self.values = {} if outer is None else dict(outer.values)
        self.returns = {} if outer is None else outer.returns
        for node in _own(tree):
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._bind(target, value)
                case (
                    ast.AnnAssign(target=target, value=ast.expr() as value)
                    | ast.AugAssign(target=target, value=value)
                    | ast.NamedExpr(target=target, value=value)
                ):
                    self._bind(target, value)
                case (
                    ast.For(target=target, iter=values)
                    | ast.comprehension(target=target, iter=values)
                ):
                    self._bind_each(target, values)
        if outer is None:
            for node in _own(tree):
                if isinstance(node, ast.FunctionDef):
                    its = [n.value for n in _own(node) if isinstance(n, ast.Return)]
                    self.returns[node.name] = (Names(node, ours, self), its)

    def _bind_each(self, target, values):
        match values:
            case ast.Tuple(elts=each) | ast.List(elts=each):
                for value in each:
                    self._bind(target, value)
            case ast.Name(id=name) if name in self.values:
                for its in self.values[name]:
                    self._bind_each(target, its)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="items")):
                for its in self.values.get(name, []):
                    if isinstance(its, ast.Dict):
                        self._bind(target.elts[0], ast.Tuple(its.keys))
                        self._bind(target.elts[1], ast.Tuple(its.values))
            case _:
                self._bind(target, values)

    def _bind(self, target, value):
        if isinstance(target, ast.Tuple):
            values = getattr(value, "elts", [value] * len(target.elts))
            for part, its in zip(target.elts, values, strict=False):
                self._bind(part, its)
        elif isinstance(target, ast.Name):
            self.values.setdefault(target.id, []).append(value)

    def is_inert(self, node, seen=frozenset()):
        def all_inert(nodes):
            return all(self.is_inert(each, seen) for each in nodes)

        if node is None or ast.unparse(node) in self.ours:
            return True
        match node:
            case ast.Constant() | ast.Lambda():
                return True
            case ast.JoinedStr(values=values) | ast.BoolOp(values=values):
                return all_inert(values)
            case ast.FormattedValue(format_spec=ast.JoinedStr(values=[ast.Constant(value=form)])):
                return form.startswith("%") or form[-1] in "df%g"  # a time or a number
            case ast.FormattedValue(value=value) | ast.Starred(value=value):
                return self.is_inert(value, seen)
            case ast.Subscript(value=ast.Name(id=name)) if name in self.values:
                its = self.values[name]
                return all_inert(v for i in its for v in (i.values if _is_dict(i) else [i]))
            case ast.Subscript(value=value):
                return self.is_inert(value, seen)
            case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, right=other):
                return all_inert([one, other])
            case ast.List(elts=values) | ast.Tuple(elts=values) | ast.Dict(keys=values):
                return all_inert(values)
            case ast.ListComp(elt=part) | ast.GeneratorExp(elt=part):
                return self.is_inert(part, seen)
            case ast.Call(func=ast.Name(id="list"), args=values):
                return all_inert(values)
            case ast.Call(func=ast.Name(id="listed"), args=[values, _]):
                return self.is_inert(values, seen)
            case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join"), args=values):
                return all_inert(values)
            case ast.Call(func=ast.Attribute(value=value, attr="capitalize")):
                return self.is_inert(value, seen)
            case ast.Call(func=ast.Name(id=name)) if name in self.returns:
                inner, values = self.returns[name]
                return all(inner.is_inert(value) for value in values)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                return name in ESCAPING | HARMLESS
            case ast.Attribute(attr=name):
                return name in ("id", "key")  # a number, and the name of a zone
            case ast.Name(id=name):
                values = self.values.get(name)
                return name in seen or (
                    bool(values) and all(self.is_inert(v, seen | {name}) for v in values)
                )
        return False


def _is_dict(node):
    return isinstance(node, ast.Dict)


def _own(tree):
    """Yield the nodes of a function without those of inner functions."""
    for child in ast.iter_child_nodes(tree):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield from _own(child)


def _functions(tree, ours, outer=None):
    names = Names(tree, ours, outer)
    yield names, tree
    for node in _own(tree):
        if isinstance(node, ast.FunctionDef):
            yield from _functions(node, ours, names)


def _given(call):
    """Yield the arguments of a call that are Markdown."""
    match call.func:
        case ast.Name(id="draw") | ast.Subscript(value=ast.Name(id="draw")):
            yield from call.args[:1]
        case ast.Name(id="write_button" as name) | ast.Attribute(attr=name) if not (
            ast.unparse(call.func).startswith("_log.")
        ):
            if name in MARKDOWN:
                yield from call.args[:1]
            if name in OPTIONS or name == "metric":
                yield from call.args[1:2]
            yield from (word.value for word in call.keywords if word.arg in KEYWORDS)


def faults(source, ours=frozenset()):
    """Yield each line that shows an unescaped text."""
    for names, tree in _functions(ast.parse(source), ours):
        for call in _own(tree):
            if not isinstance(call, ast.Call):
                continue
            for argument in _given(call):
                if not names.is_inert(argument):
                    yield f"{call.lineno}: {ast.unparse(argument)}"
            function = ast.unparse(call.func)
            if function == "st.html" and not _is_html_of_ours(names, call.args[0]):
                yield f"{call.lineno}: {ast.unparse(call.args[0])}"
            if function.split(".")[-1] in TABLES and not _is_inert_table(call.args[0]):
                yield f"{call.lineno}: the cells of {ast.unparse(call.args[0])}"
            if function.removeprefix("st.") in FORBIDDEN:
                yield f"{call.lineno}: {function}"


def _is_html_of_ours(names, node):
    match node:
        case ast.JoinedStr(values=values):
            return all(_is_html_of_ours(names, value) for value in values)
        case ast.FormattedValue(value=value):
            return _is_html_of_ours(names, value)
        case ast.Call(func=ast.Attribute(attr=name)) if name in HTML:
            return True
    return names.is_inert(node)


def _is_inert_table(node):
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "inert"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_page_escapes_what_it_shows(file):
    assert list(faults(file.read_text(), OURS.get(file.name, set()))) == []


@pytest.mark.parametrize(
    "line",
    [
        "st.error(task.name)",
        "st.markdown(f'**{task.name}**')",
        "st.button('Save', help=reason)",
        "write_button(task.name)",
        "write_button('Save', help=reason)",
        "refusal.warning(str(problem))",
        "st.dialog(task.name)(draw)",
        "st.radio('Which', [task.name for task in found])",
        "st.caption(listed([task.name for task in found], 6))",
        "st.metric('Last', run.result)",
        "st.html(f'<b>{task.name}</b>')",
        "st.dataframe(table)",
        "st.write(task)",
        "words = plain(a) + b; st.caption(words)",
    ],
)
def test_a_call_that_does_not_escape_is_found(line):
    assert list(faults(line))


BACKQUOTES = {
    "server/api/requests.py": "descriptions of the API are Markdown",
    "templates/checking.py": "quotes of the shell",
    "server/api/app.py": "the description of the API is Markdown",
    "crontab/document/tags.py": "a quote of the shell",
    "crontab/phrases/tokens.py": "a sign that a text is code",
    "crontab/doctor/documentation.py": "the documentation of the rules is Markdown",
    "crontab/doctor/safety_rules.py": "the grammar of the shell",
    "crontab/shell_words.py": "the grammar of the shell",
    "dashboard/markdown.py": "escapes them",
    "dashboard/run_live.py": "Markdown, written there",
    "dashboard/lifespan.py": "printed",
    "tasks/file_import.py": "an answer of the command line",
    "formats/systemd.py": "a comment in a file of systemd",
    "base/text.py": "puts them around code",
    "server/systemd_unit.py": "a file of systemd",
}
"""Strings that may contain a backquote, with the reason."""


def test_advice_marks_code_by_structure_not_by_backquotes():
    core = PROJECT / "pitasker_core"
    files = [f for f in core.rglob("*.py") if f.relative_to(core).parts[0] != "cli"]
    for file in [*files, *(PROJECT / "pages").glob("*.py")]:
        name = str(file.relative_to(core if file.is_relative_to(core) else PROJECT))
        tree = ast.parse(file.read_text())
        documented = {n.value for n in ast.walk(tree) if isinstance(n, ast.Expr)}
        # `marked` makes structure of backquotes: of a constant, never of text from outside.
        calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
        ours = [n.args[0] for n in calls if getattr(n.func, "id", "") == "marked"]
        assert not any(isinstance(text, ast.JoinedStr | ast.BinOp) for text in ours), name
        strings = {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node not in documented
            and node not in ours
        }
        marked = [text for text in strings if "`" in text]
        assert not marked or name in BACKQUOTES, (name, marked)
