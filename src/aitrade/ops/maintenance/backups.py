"""Backups as tasks: the daily one, the monthly full one, and the weekly checkpoint of the models."""

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


class ModelCheckpoint:
    """Seals the model registry and what the package brings in its place."""

    name = "checkpoint_models"

    def plan(self, ground: Ground) -> list[str]:
        """Say how many versions there are."""
        from aitrade.store.models import Models

        return [f"Seal {len(Models(ground.home).all())} model versions and the package's own into a checkpoint."]

    def run(self, ground: Ground) -> Done:
        """Make it."""
        from aitrade.ops import checkpoints

        with ground.step("make the checkpoint"):
            made = checkpoints.run(ground.home, at=ground.now)
        measured = {"checkpoint": made.id, "files": made.files, "bytes": made.size, "sha256": made.sha256}
        return Done(f"Checkpoint {made.id} has {made.files} files in {made.size:,} bytes.", measured)
