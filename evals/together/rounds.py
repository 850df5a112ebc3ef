"""Rounds of training together: prompts, candidates, panel, person, tuning, checks (Mora, section 3.2, algorithm 1).

Everything is in one folder, file by file, each whole or not there; what is there is not made again. So a campaign that
was killed goes on where it was, to the same bytes: all randomness comes from (seed, round, phase, item).
"""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from evals.judges.contract import Judge
from evals.judges.panel import agreed, ask, shared_criteria
from evals.together.checks import Checks, checked, reason_to_stop, validation_loss
from evals.together.films import Film, make_film, winners
from evals.together.prompts import Asked, check_prompts, prompts
from evals.world.measures import attributes
from memory.whole_files import write_whole
from models.agent import Role
from models.backends.loading import Placement, weights_digest
from models.embedded.oracle import look
from models.lenders.local import LocalLender
from models.presets import Preset
from models.training.together import checkpoint
from models.training.together.agents.table import load_trainable
from models.training.together.chain import Chain
from models.training.together.contract import Trainable
from models.training.together.export import export, rows_in
from models.training.together.settings import BadTraining, Settings, differences
from models.training.together.trainer import Trainer

Person = Literal["ask", "drop", "oracle"]
"""Who decides where judges differ: a person, later; nobody, and the set is dropped; the oracle, in experiments."""
PHASES = {"candidates": 2, "panel": 3, "mix": 4, "tune": 6}
VALIDATION_SHARE = 8
PROFILE = "profile"
CHOICE = "choice-{:03}.json"


@dataclass(frozen=True)
class Plan:
    """What a campaign is.

    mix: share of earlier winners in what is trained on; checks: prompts of the checks; variety: films of one of them.
    candidate_steps: sampling steps of the candidates by role, where not the preset's.
    """

    rounds: int = 4
    prompts: int = 16
    candidates: int = 4
    mix: float = 0.5
    person: Person = "ask"
    checks: int = 48
    variety: int = 8
    edited: bool = False
    seed: int = 0
    candidate_steps: Mapping[Role, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise BadTraining for a number that no campaign can have."""
        for name, least in (("rounds", 1), ("prompts", 1), ("candidates", 2), ("checks", 1), ("variety", 2)):
            if (value := getattr(self, name)) < least:
                raise BadTraining("training-number-unusable", f"{name} must be {least} or more, not {value}", name=name)
        if not 0 <= self.mix < 1:
            raise BadTraining("training-mix-unusable", f"mix must be 0 or more and below 1, not {self.mix}")

    @property
    def path(self) -> tuple[Role, ...]:
        """The roles of the path in their order."""
        return ("text_to_image", "edit_image", "image_to_video") if self.edited else ("text_to_image", "image_to_video")


@dataclass(frozen=True)
class Outcome:
    """How a campaign stands. waiting: (round, set) that a person has to choose in; rows: the profile so far."""

    state: Literal["done", "waiting", "stopped"]
    sentence: str
    rows: tuple[Preset, ...]
    waiting: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Campaign:
    """A campaign in a folder. rows: of the profile that is trained; report: (phase, done, of) hears progress."""

    folder: Path
    plan: Plan
    settings: Settings
    rows: tuple[Preset, ...]
    judges: tuple[Judge, ...]
    report: Callable[[str, int, int], None] = lambda _phase, _done, _of: None

    def run(self) -> Outcome:
        """Go on to the end, or until a person is waited for. At the end `folder/profile` loads as a profile.

        Raises NoPanel for judges that cannot be asked together; BadTraining if another trainer is in the folder, or if
        it was begun with another plan, settings, judges or weights. Then nothing has been written.
        """
        shared_criteria(self.judges)
        self._check()
        with checkpoint.alone(self.folder):
            self._check()
            _write(self.folder / "campaign.json", self._asked())
            return self._run()

    def choose(self, round_: int, number: int, candidate: int | None) -> None:
        """Let a person's choice count: the candidate's number, or None to reject all of set `number`."""
        folder = self._round(round_)
        if not (folder / f"ranking-{number:03}.json").exists():
            raise BadTraining("training-no-such-set", f"round {round_} has no set {number} to choose in", number=number)
        if candidate is not None and not 0 <= candidate < self.plan.candidates:
            last = self.plan.candidates - 1
            raise BadTraining("training-no-such-candidate", f"choose a candidate from 0 to {last}, or none of them")
        _write(folder / CHOICE.format(number), {"candidate": candidate, "by": "person"})

    def _asked(self) -> dict[str, Any]:
        plan = {f"plan {name}": value for name, value in asdict(self.plan).items() if name != "rounds"}
        judges = [judge.name for judge in self.judges]
        own = [row for row in self.rows if row.role in self.plan.path]
        asked = {**self.settings.as_json(), **plan, "judges": judges, "weights": [weights_digest(row) for row in own]}
        plain: dict[str, Any] = json.loads(json.dumps(asked))
        return plain

    def _check(self) -> None:
        path = self.folder / "campaign.json"
        if path.exists() and (changed := differences(_read(path), self._asked())):
            raise BadTraining(
                "training-settings-changed",
                f"the training in {self.folder} was begun with {changed}; give the same again, or another folder",
                path=str(self.folder),
            )

    def _run(self) -> Outcome:
        history = [self._checks(self.folder / "checks.json", self.rows, None)]
        rows = self.rows
        for number in range(self.plan.rounds):
            if waiting := self._judged(number, rows):
                said = f"{len(waiting)} sets of round {number + 1} wait for a person"
                return Outcome("waiting", said, rows, tuple((number, one) for one in waiting))
            if not self._winners(number):
                return self._end("stopped", f"round {number + 1} has no winner; the agents before it are kept", rows)
            tuned = self._tuned(number, rows)
            history.append(self._checks(self._round(number) / "checks.json", tuned, number))
            if reason := reason_to_stop(history):
                said = f"stopped after round {number + 1}, and the agents before it are kept: {reason}"
                return self._end("stopped", said, rows)
            rows = tuned
        return self._end("done", f"{self.plan.rounds} rounds are done", rows)

    def _end(self, state: Literal["done", "stopped"], sentence: str, rows: tuple[Preset, ...]) -> Outcome:
        place, draft = self.folder / PROFILE, self.folder / ".profile.draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        for row in rows:
            if Path(row.weights).is_dir():
                shutil.copytree(row.weights, draft / row.role)
        shutil.rmtree(place, ignore_errors=True)
        draft.replace(place)
        _write(self.folder / "outcome.json", {"state": state, "sentence": sentence})
        return Outcome(state, sentence, rows_in(place, rows))

    def _round(self, number: int) -> Path:
        return self.folder / f"round-{number:02}"

    def _prompts(self, number: int) -> tuple[Asked, ...]:
        return prompts(self.plan.prompts, seed=self.plan.seed, round_=number, edited=self.plan.edited)

    def _lender(self, rows: tuple[Preset, ...]) -> LocalLender:
        return LocalLender(rows[0].profile, device="cpu", table=rows)

    def _judged(self, number: int, rows: tuple[Preset, ...]) -> list[int]:
        """Make and judge the candidates of a round; return the sets that wait for a person."""
        lender, asked, waiting = self._lender(rows), self._prompts(number), []
        for one, wish in enumerate(asked):
            films = [self._candidate(lender, number, one, k, wish) for k in range(self.plan.candidates)]
            self.report("candidates", one + 1, len(asked))
            if not self._is_decided(number, one, wish, films):
                waiting.append(one)
        return waiting

    def _candidate(self, lender: LocalLender, number: int, one: int, k: int, wish: Asked) -> Film:
        path = self._film(number, one, k)
        if not path.exists():
            seed = np.random.default_rng([self.plan.seed, number, PHASES["candidates"], one, k]).integers(2**31)
            make_film(lender, wish, int(seed), self.plan.candidate_steps).write(path)
        return Film.read(path)

    def _film(self, number: int, one: int, k: int) -> Path:
        return self._round(number) / "films" / f"{one:03}-{k}.safetensors"

    def _is_decided(self, number: int, one: int, wish: Asked, films: Sequence[Film]) -> bool:
        """Ask the panel about a set, and whoever decides where it differs; False while a person is waited for."""
        folder = self._round(number)
        ranking, choice = folder / f"ranking-{one:03}.json", folder / CHOICE.format(one)
        if choice.exists():
            return True
        seed = (self.plan.seed, number, PHASES["panel"], one)
        sentence = wish.shown.sentence
        if not ranking.exists():
            answers = ask(self.judges, [film.frames for film in films], sentence, seed=seed)
            _write(ranking, {"prompt": sentence, "first": agreed(answers), "answers": [a.as_json() for a in answers]})
        first = _read(ranking)["first"]
        if first is not None:
            _write(choice, {"candidate": first, "by": "panel"})
        elif self.plan.person == "drop":
            _write(choice, {"candidate": None, "by": "dropped"})
        elif self.plan.person == "oracle":
            good = [k for k, film in enumerate(films) if all(attributes(look(film.frames), wish.shown).values())]
            _write(choice, {"candidate": good[0] if good else None, "by": "oracle"})
        return choice.exists()

    def _winners(self, number: int) -> list[tuple[int, int, int]]:
        """Return (round, set, candidate) of a round's winners."""
        chosen = ((one, _read(self._round(number) / CHOICE.format(one))) for one in range(self.plan.prompts))
        return [(number, one, said["candidate"]) for one, said in chosen if said["candidate"] is not None]

    def _kept_out(self) -> list[tuple[int, int, int]]:
        """Return the winners of the first round that are never trained on: every eighth."""
        return self._winners(0)[VALIDATION_SHARE - 1 :: VALIDATION_SHARE]

    def _mixed(self, number: int) -> list[tuple[int, int, int]]:
        """Return what a round trains on: its winners, and `mix` of earlier ones."""
        kept_out = self._kept_out()
        new = [each for each in self._winners(number) if each not in kept_out]
        old = [each for r in range(number) for each in self._winners(r) if each not in kept_out]
        count = min(len(old), round(len(new) * self.plan.mix / (1 - self.plan.mix)))
        rng = np.random.default_rng([self.plan.seed, number, PHASES["mix"]])
        return new + [old[i] for i in sorted(rng.choice(len(old), count, replace=False).tolist())] if old else new

    def _data(self, chosen: Sequence[tuple[int, int, int]]) -> Any:
        films = [Film.read(self._film(*each)) for each in chosen]
        return winners(films, [self._prompts(r)[one] for r, one, _ in chosen])

    def _agents(self, rows: tuple[Preset, ...]) -> tuple[Trainable, ...]:
        by_role = {row.role: row for row in rows}
        return tuple(load_trainable(by_role[role], Placement("cpu", 1)) for role in self.plan.path)

    def _steps(self, rows: tuple[Preset, ...]) -> dict[Role, int]:
        own = {row.role: row.steps for row in rows}
        return {role: self.settings.sampling_steps.get(role, own[role]) for role in self.plan.path}

    def _tuned(self, number: int, rows: tuple[Preset, ...]) -> tuple[Preset, ...]:
        """Tune on a round's winners; return the rows of the agents after it."""
        folder, place = self._round(number), self._round(number) / "agents"
        if place.exists():
            return rows_in(place, rows)
        seed = np.random.default_rng([self.plan.seed, number, PHASES["tune"]]).integers(2**31)
        trainer = Trainer(
            self._agents(rows),
            self._data(self._mixed(number)),
            replace(self.settings, seed=int(seed)),
            folder / "training",
            self._steps(rows),
            known={row.role: weights_digest(row) for row in rows if row.role in self.plan.path},
            report=lambda progress: self.report("tuning", progress.step, progress.steps),
        )
        trainer.run()
        draft = folder / ".agents.draft"
        shutil.rmtree(draft, ignore_errors=True)
        export(trainer.agents, rows, draft)
        draft.replace(place)
        return rows_in(place, rows)

    def _checks(self, path: Path, rows: tuple[Preset, ...], number: int | None) -> Checks:
        if not path.exists():
            loss = None
            if number is not None and (kept := self._kept_out()):
                chain = Chain(self._agents(rows), self._steps(rows), self.settings.last_steps)
                loss = validation_loss(chain, self._data(kept), seed=self.plan.seed)
            asked = check_prompts(self.plan.checks, seed=self.plan.seed, edited=self.plan.edited)
            steps = self.plan.candidate_steps
            again, seed = self.plan.variety, self.plan.seed
            found = checked(self._lender(rows), asked, steps, again=again, seed=seed, loss=loss)
            _write(path, found.as_json())
        return Checks(**_read(path))


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(value, sort_keys=True, indent=1) + "\n").encode())


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
