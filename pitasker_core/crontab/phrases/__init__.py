"""Schedules in words: `read("every weekday at 7:30")` offers `30 7 * * 1-5`.

`tokens` and `vocabulary` know the words, `times`, `dates` and `limits` the clauses, which fill in a
`outline`; `hours` and `calendar_days` make sets of values of it, `composing` the answer.
"""

from pitasker_core.crontab.phrases.parser import LONGEST, read
from pitasker_core.crontab.phrases.reading import Kind, Offer, Reading
