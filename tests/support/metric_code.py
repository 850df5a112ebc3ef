"""The code that a metric's number rests on, as one digest that a move, a renamed module or another import leaves alone.

It is taken over the definitions that are reached by name from a metric's row and from the reader of videos. Imports,
docstrings, annotations, types and the words of errors are not in it; nor are modules and the underscore before a name,
so that it says what the code computes and not where it lies.

`PYTHONPATH=.:tests python -m support.metric_code` writes the digests of today's code.
"""

import ast
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from evals.metrics.base import Metric
from evals.metrics.frames import judge
from evals.metrics.long_video import clipwise
from evals.metrics.names import CLIPWISE_VERSION, VERSIONS
from evals.metrics.registry import METRICS

ROOT: Final = Path(__file__).parents[2]
FOLDERS: Final = ("graph", "tools", "models", "memory", "evals")
UNCOUNTED: Final = ("WEIGHTS", "WeightFile", "METRICS")
"""Tables of what there is: a new row changes no number. The bytes of the weights are in the scorer already."""
NOT_CODE: Final = ("annotation", "returns", "type_comment", "type_params", "kind", "ctx")

PINS: Final = Path(__file__).parents[1] / "evals" / "data" / "metric_code.json"
CLIPS: Final = "read by clips"

Definition = tuple[str, str]
"""A module and a name at its top."""


def pins() -> dict[str, list[Any]]:
    """By metric, its version and the digest of its code; the reading by clips is the same for all."""
    found = {row.name: [VERSIONS[row.name], _pin(row)] for row in METRICS}
    return found | {CLIPS: [CLIPWISE_VERSION, digest_of(clipwise.__module__, clipwise.__name__)]}


def digest_of(module: str, name: str) -> str:
    """The digest of a definition and of all that it reaches."""
    return _digest([], _reached([(module, name)]))


def _pin(row: Metric) -> str:
    networks = [network.weights.key for network in row.networks]
    facts: list[Any] = [row.of, row.low, row.high, row.better, row.needs, row.scale, row.pooled, networks]
    roots: list[Callable[..., Any]] = [judge, *(network.load for network in row.networks)]
    begin: Any = row.begin
    while isinstance(begin, partial):
        facts.append([said for said in begin.args if isinstance(said, str | int | float)])
        roots.extend(said for said in begin.args if callable(said))
        begin = begin.func
    return _digest(facts, _reached([_place(root) for root in (*roots, begin)]))


def _place(what: Callable[..., Any]) -> Definition:
    return what.__module__, what.__qualname__.partition(".")[0]


def _digest(facts: list[Any], reached: Iterable[Definition]) -> str:
    code = sorted({(name.lstrip("_"), text) for module, name in reached for text in _texts(module, name)})
    return hashlib.sha256(json.dumps([facts, code]).encode()).hexdigest()


def _reached(roots: Iterable[Definition]) -> set[Definition]:
    """What the roots name, and what that names. An annotation counts for the class whose methods may be called."""
    found: set[Definition] = set()
    seen: set[tuple[Definition, bool]] = set()
    waiting = [(root, False) for root in roots]
    while waiting:
        one, typed = waiting.pop()
        if (one, typed) in seen or one[1] in UNCOUNTED:
            continue
        seen.add((one, typed))
        lines = _defined(one[0])[one[1]]
        if _is_protocol(lines[0]):
            continue
        is_type = typed and not isinstance(lines[0], ast.ClassDef)
        if not is_type:
            found.add(one)
        for line in lines:
            waiting.extend(_named_by(one[0], line, typed=is_type))
    return found


def _is_protocol(line: ast.stmt) -> bool:
    return isinstance(line, ast.ClassDef) and "Protocol" in {getattr(base, "id", None) for base in line.bases}


@cache
def _files() -> dict[str, Path]:
    """Every module of ours by its dotted name."""
    found = {}
    for path in (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(_files()[module].read_text(encoding="utf-8"))


@cache
def _defined(module: str) -> dict[str, list[ast.stmt]]:
    """The statements at a module's top that define a name."""
    found: dict[str, list[ast.stmt]] = {}
    waiting: list[ast.stmt] = list(_tree(module).body)
    for line in waiting:
        if isinstance(line, ast.If | ast.Try):
            waiting.extend(inner for inner in ast.iter_child_nodes(line) if isinstance(inner, ast.stmt))
        for name in _targets(line):
            found.setdefault(name, []).append(line)
    return found


def _targets(line: ast.stmt) -> Iterator[str]:
    if isinstance(line, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield line.name
    elif isinstance(line, ast.Assign | ast.AnnAssign | ast.AugAssign):
        for target in line.targets if isinstance(line, ast.Assign) else [line.target]:
            yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))


@cache
def _imported(module: str) -> dict[str, str]:
    """Names that a module imports, anywhere in it, and the dotted name of what each stands for."""
    found = {}
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            for alias in node.names:
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                found[alias.asname or whole] = whole
    return found


def _resolved(module: str, node: ast.AST) -> Definition | None:
    """The definition of ours that a name or a dotted name stands for; None for all else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    if node.id in _defined(module):
        return (module, node.id) if not parts else None
    if node.id not in _imported(module):
        return None
    return _followed(".".join([_imported(module)[node.id], *parts]))


def _followed(dotted: str) -> Definition | None:
    """A dotted name -> where it is defined, through the modules that hand it on."""
    module, _, name = dotted.rpartition(".")
    if module not in _files():
        return None
    if name in _defined(module):
        return module, name
    further = _imported(module).get(name)
    return _followed(further) if further is not None and further != dotted else None


def _named_by(module: str, node: ast.AST, *, typed: bool) -> Iterator[tuple[Definition, bool]]:
    """The definitions that a syntax tree names, and whether each is named as a type."""
    if isinstance(node, ast.Raise):
        return
    if isinstance(node, ast.Name | ast.Attribute) and (found := _resolved(module, node)) is not None:
        yield found, typed
        return
    if typed and isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
        node = ast.Name(node.value)
        yield from _named_by(module, node, typed=True)
        return
    for field, value in ast.iter_fields(node):
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, ast.AST):
                yield from _named_by(module, inner, typed=typed or field in ("annotation", "returns"))


@cache
def _texts(module: str, name: str) -> list[str]:
    return [json.dumps(_plain(module, line)) for line in _defined(module).get(name, ())]


def _plain(module: str, node: Any) -> Any:
    """A syntax tree as lists, the same in every release of Python; what was imported is called as it is defined."""
    if isinstance(node, list):
        return [_plain(module, one) for one in node if not _is_left_out(one)]
    if not isinstance(node, ast.AST):
        return repr(node)
    if isinstance(node, ast.Raise):
        return ["Raise"]
    if isinstance(node, ast.Name | ast.Attribute) and (found := _resolved(module, node)) is not None:
        return ["Name", ["id", repr(found[1].lstrip("_"))]]
    fields = [
        [field, _plain(module, value.lstrip("_") if field == "name" and isinstance(value, str) else value)]
        for field, value in ast.iter_fields(node)
        if field not in NOT_CODE and value is not None and value != []
    ]
    return [type(node).__name__, *fields]


def _is_left_out(line: Any) -> bool:
    """Imports and docstrings."""
    return isinstance(line, ast.Import | ast.ImportFrom) or (
        isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) and isinstance(line.value.value, str)
    )


if __name__ == "__main__":
    PINS.write_text(json.dumps(pins(), indent=2) + "\n", encoding="utf-8")
