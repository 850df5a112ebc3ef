"""Identify scorers: a digest of a metric's version, weights and settings, computed without loading any network.

Stored scores are found by this digest, so that a second evaluation loads no network: torch is imported only for a
metric whose version is not stored yet.
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evals.metrics.names import CLIPWISE, CLIPWISE_VERSION, NAMES, VERSIONS
from evals.networks.weights.catalogue import WEIGHTS, WeightFile, Where, missing_sentence
from evals.world.prompt import WORLD, reason_to_skip
from memory.records import Scorer
from memory.scores import keep_scorers, scorers_of, sha256_of

if TYPE_CHECKING:
    from evals.metrics.base import Metric
    from memory.archive import Archive

OLDER_CODES: Final = Path(__file__).with_name("older_codes.json")
"""By metric, the codes of release 6d1a25b, which hashed source files: one each for Python 3.11, 3.12 and 3.13."""
SHARES: Final = ("dynamic_degree", *(name for name in NAMES if name.startswith(WORLD)))
"""Metrics that are 0 or 1 for one video, so that their mean over videos is a share."""
MODEL_FILE_SUFFIXES: Final = (".safetensors", ".json", ".jinja", ".txt", ".model")
NUMERIC_LIBRARIES: Final = ("av", "numpy", "pillow")
NETWORK_LIBRARIES: Final = (*NUMERIC_LIBRARIES, "torch", "transformers")


def names_for(prompts: Iterable[str | None]) -> Sequence[str]:
    """Return all metrics, without the oracle's if no prompt describes the embedded world."""
    following = NAMES[-1]
    if any(prompt is not None and reason_to_skip(following, prompt) is None for prompt in prompts):
        return NAMES
    return [name for name in NAMES if not name.startswith(WORLD)]


def scorers_for(
    archive: "Archive", names: Sequence[str], where: Where, device: str
) -> tuple[list[Scorer], dict[str, str]]:
    """Return the scorers of these metrics, and by metric a sentence on the weights that are missing.

    Raises BadInput for an unknown metric and for a weight file that cannot be read.
    """
    wanted = [_scorer_row(archive, name) for name in dict.fromkeys(names)]
    ready, missing = [], {}
    for one in wanted:
        found = [(row, row.found_in(where)) for row in map(_weights_of, one.networks)]
        if absent := [row for row, path in found if path is None]:
            missing[one.metric] = missing_sentence(one.title, absent, where)
            continue
        weights = dict(pair for row, path in found if path is not None for pair in _digests(archive, row, path))
        ready.append(one.model_copy(update={"weights": weights, "settings": _settings(one, device)}))
    keep_scorers(archive, ready)
    return ready, missing


def _digests(archive: "Archive", row: WeightFile, path: Path) -> Iterator[tuple[str, str]]:
    """Yield (official name, sha256) of the file, or of each file of a model folder."""
    if path.is_file():
        yield row.file, sha256_of(archive, path)
        return
    for file in sorted(path.iterdir()):
        if file.suffix in MODEL_FILE_SUFFIXES:
            yield f"{row.key}/{file.name}", sha256_of(archive, file)


def missing_files(archive: "Archive", names: Sequence[str], where: Where) -> list[WeightFile]:
    """Return the weight files that these metrics lack, without duplicates. Raises BadInput for an unknown metric."""
    keys = dict.fromkeys(key for name in names for key in _scorer_row(archive, name).networks)
    rows = {row.file: row for row in map(_weights_of, keys) if row.found_in(where) is None}
    return list(rows.values())


def device_of(setting: str) -> str:
    """Return the device of the metrics' networks: the setting, or for "auto" CUDA if available, else the CPU."""
    if setting != "auto":
        return setting
    if sys.platform == "linux" and not Path("/dev/nvidiactl").exists():
        return "cpu"  # found so without importing PyTorch
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def code_of(metric: str) -> str:
    """Return the digest of a metric's name and version; a metric that is not in VERSIONS has version 1."""
    version_of = VERSIONS.get(metric.removesuffix(CLIPWISE), 1)
    return _code(metric, version_of, CLIPWISE_VERSION)


def _code(metric: str, version_of: int, clipwise_version: int) -> str:
    versions = (version_of, clipwise_version) if metric.endswith(CLIPWISE) else (version_of,)
    return hashlib.sha256(json.dumps([metric, *versions]).encode()).hexdigest()


@cache
def _older_codes() -> dict[str, str]:
    """Return by older code the code of version 1 that it stands for."""
    older: dict[str, list[str]] = json.loads(OLDER_CODES.read_text(encoding="utf-8"))
    return {code: _code(metric, 1, 1) for metric, codes in older.items() for code in codes}


def identity_of(scorer: Scorer) -> str:
    """Return the sha256 of what a scorer's numbers depend on: metric, version, weights and settings.

    Only scores of the same identity are compared. A scorer stored with an older code has the identity of version 1.
    """
    code = _older_codes().get(scorer.code, scorer.code)
    rests_on = [scorer.metric, code, scorer.weights, scorer.settings]
    return hashlib.sha256(json.dumps(rests_on, sort_keys=True).encode()).hexdigest()


def stored_as(archive: "Archive", scorers: Sequence[Scorer]) -> dict[str, str]:
    """Return the identity of each stored scorer that equals one of these, by the digest that its scores refer to."""
    wanted = set(map(identity_of, scorers))
    known = scorers_of(archive, {scorer.metric for scorer in scorers})
    return {one.digest: identity for one in known if (identity := identity_of(one)) in wanted}


def _scorer_row(archive: "Archive", name: str) -> Scorer:
    """Return a metric's scorer without weights and settings, from the archive or, the first time, from the code."""
    code = code_of(name)
    known = [one for one in scorers_of(archive, [name]) if code in (one.code, _older_codes().get(one.code))]
    if known:
        latest = min(known, key=lambda one: (one.code != code, one.digest))
        return latest.model_copy(update={"code": code, "weights": {}, "settings": {}})
    scorer = _described(_row(name), code)
    keep_scorers(archive, [scorer])
    return scorer


def _row(name: str) -> "Metric":
    from evals.metrics.long_video import clipwise
    from evals.metrics.registry import metric

    return clipwise(metric(name.removesuffix(CLIPWISE))) if name.endswith(CLIPWISE) else metric(name)


def rows(scorers: Sequence[Scorer]) -> "list[Metric]":
    """Return the metrics of these scorers. Imports torch."""
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
    from evals.metrics.registry import METRICS  # weights that ship with the code are not in the catalogue

    return next(net.weights for row in METRICS for net in row.networks if net.weights.key == key)


def _settings(scorer: Scorer, device: str) -> dict[str, str]:
    """Return the library versions and the device, on which the last digits depend."""
    libraries = {library: version(library) for library in (NETWORK_LIBRARIES if scorer.networks else NUMERIC_LIBRARIES)}
    return {**libraries, "device": device} if scorer.networks else libraries
