"""Checks of the checklist's section Environment."""

import time

from aitrade.ops.preflight.check import Finding, Item, Measured, Section, Source, finding
from aitrade.ops.preflight.ground import Ground
from aitrade.ops.preflight.serving import ITEMS as SERVICE

BACKUP_HOURS = 26.0
"""A daily backup with two hours to spare."""
COPY_SECONDS = 60.0
CHECKPOINT_DAYS = 8.0
"""A weekly checkpoint with a day to spare."""
LOG_DAYS = 90
_HOUR, _DAY = 3600 * 10**9, 86_400 * 10**9


class BackedUp:
    """The newest backup is of today, restores with no difference, and lies with the journals' copies elsewhere."""

    id = "backup"
    section = Section.ENVIRONMENT
    words = "Database backed up daily, restorable, on a second device"
    seconds = 120.0

    def examine(self, ground: Ground) -> Finding:
        """Restore the newest backup into scratch and compare it with the installation; raise where it does not open."""
        from aitrade.ops.backup.mirror import FOLDER, behind, newest_copy
        from aitrade.ops.backup.opening import keys_for
        from aitrade.ops.backup.shelf import Shelf, on_second_device
        from aitrade.ops.backup.verifying import compared

        shelf, now = Shelf.of(ground.home), time.time_ns()
        backup = shelf.find()
        keys = keys_for(ground.home, shelf)
        verified = compared(ground.home, shelf, backup, keys, ground.scratch / self.id, time.monotonic())
        hours, copied = (now - backup.at) / _HOUR, newest_copy(shelf.folder / FOLDER)
        wrong = [*verified.differences, *([] if verified.books else [f"{backup.id} has no book"])]
        if hours > BACKUP_HOURS:
            wrong.append(f"the newest backup is {hours:.0f} hours old: run `aitrade backup run`")
        if not on_second_device(ground.home):
            wrong.append(
                f"{shelf.folder} is on the data folder's own device, or in memory: set backup_folder to one on another"
            )
        waiting = behind(ground.home, shelf.folder / FOLDER, now)
        late = [f"{book} for {seconds:.0f} s" for book, seconds in waiting.items() if seconds > COPY_SECONDS]
        if late:
            wrong.append(f"not copied: {', '.join(late)}; `aitrade up` copies journals, or `aitrade backup mirror`")
        right = (
            f"{backup.id}, {hours:.1f} hours old, restored in {verified.seconds:.1f} s: {verified.files} files and "
            f"{len(verified.books)} journals with no difference, on another device."
            + "".join(f" {place}." for place in backup.left_out)
        )
        measured: Measured = {
            "hours": round(hours, 2), "restore_s": verified.seconds, "files": verified.files,
            "differences": len(verified.differences), "books": len(verified.books),
            "records": sum(head.seq for head in verified.books),
            "copied_s_ago": round((now - copied) / 10**9, 1) if copied else -1,
            "waiting_s": round(max(waiting.values(), default=0.0), 1),
        }  # fmt: skip
        return finding(wrong, right, measured, Source.SYSTEM, verified.files)


class ConfigurationVersioned:
    """The configuration is as its newest commit has it, and a change in a copy becomes a commit that reads back."""

    id = "configuration"
    section = Section.ENVIRONMENT
    words = "Configuration versioned"
    seconds = 30.0

    def examine(self, ground: Ground) -> Finding:
        """Compare the installation with its history, and drill a change in scratch."""
        from aitrade.ops.configuration_history import at_change, changes, files, keep, unkept

        home, probe = ground.scratch / self.id, f"# changed {time.time_ns()}\n"
        ground.own_rules(home)
        (home / "aitrade.toml").write_text("seed = 1\n", encoding="utf-8")
        keep(home)
        (home / "aitrade.toml").write_text(probe, encoding="utf-8")
        change = keep(home)
        wrong = [f"{name} is not kept as it is: run `aitrade backup configuration`" for name in unkept(ground.home)]
        if change is None or at_change(home, change.id)["aitrade.toml"] != probe.encode():
            wrong.append("a change in a copy was not kept")
        own, history = files(ground.home), list(changes(ground.home))
        newest = f"newest change {history[0].id[:12]} by {history[0].who}" if history else "none changed yet"
        right = f"{len(own)} files of {len(history)} changes are kept, {newest}."
        measured: Measured = {"files": len(own), "changes": len(history), "unkept": len(wrong)}
        return finding(wrong, right, measured, Source.SYSTEM, len(own) + 1)


class LogsKept:
    """Logs have a term of 90 days or more, are written, and none that is past it lies about unarchived."""

    id = "logs"
    section = Section.ENVIRONMENT
    words = "Logs kept 90 days"
    seconds = 30.0

    def examine(self, ground: Ground) -> Finding:
        """Look at the installation's logs and terms; removal within the term is drilled in a copy."""
        from aitrade.compliance.retention import Retention
        from aitrade.core.clock import ist_date
        from aitrade.ops.retention_drill import drill

        folder = ground.scratch / self.id
        ground.own_rules(folder)
        drilled, retention = drill(folder), Retention(ground.home, ist_date(time.time_ns()))
        kept = [found for path in sorted((ground.home / "logs").glob("*")) if (found := retention.kept(path))]
        wrong = [f"{row.name} is {row.days} days past" for row in kept if (retention.today - row.until).days > _GRACE]
        wrong += drilled.wrong
        if retention.days.get("logs", 0) < LOG_DAYS:
            wrong.append(f"the term of logs is {retention.days.get('logs', 0)} days")
        oldest = min((row.since for row in kept), default=retention.today)
        right = (
            f"{len(kept)} logs since {oldest:%d %b %Y}, kept {retention.days['logs']} days; "
            "a removal within the term was refused."
        )
        measured: Measured = {"logs": len(kept), "days": retention.days.get("logs", 0), "refused": drilled.refused}
        return finding(wrong, right, measured, Source.SYSTEM, len(kept))


_GRACE = 8
"""Days after which a log that is past its term should have been archived by the weekly clean-up."""


class ModelsCheckpointed:
    """The newest checkpoint is of this week, opens, and has every model as it is now."""

    id = "models"
    section = Section.ENVIRONMENT
    words = "Models checkpointed weekly"
    seconds = 30.0

    def examine(self, ground: Ground) -> Finding:
        """Unseal the newest checkpoint into scratch and compare; raise where it does not open."""
        from aitrade.ops.checkpoints import differing

        folder = ground.scratch / self.id
        folder.mkdir(parents=True)
        newest, examined, different = differing(ground.home, folder)
        if newest is None:
            return finding(["no checkpoint was made yet: run `aitrade backup models`"], "", {}, Source.SYSTEM, 0)
        days = (time.time_ns() - newest.at) / _DAY
        wrong = [f"{name} is not in {newest.id} as it is now" for name in different]
        if days > CHECKPOINT_DAYS:
            wrong.append(f"{newest.id} is {days:.0f} days old: run `aitrade backup models`")
        right = f"{newest.id}, {days:.1f} days old, opens and has all {examined} files as they are."
        measured: Measured = {"days": round(days, 2), "files": examined, "differences": len(different)}
        return finding(wrong, right, measured, Source.SYSTEM, examined)


ITEMS: tuple[Item, ...] = (*SERVICE, BackedUp(), ConfigurationVersioned(), LogsKept(), ModelsCheckpointed())
