"""The archive as one run knows it: whatever a step asks for is what the run once kept, and nothing else.

What was asked (who makes it, of what, with which words and seed) finds the product; weights and numerics do not, so
that a run made on another machine, or before an upgrade, is found as well. Nothing is written but what is made again.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from typing_extensions import override

from memory.archive import Archive
from memory.errors import DamagedArtifact, NeverKept, OtherBytes
from memory.leases import Lease
from memory.products import files
from memory.products.files import Made, Produced
from memory.records import Artifact, LlmCall, Recipe, Run

Agents = Literal["none", "missing", "fresh"]
"""Who may work: nobody; agents for products whose file is lost or damaged; agents for everything."""


@dataclass(frozen=True)
class Place:
    """Of which step of a run a product is: a call of its plan and the attempt from 0, or a step that is no call."""

    call: str
    shot: int | None = None
    attempt: int | None = None

    def __str__(self) -> str:
        return self.call if self.attempt is None else f"{self.call}, attempt {self.attempt + 1}"


@dataclass(frozen=True)
class Remade:
    """A product that was made again: where, what the records have, and what came out now, by which recipe."""

    place: Place
    kept: Artifact
    sha256: str
    recipe: Recipe

    @property
    def same(self) -> bool:
        """True if the bytes are those of the records."""
        return self.sha256 == self.kept.sha256


class Recorded(Archive):
    """`archive` for a rerun of `run`; with `missing` agents products are put back into it under `lease`.

    places: by artifact id, of those that count where a run kept several products of what was asked once. scratch: a
    folder for what is made again while the kept file is lost.
    """

    def __init__(
        self,
        archive: Archive,
        run: Run,
        agents: Agents,
        *,
        places: Mapping[str, Place],
        scratch: Path,
        lease: Lease | None = None,
    ) -> None:
        super().__init__(
            archive.url,
            archive.home,
            archive._engine,
            busy_seconds=archive._busy_seconds,
            lease_seconds=archive._lease_seconds,
        )
        assert agents != "missing" or lease is not None, "what is made again is put back under a lease"
        self._run, self._agents, self._lease = run, agents, lease
        self._places, self._scratch = places, scratch
        self._lock = threading.Lock()
        self.remade: dict[str, Remade] = {}
        # The last one counts, and before all others one that stands.
        known = sorted(self.artifacts(run.id), key=lambda artifact: artifact.id in places)
        self._kept = {_asked(artifact.recipe): artifact for artifact in known}

    @override
    def close(self) -> None:
        """Do nothing: the connections are those of the archive."""

    @override
    def find(self, recipe: Recipe) -> Artifact | None:
        """Return what the run kept of it, if its file is sound; None with `fresh` agents."""
        kept = self._kept.get(_asked(recipe))
        return kept if kept is not None and self._agents != "fresh" and self._sound(kept) else None

    @override
    def make(
        self, lease: Lease, recipe: Recipe, produce: Callable[[], Produced], *, parents: tuple[str, ...] = ()
    ) -> Made:
        """Return what the run kept, made again first where agents may work.

        DamagedArtifact, NeverKept; what `produce` raises.
        """
        kept = self._kept.get(_asked(recipe))
        if kept is None:
            raise NeverKept(
                "product-never-kept",
                f"Run {self._run.id} asks now for a product of {recipe.agent} that it never kept: the code or its "
                "tables have changed since; generate it again, or use the code it was made with.",
                run=self._run.id,
                agent=recipe.agent,
            )
        if self._agents == "fresh":
            return self._fresh(kept, recipe, produce)
        if self._sound(kept):
            return Made(kept, called=False)
        if self._agents == "none":
            raise DamagedArtifact(
                "product-lost",
                f"The product of {self._place(kept)} ({kept.id}) is missing or damaged in the store.",
                artifact=kept.id,
                run=self._run.id,
            )
        return self._put_back(kept, recipe, produce)

    @override
    def path(self, artifact: Artifact) -> Path:
        """Return the file of the artifact, or the one that was made while it was lost."""
        lies = super().path(artifact)
        spare = files.place(self._scratch, artifact.sha256, lies.suffix)
        return spare if spare.exists() else lies

    @override
    def set_status(self, lease: Lease, status: Any, *, film: str | None = None, error: str | None = None) -> Run:
        """Write nothing: the run stands as it stood."""
        return self._run

    @override
    def remember_llm(self, lease: Lease, call: LlmCall) -> None:
        """Write nothing."""

    def _place(self, kept: Artifact) -> Place:
        return self._places.get(kept.id, Place(kept.recipe.agent))

    def _sound(self, kept: Artifact) -> bool:
        return files.is_sound(self.path(kept), kept.sha256)

    def _fresh(self, kept: Artifact, recipe: Recipe, produce: Callable[[], Produced]) -> Made:
        """Make it anew and compare; return the kept one, so that one difference does not become many."""
        product = produce()
        with self._lock:
            self.remade.setdefault(kept.id, Remade(self._place(kept), kept, product.sha256, recipe))
        if product.sha256 == kept.sha256 and not self._sound(kept):
            files.keep(self._scratch, product)
        return Made(kept, called=True)

    def _put_back(self, kept: Artifact, recipe: Recipe, produce: Callable[[], Produced]) -> Made:
        assert self._lease is not None
        try:
            made = super().make(self._lease, kept.recipe, produce, parents=kept.parents)
        except OtherBytes as error:
            raise OtherBytes("product-differs", f"{error} {changed(kept.recipe, recipe) or ''}".strip()) from error
        with self._lock:
            self.remade.setdefault(kept.id, Remade(self._place(kept), kept, made.artifact.sha256, recipe))
        return made


def _asked(recipe: Recipe) -> str:
    """What was asked, whoever answered it with whatever numbers."""
    return recipe.model_copy(update={"weights": "", "numerics": ""}).key


def changed(then: Recipe, now: Recipe) -> str | None:
    """Say in a sentence how what is installed differs from what made the product; None if it does not."""
    if then.weights != now.weights:
        return f"It was made with weights {_short(then.weights)} and {_short(now.weights)} are installed."
    if then.numerics != now.numerics:
        return f"It was made with ({then.numerics}) and this is ({now.numerics})."
    return None


def _short(digest: str) -> str:
    return digest[:12] or "of no agent"
