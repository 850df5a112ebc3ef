"""What is answered to questions that need no look at the board. Data only."""

from graph.english.refusals import listed
from models.embedded.language import COLOURS, MOTIONS, OBJECTS, SCENES

HELP = (
    "Say what you want to see (`a red ball in the snow`). About what is shown: `go on`, `again`, `another "
    "three`, `use the second one`, `make it night`, `now let it fly to the left`. About clips and films: "
    "`extend it by two seconds, it keeps moving right`, `what happened before?`, `connect it with the first "
    "film`, `make a film of it`. Always: `undo`, `refresh`, `what did you do?`, `what do I have?`. Name "
    "products by number, `number 3`, or by what they show: `the blue one`, `the last clip`."
)
"""What `help` says."""
MEANINGS = {
    "stale": "Stale: it was made from something that has changed since. It is kept; `refresh` makes it again.",
    "waits": "Waits for your word: it is made, and you decide. `go on` accepts it, `again` makes another, or "
    "say what to change.",
    "stands": "Stands: it was accepted, and is what films and the next steps use.",
    "kept": "Kept: it was made, but another one stands in its place. `use number N` makes it stand again.",
    "taken back": "Taken back: an undo took it off. It is kept, and can still be changed, animated or connected by "
    "its number.",
    "take": "A take: one of several attempts at the same thing, with another seed. `again` makes one, `use "
    "number N` chooses one.",
    "seed": "A seed: the number that the noise of an attempt is drawn from. The same words with the same "
    "seed give the same picture.",
    "film": "A film: one or more clips joined into one file. `make a film` joins all clips that stand.",
    "clip": "A clip: a picture set in motion, two seconds long if you do not say otherwise.",
    "candidate": "A candidate: one of several first pictures to choose from.",
    "board": "The board: all that was made in this conversation. `what do I have?` lists it.",
    "number": "The number counts what was made here; name a product by it, like `make 3 blue`.",
    "digital": "Digital style: everything in big pixels, like an old video game.",
    "transition": "A transition: a short clip that leads from the end of one clip to the beginning of another.",
    "refresh": "`refresh` makes everything that is stale again, and nothing else.",
    "undo": "`undo` takes back what the last turn changed; nothing that was made is deleted.",
    "review": "A review: you look at each product before the next step.",
}
"""Word of the conversation -> what it means here."""
MEANT_AS = {
    "waiting": "waits", "waits for your word": "waits", "wait": "waits", "standing": "stands", "accepted": "stands",
    "stand": "stands", "takes": "take", "seeds": "seed", "films": "film", "clips": "clip", "candidates": "candidate",
    "numbers": "number", "back": "taken back",
}  # fmt: skip
"""Word -> the word of `MEANINGS` that it is a form of."""
WORLD = (
    f"Objects: {listed(OBJECTS)}. Colours: {listed(COLOURS)}. Scenes: {listed(SCENES)}. Motions: {listed(MOTIONS)}. "
    "Styles: natural and digital."
)
FILES = (
    "Say `save it as ball.mp4`, or `save number 2 as ball.png`: the ending decides (.mp4, .webm, "
    ".gif, .png for a picture, a name "
    "with / at its end for a folder of pictures). Each product's file is printed below it, too; copy "
    "it wherever you like."
)
GIVEN = (
    "You can give pictures (.png, .jpg, .webp and others) and videos (.mp4, .mov, .webm, .gif and others): "
    "begin a conversation with them, or say or paste the path of one here."
)
SIZE = "The embedded agents draw 64 x 64 pixels, at 8 frames a second; the picture cannot be larger or wider."
SILENT = "The films are silent; there is no sound, music or voice. A file with sound that you extend keeps it."
CAMERA = (
    "The camera stays where it is; what moves is the object. Say how it moves, like `it moves left`, "
    "or that it grows or shrinks."
)
BIGGER = (
    "The size of a thing cannot be chosen. It can grow or shrink while it moves: say `it grows` or "
    "`it shrinks`. Colour, object, "
    "scene and style can be changed."
)
WRITING = "There is no writing in the embedded world; a file's name can say what it is."
NUMBERED = "Only one thing is in a picture; make another clip, and `connect` or `make a film` of them."
