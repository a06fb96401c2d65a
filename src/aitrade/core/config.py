"""Configuration: defaults, then `aitrade.toml` in the data folder, then `AITRADE_*` in the environment.

Read once, by the composition root; what runs is given plain values.
"""

from pathlib import Path
from typing import Literal

from platformdirs import user_data_dir
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from aitrade.core.errors import Refused


def default_home() -> Path:
    """Return the data folder of this user."""
    return Path(user_data_dir("aitrade", appauthor=False))


class Configuration(BaseSettings):
    """Every setting, its default and its unit."""

    model_config = SettingsConfigDict(env_prefix="AITRADE_", extra="forbid")

    home: Path = Field(default_factory=default_home, description="Data folder: books, market data, logs")
    market: Path | None = Field(
        None, description="Imported market data for research; empty is market/ in the data folder"
    )
    backup_folder: Path | None = Field(
        None,
        description="Where backups and the copies of the journal go: a folder on a second device; empty is backups/",
    )
    keep_daily_backups: int = Field(14, ge=7, le=366, description="Daily backups that stay: a week, at most a year")
    keep_full_backups: int = Field(24, ge=2, le=240, description="Full backups that stay, one a month")
    keep_model_checkpoints: int = Field(12, ge=4, le=520, description="Checkpoints of models that stay, one a week")
    print_reports: bool = Field(default=True, description="Print each report as PDF too, where a browser is there")
    page_port: int = Field(8765, ge=0, le=65535, description="Port of the page on 127.0.0.1; 0 takes a free one")
    durability: Literal["os", "disk"] = Field("os", description="When a journal record counts as written")
    cash: int = Field(1_000_000, gt=0, description="Opening cash of a new paper book, rupees")
    seed: int = Field(1, ge=0, description="Seed of the simulated market")
    speed: int = Field(1, ge=0, le=3600, description="Market seconds per second; 0 is as fast as it goes")
    strategy: str = Field("moving-average", description="Strategy that a new book starts with; empty for none")
    strategy_seconds: float = Field(2.0, gt=0, description="How long a strategy may take for one event")
    algo_id: str = Field("GENERIC", description="Exchange algo id on orders of strategies")
    client: str = Field("PAPER", description="Client code on every record")
    plan: str = Field("zerodha", description="Broker plan for charges")
    database: str = Field("", description="Database URL of the projection; empty is SQLite beside the book")
    open_browser: bool = Field(default=True, description="Open the page when it is ready")
    real_data: str = Field("", description="Folder of real market data, for tests and benches")
    require_frontend: bool = Field(default=False, description="Fail an installation that cannot build the page")

    @property
    def market_folder(self) -> Path:
        """Where imported market data lie."""
        return self.market or self.home / "market"

    @property
    def backups(self) -> Path:
        """Where backups lie."""
        return self.backup_folder or self.home / "backups"

    @property
    def kept(self) -> dict[str, int]:
        """How many backups of a kind stay when a new one lies there."""
        return {
            "daily": self.keep_daily_backups,
            "full": self.keep_full_backups,
            "models": self.keep_model_checkpoints,
        }

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - no .env file: secrets do not belong in one
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - secrets live in the vault
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take arguments first, then the environment, then the file."""
        home = init_settings().get("home") or env_settings().get("home") or default_home()
        file = TomlConfigSettingsSource(settings_cls, Path(home) / "aitrade.toml")
        return init_settings, env_settings, file


def load(**given: object) -> Configuration:
    """Return the configuration; raise Refused naming the setting that is wrong and where settings come from."""
    arguments = {name: value for name, value in given.items() if value is not None}
    try:
        return Configuration(**arguments)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        message = f"Setting {name!r} is wrong: {first['msg']}; correct it in aitrade.toml or AITRADE_{name.upper()}."
        raise Refused(message) from None
