"""The doctor on the installed crontab: findings, fixes, and the rules that a person silenced."""

from pitasker_core.reports.doctor.examining import Examined, examine, examine_draft, examine_text
from pitasker_core.reports.doctor.fixing import apply_fix
from pitasker_core.reports.doctor.silencing import Place, locate, silence, unsilence
