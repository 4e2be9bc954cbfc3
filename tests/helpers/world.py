"""A crontab and its tasks as plain values, for tests of sync."""

from dataclasses import dataclass, field, replace
from uuid import UUID

from pitasker_core.crontab.document import parse
from pitasker_core.crontab.place import Place
from pitasker_core.crontab.recording import Recorder
from pitasker_core.sync import merge, plan_writer, sides
from pitasker_core.sync.merge import Fields, Policy
from pitasker_core.sync.sides import BaseEntry, KnownTask

TAG, OTHER, THIRD = (UUID(int=number) for number in (1, 2, 3))
MARK, OTHER_MARK = f"# PITASKER_ID:{TAG}", f"# PITASKER_ID:{OTHER}"
JOB = Fields("Job", "0 5 * * *", "/bin/job")
LINE = f"0 5 * * * /bin/job {MARK}\n"
RECORDER, GONE = (f"/home/{who}/pitasker-recorder" for who in ("pi", "gone"))


@dataclass(frozen=True)
class World:
    """A crontab and its tasks."""

    text: str
    tasks_by_tag: dict[UUID, KnownTask]
    base: dict[UUID, BaseEntry]
    left: dict[UUID, Place] = field(default_factory=dict, compare=False)

    def read(self, places=None):
        return sides.read(parse(self.text), self.tasks_by_tag, self.base, places, {GONE})

    def plan(self, places=None):
        reading = self.read(places)
        compared = merge.plan(
            {tag: agreed.fields for tag, agreed in self.base.items()},
            {tag: task.fields for tag, task in self.tasks_by_tag.items() if task.wants_entry},
            reading.theirs,
        )
        return sides.complete_plan(compared, reading, self.tasks_by_tag)

    def carried(self, choices=None, policy=Policy.ASK, places=None):
        planned = merge.resolve(self.plan(places), choices or {}, policy)
        recorders = {tag: Recorder(RECORDER, task.task) for tag, task in self.tasks_by_tag.items()}
        document = parse(self.text)
        done = plan_writer.carry_out(
            document, planned, self.read(places), self.base, recorders, self.left
        )
        return planned, done

    def synced(self, choices=None, policy=Policy.ASK, places=None):
        """Return the world after a sync."""
        planned, done = self.carried(choices, policy, places)
        tasks_by_tag, base = dict(self.tasks_by_tag), dict(self.base)
        for change in planned.pulls:
            if change.tag in tasks_by_tag and change.tag not in done.failures:
                task = tasks_by_tag[change.tag]
                fields = change.result or task.fields
                tasks_by_tag[change.tag] = task._replace(
                    fields=fields, wants_entry=change.result is not None
                )
        for tag, agreed in done.base.items():
            base.pop(tag, None)
            if agreed:
                base[tag] = agreed
            if tag in tasks_by_tag:
                tasks_by_tag[tag] = tasks_by_tag[tag]._replace(is_importing=False)
        removed = [tag for tag, agreed in done.base.items() if not agreed and tag in self.base]
        where = self.read().entries
        left = plan_writer.removed_places(parse(self.text), where, self.base, removed)
        return World(str(done.document), tasks_by_tag, base, {**self.left, **left})


def task(fields=JOB, wants_entry=True, is_importing=False):
    return KnownTask(1, fields, wants_entry, is_importing)


def in_step(text=f"# Job\n{LINE}", fields=JOB, comment="Job", is_ours=True):
    """Return a task with a written entry, and a text that may have been edited since."""
    return World(text, {TAG: task(fields)}, {TAG: BaseEntry(fields, comment, is_ours)})


def with_task(world, **changed):
    """Return the world after an edit of the task."""
    tasks_by_tag = world.tasks_by_tag[TAG]
    fields = tasks_by_tag.fields._replace(**changed)
    return replace(
        world, tasks_by_tag={**world.tasks_by_tag, TAG: tasks_by_tag._replace(fields=fields)}
    )


def deleted(world):
    tasks_by_tag = world.tasks_by_tag[TAG]._replace(wants_entry=False)
    return replace(world, tasks_by_tag={**world.tasks_by_tag, TAG: tasks_by_tag})
