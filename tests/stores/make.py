"""Makes a store with the code beside it, and writes what that code says of it: `python tests/stores/make.py NAME`.

It knows the command line and the folders of MORA_HOME, and nothing else, so that it works for every release unchanged.
"""

import argparse
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent

LAUNCH = """
import runpy, socket, sys
from pathlib import Path
socket.gethostname = lambda: "elsewhere"
sys.argv = sys.argv[1:]
sys.path[0] = str(Path(sys.argv[0]).parent)
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""`python main.py ...` on a machine of another name: leases hold it, and a store is not to name this one."""

ONE = "a red ball moves right in the snow"
TWO = "a red ball moves right in the snow, then a blue star moves up over the sea"
METRICS = (
    "temporal_flickering,video_length,embedded_object_consistency,embedded_prompt_likeness,"
    "world_object,world_colour,world_scene,world_motion,world_style,world_prompt_following"
)
"""Those that need no weight files but the ones in the repository."""
CONVERSATION = (
    "a red ball in the snow",
    "another two",
    "use the second one",
    "go on",
    "make the second one blue",
    "undo",
    "make the second one green",
    "remember that I like digital style",
    "what do I have?",
)
"""It ends with a changed picture that waits, and a clip that is stale."""
OF_THE_MOMENT = ("film", "file", "wall_seconds", "path")
"""Fields that hold a path or a duration of the process that answers, where they hold one: never compared."""
ENDED = ("short", "two_shots", "fork", "conversation", "from_picture", "extended", "waiting")
"""The runs that came to a film or to a question."""
LOOK = 0.005
"""Seconds between two looks at the store of a command that runs."""
DONE, MISTAKE, WAITING, INTERRUPTED = 0, 2, 3, 130


@dataclass(frozen=True)
class Mora:
    """The command line in a folder where `home` is MORA_HOME; relative, so that nothing stored names this machine."""

    folder: Path

    def environment(self) -> dict[str, str]:
        """This process's, without what sets Mora or its planners up."""
        strange = ("MORA_", "OPENAI_", "LANGSMITH_", "LANGCHAIN_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
        # A bookmark at every step: an interrupted run leaves one.
        return {**kept, "OMP_NUM_THREADS": "1", "MORA_HOME": "home", "MORA_STEP_CHECKPOINT_SECONDS": "0"}

    def begin(self, *words: str) -> "subprocess.Popen[str]":
        """A command that runs; both its streams are pipes."""
        return subprocess.Popen(
            [sys.executable, "-c", LAUNCH, str(ROOT / "main.py"), *words],
            cwd=self.folder,
            env=self.environment(),
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def lines(self, *words: str, code: int = DONE, given: str = "") -> list[Any]:
        """Every line of standard output of a command with `--json`; raises RuntimeError for another exit code."""
        process = self.begin(*words, "--json")
        out, errors = process.communicate(given)
        if process.returncode != code:
            raise RuntimeError(f"{' '.join(words)}: exit code {process.returncode} and not {code}: {errors or out}")
        return [json.loads(line) for line in out.splitlines()]

    def told(self, *words: str, code: int = DONE) -> Any:
        """The last line of standard output."""
        return self.lines(*words, code=code)[-1]

    def stopped(self, number: signal.Signals, *words: str) -> str:
        """The id of the run of a command that gets a signal after its first product, in the middle of another call."""
        products, known = self.products(), {run["run"] for run in self.told("runs")}
        process = self.begin(*words)
        while self.products() == products and process.poll() is None:
            time.sleep(LOOK)
        bookmarks = self.bookmarks()
        while self.bookmarks() <= bookmarks and process.poll() is None:
            time.sleep(LOOK)
        process.send_signal(number)
        process.communicate()
        expected = INTERRUPTED if number == signal.SIGINT else -number
        if process.returncode != expected:
            raise RuntimeError(f"{' '.join(words)}: exit code {process.returncode} and not {expected}")
        [run] = {run["run"] for run in self.told("runs")} - known
        return str(run)

    def products(self) -> set[Path]:
        """The files of stored products."""
        return {path for path in (self.folder / "home" / "artifacts").rglob("*") if path.suffix in (".png", ".mp4")}

    def bookmarks(self) -> set[Path]:
        """How far the calls have come that are not finished."""
        # Not by a pattern: a folder may go while it is looked at.
        walked = os.walk(self.folder / "home" / "unfinished")
        return {Path(folder) / file for folder, _, files in walked for file in files if file.endswith(".safetensors")}


def filled(mora: Mora) -> dict[str, Any]:
    """Makes all runs; gives their ids by name, the conversation as it was told, and the scores."""
    runs: dict[str, str] = {}

    def generate(name: str, *words: str, code: int = DONE) -> None:
        runs[name] = mora.told("generate", *words, code=code)["run"]

    generate("short", ONE, "--seed", "3", "--out", "short.mp4")
    generate("two_shots", TWO, "--transitions", "--seed", "4", "--candidates", "2")
    runs["fork"] = mora.told("fork", runs["short"], "--at", "4", "--seed", "9")["run"]
    said = "".join(json.dumps({"say": words}) + "\n" for words in (*CONVERSATION, "/save ball.png 1"))
    conversation = mora.lines("chat", "--seed", "5", given=said)
    runs["conversation"] = conversation[-1]["run"]
    generate("from_picture", "make it green and let it fly to the left", "--image", "ball.png", "--seed", "6")
    generate("extended", "it keeps moving right", "--video", "short.mp4", "--seconds", "1", "--seed", "7")
    generate(
        "waiting",
        "a green box grows in the desert",
        "--candidates",
        "2",
        "--review",
        "ask",
        "--seed",
        "8",
        code=WAITING,
    )
    mora.lines("generate", "a lighthouse in a storm", "--seed", "9", code=MISTAKE)
    runs["failed"] = mora.told("runs")[0]["run"]
    runs["interrupted"] = mora.stopped(signal.SIGINT, "generate", TWO, "--seed", "10")
    runs["killed"] = mora.stopped(signal.SIGKILL, "generate", TWO, "--seed", "11")
    judged = [mora.told("evaluate", "runs", runs[name], "--metrics", METRICS) for name in ("short", "fork")]
    sent = mora.told("export", runs["short"], "--out", "short.zip")
    return {"named": runs, "conversation": conversation, "judged": judged, "sent": sent}


def answers(mora: Mora, named: dict[str, str]) -> dict[str, Any]:
    """What the code says of the store, asked without changing it."""
    return {
        "runs": mora.told("runs"),
        "shown": {name: mora.told("show", run, "--checkpoints") for name, run in named.items()},
        "replayed": {name: mora.told("replay", named[name]) for name in ENDED},
        "listed": mora.told("evaluate", "list"),
        "verified": mora.told("verify", "short.mp4"),
    }


def without_the_moment(told: Any) -> Any:
    """The same without paths and durations of the process that answered."""
    if isinstance(told, dict):
        return {name: without_the_moment(value) for name, value in told.items() if not _of_the_moment(name, value)}
    return [without_the_moment(each) for each in told] if isinstance(told, list) else told


def _of_the_moment(name: str, value: Any) -> bool:
    """A film is a path here and an artifact's id there."""
    return name in OF_THE_MOMENT and (not isinstance(value, str) or "/" in value)


def packed(folder: Path) -> bytes:
    """A .tar.gz of the folder with no owner and no time of this machine."""

    def neutral(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = member.mtime = 0
        member.uname = member.gname = ""
        return member

    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for path in sorted(folder.rglob("*")):
            tar.add(path, str(path.relative_to(folder)), recursive=False, filter=neutral)
    return out.getvalue()


def main() -> None:
    """Writes NAME.tar.gz and NAME.json beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="The release that the code is.")
    name = parser.parse_args().name
    with tempfile.TemporaryDirectory() as scratch:
        mora = Mora(Path(scratch))
        made = filled(mora)
        store = packed(mora.folder)
        told = without_the_moment({**made, **answers(mora, made["named"])})
    (HERE / f"{name}.tar.gz").write_bytes(store)
    (HERE / f"{name}.json").write_text(
        json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
