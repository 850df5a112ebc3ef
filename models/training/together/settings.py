"""What a training together is asked for, and the recipes: the paper's (Mora, A.9), and one for the embedded agents."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from models.agent import Role
from models.errors import AgentError
from models.training.together.chain import Start
from models.training.together.modulation import MODES, Mode

How = Literal["lora", "full"]
Precision = Literal["float32", "bfloat16"]


class BadTraining(AgentError):
    """A training cannot be what was asked for, or cannot go on; the sentence says why."""


@dataclass(frozen=True)
class Settings:
    """Everything besides agents and winners that the trained bytes depend on.

    share: lambda of equation 4b, the film's share of the loss; 0 trains the agents apart, 1 is the paper's loss.
    last_steps: K of equation 4. rate, z_rate: of theta and z in equation 5. sampling_steps: of each role's sampling in
    the chain; a role that is not named takes its preset's. floors: a part whose own loss is below its floor on the
    winners is frozen. film_share: how much of a batch goes through the chain. random_z: z starts as a Gaussian.
    """

    how: How = "full"
    modulation: Mode = "none"
    share: float = 0.5
    last_steps: int = 2
    start: Start = "target"
    steps: int = 12
    batch: int = 4
    rate: float = 1e-5
    z_rate: float = 1e-3
    weight_decay: float = 0.01
    clip: float = 1.0
    save_every: int = 4
    precision: Precision = "float32"
    checkpointing: bool = False
    lora_rank: int = 8
    lora_alpha: int = 8
    frames: int = 2
    film_share: float = 0.5
    measured: int = 8
    floors: Mapping[str, float] = field(default_factory=dict)
    sampling_steps: Mapping[Role, int] = field(default_factory=dict)
    pixels_to_pace: bool = False
    random_z: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise BadTraining for a number that no training can have."""
        if self.modulation not in MODES:
            known = ", ".join(MODES)
            raise BadTraining("training-modulation-unknown", f"modulation is one of {known}, not {self.modulation!r}")
        for name in ("steps", "batch", "last_steps", "save_every", "frames", "measured", "lora_rank"):
            if (value := getattr(self, name)) < 1:
                raise BadTraining("training-number-unusable", f"{name} must be 1 or more, not {value}", name=name)
        for name in ("share", "film_share"):
            if not 0 <= (part := getattr(self, name)) <= 1:
                raise BadTraining("training-share-unusable", f"{name} must be between 0 and 1, not {part}", name=name)
        for name in ("rate", "z_rate", "clip"):
            if not 0 < (size := getattr(self, name)) < float("inf"):
                raise BadTraining("training-rate-unusable", f"{name} must be more than 0, not {size}", name=name)

    def as_json(self) -> dict[str, Any]:
        """Return the settings as small JSON values."""
        return asdict(self) | {"floors": dict(self.floors), "sampling_steps": dict(self.sampling_steps)}


PAPER = Settings(precision="bfloat16", checkpointing=True)
"""Mora, A.9: AdamW, 1e-5 constant, batch 4, bf16, gradient checkpointing, 12 steps, a checkpoint every 4."""
EMBEDDED = Settings(
    rate=3e-4, steps=30, floors={"pace": 5e-3}, sampling_steps={"text_to_image": 6, "image_to_video": 3}
)
"""float32; shorter sampling, so that the chain begins where the picture is still open.

As shipped, `pace` is exact: its squared error to what the locator sees is 0.0006 on rendered films and up to 0.003 on
drawn ones, which is the locator's. One motion in place of another is 0.03 and more.
"""


def differences(begun: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """Return in words what two settings differ in: `rate 0.001, not 0.002`; "" if in nothing."""
    names = [each.name for each in fields(Settings)]
    order = [*names, *sorted((begun.keys() | asked.keys()) - set(names))]
    changed = [name for name in order if begun.get(name) != asked.get(name)]
    return ", ".join(f"{name.replace('_', ' ')} {begun.get(name)}, not {asked.get(name)}" for name in changed)
