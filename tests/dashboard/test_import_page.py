"""The page Import, without a browser."""

from pitasker_core import tasks
from pitasker_core.dashboard import import_report
from pitasker_core.sync.importing import ImportResult
from tests.helpers.examples import EXISTING
from tests.helpers.pages import said


def press(app, label):
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


def test_the_import_button_stands_above_the_table_with_its_count(open_page, crontab):
    crontab.write(EXISTING)
    app = open_page("import_entries")
    order = [element for element in app.main if element.type in ("button", "dataframe")]
    labels = [getattr(element, "label", "") for element in order]
    table = next(place for place, each in enumerate(order) if each.type == "dataframe")
    # The header has a button of its own, for the search.
    assert labels[:table].index("Import 3 entries") <= 1


def test_the_checks_of_the_doctor_stand_beside_each_entry(open_page, crontab):
    crontab.write(b"0 2 * * * /no/such/script.sh\n0 3 * * * true\n")
    table = open_page("import_entries").dataframe[0].value
    assert "/no/such/script.sh" in table["problems"][0]
    assert not table["problems"][1]


def test_an_entry_that_cannot_be_imported_says_so_and_is_not_ticked(open_page, crontab):
    crontab.write(b'0 2 * * * echo "$(date +%F)"\n0 3 * * * true\n')
    app = open_page("import_entries")
    table = app.dataframe[0].value
    assert list(table["chosen"]) == [False, True]
    assert "leaves a quote" in table["note"][0]
    press(app, "Import 1 entry")
    assert b"true # PITASKER_ID:" in crontab.read()


def test_an_import_names_the_new_tasks_and_records_their_runs_at_a_press(
    open_page, crontab, environment
):
    crontab.write(EXISTING)
    app = open_page("import_entries")
    press(app, "Import 3 entries")
    assert "Imported 3 entries: Nightly backup, cat, hello.sh." in said(app)
    assert "Record their runs?" in said(app)
    app.run()
    assert "Imported 3 entries" in said(app)
    press(app, "Record their runs")
    assert all(task.record_runs for task in tasks.listing(environment).tasks)
    assert "Record their runs?" not in said(app)
    next(button for button in app.button if button.key == "dismiss-import").click().run()
    assert "Imported 3 entries" not in said(app)


def test_nothing_is_ticked_after_an_import(open_page, crontab, environment):
    crontab.write(EXISTING)
    app = open_page("import_entries")
    press(app, "Import 3 entries")
    crontab.write(crontab.read() + b"@daily /opt/new.sh\n")
    app.run()
    assert list(app.dataframe[0].value["chosen"]) == [False]
    assert "Import 0 entries" in [button.label for button in app.button]


def test_the_summary_of_an_import_counts_what_it_could_not_do():
    result = ImportResult(skipped={3: "There is a task."}, errors={5: "not an entry"})
    assert import_report.summary(result, []) == "Skipped 1 entry. 1 entry cannot be imported."
    assert import_report.summary(ImportResult(), []) == "Nothing was imported."
