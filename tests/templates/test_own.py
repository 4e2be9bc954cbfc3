"""Own templates: saved, replaced, removed, exported and imported. Each crontab has its own."""

from dataclasses import replace

import pytest

from pitasker_core import database
from pitasker_core.base.errors import InvalidSyntax, NotFound, ParseError
from pitasker_core.base.identity import Identity
from pitasker_core.templates import own
from pitasker_core.templates.catalogue import built_in_templates
from pitasker_core.templates.model import Kind, Parameter, Template
from pitasker_core.templates.own import MOST_TEMPLATES, Listed
from pitasker_core.templates.template_file import write_template

ME = "test"
PARAMETERS = tuple(Parameter(name, Kind.TEXT, name, name) for name in ("zeta", "a", "longer"))
MINE = Template("mine", "Mine", "x", "@daily", "x {{a}} {{zeta}} {{longer}}", parameters=PARAMETERS)


def names(environment):
    return [listed.template.name for listed in own.list_templates(environment) if listed.is_own]


def test_a_template_is_kept_as_it_is_with_the_order_of_its_parameters(environment):
    own.save_template(environment, ME, MINE)
    assert own.get_template(environment, "mine") == Listed(MINE, is_own=True)
    assert own.list_templates(environment)[0] == Listed(MINE, is_own=True)


def test_those_of_pitasker_are_listed_too(environment):
    listed = [item.template for item in own.list_templates(environment)]
    assert tuple(listed) == built_in_templates()
    assert not own.get_template(environment, "disk-space").is_own


def test_an_own_template_replaces_another_only_if_that_is_meant(environment):
    own.save_template(environment, ME, MINE)
    with pytest.raises(InvalidSyntax, match="already"):
        own.save_template(environment, ME, replace(MINE, title="New"))
    own.save_template(environment, ME, replace(MINE, title="New"), replace=True)
    assert own.get_template(environment, "mine").template.title == "New"


@pytest.mark.parametrize("with_replace", [True, False])
def test_one_of_pitasker_cannot_be_replaced(environment, with_replace):
    with pytest.raises(InvalidSyntax, match="A template of PiTasker"):
        own.save_template(environment, ME, replace(MINE, name="ddns"), replace=with_replace)


def test_a_removed_template_is_gone_and_one_of_pitasker_cannot_be_removed(environment):
    own.save_template(environment, ME, MINE)
    own.remove_template(environment, ME, "mine")
    assert names(environment) == []
    for name in ("mine", "ddns"):
        with pytest.raises(NotFound):
            own.remove_template(environment, ME, name)


@pytest.mark.parametrize("as_json", [True, False])
def test_an_exported_template_is_imported_by_somebody_else(environment, as_json):
    data = write_template(MINE, as_json=as_json).encode()
    assert own.import_template(environment, ME, data) == MINE
    with pytest.raises(InvalidSyntax):
        own.import_template(environment, ME, data)
    assert own.import_template(environment, ME, data, replace=True) == MINE


def test_a_file_that_is_no_template_is_not_kept(environment):
    with pytest.raises(ParseError):
        own.import_template(environment, ME, b"format: x\n")
    assert names(environment) == []


def test_there_is_a_limit(environment, monkeypatch):
    assert MOST_TEMPLATES == 200
    monkeypatch.setattr(own, "MOST_TEMPLATES", 1)
    own.save_template(environment, ME, MINE)
    own.save_template(environment, ME, MINE, replace=True)
    with pytest.raises(InvalidSyntax, match="templates already"):
        own.save_template(environment, ME, replace(MINE, name="second"))


def test_one_that_this_version_cannot_read_hides_no_other(environment):
    own.save_template(environment, ME, MINE)
    own.save_template(environment, ME, replace(MINE, name="odd"))
    with database.session(environment) as session:
        session.get(database.tables.SettingRow, "template:odd").value = {"file": "version: 9"}
    assert names(environment) == ["mine"]


def test_another_crontab_has_its_own(environment, tmp_path):
    alpha = replace(environment, given_identity=Identity("alpha", "pi", "1" * 36))
    beta = replace(
        environment, home=tmp_path / "b", given_identity=Identity("beta", "pi", "2" * 36)
    )
    own.save_template(alpha, ME, MINE)
    assert (names(alpha), names(beta)) == (["mine"], [])
    with pytest.raises(NotFound):
        own.remove_template(beta, ME, "mine")
