"""Backups as tasks: the daily one and the monthly full one, made by `aitrade.ops.backup`."""

from aitrade.ops.maintenance.task import Done, Ground


class _Backup:
    """Makes a backup of one kind; a half-made one is never on the shelf."""

    name = ""
    kind = ""

    def plan(self, ground: Ground) -> list[str]:
        """Say what would be made, and what there is."""
        from aitrade.ops.backup import last

        newest = last(ground.home)
        return [
            f"Make a {self.kind} backup; the newest is {newest.id}."
            if newest
            else f"Make the first {self.kind} backup."
        ]

    def run(self, ground: Ground) -> Done:
        """Make it."""
        from aitrade.ops.backup import run

        with ground.step(f"make the {self.kind} backup"):
            made = run(ground.home, self.kind, at=ground.now)
        measured = {"backup": made.id, "files": made.files, "bytes": made.size, "sha256": made.sha256}
        return Done(f"Backup {made.id} has {made.files} files in {made.size:,} bytes.", measured)


class DailyBackup(_Backup):
    """Databases, journals, configuration and models."""

    name = "backup_database"
    kind = "daily"


class FullBackup(_Backup):
    """The whole data folder."""

    name = "perform_full_backup"
    kind = "full"
