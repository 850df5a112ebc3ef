"""Claim, produce, publish: the product of a recipe is made once among all processes, and outlives a crash whole.

Knows neither agents nor the graph: an agent is a function without arguments that returns bytes.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from memory import calls, leases
from memory.database.engine import Connects, lock_products
from memory.database.tables import ArtifactRow
from memory.leases import Lease
from memory.products import artifacts, files, recipes
from memory.products.files import Made, Produced
from memory.records import Artifact, Recipe

BESIDE = 2**22
"""Bytes; to write more of them takes so long that others, who want to write to the database, should not wait for it."""


@dataclass(frozen=True)
class _Work:
    """A recipe that this process is making: its claim, its line in the ledger, and what it gave before."""

    recipe: Recipe
    lease: Lease
    token: str
    call: int
    known: Artifact | None


class Maker:
    """Makes products into the database and the folder `home`; for any number of threads.

    held: by artifact id, what was made or reused while runs are held here, each with the suffix of its file. Nobody
    removes those, so they need not be looked up again.
    """

    def __init__(self, database: Connects, home: Path) -> None:
        self.held: dict[str, tuple[Artifact, str]] = {}
        self._database, self._home = database, home
        self._beside = ThreadPoolExecutor(thread_name_prefix="keep")

    def close(self) -> None:
        """Wait for files that are being written."""
        self._beside.shutdown()

    def make(
        self, lease: Lease, recipe: Recipe, produce: Callable[[], Produced], *, parents: tuple[str, ...] = ()
    ) -> Made:
        """Return the stored product of the recipe, or else store what `produce` returns; see `Archive.make`."""
        work = self._found_or_claimed(lease, recipe)
        if isinstance(work, Artifact):
            return Made(work, called=False)
        with ExitStack() as undo:
            undo.callback(self._give_up, work)
            start = time.monotonic()
            product = produce()
            seconds = time.monotonic() - start
            # Before the file is written, so that bytes nobody will know of do not stay behind.
            artifacts.refuse_other_bytes(work.known, product)
            if len(product.data) > BESIDE:
                files.keep(self._home, product)
            artifact = self._publish(work, product, parents, seconds)
            undo.pop_all()
        return Made(artifact, called=True)

    def is_sound(self, row: ArtifactRow) -> bool:
        """Return whether the file of the artifact is there with the right bytes; DiskTrouble."""
        return files.is_sound(files.place(self._home, row.sha256, row.suffix), row.sha256)

    def _found_or_claimed(self, lease: Lease, recipe: Recipe) -> Artifact | _Work:
        pause = 0.1
        work = self._begin(lease, recipe, believing=True)
        while work is None:
            if (found := self._adopted(lease, recipe)) is not None:
                return found
            work = self._begin(lease, recipe)
            if work is None:
                lease.pause(pause)
                pause = min(1.0, pause * 1.5)
        return work

    def _begin(self, lease: Lease, recipe: Recipe, *, believing: bool = False) -> _Work | None:
        """Claim the recipe; None while somebody else has it, or if what it gave is there.

        believing: whatever is known of the recipe is taken to be there, and not looked at.
        """
        with self._database.connected(writes=True) as connection:
            token = recipes.claim(connection, recipe.key, lease)
            if token is None:
                return None
            # After the claim: another process may have published, and given its own back, just before.
            row, believed = recipes.known_to(connection, recipe.key, lease.run)
            if row is not None and believed and (believing or self.is_sound(row)):
                recipes.release(connection, recipe.key, token)
                return None
            call = calls.begin(connection, lease.run, recipe)
            return _Work(recipe, lease, token, call, None if row is None else row.record())

    def _adopted(self, lease: Lease, recipe: Recipe) -> Artifact | None:
        """Attach what the recipe gave to the run, if it is there; LostLease."""
        with self._database.connected(writes=False) as connection:
            row, believed = recipes.known_to(connection, recipe.key, lease.run)
        if row is None or not believed or not self.is_sound(row):
            return None
        with self._database.connected(writes=True) as connection:
            lock_products(connection)
            leases.require(connection, lease)
            if not artifacts.stays(connection, row.id):  # removed since we looked
                return None
            artifacts.attach(connection, lease.run, row.id)
        return self._hold(row.record(), row.suffix)

    def _publish(self, work: _Work, product: Produced, parents: tuple[str, ...], seconds: float) -> Artifact:
        """Write file and rows so that there is never a row without its file; LostLease, OtherBytes."""
        target = files.place(self._home, product.sha256, product.suffix)
        # A small file is flushed to the disk meanwhile, and before the commit: both take their time.
        with self._database.connected(writes=True) as connection:
            lock_products(connection)
            leases.require(connection, work.lease)
            is_kept = len(product.data) > BESIDE and target.exists()  # or else it looked like nobody's
            keeping = None if is_kept else self._beside.submit(files.keep, self._home, product)
            artifact = artifacts.insert(connection, work.recipe, product, parents=parents, seconds=seconds)
            recipes.fulfil(connection, work.recipe.key, artifact.id)
            calls.end_made(connection, work.call, artifact.id)
            artifacts.attach(connection, work.lease.run, artifact.id)
            if keeping is not None:
                keeping.result()
        return self._hold(artifact, product.suffix)

    def _hold(self, artifact: Artifact, suffix: str) -> Artifact:
        self.held[artifact.id] = (artifact, suffix)
        return artifact

    def _give_up(self, work: _Work) -> None:
        with leases.best_effort("give back the claim"), self._database.connected(writes=True) as connection:
            calls.end_failed(connection, work.call)
            recipes.release(connection, work.recipe.key, work.token)
