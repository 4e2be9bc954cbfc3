"""The list of all rules, in the order in which they are documented and reported. Pure."""

from pitasker_core.crontab.doctor import (
    boot_rules,
    environment_rules,
    program_rules,
    safety_rules,
    schedule_rules,
    shell_rules,
    text_rules,
)
from pitasker_core.crontab.doctor.rule import EntryRule, LineRule

ENTRY_RULES: tuple[EntryRule, ...] = (
    *text_rules.RULES,
    *program_rules.RULES,
    *shell_rules.RULES,
    *safety_rules.RULES,
    *schedule_rules.RULES,
    *boot_rules.RULES,
)
TEXT_RULES: tuple[EntryRule, ...] = (
    schedule_rules.never_runs,
    schedule_rules.odd_schedule,
    text_rules.carriage_return,
    text_rules.no_command,
    text_rules.sixth_field,
)
"""Rules about an entry that need to know nothing but its text, and are never a matter of taste."""
LINE_RULES: tuple[LineRule, ...] = environment_rules.RULES

GROUPS: dict[str, tuple[EntryRule, ...] | tuple[LineRule, ...]] = {
    "The text of the line": text_rules.RULES,
    "Programs and files": program_rules.RULES,
    "The shell and the output": shell_rules.RULES,
    "Access and disks": safety_rules.RULES,
    "Schedules": schedule_rules.RULES,
    "The boot": boot_rules.RULES,
    "Environment lines and bad lines": environment_rules.RULES,
}
"""The rules by the headings of the documentation."""

RULES: dict[str, EntryRule | LineRule] = {
    rule.code: rule for rules in GROUPS.values() for rule in rules
}
"""Every rule by its code."""
