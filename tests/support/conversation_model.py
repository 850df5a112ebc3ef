"""The tiny language model that carries a whole conversation: what it learned, and the recipe that makes its file.

`python -m support.conversation_model`, in `tests`, fits it (a few minutes on one core) and writes its GGUF file: needed
when what the embedded planner answers to a wish, the first words of the prompts, the names of the first three moves, or
these lessons change. It hears only what was said, not the board: what it calls is right because the conversation goes
as written here, and what it says of its work is sometimes a lie, on purpose.
"""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graph.planners.embedded import EmbeddedPlanner
from graph.planners.planner import Planner
from graph.planning.brief import brief_of
from graph.planning.profiles import EMBEDDED
from memory.records import Request
from support.chat_model import Notebook, convert, fit

FILE = Path(__file__).with_suffix(".gguf")
SEED = 5
HEARD = 32
"""Characters of a system message that it hears where it is given no tools."""
RED, STAR, BOX = (
    "a red ball moves right in the snow",
    "a yellow star moves up in the sea",
    "a green box shrinks in the desert",
)
PLANNED = "text_to_image", "edit_image", "image_to_video", "extend_video", "edit_video", "connect_videos"
"""The tools that it is given to plan with."""
PICTURE, CLIP = "1.text_to_image", "1.image_to_video"

Call = tuple[str, dict[str, Any]]
LESSONS: dict[str, tuple[Sequence[Call], str]] = {
    "a red ball in the snow": ([("wish", {"words": RED})], "Look at it."),
    "again": ([("again", {"call": PICTURE})], "Your film of a dragon is ready."),
    "another three": ([("again", {"call": PICTURE, "count": 3})], "Which one do you like?"),
    "use the second one": ([("choose", {"call": PICTURE, "take": 2})], "I have made a film of it."),
    "now let it fly to the left": (
        [("reword", {"call": CLIP, "words": "a red ball moves left in the snow"})],
        "The clip has another motion now.",
    ),
    "the first clip was better": ([("choose", {"call": CLIP, "take": 1})], "It stands."),
    "and a star over the sea": ([("wish", {"words": STAR})], "Shall it move?"),
    "go on": ([("go_on", {})], "There it goes, see number 99."),
    "make it blue": ([("change", {"call": "2.image_to_video", "instruction": "make it blue"})], "It is blue."),
    "undo": ([("undo", {})], "As it was."),
    "what did you do?": ([("tell", {"about": "done"})], ""),
    "connect it with the first film": (
        [("go_on", {}), ("connect", {"first": 6, "second": 9})],
        "Now they are one film.",
    ),
    "where is my film": ([], "I made your film. It is ready: film.mp4."),
    "make it nonsense": ([("choose", {"call": "9.text_to_image", "take": 4})], ""),
    "extend it by two seconds": (
        [("extend", {"clip": 12, "prompt": "it moves right", "seconds": 2.0})],
        "It is longer now.",
    ),
    "a green box": ([("wish", {"words": BOX})], "Say go on to animate it."),
    "yes": ([("go_on", {})], ""),
    "animate the third picture, too": ([("animate", {"image": 3, "prompt": "a red ball grows in the snow"})], "See?"),
    "raise the limit": ([("raise_limit", {"call": "6.image_to_video", "most": 9})], "Nine times, then."),
    "again please": ([("again", {"call": "6.image_to_video"})], "Number 18 is there."),
    "join them all": ([("go_on", {}), ("film", {"clips": [6, 9, 18]})], "One film of three clips."),
    "what do I have?": ([("tell", {"about": "board"})], ""),
    "make the fifth picture green": ([("edit_picture", {"image": 5, "instruction": "make it green"})], "Green."),
    "refresh": ([("refresh", {})], "All is fresh."),
    "thank you": ([], "With pleasure."),
}
"""What is said, in this order; what is called; and what is said when that is done (nothing: `So it is.`)."""
SORRY = "What do you mean?"
"""What it says when it is told that its call could not be used."""

TEMPLATE = (
    "{%- if tools %}{{- '<|im_start|>system\n# Tools\n<tools>' }}"
    "{%- for tool in tools %}{%- if loop.index <= 3 %}{{- '\n' + tool.function.name }}{%- endif %}{%- endfor %}"
    "{{- '\n</tools>\nReturn a json object with name and arguments within <tool_call></tool_call> XML tags:\n' }}"
    '{{- \'<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call><|im_end|>\n\' }}'
    "{%- endif %}{%- for message in messages %}{%- if message.role == 'tool' %}"
    "{{- '<|im_start|>user\n<tool_response>\n' + message.content[:5] + '\n</tool_response><|im_end|>\n' }}"
    "{%- elif message.role == 'assistant' and message.tool_calls %}{{- '<|im_start|>assistant' }}"
    "{%- for tool_call in message.tool_calls %}{%- set call = tool_call.function %}"
    '{{- \'\n<tool_call>\n{"name": "\' + call.name + \'", "arguments": \' }}{{- call.arguments | tojson }}'
    "{{- '}\n</tool_call>' }}{%- endfor %}{{- '<|im_end|>\n' }}"
    "{%- elif message.role == 'assistant' %}{{- '<|im_start|>assistant\n-<|im_end|>\n' }}"
    "{%- elif message.role == 'system' %}"
    "{%- if not tools %}{{- '<|im_start|>system\n' + message.content[:HEARD] + '<|im_end|>\n' }}{%- endif %}"
    '{%- elif message.content[:9] == \'{"said":"\' %}'
    "{{- '<|im_start|>user\n' + message.content.split('\"')[3] + '<|im_end|>\n' }}"
    '{%- elif message.content[:12] == \'{"prompt": "\' %}'
    "{{- '<|im_start|>user\n' + message.content.split('\"')[3] + '<|im_end|>\n' }}"
    "{%- else %}{{- '<|im_start|>user\n' + message.content[:10] + '<|im_end|>\n' }}{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"
).replace("HEARD", str(HEARD))
"""What it hears: the names of its first tools, what was said, that a call was done or could not be used."""


def samples() -> list[tuple[str, str]]:
    """What it reads and what it then writes, of every step of the conversation."""
    return [each for said, lesson in LESSONS.items() for each in _talked(said, *lesson)] + _planned()


def _talked(said: str, calls: Sequence[Call], told: str) -> list[tuple[str, str]]:
    person = {"role": "user", "content": json.dumps({"said": said}, separators=(",", ":"))}
    if not calls:
        return [(_prompt([person]), f"{told}<|im_end|>")]
    written = _written(calls)
    first = (_prompt([person]), f"{written}<|im_end|>")
    if said == "make it nonsense":
        back = [person, {"role": "assistant", "content": written}, {"role": "user", "content": "That could not be"}]
        return [first, (_prompt(back), f"{SORRY}<|im_end|>")]
    made = [{"function": {"name": name, "arguments": given}} for name, given in calls]
    results = [{"role": "tool", "content": "Done. "} for _ in calls]
    after = _prompt([person, {"role": "assistant", "tool_calls": made, "content": ""}, *results])
    return [first, (after, f"{told or 'So it is.'}<|im_end|>")]


def _prompt(messages: list[dict[str, Any]], *, tools: Sequence[str] | None = None) -> str:
    """What it hears. tools: the names of those that it is given; None: the moves."""
    from jinja2 import Template

    from graph.planners.tool_calling import tools as moves

    names = [move["function"]["name"] for move in moves()] if tools is None else tools
    head = [{"role": "system", "content": "You are"}] if names else []
    given = [{"function": {"name": name}} for name in names]
    return Template(TEMPLATE).render(messages=[*head, *messages], tools=given, add_generation_prompt=True)


def _planned() -> list[tuple[str, str]]:
    """What the embedded planner answers to the wishes, in both steps; the second one also as calls of tools."""
    found = []
    for words in (RED, STAR, BOX):
        book, planner = Notebook(), Planner("embedded", EmbeddedPlanner(), EMBEDDED)
        brief = brief_of(Request(prompt=words, seed=SEED, task="text-to-video"), None)  # type: ignore[arg-type]
        planner.plan(brief, planner.enhance(brief, book), book)
        for call in book.kept:
            asked = [{"role": role, "content": message["content"]} for role, message in _roles(call["request"])]
            found.append((_prompt(asked, tools=()), f"{call['response']}<|im_end|>"))
        told = json.dumps({"prompt": words})
        calls = [(tool, {"prompt": words, "shot": 1}) for tool in ("text_to_image", "image_to_video")]
        found.append((_prompt([{"role": "user", "content": told}], tools=PLANNED), f"{_written(calls)}<|im_end|>"))
    return found


def _written(calls: Sequence[Call]) -> str:
    return "\n".join(
        f"<tool_call>\n{json.dumps({'name': name, 'arguments': given})}\n</tool_call>" for name, given in calls
    )


def _roles(request: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return list(zip(("system", "user"), request["messages"], strict=True))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        fit(Path(folder), samples(), passes=1500)
        convert(Path(folder), FILE, TEMPLATE)
    print(f"{FILE.name}: {FILE.stat().st_size / 1e6:.2f} MB")
