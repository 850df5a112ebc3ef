"""Compose wishes in ordinary English from synonyms, and check whether A1 understands them.

The synonyms are written independently of the planner's own word lists, which would make the test circular.
"""

from collections.abc import Mapping
from typing import Final, TypeVar

import numpy as np

from evals.world.results import Seen, Task
from graph.english.wish import read_wish
from graph.planning.brief import Brief, GivenClip, GivenPicture
from graph.planning.plan import EnhancedShot
from models.embedded.language import (
    FPS,
    NUM_FRAMES,
    SIDE,
    Colour,
    Edit,
    Motion,
    Object,
    Scene,
    Scenery,
    combinations,
    motion_sentence,
)

T = TypeVar("T")

OBJECTS: Final[Mapping[Object, tuple[str, ...]]] = {
    "ball": ("ball", "circle", "sphere", "disc", "globe", "round ball", "marble", "disk", "football"),
    "box": ("box", "square", "cube", "block", "crate", "brick", "small square"),
    "triangle": ("triangle", "pyramid", "little triangle", "cone", "three-sided shape"),
    "star": ("star", "five-pointed star", "little star", "star shape"),
}
COLOURS: Final[Mapping[Colour, tuple[str, ...]]] = {
    "red": ("red", "crimson", "scarlet", "bright red", "ruby", "maroon", "blood-red"),
    "green": ("green", "lime", "emerald", "dark green", "olive", "mint green"),
    "blue": ("blue", "azure", "navy blue", "sapphire", "cobalt", "light blue"),
    "yellow": ("yellow", "golden", "lemon yellow", "bright yellow", "mustard", "canary yellow"),
    "purple": ("purple", "violet", "lilac", "deep purple", "lavender", "plum"),
    "orange": ("orange", "tangerine", "bright orange", "pumpkin orange", "apricot"),
}
SCENES: Final[Mapping[Scene, tuple[str, ...]]] = {
    "meadow": (
        "in a meadow",
        "across some grass",
        "over a green field",
        "on the lawn",
        "in the park",
        "through a pasture",
    ),
    "sea": ("over the sea", "above the ocean", "on the water", "across the waves", "on a lake", "out at sea"),
    "desert": (
        "in the desert",
        "over the dunes",
        "across hot sand",
        "in the Sahara",
        "among sand dunes",
        "on a sandy plain",
    ),
    "snow": (
        "in the snow",
        "over a snowy field",
        "across the ice",
        "in a winter landscape",
        "at the north pole",
        "on a glacier",
    ),
    "night": ("at night", "in the dark", "under a midnight sky", "in outer space", "after sunset", "beneath the stars"),
}
MOTIONS: Final[Mapping[Motion, tuple[tuple[str, str], ...]]] = {
    "moves right": (
        ("slides to the right", "sliding to the right"),
        ("glides rightwards", "gliding rightwards"),
        ("drifts from left to right", "drifting from left to right"),
        ("flies towards the right", "flying towards the right"),
        ("makes its way to the right-hand side", "making its way to the right-hand side"),
        ("rolls east", "rolling east"),
    ),
    "moves left": (
        ("slides to the left", "sliding to the left"),
        ("glides leftwards", "gliding leftwards"),
        ("drifts from right to left", "drifting from right to left"),
        ("flies towards the left", "flying towards the left"),
        ("makes its way to the left-hand side", "making its way to the left-hand side"),
        ("rolls west", "rolling west"),
    ),
    "moves up": (
        ("rises", "rising"),
        ("climbs upwards", "climbing upwards"),
        ("floats up", "floating up"),
        ("goes up", "going up"),
        ("takes off", "taking off"),
        ("ascends towards the sky", "ascending towards the sky"),
    ),
    "moves down": (
        ("falls", "falling"),
        ("sinks slowly", "sinking slowly"),
        ("drops down", "dropping down"),
        ("descends", "descending"),
        ("tumbles to the ground", "tumbling to the ground"),
        ("comes down", "coming down"),
    ),
    "stays still": (
        ("stays where it is", "staying where it is"),
        ("waits", "waiting"),
        ("rests motionless", "resting motionless"),
        ("does not move", "not moving"),
        ("hovers in place", "hovering in place"),
        ("just sits there", "just sitting there"),
    ),
    "grows": (
        ("gets bigger", "getting bigger"),
        ("expands", "expanding"),
        ("swells", "swelling"),
        ("becomes larger and larger", "becoming larger and larger"),
        ("inflates like a balloon", "inflating like a balloon"),
        ("doubles in size", "doubling in size"),
    ),
    "shrinks": (
        ("gets smaller", "getting smaller"),
        ("shrinks to half its size", "shrinking to half its size"),
        ("becomes tiny", "becoming tiny"),
        ("dwindles", "dwindling"),
        ("contracts", "contracting"),
        ("loses half of its size", "losing half of its size"),
    ),
}
"""Each as a finite verb and as a participle."""
STYLES: Final = (
    "in digital world style",
    "in pixel art",
    "made of blocks like in Minecraft",
    "with a blocky look",
    "as in an old pixel game",
    "with big pixels",
)
TEMPLATES: Final = (
    "{thing} {moves} {place}{style}",
    "show me {thing} {moving} {place}{style}",
    "I would like to see {thing} that {moves} {place}{style}",
    "Please make a video of {thing} {moving} {place}{style}.",
    "{place}, {thing} {moves}{style}",
    "Could you draw {thing} which {moves} {place}{style}?",
    "a short clip: {thing} {moving} {place}{style}",
    "there is {thing} {place} and it {moves}{style}",
    "imagine {thing} {place}{style}. It {moves}.",
    "How about {thing} {moving} {place}{style}?",
    "we need a film where {thing} {moves} {place}{style}",
)
THINGS: Final = ("{colour} {object}", "{object} that is {colour}", "{object}, {colour} in colour,")
EDITS: Final = {
    "colour": ("make it {colour}", "paint it {colour}", "change its colour to {colour}", "it should be {colour}"),
    "object": ("turn it into {object}", "make it {object}", "replace it with {object}", "let it become {object}"),
    "scene": ("change the scene to {scene}", "put it in {scene}", "move it to {scene}", "set it in {scene}"),
    "style": ("in digital world style", "make it look like pixel art", "turn it into pixel art", "make it blocky"),
}
EXTENSIONS: Final = (
    "it goes on {moving}",
    "continue the clip: it {moves}",
    "make it longer, it {moves}",
    "and then it {moves}",
    "extend the video while the object keeps {moving}",
)
PLACES: Final[Mapping[Scene, tuple[str, ...]]] = {
    "meadow": ("a meadow", "a green field", "the grass"),
    "sea": ("the sea", "the ocean"),
    "desert": ("the desert", "the dunes"),
    "snow": ("the snow", "a winter landscape"),
    "night": ("the night", "outer space"),
}

_SCENERIES: Final = {s.sentence: s for digital in (False, True) for s in combinations(digital=digital)}
_PICTURE: Final = GivenPicture(id="picture", width=SIDE, height=SIDE)
_CLIP: Final = GivenClip(id="clip", width=SIDE, height=SIDE, seconds=NUM_FRAMES / FPS)


def wish_for(scenery: Scenery, seed: int) -> str:
    """Compose a wish that states everything about a scenery; another seed gives other words."""
    rng = np.random.default_rng([seed, 3])
    moves, moving = _one_of(rng, MOTIONS[scenery.motion])
    colour, object_ = _one_of(rng, COLOURS[scenery.colour]), _one_of(rng, OBJECTS[scenery.object])
    thing = _with_article(_one_of(rng, THINGS).format(colour=colour, object=object_))
    style = f" {_one_of(rng, STYLES)}" if scenery.digital else ""
    words = {"thing": thing, "moves": moves, "moving": moving, "place": _one_of(rng, SCENES[scenery.scene])}
    wish = _one_of(rng, TEMPLATES).format(**words, style=style)
    return wish[0].upper() + wish[1:] if rng.random() < 0.5 else wish


def edit_wish_for(edit: Edit, motion: Motion | None, seed: int) -> str:
    """Compose a wish for a given picture: the edit and, unless None, the motion."""
    rng = np.random.default_rng([seed, 4])
    parts = []
    if edit.colour:
        parts.append(_one_of(rng, EDITS["colour"]).format(colour=_one_of(rng, COLOURS[edit.colour])))
    if edit.object:
        parts.append(_one_of(rng, EDITS["object"]).format(object=_with_article(_one_of(rng, OBJECTS[edit.object]))))
    if edit.scene:
        parts.append(_one_of(rng, EDITS["scene"]).format(scene=_one_of(rng, PLACES[edit.scene])))
    if edit.digital:
        parts.append(_one_of(rng, EDITS["style"]))
    moving = f", it {_one_of(rng, MOTIONS[motion])[0]}" if motion else ""
    return " and ".join(parts) + moving


def extension_wish_for(motion: Motion, seed: int) -> str:
    """Compose a wish to extend a given clip with a motion."""
    rng = np.random.default_rng([seed, 5])
    moves, moving = _one_of(rng, MOTIONS[motion])
    return _one_of(rng, EXTENSIONS).format(moves=moves, moving=moving)


def _one_of(rng: np.random.Generator, choices: tuple[T, ...]) -> T:
    return choices[rng.integers(len(choices))]


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def read(wish: str, seed: int) -> Seen | str:
    """Return what the embedded planner reads in a wish, or a sentence if it does not read exactly one shot."""
    understood = read_wish(Brief(prompt=wish, seed=seed))
    if understood.impossible is not None:
        return understood.impossible
    sentences = [shot.picture for shot in understood.shots if shot.picture == shot.motion]
    s = _SCENERIES.get(sentences[0] or "") if len(understood.shots) == len(sentences) == 1 else None
    if s is None:
        return f"It was read as: {', then '.join(shot.motion or 'no motion' for shot in understood.shots)}."
    return Seen(object=s.object, colour=s.colour, scene=s.scene, motion=s.motion, digital=s.digital)


def reads_edit(edit: Edit, motion: Motion | None, seed: int) -> bool:
    """Return whether the embedded planner reads a wish for a given picture as this edit and, unless None, motion."""
    shot = _one_shot(Brief(prompt=edit_wish_for(edit, motion, seed), images=(_PICTURE,), seed=seed), "image-to-video")
    if shot is None or shot.edit != edit.instruction:
        return False
    return motion is None or shot.motion == motion_sentence(motion)


def reads_clip_edit(edit: Edit, seed: int) -> bool:
    """Return whether the embedded planner reads a wish for a given clip as this edit."""
    shot = _one_shot(Brief(prompt=edit_wish_for(edit, None, seed), clips=(_CLIP,), seed=seed), "edit")
    return shot is not None and shot.edit == edit.instruction


def reads_extension(motion: Motion, seed: int) -> bool:
    """Return whether the embedded planner reads a wish for a given clip as an extension with this motion."""
    shot = _one_shot(Brief(prompt=extension_wish_for(motion, seed), clips=(_CLIP,), seed=seed), "extend")
    return shot is not None and shot.motion == motion_sentence(motion)


def _one_shot(brief: Brief, task: Task) -> EnhancedShot | None:
    understood = read_wish(brief)
    if understood.impossible or understood.task != task or len(understood.shots) != 1:
        return None
    return understood.shots[0]
