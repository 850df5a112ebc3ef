"""The embedded planner and the rules every planner obeys, without a network."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from graph.errors import PlannerUnset, RequestError
from graph.planners.factory import default_planner, make_planner
from graph.planners.planner import Planner
from graph.planners.ports import PlannerSettings
from graph.planning.brief import Brief, GivenPicture
from graph.planning.plan import Enhancement
from graph.planning.profiles import EMBEDDED, PROFILES
from graph.planning.prompts import prompts_digest
from models.embedded.language import combinations

PICTURES = tuple(GivenPicture(id=f"image-{at}", width=64, height=48) for at in (1, 2))


@pytest.fixture
def planner() -> Planner:
    return make_planner(PlannerSettings("embedded"), EMBEDDED)


def test_the_default_planner() -> None:
    assert default_planner(PlannerSettings()) == "embedded"
    assert default_planner(PlannerSettings(api_key=SecretStr("k"))) == "openai"
    assert default_planner(PlannerSettings(base_url="http://127.0.0.1/v1")) == "openai"
    assert default_planner(PlannerSettings("embedded", api_key=SecretStr("k"))) == "embedded"


def test_settings_that_cannot_be() -> None:
    with pytest.raises(PlannerUnset, match=r"needs an API key, .*; set OPENAI_API_KEY or OPENAI_BASE_URL"):
        make_planner(PlannerSettings("openai"), EMBEDDED)
    with pytest.raises(RequestError, match="no planner 'gemini'; choose one of openai, llama, embedded"):
        make_planner(PlannerSettings("gemini"), EMBEDDED)
    with pytest.raises(RequestError, match="embedded profile only"):
        make_planner(PlannerSettings("embedded"), PROFILES["paper"])


def test_no_key_is_shown() -> None:
    settings = PlannerSettings("openai", api_key=SecretStr("sk-secret"))
    assert "sk-secret" not in repr(settings) + repr(make_planner(settings, EMBEDDED))


def test_every_sentence_of_the_world_is_read_as_itself(planner: Planner, notebook: Any) -> None:
    for scenery in [*combinations(), *combinations(held_out=True, digital=True)][::7]:
        enhanced = planner.enhance(Brief(prompt=scenery.sentence), notebook)
        assert [shot.picture for shot in enhanced.shots] == [scenery.sentence]
        assert enhanced.notes == []


def test_words_become_calls(planner: Planner, notebook: Any) -> None:
    brief = Brief(prompt="a red ball rolls right in the snow for 3 seconds, then it grows")
    plan = planner.plan(brief, planner.enhance(brief, notebook), notebook)
    assert [(call.tool, call.shot) for call in plan.calls] == [
        ("text_to_image", 1),
        ("image_to_video", 1),
        ("text_to_image", 2),
        ("image_to_video", 2),
    ]
    assert [call.arguments.seconds for call in plan.calls if call.tool == "image_to_video"] == [3.0, None]


def test_given_pictures_begin_the_shots(planner: Planner, notebook: Any) -> None:
    brief = Brief(prompt="make it fly to the left", images=PICTURES)
    plan = planner.plan(brief, planner.enhance(brief, notebook), notebook)
    assert [call.arguments.model_dump() for call in plan.calls] == [
        {"prompt": "it moves left", "seconds": None, "image": "image-1"},
        {"prompt": "it moves left", "seconds": None, "image": "image-2"},
    ]


def test_shots_and_seconds_are_obeyed(planner: Planner, notebook: Any) -> None:
    enhanced = planner.enhance(Brief(prompt="a red ball", shots=3, seconds=10, seed=4), notebook)
    assert len(enhanced.shots) == 3
    assert len({shot.picture for shot in enhanced.shots}) == 1
    assert sum(shot.seconds or 0 for shot in enhanced.shots) == pytest.approx(10)


@pytest.mark.parametrize(
    ("brief", "sentence"),
    [
        (Brief(prompt="a red ball grows, then it shrinks", shots=1), "2 events and asks for 1 shots"),
        (Brief(prompt="a red ball", seconds=60), "60 seconds cannot be made"),
        (Brief(prompt="a dragon over the sea"), "no dragon; it has a ball, a box, a triangle and a star"),
        (Brief(prompt="  "), "Say in English what you want to see"),
    ],
)
def test_the_impossible_is_told_in_one_sentence(brief: Brief, sentence: str, planner: Planner, notebook: Any) -> None:
    with pytest.raises(RequestError, match=sentence) as told:
        planner.enhance(brief, notebook)
    assert "\n" not in str(told.value)


def test_what_was_not_said_is_chosen_by_the_seed_and_told(planner: Planner, notebook: Any) -> None:
    asked = [planner.enhance(Brief(prompt="a ball in the sea", seed=seed), notebook) for seed in (0, 0, 1, 2, 3, 4)]
    assert asked[0] == asked[1]
    assert len({answer.shots[0].picture for answer in asked}) > 2
    colour = re.fullmatch(r"a (\w+) ball .*", asked[0].shots[0].picture or "")
    assert colour and f"You did not say which colour; I chose: {colour[1]}." in asked[0].notes


def test_saying_one_thing_leaves_the_other_choices_alone(planner: Planner, notebook: Any) -> None:
    free = planner.enhance(Brief(prompt="a ball", seed=5), notebook).shots[0].motion.split(" in the ")
    told = planner.enhance(Brief(prompt="a red ball", seed=5), notebook).shots[0].motion.split(" in the ")
    assert free[1] == told[1]


def test_simulate_is_in_digital_world_style(planner: Planner, notebook: Any) -> None:
    enhanced = planner.enhance(Brief(prompt="a red ball falls in the sea", task="simulate"), notebook)
    assert enhanced.shots[0].picture == "a red ball moves down in the sea in digital world style"


def test_a_record_stands_in_for_the_model(planner: Planner, notebook: Any) -> None:
    brief = Brief(prompt="a red ball falls in the sea")
    enhanced = planner.enhance(brief, notebook)
    digest = next(iter(notebook.answers))
    notebook.answers[digest] = notebook.answers[digest].replace("red", "blue")
    assert planner.enhance(brief, notebook).shots[0].picture == "a blue ball moves down in the sea"
    assert enhanced.shots[0].picture == "a red ball moves down in the sea"
    assert len(notebook.kept) == 1


@pytest.mark.parametrize("name", ["paper", "modern"])
def test_free_profiles_take_free_words_up_to_their_encoder(name: str) -> None:
    profile = PROFILES[name]
    assert profile.shot_fault("a fox at dawn", "the fox looks up") is None
    assert "reads at most" in (profile.shot_fault("fox " * 201, "it runs") or "")


def test_an_answer_needs_shots_or_a_reason() -> None:
    with pytest.raises(ValueError, match="1 to 8 shots"):
        Enhancement.model_validate_json('{"shots": []}')
    assert Enhancement.model_validate_json(json.dumps({"shots": [], "impossible": "No."})).impossible == "No."


def test_the_prompts_have_a_digest() -> None:
    assert re.fullmatch("[0-9a-f]{64}", prompts_digest())


def test_the_room_imports_nothing_heavy() -> None:
    code = """
import sys
from graph.planners import embedded, planner
print(sorted({"torch", "sqlalchemy", "openai"} & set(sys.modules)))
"""
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
