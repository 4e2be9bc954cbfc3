"""Hypothesis strategies for all tasks that PiTasker accepts."""

from hypothesis import strategies as st

from pitasker_core.crontab.document import is_name
from pitasker_core.database.notices import TASK_NOTICES
from pitasker_core.formats.record import TaskRecord

FORMULAS = (
    "=1+1",
    "@SUM(A1)",
    "+1",
    "-1",
    "'=1",
    "''",
    "\t=1",
    "＝1",
    "no",
    "null",
    "1e3",
    "08:30",
)
LINES = st.characters(exclude_categories=("Cs", "Cc"))
TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=40)

names = st.one_of(
    st.sampled_from([name for name in FORMULAS if is_name(name)]),
    st.sampled_from(["---", "m h dom mon dow", 'pitasker: {"paused": true}', "#x", "Über ⏰"]),
    st.text(LINES, min_size=1, max_size=30).map(str.strip).filter(is_name),
)
schedules = st.sampled_from(
    ["0 2 * * *", "@daily", "@reboot", "*/15 * * * *", "30  7 1-15\t* mon-fri", "0 0 1-31/2 * 1"]
)
commands = st.one_of(
    st.sampled_from(["=cmd", "@x", "-x", "'=x'", "''", "/bin/true", r"date +\%F", "cat%a%b", "#x"]),
    st.text(LINES, min_size=1, max_size=60)
    .map(lambda text: text.strip(" \t"))
    .filter(lambda text: text and text[0] != "*" and "PITASKER_ID" not in text)
    .filter(lambda text: "pitasker-recorder" not in text),
)
labels = st.lists(st.one_of(st.sampled_from(["a;b", "\\", "none", "=x"]), TEXTS.filter(bool)))
records = st.builds(
    TaskRecord,
    names,
    schedules,
    commands,
    paused=st.booleans(),
    system_managed=st.booleans(),
    notes=st.one_of(st.sampled_from(FORMULAS), TEXTS),
    labels=labels.map(tuple),
    record_runs=st.booleans(),
    timeout_seconds=st.one_of(st.none(), st.integers(1, 10**6)),
    no_overlap=st.booleans(),
    catch_up=st.booleans(),
    ping_url=st.sampled_from(["", "https://hc-ping.com/1"]),
    notify=st.one_of(
        st.none(),
        st.lists(st.sampled_from([kind.value for kind in TASK_NOTICES]), unique=True).map(tuple),
    ),
)
