"""The raw editor: drafts, changes made elsewhere, and the view without tags."""

from pitasker_core.crontab.editable import without_tags
from pitasker_core.crontab.text_merge import MINE
from tests.helpers.examples import EXISTING, create
from tests.helpers.pages import button, open_in_new_tab, press, said


def type_text(app, text):
    app.session_state["draft"] = text
    app.run()
    assert not app.exception


def test_a_text_that_is_not_saved_is_there_again_after_a_reload(open_page, crontab):
    crontab.write(EXISTING)
    text = EXISTING.decode() + "@daily /opt/new.sh\n"
    type_text(open_page("crontab"), text)
    again = open_in_new_tab("crontab")
    assert again.session_state["draft"] == text
    assert "This is your draft of" in said(again)
    press(again, "Save")
    assert crontab.read().decode() == text
    assert "This is your draft" not in said(open_in_new_tab("crontab"))


def test_a_draft_of_an_older_crontab_is_merged_with_the_present_one(open_page, crontab):
    crontab.write(b"0 1 * * * /bin/a\n0 2 * * * /bin/b\n")
    type_text(open_page("crontab"), "0 9 * * * /bin/a\n0 2 * * * /bin/b\n")
    crontab.write(b"0 1 * * * /bin/a\n0 8 * * * /bin/b\n")
    app = open_in_new_tab("crontab")
    assert "The crontab was changed elsewhere" in said(app)
    assert button(app, "Save").disabled
    press(app, "Merge mine")
    assert app.session_state["draft"] == "0 9 * * * /bin/a\n0 8 * * * /bin/b\n"
    press(app, "Save")
    assert crontab.read() == b"0 9 * * * /bin/a\n0 8 * * * /bin/b\n"


def test_a_change_from_outside_shows_although_nothing_is_typed_any_more(open_page, crontab):
    crontab.write(b"0 1 * * * /bin/a\n")
    app = open_page("crontab")
    type_text(app, "0 9 * * * /bin/a\n")
    crontab.write(b"0 1 * * * /bin/a\n@daily /bin/new\n")
    app.run()
    assert "The crontab was changed elsewhere" in said(app)
    assert app.session_state["draft"] == "0 9 * * * /bin/a\n"


def test_a_conflict_shows_both_lines_and_cannot_be_saved(open_page, crontab):
    crontab.write(b"0 1 * * * /bin/a\n")
    app = open_page("crontab")
    type_text(app, "0 9 * * * /bin/a\n")
    crontab.write(b"0 8 * * * /bin/a\n")
    app.run()
    press(app, "Merge mine")
    merged = app.session_state["draft"]
    assert MINE in merged
    assert "0 9 * * * /bin/a" in merged
    assert "0 8 * * * /bin/a" in merged
    assert "1 place needs a decision" in said(app)
    press(app, "Save")
    assert crontab.read() == b"0 8 * * * /bin/a\n"


def test_foreign_bytes_survive_a_merge(open_page, crontab):
    crontab.write(b"# caf\xe9\n0 1 * * * /bin/a\n\n0 2 * * * /bin/b\n")
    app = open_page("crontab")
    type_text(app, app.session_state["draft"].replace("0 1 *", "0 9 *"))
    crontab.write(b"# caf\xe9\n0 1 * * * /bin/a\n\n0 8 * * * /bin/b\n")
    app.run()
    press(app, "Merge mine")
    press(app, "Save")
    assert crontab.read() == b"# caf\xe9\n0 9 * * * /bin/a\n\n0 8 * * * /bin/b\n"


def test_tags_can_be_hidden_to_read_the_text(open_page, environment, crontab):
    create(environment)
    app = open_page("crontab")
    app.toggle(key="raw_tagless").set_value(True).run()
    assert not app.exception
    (view,) = [code.value for code in app.code]
    assert "PITASKER_ID" not in view
    assert "/home/pi/backup.sh" in view
    app.toggle(key="raw_tagless").set_value(False).run()
    assert "PITASKER_ID" in app.session_state["draft"]
    assert crontab.read().count(b"PITASKER_ID") == 1


def test_without_tags_each_line_is_as_before_its_tag():
    tag = " # PITASKER_ID:7c0e6a9e-0000-4000-8000-000000000000"
    assert without_tags(f"# note\n@daily /a{tag}%in\n\n#@daily /b{tag}") == (
        "# note\n@daily /a%in\n\n#@daily /b"
    )
