"""The floor plan holds: small folders, modules and functions, and no circle of imports, however well hidden."""

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("graph", "tools", "models", "memory", "evals")
MOST_MODULES, MOST_LINES, MOST_FUNCTION_LINES = 12, 500, 60


def tracked(*folders: str) -> list[Path]:
    """The Python files that belong to the repository below these folders."""
    listed = subprocess.run(["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / line for line in listed.splitlines() if line.endswith(".py") and (ROOT / line).exists()]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


CODE = [*tracked(*ROOMS), ROOT / "main.py"]
MODULES = {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in CODE}


def test_no_folder_holds_more_than_twelve_modules() -> None:
    folders = Counter(relative(path.parent) for path in CODE if path.name != "__init__.py")
    crowded = {folder: count for folder, count in folders.items() if count > MOST_MODULES}
    assert not crowded, f"a new idea wants a folder of its own: {crowded}"


def test_no_module_is_longer_than_five_hundred_lines() -> None:
    lengths = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in CODE}
    assert not {path: lines for path, lines in lengths.items() if lines > MOST_LINES}


def test_no_function_is_longer_than_sixty_lines() -> None:
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                assert lines <= MOST_FUNCTION_LINES, f"{relative(path)}: {node.name} has {lines} lines"


def imports_of(module: str, path: Path) -> Iterator[str]:
    """The modules of ours that a module imports anywhere: at its top, in a function, or for a type checker only."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            assert node.level == 0, f"{relative(path)} imports relatively"
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name for name in inner if name in MODULES)
            if node.module in MODULES and any(name not in MODULES for name in inner):
                yield node.module


def test_there_is_no_circle_of_imports() -> None:
    known = {module: set(imports_of(module, path)) - {module} for module, path in MODULES.items()}
    try:
        TopologicalSorter(known).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


def test_there_is_no_circle_of_folders() -> None:
    """A folder that knows another one, however indirectly, is not known by it: below each room, level by level."""
    for room in ROOMS:
        edges: dict[str, set[str]] = {}
        for module, path in MODULES.items():
            if not module.startswith(f"{room}."):
                continue
            for target in imports_of(module, path):
                if not target.startswith(f"{room}."):
                    continue
                a, b = module.split("."), target.split(".")
                depth = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), None)
                if depth is not None:
                    edges.setdefault(".".join(a[: depth + 1]), set()).add(".".join(b[: depth + 1]))
        try:
            TopologicalSorter(edges).prepare()
        except CycleError as error:
            pytest.fail(f"a circle of folders: {' -> '.join(error.args[1])}")


def test_names_of_modules_in_strings_exist() -> None:
    """A process is told by such a name what to import, and some who are told so say nothing when they cannot."""
    whole_name = re.compile(rf"({'|'.join(ROOMS)})(\.\w+)+")
    for path in [*CODE, *tracked("tests")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and whole_name.fullmatch(node.value):
                known = node.value in MODULES or node.value.rpartition(".")[0] in MODULES or node.value.endswith(".zip")
                assert known, f"{relative(path)} names {node.value}, which does not exist"


def test_programs_in_strings_import_what_exists() -> None:
    statement = re.compile(rf"\bfrom ((?:{'|'.join(ROOMS)})(?:\.\w+)+) import ")
    makes_a_package_up = "tests/evals/evaluations/test_metric_code.py"
    for path in (path for path in tracked("tests") if relative(path) != makes_a_package_up):
        for name in statement.findall(path.read_text(encoding="utf-8")):
            assert name in MODULES, f"{relative(path)} imports from {name}, which does not exist"


def test_tests_that_documents_name_exist() -> None:
    """By their path below `tests/`, or by their name alone."""
    for path in ROOT.glob("*/README.md"):
        for name in re.findall(r"`((?:\w+/)*test_\w+\.py)`", path.read_text(encoding="utf-8")):
            assert list((ROOT / "tests").glob(f"**/{name}")), f"{relative(path)} names {name}, which does not exist"


def test_commands_that_documents_name_exist() -> None:
    for path in [*ROOT.glob("*/README.md"), ROOT / "README.md", *CODE]:
        for name in re.findall(
            r"python -m ((?:graph|tools|models|memory|evals)[\w.]*)", path.read_text(encoding="utf-8")
        ):
            assert name in MODULES, f"{relative(path)} names {name}, which does not exist"


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_a_page_about_itself(room: str) -> None:
    assert (ROOT / room / "README.md").is_file()
