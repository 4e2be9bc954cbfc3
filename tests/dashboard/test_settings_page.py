"""The parts of the page Settings, without a browser."""

import pytest

from pitasker_core import tasks
from pitasker_core.backup import back_up, read
from pitasker_core.base import clock
from pitasker_core.dashboard import settings_backup, settings_changes
from pitasker_core.database import preferences
from pitasker_core.notifications import channels, rules
from pitasker_core.notifications.rules import Rules
from pitasker_core.reports.audit import Event
from pitasker_core.server import auth, tokens
from pitasker_core.server.auth import Role
from tests.helpers.examples import EXISTING, ME, create
from tests.helpers.pages import said


def labelled(widgets, label):
    return next(widget for widget in widgets if widget.label == label)


def press(app, label):
    labelled(app.button, label).click().run()
    assert not app.exception


@pytest.fixture
def open_part(open_page):
    def go(part, role=Role.WRITE):
        app = open_page("settings", role)
        app.segmented_control(key="settings_part").set_value(part).run()
        assert not app.exception
        return app

    return go


PARTS = {
    "Background": "No background work is running",
    "Notifications": "There are no channels yet",
    "Access": "Tokens for scripts",
    "Backup": "what would change",
    "Changes": "Who changed what",
}


@pytest.mark.parametrize("part", PARTS)
def test_each_part_of_the_settings_opens(open_part, environment, part):
    create(environment)
    tokens.create(environment, ME, "phone", Role.READ)
    assert PARTS[part] in said(open_part(part))


def test_a_preference_is_saved_from_its_page(open_part, environment):
    app = open_part("Background")
    labelled(app.number_input, "Sync every … minutes").set_value(10)
    press(app, "Save")
    assert preferences.read(environment).sync_minutes == 10


# --- Notifications -------------------------------------------------------------------------------


def test_a_channel_of_ntfy_is_added_by_its_topic(open_part, environment):
    app = open_part("Notifications")
    labelled(app.text_input, "Name of the channel").set_value("phone")
    labelled(app.text_input, "Topic").set_value("Sesame")
    press(app, "Add channel")
    assert [channel.url for channel in channels.listing(environment)] == ["ntfys://ntfy.sh/Sesame"]
    assert labelled(app.text_input, "Topic").value == ""
    assert "Sesame" not in f"{said(app)} {app.dataframe[0].value.to_csv()}"


def test_a_refused_channel_keeps_what_was_typed(open_part, environment):
    app = open_part("Notifications")
    labelled(app.text_input, "Name of the channel").set_value("phone")
    labelled(app.text_input, "Topic").set_value("two words")
    press(app, "Add channel")
    assert "A topic of ntfy has letters" in said(app)
    assert labelled(app.text_input, "Name of the channel").value == "phone"
    assert labelled(app.text_input, "Topic").value == "two words"
    assert channels.listing(environment) == []


def test_any_other_service_is_added_by_its_url_and_shown_without_its_secret(open_part):
    app = open_part("Notifications")
    app.selectbox(key="channel_service").set_value("other").run()
    labelled(app.text_input, "Name of the channel").set_value("phone")
    labelled(app.text_input, "Apprise URL").set_value("jsons://me:Sesame@example.org/Sesame")
    press(app, "Add channel")
    (table,) = app.dataframe
    assert list(table.value["where"]) == ["jsons://me:****@example.org/…"]
    assert "Sesame" not in f"{said(app)} {table.value.to_csv()}"


def test_words_that_cannot_be_are_refused_before_and_at_saving(open_part, environment):
    app = open_part("Notifications")
    labelled(app.text_input, "Title").set_value("{nobody}").run()
    assert "There is no placeholder {nobody}" in said(app)
    press(app, "Save the words")
    assert "There is no placeholder {nobody}" in said(app)
    assert rules.read(environment) == Rules()


# --- Access --------------------------------------------------------------------------------------


def test_the_password_is_changed_by_who_has_the_present_one(open_part, environment):
    auth.set_password(environment, "first of all words")
    app = open_part("Access")
    labelled(app.text_input, "Your present password").set_value("a wrong guess")
    for label in ("New password", "New password, again"):
        labelled(app.text_input, label).set_value("second of all words")
    press(app, "Change the password")
    assert "The present password is wrong." in said(app)
    labelled(app.text_input, "Your present password").set_value("first of all words")
    press(app, "Change the password")
    assert auth.check_password(environment, "second of all words") is Role.WRITE
    assert said(app) == "You are signed out."


def test_two_different_new_passwords_change_nothing(open_part, environment):
    app = open_part("Access")
    labelled(app.text_input, "New password").set_value("first of all words")
    labelled(app.text_input, "New password, again").set_value("second of all words")
    press(app, "Change the password")
    assert "The new passwords differ." in said(app)
    assert not auth.has_password(environment)


def test_a_read_only_visitor_cannot_change_the_password(open_part, environment):
    app = open_part("Access", Role.READ)
    assert labelled(app.button, "Change the password").disabled


# --- Backup --------------------------------------------------------------------------------------


def test_a_backup_is_restored_after_a_preview_and_a_confirmation(
    open_part, environment, crontab, tmp_path
):
    task = create(environment)
    file = tmp_path / "backup.tar.gz"
    back_up(environment, file)
    text = crontab.read()
    tasks.change(environment, ME, task.id, name="Renamed", command="/other")
    app = open_part("Backup")
    app.get("file_uploader")[0].upload("backup.tar.gz", file.read_bytes()).run()
    assert "1 task, 0 runs, 1 entry in the crontab." in said(app)
    assert labelled(app.button, "Restore this backup").disabled
    labelled(app.checkbox, "Replace my present tasks, history and crontab by this backup").check()
    app.run()
    press(app, "Restore this backup")
    assert "Restored. The previous state is in" in said(app)
    assert crontab.read() == text
    assert [task.name for task in tasks.listing(environment).tasks] == ["Backup"]


def test_a_file_that_is_no_backup_is_refused_in_words(open_part):
    app = open_part("Backup")
    app.get("file_uploader")[0].upload("x.tar.gz", b"nothing").run()
    assert not app.exception
    assert [error.value for error in app.error]
    assert "Restore this backup" not in [button.label for button in app.button]


def test_the_backup_of_a_crontab_says_what_it_holds(environment, crontab, tmp_path):
    crontab.write(EXISTING)
    create(environment)
    file = tmp_path / "backup.tar.gz"
    back_up(environment, file)
    assert "1 task, 0 runs, 4 entries in the crontab." in settings_backup.summary(read(file))


# --- Changes -------------------------------------------------------------------------------------


def event(task=None, before=None, after=None):
    return Event(1, clock.now(), "me", "changed", task, before, after)


def test_a_change_is_listed_by_the_name_of_its_task():
    assert settings_changes.task_name(event(1), {1: "Backup"}) == "Backup"
    assert settings_changes.task_name(event(1, before={"name": "Old"}), {}) == "Old"
    assert settings_changes.task_name(event(1), {}) == "Task 1"


def test_a_change_of_no_task_has_no_name(open_part, environment):
    create(environment)
    tokens.create(environment, ME, "phone", Role.READ)
    (table,) = open_part("Changes").dataframe
    assert list(table.value["What"]) == ["token created", "created"]
    assert list(table.value["Task"]) == ["", "Backup"]


def test_a_token_is_shown_once_and_revoked_by_its_menu(open_part, environment):
    app = open_part("Access")
    labelled(app.text_input, "Name of the script or device").set_value("phone")
    press(app, "Create a token")
    (secret,) = [block.value for block in app.code]
    assert tokens.role_of(environment, secret) is Role.READ
    app.run()
    assert secret not in [block.value for block in app.code]
    labelled(app.selectbox, "Choose a token").set_value(0).run()
    labelled(app.get("menu_button"), "Actions").set_value("Revoke").run()
    assert tokens.role_of(environment, secret) is None


def test_signing_out_all_sessions_ends_this_one_too(open_part, environment):
    app = open_part("Access")
    assert not labelled(app.button, "Create a token").disabled
    press(app, "Sign out all sessions")
    assert said(app) == "You are signed out."
