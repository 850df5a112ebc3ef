"""Train the agents of a path together on the films that won: algorithm 1's inner loop (Mora, section 3.2).

Rounds, judges and prompts are elsewhere. A training that was killed goes on from its checkpoint to the same bytes: all
randomness comes from (seed, phase, step), never from what was drawn before.
"""

import hashlib
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor

from models.agent import Role
from models.backends.tokens import Token, token_of
from models.training.loop import Progress
from models.training.together import adapters, checkpoint, log
from models.training.together.chain import Chain
from models.training.together.contract import Trainable, Winners
from models.training.together.losses import FILM, Sizes, film_loss, own_loss
from models.training.together.modulation import Factors
from models.training.together.settings import BadTraining, Settings, differences
from models.training.together.stepper import NotFinite, Stepper

log_ = logging.getLogger(__name__)

STAGE = "together"
PHASES = {"measure": 0, "tune": 1}


@dataclass(frozen=True)
class Trained:
    """The outcome. checkpoint: its file, sha256 its digest; frozen: parts that were good enough; alpha: the last."""

    checkpoint: Path
    sha256: str
    frozen: tuple[str, ...]
    alpha: Mapping[str, float]


@dataclass
class Trainer:
    """One training. agents: in the order of the path; steps_of: sampling steps of each role; winners: all of them.

    known: what besides settings and winners the result depends on, such as digests of weights; small JSON.
    """

    agents: tuple[Trainable, ...]
    winners: Winners
    settings: Settings
    folder: Path
    steps_of: Mapping[Role, int]
    known: Mapping[str, str] = field(default_factory=dict)
    report: Callable[[Progress], None] = lambda _progress: None

    def __post_init__(self) -> None:
        """Raise BadTraining if the winners cannot be trained on."""
        if len(self.agents) < 2:
            raise BadTraining("training-path-short", "a path has two agents at least, A2 and A4")
        if not len(self.winners):
            raise BadTraining("training-no-winners", "there is no winner to train on; judge more candidates")
        if (length := self.winners.clips.shape[1]) <= self.settings.frames:
            raise BadTraining(
                "training-clips-short",
                f"clips of {length} frames have no {self.settings.frames} besides the first; compare fewer",
                frames=length,
            )
        self.chain = Chain(self.agents, self.steps_of, self.settings.last_steps, self.settings.start)

    def run(self) -> Trained:
        """Train to the end, from the folder's checkpoint if it has one; the networks end with the averaged
        weights, and keep their tokens.

        Raises BadTraining: another trainer is in the folder, it was begun with other settings, or a loss is no number.
        """
        with checkpoint.alone(self.folder), _deterministic():
            stored = checkpoint.load(self.folder)
            if stored is not None:
                self._check(stored[1])
            if self.settings.start == "own-noise":
                log_.warning(
                    "From its own noise an agent with many right answers learns their mean; watch the variety."
                )
            self._set_up()
            return self._run(stored)

    def _check(self, state: Mapping[str, Any]) -> None:
        if changed := differences(state["asked"], self._asked()):
            raise BadTraining(
                "training-settings-changed",
                f"the training in {self.folder} was begun with {changed}; give the same again, or another folder",
                path=str(self.folder),
            )

    def _asked(self) -> dict[str, Any]:
        roles = [agent.role for agent in self.agents]
        steps = {role: int(self.steps_of[role]) for role in roles}
        own = {"path": roles, "sampling_steps": steps, "winners": _digest(self.winners)}
        return {**self.settings.as_json(), **own, **self.known}

    def _set_up(self) -> None:
        settings = self.settings
        AcceleratorState._reset_state(True)  # it is one for the process, and refuses another precision
        on_cpu = self.winners.pictures.device.type == "cpu"
        self.accelerator = Accelerator(mixed_precision=_MIXED[settings.precision], cpu=on_cpu)
        self.trained = adapters.prepare(self.agents, settings)
        self.tokens: dict[str, Token] = {}
        if settings.modulation not in ("none", "gradnorm"):
            self.tokens = {agent.role: self._token(agent, number) for number, agent in enumerate(self.agents)}

    def _token(self, agent: Trainable, number: int) -> Token:
        """Return the agent's token: that of a training before, or a new one, attached."""
        if (kept := token_of(agent.denoiser)) is not None:
            kept.z.requires_grad_(True)
            return kept
        start, how = agent.modulation_start(self.winners.pictures[:32])
        log_.info("z of %s begins as %s", agent.role, how)
        random = self.settings.seed + number if self.settings.random_z else None
        token = Token.beginning(start, agent.modulation(), full=_is_full(agent), random=random)
        token.attach(agent.denoiser)
        return token

    def _run(self, stored: tuple[dict[str, Tensor], dict[str, Any]] | None) -> Trained:
        if stored is None:
            self.sizes = Sizes.measured(self._measured(i) for i in range(self.settings.measured))
            self.frozen = self._good_enough()
        else:
            self.sizes, self.frozen = Sizes(stored[1]["sizes"]), tuple(stored[1]["frozen"])
        self._freeze()
        roles = tuple(agent.role for agent in self.agents)
        factors = Factors.beginning(self.settings.modulation, self.tokens, roles)
        self.stepper = Stepper(self.trained, self.tokens, factors, self.settings)
        step = 0
        if stored is None:
            self._save(0)
        else:
            self.stepper.restore(stored[0], stored[1]["alpha"])
            step = stored[1]["step"]
        log.begin(self.folder, step)
        begun, started = step, time.monotonic()
        while step < self.settings.steps:
            loss = self._step(step)
            step += 1
            left = (time.monotonic() - started) / (step - begun) * (self.settings.steps - step)
            self.report(Progress(STAGE, step, self.settings.steps, loss, left))
            if step % self.settings.save_every == 0 or step == self.settings.steps:
                self._save(step)
        self.stepper.take_averages()
        path = self.folder / checkpoint.NAME
        return Trained(path, checkpoint.digest(self.folder), self.frozen, dict(factors.alpha))

    def _step(self, step: int) -> float:
        losses = self.losses("tune", step)
        total = self.sizes.total(losses, self.settings.share)
        values = {name: loss.item() for name, loss in losses.items()}
        if wrong := [name for name, value in values.items() if not math.isfinite(value)]:
            raise self._not_finite(step, f"the loss of {wrong[0]}")
        self.accelerator.backward(total)
        try:
            norms = self.stepper.update(step)
        except NotFinite as part:
            raise self._not_finite(step, f"the gradient of {part}") from part
        row = {"step": step, "loss": total.item(), "losses": values, "norms": norms}
        alpha = dict(self.stepper.factors.alpha)
        sizes = {role: token.size for role, token in self.tokens.items()}
        log.add(self.folder, {**row, "alpha": alpha, "z": sizes, "frozen": list(self.frozen)})
        return total.item()

    def _not_finite(self, step: int, what: str) -> BadTraining:
        last = step // self.settings.save_every * self.settings.save_every
        return BadTraining(
            "training-not-finite",
            f"in step {step + 1} {what} is not a number; the checkpoint after step {last} stands: take a smaller rate, "
            "or float32",
            step=step + 1,
            stands=last,
        )

    def losses(self, phase: Literal["measure", "tune"], step: int) -> dict[str, Tensor]:
        """Return the losses of one batch by name; the same phase and step always draw the same samples and noise.

        An agent's own is under its role, a small part's under `role/part`, the film's under `FILM`; those that the
        settings leave no share are left out.
        """
        rng = np.random.default_rng([self.settings.seed, PHASES[phase], step])
        batch = self._batch(rng)
        with self.accelerator.autocast():
            losses = {} if self.settings.share == 1 else self._own(batch, rng)
            if self.settings.share > 0:
                count = max(1, round(len(batch) * self.settings.film_share))
                some = batch[torch.arange(count)]
                drawn = self.chain.draw(some, _generator(rng))
                losses[FILM] = film_loss(self.agents, some, drawn.picture, drawn.frames)
        return losses

    def _own(self, batch: Winners, rng: np.random.Generator) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for agent in self.agents:
            draw = _generator(rng)
            found[agent.role] = own_loss(agent, batch, draw)
            small = agent.small_losses(batch)
            found.update({f"{agent.role}/{name}": loss for name, loss in small.items()})
        return {name: loss for name, loss in found.items() if name not in getattr(self, "frozen", ())}

    def _batch(self, rng: np.random.Generator) -> Winners:
        count, length = len(self.winners), self.winners.clips.shape[1]
        rows = rng.choice(count, self.settings.batch, replace=count < self.settings.batch)
        frames = np.sort(1 + rng.choice(length - 1, self.settings.frames, replace=False))
        return replace(self.winners[torch.from_numpy(rows)], frames=torch.from_numpy(frames))

    @torch.no_grad()
    def _measured(self, number: int) -> dict[str, float]:
        return {name: loss.item() for name, loss in self.losses("measure", number).items()}

    def _good_enough(self) -> tuple[str, ...]:
        """Return the parts whose own loss is below its floor: Adam would move what is already right."""
        means = self.sizes.means
        return tuple(
            name for name in self.trained if means.get(name, math.inf) < self.settings.floors.get(_part(name), 0.0)
        )

    def _freeze(self) -> None:
        for name in self.frozen:
            for parameter in self.trained.pop(name).values():
                parameter.requires_grad_(False)

    def _save(self, step: int) -> None:
        state = {
            "step": step,
            "asked": self._asked(),
            "sizes": dict(self.sizes.means),
            "frozen": list(self.frozen),
            "alpha": dict(self.stepper.factors.alpha),
        }
        checkpoint.save(self.folder, self.stepper.tensors(), state)


_MIXED = {"float32": "no", "bfloat16": "bf16"}


def _part(name: str) -> str:
    return name.partition("/")[2]


def _is_full(agent: Trainable) -> bool:
    """Whether the denoiser takes a fixed number of text tokens: Wan 2.1 tells picture from text by counting 512."""
    return getattr(getattr(agent.denoiser, "config", None), "image_dim", None) is not None


def _generator(rng: np.random.Generator) -> torch.Generator:
    return torch.Generator().manual_seed(int(rng.integers(2**62)))


def _digest(winners: Winners) -> str:
    """Return a sha256 of everything that is trained on, 64 hex digits."""
    told = hashlib.sha256(repr(sorted(winners.prompts.items())).encode())
    for value in (winners.pictures, winners.clips, winners.edited, winners.layouts):
        if value is not None:
            told.update(repr((tuple(value.shape), str(value.dtype))).encode())
            told.update(value.detach().float().cpu().contiguous().numpy().tobytes())
    return told.hexdigest()


@contextmanager
def _deterministic() -> Iterator[None]:
    """Let the same training give the same bytes, on the same device with the same number of threads."""
    before, strict = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    memory: Any = torch.utils.deterministic
    filled = memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True, warn_only=True)
    memory.fill_uninitialized_memory = False  # a check for libraries; it costs time
    try:
        yield
    finally:
        memory.fill_uninitialized_memory = filled
        torch.use_deterministic_algorithms(before, warn_only=strict)
