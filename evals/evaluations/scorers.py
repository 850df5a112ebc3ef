"""Who gives the scores: each metric's code, weights and settings as one digest, found without loading any of them.

A score is found again by this digest, so that a second evaluation opens no network: torch is imported only for a metric
whose code was never seen before.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evals.asked import WORLD, unasked
from evals.networks.weights import WEIGHTS, WeightFile, Where, missing_sentence
from memory.records import Scorer
from memory.scores import keep_scorers, scorer_with, sha256_of

if TYPE_CHECKING:
    from evals.metrics.contract import Metric
    from memory.archive import Archive

HOUSE: Final = Path(__file__).parents[2]
FOLDER: Final = HOUSE / "evals" / "metrics"
SHOWN_BY: Final = HOUSE / "evals" / "screening.py"
"""How frames are decoded and shown is part of every score."""
NAMES: Final = (
    "subject_consistency",
    "background_consistency",
    "motion_smoothness",
    "aesthetic_quality",
    "dynamic_degree",
    "imaging_quality",
    "temporal_style",
    "appearance_style",
    "temporal_flickering",
    "overall_consistency",
    "i2v_subject",
    "tcon",
    "tmean",
    "video_ti",
    "video_length",
    "embedded_object_consistency",
    "embedded_prompt_likeness",
    "world_object",
    "world_colour",
    "world_scene",
    "world_motion",
    "world_style",
    "world_prompt_following",
)
"""The table's metrics, here without the networks that it imports; a test holds the two together."""
SHARES: Final = ("dynamic_degree", *(name for name in NAMES if name.startswith(WORLD)))
"""Metrics that say of one video yes or no: over videos they are a share."""
COUNTED: Final = ("evals.", "tools.footage", "models.embedded.", "graph.")
PARTS: Final = (".safetensors", ".json", ".jinja", ".txt", ".model")
CLIPWISE: Final = "_clipwise"
NUMBERS_OF: Final = ("av", "numpy", "pillow")
NETWORKS_OF: Final = (*NUMBERS_OF, "torch", "transformers")


def names_for(prompts: Iterable[str | None]) -> Sequence[str]:
    """All metrics; without the oracle's where no prompt is of the embedded world."""
    following = NAMES[-1]
    if any(prompt is not None and unasked(following, prompt) is None for prompt in prompts):
        return NAMES
    return [name for name in NAMES if not name.startswith(WORLD)]


def check_names(names: Iterable[str]) -> None:
    """Raises BadInput for a name that there is not; imports no network for those of the table."""
    for name in names:
        if name.removesuffix(CLIPWISE) not in NAMES:
            _row(name)


def scorers_for(
    archive: "Archive", names: Sequence[str], where: Where, device: str
) -> tuple[list[Scorer], dict[str, str]]:
    """The scorers of these metrics, and for those whose weights are missing the sentence that says which.

    Raises BadInput for a name that there is not, and for a weight file that cannot be read.
    """
    said = [_said_of(archive, name) for name in dict.fromkeys(names)]
    ready, missing = [], {}
    for one in said:
        found = [(row, row.found_in(where)) for row in map(_weights_of, one.networks)]
        if absent := [row for row, path in found if path is None]:
            missing[one.metric] = missing_sentence(one.title, absent, where)
            continue
        weights = dict(pair for row, path in found if path is not None for pair in _digests(archive, row, path))
        ready.append(one.model_copy(update={"weights": weights, "settings": _settings(one, device)}))
    keep_scorers(archive, ready)
    return ready, missing


def _digests(archive: "Archive", row: WeightFile, path: Path) -> Iterator[tuple[str, str]]:
    """By official name: of the file, or of each file that a folder's model consists of."""
    if path.is_file():
        yield row.file, sha256_of(archive, path)
        return
    for file in sorted(path.iterdir()):
        if file.suffix in PARTS:
            yield f"{row.key}/{file.name}", sha256_of(archive, file)


def missing_files(archive: "Archive", names: Sequence[str], where: Where) -> list[WeightFile]:
    """The weight files that these metrics lack, each once. Raises BadInput for a name that there is not."""
    keys = dict.fromkeys(key for name in names for key in _said_of(archive, name).networks)
    rows = {row.file: row for row in map(_weights_of, keys) if row.found_in(where) is None}
    return list(rows.values())


def device_of(setting: str) -> str:
    """Where the networks of the metrics run: "cpu", or what is set; `auto` is CUDA where it is, else the CPU."""
    if setting != "auto":
        return setting
    if not Path("/dev/nvidiactl").exists():
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def code_of(metric: str) -> str:
    """The digest of all source that a metric's number rests on; words of comments and docstrings are not in it."""
    roots = [_file_of(metric.removesuffix(CLIPWISE)), SHOWN_BY]
    if metric.endswith(CLIPWISE):
        roots.append(FOLDER / "clipwise.py")
    seen: dict[Path, str] = {}
    while roots:
        path = roots.pop()
        if path not in seen:
            seen[path], imported = _read(path)
            roots.extend(imported)
    parts = sorted((str(path.relative_to(HOUSE)), digest) for path, digest in seen.items())
    return hashlib.sha256(repr((metric, parts)).encode()).hexdigest()


def _file_of(metric: str) -> Path:
    """The file with a metric's row; the whole table, which rests on all of them, where that is not to be found."""
    if (own := FOLDER / f"{metric}.py").exists():
        return own
    holding = (path for path in sorted(FOLDER.glob("*.py")) if f'name="{metric}"' in path.read_text(encoding="utf-8"))
    return next(holding, FOLDER / "table.py")


def _said_of(archive: "Archive", name: str) -> Scorer:
    """What the code of a metric says of it, from an earlier evaluation or from the code; without weights."""
    code = code_of(name)
    if (known := scorer_with(archive, name, code)) is not None:
        return known.model_copy(update={"weights": {}, "settings": {}})
    scorer = _described(_row(name), code)
    keep_scorers(archive, [scorer])
    return scorer


def _row(name: str) -> "Metric":
    from evals.metrics.clipwise import clipwise
    from evals.metrics.table import metric

    return clipwise(metric(name.removesuffix(CLIPWISE))) if name.endswith(CLIPWISE) else metric(name)


def rows(scorers: Sequence[Scorer]) -> "list[Metric]":
    """The metrics themselves; imports torch."""
    return [_row(scorer.metric) for scorer in scorers]


def _described(row: "Metric", code: str) -> Scorer:
    return Scorer(
        metric=row.name,
        title=row.title,
        code=code,
        networks=tuple(network.weights.key for network in row.networks),
        needs=row.needs,
        low=row.low,
        high=row.high,
        better=row.better,
        scale=row.scale,
        pooled=row.pooled,
        source=row.source,
    )


def _weights_of(key: str) -> WeightFile:
    if key in WEIGHTS:
        return WEIGHTS[key]
    from evals.metrics.table import METRICS  # of what ships with the code

    return next(net.weights for row in METRICS for net in row.networks if net.weights.key == key)


def _settings(scorer: Scorer, device: str) -> dict[str, str]:
    """What else the last digits rest on."""
    libraries = {library: version(library) for library in (NETWORKS_OF if scorer.networks else NUMBERS_OF)}
    return {**libraries, "device": device} if scorer.networks else libraries


@cache
def _read(path: Path) -> tuple[str, tuple[Path, ...]]:
    """The digest of a module's code, and the files of ours that it imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = tuple(sorted(set(_imported(tree))))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [line for line in body if not _is_words(line)]  # type: ignore[attr-defined]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), imported


def _is_words(line: ast.AST) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) and isinstance(line.value.value, str)


def _imported(tree: ast.Module) -> Iterator[Path]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            path = HOUSE / Path(*name.split(".")).with_suffix(".py")
            if f"{name}.".startswith(COUNTED) and path.is_file():
                yield path
