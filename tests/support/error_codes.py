"""Every place that makes an error for a person, read from the source: its class, code, sentence and arguments.

`PYTHONPATH=.:tests python -m support.error_codes` lists them, with what the command line adds to each.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = ("memory", "models", "tools", "evals", "graph")
BASES: Final = ("CodedError", "AgentError")
LISTING: Final = ROOT / "tests" / "graph" / "cli" / "data" / "errors.md"


@dataclass(frozen=True)
class Site:
    """A call that makes an error. code: None where it is not a literal. sentence: with what is put in, in braces."""

    place: str
    error: str
    code: str | None
    sentence: str
    arguments: frozenset[str]


@cache
def sources() -> dict[str, ast.Module]:
    """The syntax tree of every module, by its path."""
    paths = (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def error_classes(trees: Iterable[ast.Module]) -> set[str]:
    """The names of the classes that come from a base, at any distance."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = set(BASES)
    while more := {name for name, parents in bases.items() if parents & found} - found:
        found |= more
    return found


def sites(trees: dict[str, ast.Module]) -> list[Site]:
    """Every call of an error class. One with its own `__init__` is counted where that calls the base's."""
    classes = error_classes(trees.values())
    own = {node.name: node for tree in trees.values() for node in ast.walk(tree) if _has_own_init(node, classes)}
    found = []
    for path, tree in trees.items():
        inside = {id(call): name for name, node in own.items() for call in ast.walk(node)}
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = _name(call.func)
            if name in classes and name not in own:
                found.append(_site(path, name, call))
            elif name == "__init__" and (within := inside.get(id(call))) is not None and within not in BASES:
                found.append(_site(path, within, call))
    return found


def bare_raises(trees: dict[str, ast.Module]) -> Iterator[str]:
    """Where an error class is raised without being called, or what is called is only known when it is raised."""
    classes = error_classes(trees.values())
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Raise):
                continue
            bare = isinstance(node.exc, ast.Name) and node.exc.id in classes
            if bare or (isinstance(node.exc, ast.Call) and not isinstance(node.exc.func, ast.Name | ast.Attribute)):
                yield f"{path}:{node.lineno}"


def words(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every string of a module that is no docstring, and its line."""
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in statements:
            yield node.lineno, node.value


def listing() -> str:
    """A line for every code and sentence: what the command line adds to it."""
    from graph.cli.sentences import ACTIONS

    told = sorted({(site.code or "", site.sentence) for site in sites(sources())})
    lines = [f"| {code} | {sentence} | {ACTIONS.get(code, '').strip()} |" for code, sentence in told]
    return "\n".join(("| code | sentence | the command line adds |", "| --- | --- | --- |", *lines)) + "\n"


def by_code(found: Iterable[Site]) -> dict[str, list[Site]]:
    """The places of each code."""
    codes: dict[str, list[Site]] = {}
    for site in found:
        codes.setdefault(site.code or "", []).append(site)
    return codes


def _has_own_init(node: ast.AST, classes: set[str]) -> bool:
    if not isinstance(node, ast.ClassDef) or node.name not in classes:
        return False
    return any(isinstance(part, ast.FunctionDef) and part.name == "__init__" for part in node.body)


def _name(called: ast.expr) -> str:
    return called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""


def _site(path: str, error: str, call: ast.Call) -> Site:
    first = call.args[0] if call.args else None
    code = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
    arguments = frozenset(keyword.arg or "**" for keyword in call.keywords)
    if len(call.args) != 2:
        return Site(f"{path}:{call.lineno}", error, None, "", arguments)
    return Site(f"{path}:{call.lineno}", error, code, _template(call.args[1]), arguments)


def _template(sentence: ast.expr) -> str:
    """The words of a string as they stand in the source, with each value that is put in as its expression in braces."""
    if isinstance(sentence, ast.Constant) and isinstance(sentence.value, str):
        return sentence.value.replace("|", "/")
    if isinstance(sentence, ast.JoinedStr):
        return "".join(map(_template, sentence.values))
    inner = sentence.value if isinstance(sentence, ast.FormattedValue) else sentence
    return f"{{{ast.unparse(inner)}}}".replace("|", "/").replace("\n", " ")


if __name__ == "__main__":
    LISTING.write_text(listing(), encoding="utf-8")
