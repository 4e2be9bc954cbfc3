"""Templates in the dashboard, without a browser."""

from uuid import UUID

import pytest

from pitasker_core import tasks
from pitasker_core.dashboard import save_template, template_summary
from pitasker_core.server.auth import Role
from pitasker_core.tasks.file_export import record_of
from pitasker_core.templates import own
from pitasker_core.templates.catalogue import built_in_templates
from pitasker_core.templates.from_task import template_from_task
from pitasker_core.templates.rendering import render
from pitasker_core.templates.template_file import write_template
from tests.helpers.examples import create
from tests.helpers.pages import said


def press(app, label):
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception, app.exception[0].message


def open_templates(open_page, **params):
    app = open_page("tasks")
    for name, value in params.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception[0].message
    return app


def own_template(environment, name="mine", **changes):
    task = create(environment, command="cp /data/in /data/out")
    record = record_of(tasks.get(environment, task.id))
    template = template_from_task(record, name, **changes)
    return own.save_template(environment, "test", template)


def test_the_empty_page_offers_templates(open_page):
    app = open_page("tasks")
    press(app, "From template")
    assert f"{len(built_in_templates())} of" in said(app)
    assert "Backup with rsync" in said(app)


def test_the_search_finds_templates_by_purpose_and_program(open_page):
    app = open_templates(open_page, task="templates")
    app.text_input(key="template-words").set_value("rsync").run()
    assert "Backup with rsync" in said(app)
    assert "Docker clean-up" not in said(app)


def test_the_preview_is_the_entry_that_is_created_and_can_be_undone(
    open_page, crontab, environment
):
    app = open_templates(open_page, template="disk-space")
    before = len(tasks.listing(environment).tasks)
    line = next(block.value for block in app.code if "PITASKER_ID" in block.value)
    assert "Records the result" in said(app)
    press(app, "Create task")
    [task] = tasks.listing(environment).tasks
    assert app.query_params["task"] == str(task.id)
    exact = line.replace(" 0 '", f" {task.id} '").replace(str(UUID(int=0)), str(task.tag))
    assert exact in crontab.read().decode()
    press(app, "Undo")
    assert len(tasks.listing(environment).tasks) == before
    assert str(task.tag) not in crontab.read().decode()


def test_a_wrong_value_is_explained_below_its_field_and_creates_nothing(open_page):
    app = open_templates(open_page, template="rsync-backup")
    app.text_input(key="template:rsync-backup-0-at").set_value("25:00").run()
    assert "Write a time as HH:MM." in said(app)
    create_button = next(button for button in app.button if button.label == "Create task")
    assert create_button.disabled


def test_values_are_kept_as_a_draft_until_they_are_discarded(open_page):
    app = open_templates(open_page, template="rsync-backup")
    app.text_input(key="template:rsync-backup-0-at").set_value("04:05").run()
    press(app, "All templates")
    app.query_params["template"] = "rsync-backup"
    app.run()
    assert app.text_input(key="template:rsync-backup-0-at").value == "04:05"
    press(app, "Discard these values")
    assert app.text_input(key="template:rsync-backup-1-at").value != "04:05"
    assert "Discard these values" not in [button.label for button in app.button]


def test_a_template_says_what_this_machine_lacks(open_page):
    app = open_templates(open_page, template="rsync-backup")
    app.text_input(key="template:rsync-backup-0-disk").set_value("/nowhere").run()
    assert "There is no folder /nowhere." in said(app)


def test_an_unknown_template_in_the_address_is_no_error(open_page):
    app = open_templates(open_page, template="gone")
    assert "There is no template gone" in said(app)


def test_a_task_is_saved_as_a_template_with_parameters(open_page, environment):
    task = create(environment, command="cp /data/in /data/out")
    app = open_templates(open_page, task=str(task.id), **{"as": "template"})
    app.text_input(key=f"save-template-{task.id}-name").set_value("copy-in").run()
    app.multiselect(key=f"save-template-{task.id}-words").set_value(["/data/in"]).run()
    press(app, "Save template")
    template = own.get_template(environment, "copy-in").template
    assert template.command == "cp {{in}} /data/out"
    assert "Saved the template" in said(app)


def test_a_template_with_the_name_of_another_is_refused_beside_its_form(open_page, environment):
    task = create(environment)
    app = open_templates(open_page, task=str(task.id), **{"as": "template"})
    app.text_input(key=f"save-template-{task.id}-name").set_value("rsync-backup").run()
    press(app, "Save template")
    assert "A template of PiTasker is called rsync-backup" in app.error[0].value.replace("\\", "")
    assert app.text_input(key=f"save-template-{task.id}-name").value == "rsync-backup"


def test_an_own_template_is_deleted_after_a_question_and_comes_back(open_page, environment):
    saved = own_template(environment)
    app = open_templates(open_page, template=saved.name)
    press(app, "Delete template")
    assert own.get_template(environment, saved.name).is_own
    press(app, "Delete")
    assert saved.name not in [item.template.name for item in own.list_templates(environment)]
    press(app, "Undo")
    assert own.get_template(environment, saved.name).template == saved


def test_an_uploaded_template_is_shown_as_text_and_then_added(open_page, environment):
    saved = own_template(environment, title="**[bad](http://x)**")
    own.remove_template(environment, "test", saved.name)
    app = open_templates(open_page, task="templates")
    app.file_uploader[0].upload("t.yaml", write_template(saved).encode()).run()
    assert "[bad](http" not in "\n".join(each.value for each in app.markdown)
    assert [item for item in own.list_templates(environment) if item.is_own] == []
    press(app, "Add template")
    assert own.get_template(environment, saved.name).template == saved


@pytest.mark.parametrize("data", [b"x" * 70_000, b"\xff", b"format: other"])
def test_an_upload_that_is_no_template_is_refused_with_the_reason(open_page, data):
    app = open_templates(open_page, task="templates")
    app.file_uploader[0].upload("t.yaml", data).run()
    assert not app.exception
    assert len(app.error) == 1


def test_a_read_only_session_cannot_create_a_task_from_a_template(open_page):
    app = open_page("tasks", Role.READ)
    app.query_params["template"] = "disk-space"
    app.run()
    assert next(button for button in app.button if button.label == "Create task").disabled


@pytest.mark.parametrize("template", built_in_templates(), ids=lambda template: template.name)
def test_each_template_says_in_words_what_it_checks_and_limits(template):
    defaults = {parameter.name: parameter.default for parameter in template.parameters}
    guards = template_summary.guard_sentences(template, defaults)
    assert len(guards) == len(template.guards)
    sentences = template_summary.run_sentences(render(template, {}))
    assert all("{{" not in sentence for sentence in (*guards, *sentences))


@pytest.mark.parametrize(
    ("title", "name"), [("Nightly backup", "nightly-backup"), ("7 o'clock", "my-7-o-clock")]
)
def test_a_title_suggests_a_name(title, name):
    assert save_template.name_of(title) == name


def test_words_that_a_template_can_vary_are_offered():
    words = save_template.words_of("rsync -a --exclude=/tmp/x '/a b' /data/in nas:/out")
    assert words == ["/tmp/x", "/data/in", "nas:/out"]
