"""What English calls the things of the embedded world and their colours, and things that it lacks. Data only.

Phrases are separated by commas; verbs stand in their base form and are inflected on their first word. `~` marks a
word that gives way when a clearer one is near (`dark` beside `desert`).
"""

from models.embedded.language import Colour, Object

OBJECT_NOUNS: dict[Object, str] = {
    "ball": "ball, circle, sphere, orb, disc, disk, dot, globe, marble, bubble, bead, pellet, beach ball, beachball, "
    "roundel, round thing, round shape, round object, something round, ball shaped, spherical~, soccer ball, "
    "football, basketball, "
    "tennis ball, roundish thing",
    "box": "box, square, cube, block, crate, package, parcel, brick, carton, chest, cuboid, quadrate, boxy thing, "
    "something square, box shaped, cube shaped, cubic~, cubical~, boxy~, "
    "square thing, square shape, dice, square shaped",
    "triangle": "triangle, pyramid, cone, wedge, trigon, tetrahedron, triangular shape, triangular thing, arrowhead, "
    "three sided shape, three cornered shape, pointy triangle, triangular~, pyramidal~, conical~, triangle shaped",
    "star": "star, pentagram, asterisk, starlet, five pointed star, five point star, star shape, starburst, sparkle, "
    "five pointed shape, star shaped",
}
THINGS = "thing, object, shape, item, something, figure, form, whatever, piece, anything, body"
"""Nouns that leave the object open."""
COLOUR_WORDS: dict[Colour, str] = {
    "red": "red, reddish, crimson, scarlet, ruby, cherry, vermilion, vermillion, maroon, burgundy, cardinal, "
    "blood red, "
    "cherry red, ruby red, fire engine red, brick red, wine red, tomato red, rose red, carmine, reddened, rosso red",
    "green": "green, greenish, lime, emerald, jade, olive, mint, chartreuse, viridian, forest green, lime green, "
    "sea green, grass green, emerald green, mint green, olive green, moss green, bottle green, pea green, "
    "fern green, "
    "apple green, leaf green, jade green, neon green",
    "blue": "blue, bluish, azure, navy, cobalt, sapphire, cerulean, ultramarine, navy blue, royal blue, sky blue, "
    "midnight blue, ocean blue, ice blue, baby blue, cobalt blue, powder blue, sea blue, cornflower, denim, "
    "azure blue, sapphire blue, turquoise~, teal~, cyan~, aqua~, aquamarine~",
    "yellow": "yellow, yellowish, golden, gold, lemon, canary, mustard, sunny yellow, lemon yellow, canary yellow, "
    "sunshine yellow, gilded, banana yellow, honey~, amber~, blond~, blonde~, saffron~, sand coloured~, "
    "straw coloured",
    "purple": "purple, purplish, violet, lilac, lavender, mauve, plum, indigo, amethyst, aubergine, royal purple, "
    "grape, magenta~, fuchsia~, orchid~",
    "orange": "orange, orangish, tangerine, apricot, carrot, pumpkin, burnt orange, blood orange, carrot coloured, "
    "mandarin, marmalade, copper~, coral~, rust~, peach~, bronze~",
}
OTHER_COLOURS: dict[str, Colour] = {
    "pink": "purple", "white": "yellow", "black": "blue", "grey": "blue", "gray": "blue", "brown": "orange",
    "silver": "blue", "beige": "yellow", "cream": "yellow", "ivory": "yellow", "tan": "orange", "khaki": "green",
    "salmon": "orange", "rose": "red", "charcoal": "blue", "chocolate": "orange", "transparent": "blue",
    "invisible": "blue", "rainbow": "purple", "multicolored": "purple", "multicoloured": "purple",
    "colorless": "blue", "colourless": "blue", "silvery": "blue", "blackish": "blue", "whitish": "yellow",
    "striped": "red", "spotted": "red", "checkered": "red", "chequered": "red", "polka dot": "red", "plaid": "red",
    "tartan": "red", "iridescent": "purple", "sepia": "orange", "monochrome": "blue", "hot pink": "purple",
    "snow white": "yellow", "jet black": "blue", "pitch black": "blue",
}  # fmt: skip
"""Colours the world has not, and the one that comes nearest."""
OTHER_THINGS: dict[str, Object] = {
    "dragon": "star", "cat": "ball", "dog": "ball", "bird": "star", "car": "box", "truck": "box", "bus": "box",
    "train": "box", "robot": "box", "man": "triangle", "woman": "triangle", "person": "triangle",
    "people": "triangle",
    "boy": "triangle", "girl": "triangle", "child": "triangle", "horse": "box", "fox": "triangle", "house": "box",
    "tree": "triangle", "flower": "star", "apple": "ball", "balloon": "ball", "moon": "ball", "sun": "ball",
    "planet": "ball", "snowball": "ball", "egg": "ball", "coin": "ball", "wheel": "ball", "ring": "ball",
    "heart": "star", "diamond": "star", "rectangle": "box", "hexagon": "ball", "pentagon": "star", "octagon": "ball",
    "oval": "ball", "ellipse": "ball", "polygon": "triangle", "line": "box", "arrow": "triangle", "cross": "star",
    "cylinder": "box", "rocket": "triangle", "spaceship": "triangle", "airplane": "triangle", "plane": "triangle",
    "boat": "box", "ship": "box", "fish": "ball", "butterfly": "star", "snowman": "ball", "starfish": "star",
    "unicorn": "star", "elephant": "ball", "lion": "star", "kite": "triangle", "book": "box", "phone": "box",
    "table": "box", "chair": "box", "hat": "triangle", "pizza": "triangle", "cake": "box", "donut": "ball",
    "doughnut": "ball", "astronaut": "triangle", "trapezoid": "box", "rhombus": "box", "crescent": "ball",
    "spiral": "star", "tent": "triangle", "mountain": "triangle", "drone": "star", "snowflake": "star",
    "bell": "ball",
    "bull": "ball", "fireball": "ball", "comet": "star", "meteor": "star", "gift": "box", "building": "box",
    "king": "star", "wing": "triangle", "blood": "ball", "mailbox": "box",
}  # fmt: skip
"""Things the world has not, and the one whose shape comes nearest."""
FRUITS = (
    "lime lemon cherry plum grape carrot pumpkin apricot olive tangerine canary cardinal orchid mandarin honey ruby "
    "emerald sapphire peach"
)
"""Names of colours that are things when no object follows (`a pumpkin rolls`)."""
COLOURS_OF: dict[str, Colour] = {
    "sky": "blue", "sea": "blue", "ocean": "blue", "grass": "green", "leaves": "green", "blood": "red",
    "fire": "orange", "sun": "yellow", "gold": "yellow", "lemons": "yellow", "oranges": "orange", "carrots": "orange",
    "grapes": "purple", "emeralds": "green", "tomatoes": "red", "roses": "red", "lavender": "purple",
    "bananas": "yellow", "rubies": "red", "sapphires": "blue", "flames": "orange", "cherries": "red", "limes": "green",
    "violets": "purple", "corn": "yellow",
}  # fmt: skip
"""Things whose colour a wish may name, as in `the colour of the sky`."""
ROUND = ("round", "circular", "globular")
"""Said of something that is not named, they name a ball; said of anything else, they are its aspect."""
