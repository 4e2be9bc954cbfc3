"""A task's fields are defined once. A field that is missing somewhere fails here."""

from dataclasses import fields

from pitasker_core.database.tables import TaskRow
from pitasker_core.formats.fields import FIELDS
from pitasker_core.formats.record import TaskRecord
from pitasker_core.tasks.model import ATTRIBUTES, ENTRY_NAMES, TASK_NAMES, VALUE_NAMES, TaskValues

NOT_IN_TASK = {"output", "crontab_row", "synced_to_crontab"}
"""Columns that no page, command or API answer shows."""

NOT_IN_FILES = {"paused_until"}
"""Values that belong to an installation and are not exported."""


def test_each_column_of_a_task_is_a_field_of_task():
    columns = {attribute.key for attribute in TaskRow.__mapper__.column_attrs}
    assert columns - NOT_IN_TASK == set(ATTRIBUTES.values())


def test_each_value_is_a_field_of_task():
    assert set(VALUE_NAMES) <= set(TASK_NAMES)
    assert set(VALUE_NAMES) >= ENTRY_NAMES


def test_files_hold_each_value_with_the_same_default():
    assert {field.attribute for field in FIELDS} == set(VALUE_NAMES) - NOT_IN_FILES
    defaults = {field.name: field.default for field in fields(TaskValues)}
    record = TaskRecord("", "", "")
    for name in set(VALUE_NAMES) - NOT_IN_FILES - {"name", "schedule", "command"}:
        assert getattr(record, name) == defaults[name]
