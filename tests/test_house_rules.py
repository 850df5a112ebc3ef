"""The README says what is true today, and the command line starts quickly."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("graph", "tools", "models", "memory", "evals", "tests")


def tree_of_the_readme() -> dict[str, str]:
    block = re.search(r"<!-- tree -->\n```\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block is not None
    parents: list[str] = []
    found = {}
    for line in block[1].splitlines():
        depth, (name, said) = (len(line) - len(line.lstrip())) // 2, re.split(r"\s{2,}", line.strip(), maxsplit=1)
        parents[depth:] = [name.rstrip("/")]
        found["/".join(parents)] = said
    return found


def test_the_tree_of_the_readme_is_true() -> None:
    tree = tree_of_the_readme()
    for path, said in tree.items():
        assert (ROOT / path).exists(), f"the README names {path}, which does not exist"
        assert said
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    folders = {"/".join(path.split("/")[:depth]) for path in tracked for depth in (1, 2) if path.count("/") >= depth}
    code = {f for f in folders if f.split("/")[0] in ROOMS[:-1] and any((ROOT / f).glob("*.py"))}
    assert code <= set(tree), f"the README does not name {sorted(code - set(tree))}"


def test_the_fixed_top_level_is_there() -> None:
    for name in (*ROOMS, "main.py", "pyproject.toml", "README.md", "LICENSE", "langgraph.json", ".ci/run"):
        assert (ROOT / name).exists(), name


def test_every_room_is_a_package_and_tests_are_none() -> None:
    assert all((ROOT / room / "__init__.py").exists() for room in ROOMS[:-1])
    assert not list((ROOT / "tests").rglob("__init__.py"))


@pytest.mark.parametrize("heavy", ["torch", "diffusers", "langgraph", "langchain_core", "sqlalchemy", "pydantic"])
def test_help_imports_nothing_heavy(heavy: str) -> None:
    code = (
        "import sys; sys.argv = ['main.py', '--help']\n"
        "import main\n"
        "try: main.app()\n"
        "except SystemExit: pass\n"
        f"sys.exit({heavy!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False).returncode == 0


def test_nothing_here_unpickles() -> None:
    suspects = re.compile(r"\bpickle\b|torch\.load\(|torch\.save\(|(?<![.\w])eval\(|yaml\.load\(")
    harmless = ("pickle_fallback=False", "weights_only=True", "from pickle import UnpicklingError")
    # It looks the names of a stream up in a table of four; tests/evals/test_checkpoints.py attacks it.
    by_a_table = ROOT / "evals" / "networks" / "weights" / "torchscript.py"
    for path in sorted(path for room in ROOMS[:-1] for path in (ROOT / room).rglob("*.py") if path != by_a_table):
        for line in path.read_text().splitlines():
            if suspects.search(line):
                told = any(word in line for word in harmless) or line.lstrip().startswith(("#", '"'))
                assert told, f"{path}: {line}"
