"""Train the embedded agents: shared networks first, then the agents in parallel, then the export of their pipelines.

Called by `python main.py train embedded`.
"""

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
INDEPENDENT: tuple[Stage, ...] = (*AGENTS, "scorer")
"""Stages that depend on no other but the shared ones."""
Reports: TypeAlias = "SimpleQueue[Progress]"
STORED_DTYPE = torch.float16
"""Halves the size; weights are loaded as float32 again, and quality is measured on the stored weights."""


@dataclass(frozen=True)
class Plan:
    """Folder of the checkpoints, device, CPU threads, and length relative to the full recipe (`scale`).

    start: folder of shipped agents to fine-tune; their autoencoder, and so their latent space, is kept.
    """

    folder: Path
    device: str
    threads: int
    scale: float = 1.0
    start: Path | None = None

    def schedule(self, stage: str) -> Schedule:
        """Return the schedule of a stage at this plan's scale."""
        whole = train.SCHEDULES[stage]
        return replace(whole, steps=max(1, round(whole.steps * self.scale)))

    def setup(self, report: Callable[[Progress], None]) -> train.TrainingSetup:
        """Return the settings of the stages: bfloat16 on CUDA and on CPUs that multiply it natively, else float32."""
        return train.TrainingSetup(self.folder, torch.device(self.device), _autocast(self.device), report)


def _autocast(device: str) -> torch.dtype | None:
    native = device == "cuda" or (device == "cpu" and torch.cpu._is_amx_tile_supported())
    return torch.bfloat16 if native else None


def train_embedded(plan: Plan, weights: Path, report: Callable[[Progress], None]) -> None:
    """Run the stages that are not finished and write the pipelines under `weights`. It can be interrupted and rerun."""
    for stage in SHARED:
        run_stage(plan, stage, report)
    workers = 1 if plan.device != "cpu" else max(1, min(2, plan.threads))
    worker_plan = replace(plan, threads=max(1, plan.threads // workers))
    context = get_context("spawn")
    queue: Reports = context.SimpleQueue()  # unlike Queue, `put` has written the report before a stage returns
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker, initargs=(queue,)) as pool:
        waiting = {pool.submit(_run_stage_in_worker, worker_plan, stage) for stage in INDEPENDENT}
        for _done in _drain(waiting, queue, report):
            pass
    export(plan, weights)


_reports: Reports
"""In a child process: the queue through which it reports progress to its parent."""


def _start_worker(reports: Reports) -> None:
    global _reports  # noqa: PLW0603 - a queue can be passed to a child only when it starts
    _reports = reports


def _run_stage_in_worker(plan: Plan, stage: Stage) -> None:
    run_stage(plan, stage, _report_to_parent)


def _report_to_parent(progress: Progress) -> None:
    parent = parent_process()
    if parent is None or not parent.is_alive():
        os._exit(1)  # the parent was killed, so nothing would ever stop this process
    _reports.put(progress)


def _drain(waiting: set[Any], queue: Reports, report: Callable[[Progress], None]) -> Any:
    """Forward the children's progress until all have ended; raise the first child's error."""
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
    """Run one stage in this process, resuming from its checkpoint."""
    torch.set_num_threads(plan.threads)
    setup = plan.setup(report)
    torch.manual_seed(train.SEED)
    if stage == "autoencoder":
        if plan.start is None:
            train.train_autoencoder(setup, plan.schedule(stage))
        return
    if stage == "scorer":
        if plan.start is None:
            tokenizer = networks.tokenizer()
            tokens = train.Tokens(tokenizer, setup.device)
            train.train_scorer(setup, tokens, networks.scorer(tokenizer), plan.schedule(stage))
        return
    vae = _autoencoder(plan, setup.device)
    if stage == "locator":
        if plan.start is None:
            train.train_locator(setup, vae, networks.locator(), plan.schedule(stage))
        return
    agent = _Agent.new(stage)
    own_folder = replace(setup, folder=plan.folder / stage)
    if plan.start is not None:
        for name, network in agent.parts.items():
            _read_shipped(_weights_file(plan.start / stage / name), network)
    agent.train(own_folder, vae, plan)


@dataclass(frozen=True)
class _Agent:
    """The networks of one agent without the autoencoder, by their names in its pipeline."""

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

    def train(self, setup: train.TrainingSetup, vae: AutoencoderTiny, plan: Plan) -> None:
        """Train all networks, the small ones first; they take minutes, so only the UNet continues from `plan.start`."""
        tokens, parts = train.Tokens(self.tokenizer, setup.device), cast(dict[str, Any], self.parts)
        schedule = plan.schedule(self.role)
        if "layout" in parts:
            train.train_layout(setup, tokens, parts["layout"], plan.schedule("layout"))
        if "pace" in parts:
            train.train_pace(setup, tokens, parts["pace"], plan.schedule("pace"))
        if self.role == "image_to_video":
            train.train_image_to_video(setup, vae, parts["unet"], schedule)
        elif self.role == "connect_videos":
            train.train_connect_videos(setup, vae, parts["unet"], schedule)
        else:
            prompts = train.Prompts(tokens, parts["text_encoder"])
            if plan.start is None:
                train.train_text(setup, prompts, plan.schedule("text"))
            fit = train.train_text_to_image if self.role == "text_to_image" else train.train_edit_image
            fit(setup, vae, prompts, parts["unet"], schedule)

    def read(self, plan: Plan) -> None:
        """Load the averaged weights from the checkpoints of the stages."""
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
        """Return the pipeline as it ships."""
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
        _freeze(vae, device)
    else:
        _read_average(plan.folder / "autoencoder.safetensors", {"": vae})
        _freeze(vae, device)
        scale = train.measure_scale(vae, device)
    vae.register_to_config(scaling_factor=scale)
    return vae


def _freeze(vae: AutoencoderTiny, device: torch.device) -> None:
    # In channels-last order it encodes in half the time on a CPU.
    vae.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)


def _read_average(checkpoint: Path, networks_by_prefix: dict[str, nn.Module]) -> None:
    """Copy the averaged weights of a stage into its networks (prefix "" for a single network)."""
    with safe_open(checkpoint, framework="pt") as stored:
        for prefix, network in networks_by_prefix.items():
            names = network.state_dict()
            network.load_state_dict({name: stored.get_tensor(f"average/{prefix}{name}") for name in names})


def export(plan: Plan, weights: Path) -> None:
    """Write one pipeline folder per agent from the checkpoints; each replaces the existing one when it is complete."""
    diffusers.utils.logging.set_verbosity_error()  # it logs a remark for every cast
    vae = _autoencoder(plan, torch.device("cpu")).to(memory_format=torch.contiguous_format)  # the order in files
    for role in AGENTS:
        agent = _Agent.new(role)
        agent.read(plan)
        draft = weights / f".{role}.draft"
        shutil.rmtree(draft, ignore_errors=True)
        agent.pipeline(vae).to(dtype=STORED_DTYPE).save_pretrained(draft, safe_serialization=True)
        _replace_folder(draft, weights / role)
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
    _replace_folder(draft, weights / "scorer")


def _replace_folder(draft: Path, place: Path) -> None:
    _strip_configs(draft)
    shutil.rmtree(place, ignore_errors=True)
    draft.replace(place)


def _strip_configs(folder: Path) -> None:
    """Remove what the libraries write but do not read: a duplicated key of the autoencoder, and source paths."""
    for path in folder.rglob("*.json"):
        content = json.loads(path.read_text("utf-8"))
        if path.parent.name == "vae":
            content.pop("block_out_channels", None)
        content.pop("_name_or_path", None)
        path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8", newline="\n")
