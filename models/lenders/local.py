"""Lend agents on one local device: load them on first use and evict the least recently used within a memory budget."""

import gc
import logging
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.agent import Agent, AnyRole
from models.errors import AgentError, OutOfMemory
from models.presets import PRESETS, Preset, preset

if TYPE_CHECKING:
    from models.backends.loading import Placement

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Identity:
    """Digest of the weights and numerics of an agent: what a recipe needs before anything is loaded."""

    weights: str
    numerics: str


class LocalLender:
    """Lends agents of one profile on one device, one at a time. Imports torch only when the first agent is needed.

    gib: memory budget for loaded agents, in GiB; a row that needs more than the budget raises OutOfMemory.
    """

    def __init__(
        self,
        profile: str,
        *,
        device: str = "auto",
        threads: int = 1,
        dtype: str | None = None,
        gib: float | None = None,
        table: tuple[Preset, ...] = PRESETS,
    ) -> None:
        self.profile, self._device, self._threads, self._dtype = profile, device, threads, dtype
        self._gib, self._table = gib, table
        self._loaded: OrderedDict[AnyRole, Agent[Any, Any]] = OrderedDict()
        self._identities: dict[AnyRole, Identity] = {}
        self._lock = threading.RLock()

    def row(self, role: AnyRole) -> Preset:
        """Return the preset of `role`."""
        return preset(self.profile, role, table=self._table)

    @property
    def placement(self) -> "Placement":
        """The device that `auto` resolves to (CUDA, then MPS, then CPU), threads and dtype. Raises AgentError."""
        import torch

        from models.backends.loading import Placement

        device = self._device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        if not _is_available(device):
            raise AgentError(
                "device-unusable",
                f"this machine has no device {device} that PyTorch can use; choose auto or cpu",
                device=device,
            )
        return Placement(device, self._threads, self._dtype)

    def identity(self, role: AnyRole) -> Identity:
        """Return digest of the weights and numerics of `role`'s agent without loading it. Raises WeightsMissing."""
        from models.backends.loading import numerics, weights_digest

        with self._lock:
            if role not in self._identities:
                row = self.row(role)
                self._identities[role] = Identity(weights_digest(row), numerics(row, self.placement))
            return self._identities[role]

    @contextmanager
    def lend(self, role: AnyRole) -> Iterator[Any]:
        """Lend the agent of `role`; no other agent runs meanwhile. Raises WeightsMissing, OutOfMemory.

        All other agents are evicted before OutOfMemory is raised.
        """
        with self._lock:
            try:
                if role not in self._loaded:
                    self._evict_for(self.row(role))
                    self._loaded[role] = self._load(role)
                self._loaded.move_to_end(role)
                yield self._loaded[role]
            except (MemoryError, RuntimeError) as error:
                if not _is_out_of_memory(error):
                    raise
                freed = self._evict_others(role, error)
                raise OutOfMemory(
                    "out-of-memory",
                    f"{role} ran out of memory on {self.placement.device}; ask for fewer frames or candidates",
                    freed=freed,
                    role=role,
                ) from error

    def _evict_others(self, role: AnyRole, error: BaseException) -> bool:
        """Free the memory of all other agents and of the failed call. Return False if no other agent was loaded."""
        others = [each for each in self._loaded if each != role]
        for each in others:
            del self._loaded[each]
        # The traceback keeps the frames of the failed call alive, and these hold its tensors.
        traceback.clear_frames(error.__traceback__)
        gc.collect()
        import torch

        for device in (torch.cuda, torch.mps):
            if device.is_available():
                device.empty_cache()
        if others:
            log.info("evicted %s, since %s ran out of memory", ", ".join(others), role)
        return bool(others)

    def _load(self, role: AnyRole) -> Agent[Any, Any]:
        from models.backends import loading
        from models.backends.connect_videos import ConnectVideos
        from models.backends.edit_image import EditImage
        from models.backends.image_to_video import ImageToVideo, StableVideo
        from models.backends.text_to_image import TextToImage
        from models.backends.text_to_video import CogVideo, TextToVideo

        started, row, identity = time.monotonic(), self.row(role), self.identity(role)
        pipeline = loading.load(row, self.placement)
        adapters: dict[str, Any] = {
            "EditImagePipeline": EditImage,
            "StableDiffusionInstructPix2PixPipeline": EditImage,
            "ClipFromImagePipeline": ImageToVideo,
            "StableVideoDiffusionPipeline": StableVideo,
            "ClipBetweenImagesPipeline": ConnectVideos,
            "TextToVideoSDPipeline": TextToVideo,
            "CogVideoXPipeline": CogVideo,
        }
        adapter = adapters.get(row.pipeline, TextToImage)
        log.info("loaded %s from %s in %.2f s", role, row.weights, time.monotonic() - started)
        agent: Agent[Any, Any] = adapter(pipeline, row, identity.weights, identity.numerics)
        return agent

    def _evict_for(self, row: Preset) -> None:
        if self._gib is None:
            return
        if row.gib > self._gib:
            raise OutOfMemory(
                "model-over-budget",
                f"{row.role} of {row.profile} needs {row.gib:g} GiB, the budget is {self._gib:g} GiB",
                role=row.role,
                profile=row.profile,
            )
        while self._loaded and sum(self.row(r).gib for r in self._loaded) + row.gib > self._gib:
            role, _ = self._loaded.popitem(last=False)
            log.info("evicted %s to make room for %s", role, row.role)


def _is_out_of_memory(error: BaseException) -> bool:
    """Recognise Python's error, CUDA's by its class name (without importing torch), the CPU's and MPS's by message."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return "can't allocate memory" in str(error) or "out of memory" in str(error)


def _is_available(device: str) -> bool:
    import torch

    kind, _, index = device.partition(":")
    if kind == "cuda":
        return int(index or 0) < torch.cuda.device_count()
    return kind != "mps" or torch.backends.mps.is_available()
