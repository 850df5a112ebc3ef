"""The order of the work: the autoencoder, then the agents side by side, then the folders that ship."""

import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing import get_context, parent_process
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast, get_args

import diffusers
import torch
from diffusers import AutoencoderTiny, DiffusionPipeline
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn
from transformers import PreTrainedTokenizerFast

from models.agent import Role
from models.embedded import networks
from models.embedded.pipelines import (
    ClipBetweenImagesPipeline,
    ClipFromImagePipeline,
    EditImagePipeline,
    ImageFromLayoutPipeline,
)
from models.training.embedded import stages as train
from models.training.loop import Progress, Schedule

Stage = Literal["autoencoder", "locator", "text_to_image", "image_to_video", "edit_image", "connect_videos", "scorer"]
STAGES: tuple[Stage, ...] = get_args(Stage)
AGENTS: tuple[Role, ...] = get_args(Role)
SHARED: tuple[Stage, ...] = ("autoencoder", "locator")
APART: tuple[Stage, ...] = (*AGENTS, "scorer")
"""Stages that need the shared ones at most, and not each other."""
Reports: TypeAlias = "SimpleQueue[Progress]"
STORED_DTYPE = torch.float16
"""Half the megabytes; the weights are loaded as float32 again, and quality is measured on what is stored."""


@dataclass(frozen=True)
class Plan:
    """Where the checkpoints lie, on what device, with how many threads, how long relative to the full recipe.

    start: agents to go on from instead of from nothing; their autoencoder, and so their latent space, stays.
    """

    folder: Path
    device: str
    threads: int
    scale: float = 1.0
    start: Path | None = None

    def schedule(self, stage: str) -> Schedule:
        """The schedule of a stage at this plan's scale."""
        whole = train.SCHEDULES[stage]
        return replace(whole, steps=max(1, round(whole.steps * self.scale)))

    def workshop(self, report: Callable[[Progress], None]) -> train.Workshop:
        """Device and arithmetic: bfloat16 on CUDA, and on CPUs that multiply it natively."""
        return train.Workshop(self.folder, torch.device(self.device), _autocast(self.device), report)


def _autocast(device: str) -> torch.dtype | None:
    native = device == "cuda" or (device == "cpu" and torch.cpu._is_amx_tile_supported())
    return torch.bfloat16 if native else None


def train_embedded(plan: Plan, weights: Path, report: Callable[[Progress], None]) -> None:
    """Runs what is not finished yet and writes the pipelines' folders under `weights`. Interrupt and repeat at will."""
    for stage in SHARED:
        run_stage(plan, stage, report)
    workers = 1 if plan.device != "cpu" else max(1, min(2, plan.threads))
    alone = replace(plan, threads=max(1, plan.threads // workers))
    context = get_context("spawn")
    queue: Reports = context.SimpleQueue()  # what was put into it is there before the stage is known to have ended
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_child, initargs=(queue,)) as pool:
        waiting = {pool.submit(_stage_in_child, alone, stage) for stage in APART}
        for _done in _drain(waiting, queue, report):
            pass
    export(plan, weights)


_reports: Reports
"""In a child: where its parent hears how far it is."""


def _begin_child(reports: Reports) -> None:
    global _reports  # noqa: PLW0603 - a queue reaches a child when that begins, and in no other way
    _reports = reports


def _stage_in_child(plan: Plan, stage: Stage) -> None:
    run_stage(plan, stage, _tell_parent)


def _tell_parent(progress: Progress) -> None:
    parent = parent_process()
    if parent is None or not parent.is_alive():
        os._exit(1)  # it was killed; nobody would ever tell this process to stop
    _reports.put(progress)


def _drain(waiting: set[Any], queue: Reports, report: Callable[[Progress], None]) -> Any:
    """Hands the children's progress on until all have ended; the first child's error is raised here."""
    while waiting:
        try:
            for future in as_completed(waiting, timeout=1.0):
                waiting.discard(future)
                yield future.result()
                break
        except TimeoutError:
            pass
        while not queue.empty():
            report(queue.get())


def run_stage(plan: Plan, stage: Stage, report: Callable[[Progress], None]) -> None:
    """One stage, in this process, resumed from its checkpoint."""
    torch.set_num_threads(plan.threads)
    shop = plan.workshop(report)
    torch.manual_seed(train.SEED)
    if stage == "autoencoder":
        if plan.start is None:
            train.train_autoencoder(shop, plan.schedule(stage))
        return
    if stage == "scorer":
        if plan.start is None:
            tokenizer = networks.tokenizer()
            tokens = train.Tokens(tokenizer, shop.device)
            train.train_scorer(shop, tokens, networks.scorer(tokenizer), plan.schedule(stage))
        return
    vae = _autoencoder(plan, shop.device)
    if stage == "locator":
        if plan.start is None:
            train.train_locator(shop, vae, networks.locator(), plan.schedule(stage))
        return
    agent = _Agent.new(stage)
    own = replace(shop, folder=plan.folder / stage)
    if plan.start is not None:
        for name, network in agent.parts.items():
            _read_shipped(_weights_file(plan.start / stage / name), network)
    agent.train(own, vae, plan)


@dataclass(frozen=True)
class _Agent:
    """The networks of one agent beside the autoencoder, by their names in its pipeline."""

    role: Role
    tokenizer: PreTrainedTokenizerFast
    parts: dict[str, nn.Module]

    @classmethod
    def new(cls, role: Role) -> "_Agent":
        tokenizer = networks.tokenizer()
        parts: dict[str, nn.Module] = {"unet": getattr(networks, f"{role}_unet")()}
        if role in ("text_to_image", "edit_image"):
            parts["text_encoder"] = networks.text_encoder(tokenizer)
        if role != "text_to_image":
            parts["locator"] = networks.locator()
        if role == "text_to_image":
            parts["layout"] = networks.layout_encoder(tokenizer)
        if role == "image_to_video":
            parts["pace"] = networks.pace_encoder(tokenizer)
        return cls(role, tokenizer, parts)

    def train(self, shop: train.Workshop, vae: AutoencoderTiny, plan: Plan) -> None:
        """Every part, the small ones first; those are finished in minutes, so only the UNet goes on from what ships."""
        tokens, parts = train.Tokens(self.tokenizer, shop.device), cast(dict[str, Any], self.parts)
        schedule = plan.schedule(self.role)
        if "layout" in parts:
            train.train_layout(shop, tokens, parts["layout"], plan.schedule("layout"))
        if "pace" in parts:
            train.train_pace(shop, tokens, parts["pace"], plan.schedule("pace"))
        if self.role == "image_to_video":
            train.train_image_to_video(shop, vae, parts["unet"], schedule)
        elif self.role == "connect_videos":
            train.train_connect_videos(shop, vae, parts["unet"], schedule)
        else:
            prompts = train.Prompts(tokens, parts["text_encoder"])
            if plan.start is None:
                train.train_text(shop, prompts, plan.schedule("text"))
            fit = train.train_text_to_image if self.role == "text_to_image" else train.train_edit_image
            fit(shop, vae, prompts, parts["unet"], schedule)

    def read(self, plan: Plan) -> None:
        """Takes the averaged weights from the stages' checkpoints."""
        folder = plan.folder / self.role
        together = {f"{name}.": self.parts[name] for name in ("text_encoder", "unet") if name in self.parts}
        main = together if "text_encoder" in self.parts else {"": self.parts["unet"]}
        _read_average(folder / f"{self.role}.safetensors", main)
        for name in ("layout", "pace"):
            if name in self.parts:
                _read_average(folder / f"{name}.safetensors", {"": self.parts[name]})
        if "locator" in self.parts:
            _read_locator(plan, self.parts["locator"])

    def pipeline(self, vae: AutoencoderTiny) -> DiffusionPipeline:
        """The pipeline as it ships."""
        parts: dict[str, Any] = {**self.parts, "vae": vae, "scheduler": networks.scheduler()}
        if self.role == "connect_videos":
            return ClipBetweenImagesPipeline(**parts)
        parts["tokenizer"] = self.tokenizer
        if self.role == "edit_image":
            return EditImagePipeline(**parts)
        return ImageFromLayoutPipeline(**parts) if self.role == "text_to_image" else ClipFromImagePipeline(**parts)


def _read_locator(plan: Plan, locator: nn.Module) -> None:
    if plan.start is None:
        _read_average(plan.folder / "locator.safetensors", {"": locator})
    else:
        _read_shipped(_weights_file(plan.start / "image_to_video" / "locator"), locator)


def _weights_file(folder: Path) -> Path:
    return next(folder.glob("*.safetensors"))


def _read_shipped(file: Path, network: nn.Module) -> None:
    network.load_state_dict({name: value.float() for name, value in load_file(file).items()})


def _autoencoder(plan: Plan, device: torch.device) -> AutoencoderTiny:
    vae = networks.autoencoder()
    if plan.start is not None:
        shipped = plan.start / AGENTS[0] / "vae"
        _read_shipped(_weights_file(shipped), vae)
        scale = json.loads((shipped / "config.json").read_text("utf-8"))["scaling_factor"]
        _frozen(vae, device)
    else:
        _read_average(plan.folder / "autoencoder.safetensors", {"": vae})
        _frozen(vae, device)
        scale = train.measure_scale(vae, device)
    vae.register_to_config(scaling_factor=scale)
    return vae


def _frozen(vae: AutoencoderTiny, device: torch.device) -> None:
    # Channels last, it encodes in half the time on a CPU.
    vae.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)


def _read_average(checkpoint: Path, networks_by_prefix: dict[str, nn.Module]) -> None:
    """Copies the averaged weights of a stage into its networks (prefix "" for the only one)."""
    with safe_open(checkpoint, framework="pt") as stored:
        for prefix, network in networks_by_prefix.items():
            names = network.state_dict()
            network.load_state_dict({name: stored.get_tensor(f"average/{prefix}{name}") for name in names})


def export(plan: Plan, weights: Path) -> None:
    """Writes one pipeline folder per agent from the stages' checkpoints, in place of what is there once it is whole."""
    diffusers.utils.logging.set_verbosity_error()  # it remarks on every cast that no module wanted to stay as it was
    vae = _autoencoder(plan, torch.device("cpu")).to(memory_format=torch.contiguous_format)  # as files have it
    for role in AGENTS:
        agent = _Agent.new(role)
        agent.read(plan)
        draft = weights / f".{role}.draft"
        shutil.rmtree(draft, ignore_errors=True)
        agent.pipeline(vae).to(dtype=STORED_DTYPE).save_pretrained(draft, safe_serialization=True)
        _put(draft, weights / role)
    draft = weights / ".scorer.draft"
    shutil.rmtree(draft, ignore_errors=True)
    if plan.start is not None:
        shutil.copytree(plan.start / "scorer", draft)
    else:
        tokenizer = networks.tokenizer()
        scorer = networks.scorer(tokenizer)
        _read_average(plan.folder / "scorer.safetensors", {"": scorer})
        scorer.to(dtype=STORED_DTYPE).save_pretrained(draft)
        tokenizer.save_pretrained(draft)
    _put(draft, weights / "scorer")


def _put(draft: Path, place: Path) -> None:
    _tidy(draft)
    shutil.rmtree(place, ignore_errors=True)
    draft.replace(place)


def _tidy(folder: Path) -> None:
    """Drops what the libraries write but do not read back: a duplicated key of the autoencoder, and version stamps."""
    for path in folder.rglob("*.json"):
        content = json.loads(path.read_text("utf-8"))
        if path.parent.name == "vae":
            content.pop("block_out_channels", None)
        content.pop("_name_or_path", None)
        path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8", newline="\n")
