"""The settings, read from MORA_* variables and `.env`. Only the command line and the server read them."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from platformdirs import user_data_path
from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from memory.names import DATABASE_FILE

if TYPE_CHECKING:
    from memory.archive import Archive


SECONDS = "seconds, more than 0 and 3600 at most"
DEVICES = "auto, cpu, cuda, cuda:1 or mps"
DTYPES = "float32, bfloat16 or float16"


class Settings(BaseSettings):
    """Every setting with its default. A description says which values are allowed; `unusable` quotes it."""

    model_config = SettingsConfigDict(env_prefix="MORA_", env_file=".env", extra="ignore", frozen=True)

    home: Path = Field(default_factory=lambda: user_data_path("mora"))
    database_url: str | None = None
    busy_seconds: float = Field(default=30.0, gt=0, le=3600, description=SECONDS)
    profile: str = "embedded"
    planner: str | None = None
    planner_model: str = "gpt-4o"
    planner_base_url: str | None = Field(
        default=None, validation_alias=AliasChoices("MORA_PLANNER_BASE_URL", "OPENAI_BASE_URL", "OPENAI_API_BASE")
    )
    planner_api_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("MORA_PLANNER_API_KEY", "OPENAI_API_KEY")
    )
    planner_timeout: float = Field(default=60.0, gt=0, le=3600, description=SECONDS)
    planner_retry_budget: float = Field(default=120.0, ge=0, le=3600, description="seconds, from 0 to 3600")
    planner_tools: Literal["auto", "never"] = Field(default="auto", description="auto or never")
    gguf: Path | None = None
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$", description=DEVICES)
    threads: int = Field(default=1, ge=1, le=256, description="a whole number from 1 to 256")
    dtype: str | None = Field(default=None, pattern=r"^(float32|bfloat16|float16)$", description=DTYPES)
    memory_gib: float | None = Field(default=None, gt=0, description="GiB, more than 0")
    metric_weights: Path | None = None
    step_checkpoint_seconds: float = Field(default=30.0, ge=0, le=86400, description="seconds, from 0 to 86400")
    drain_seconds: float = Field(default=10.0, gt=0, le=3600, description=SECONDS)
    provenance: bool = Field(default=True, description="true or false")
    signing_cert: Path | None = None
    signing_key: Path | None = None

    @property
    def database(self) -> str:
        """The database's URL: the configured one, else SQLite inside the home."""
        return self.database_url or f"sqlite:///{self.home.expanduser().absolute() / DATABASE_FILE}"

    @property
    def nothing_is_stored(self) -> bool:
        """True if opening the archive would create the database."""
        return self.database_url is None and not (self.home.expanduser() / DATABASE_FILE).exists()

    def open_archive(self) -> "Archive":
        """Open the archive of the database and the home. Raises ArchiveError."""
        from memory.archive import Archive

        return Archive.open(self.database, self.home.expanduser(), busy_seconds=self.busy_seconds)


def unusable(error: ValidationError) -> str:
    """Return a message about the first invalid setting, which says what to use instead."""
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0]).lower().removeprefix("mora_")
    return f"MORA_{name.upper()} is {first['input']!r}; use {Settings.model_fields[name].description}"
