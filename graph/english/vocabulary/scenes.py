"""What English calls the scenes of the embedded world, places it does not have, and what leads to a place. Data only.

Phrases are separated by commas; verbs stand in their base form and are inflected on their first word. `~` marks a
word that gives way when a clearer one is near (`dark` beside `desert`).
"""

from models.embedded.language import Scene

SCENE_WORDS: dict[Scene, str] = {
    "meadow": "meadow, meadows, meadowland, grass, grasses, grassland, grasslands, grassy, lawn, prairie, pasture, "
    "garden, field, fields, park, turf, countryside, savanna, savannah, grass field, grassy field, green hills, "
    "grassy hill, grassy hills, greensward, paddock, backyard, pastureland, lea, greenery, football pitch, "
    "village green",
    "sea": "sea, seas, ocean, oceans, water, waters, waves, lake, seaside, seascape, pond, river, lagoon, bay, surf, "
    "seashore, high seas, open water, underwater, under water, pacific, atlantic, aquatic, oceanic, shore~, coast~, "
    "harbour, harbor, marine, swimming pool, pool, billows, seawater",
    "desert": "desert, deserts, sand, sands, dune, dunes, sandy, sahara, gobi, sandy beach, beach sand, arid plain, "
    "sandbox, sand dunes, sand dune, badlands, desert sand, desert sands, parched land, beach~, sandy shore, "
    "arid land",
    "snow": "snow, snows, snowy, winter, wintry, ice, icy, arctic, antarctic, antarctica, tundra, glacier, "
    "snowfield, "
    "blizzard, snowstorm, north pole, south pole, polar, frost, frosty, snowfall, wintertime, snowscape, "
    "frozen lake, "
    "frozen sea, frozen ocean, frozen pond, frozen river, frozen water, frozen tundra, winter wonderland, snowdrift, "
    "snowdrifts, snow fall, snow storm, snow covered, ice rink, ski slope, snowbound, iceberg, icebergs, ice floe, "
    "ski resort, frosty field, icy plain, frozen field, alpine snow, white winter, "
    "snow covered field, snow covered fields, snowy field, snowy fields, snowy meadow, snowed in, snow field, "
    "snow covered plain, snow covered ground, icy lake, icy field, ice field, ice sheet, fresh powder, siberia",
    "night": "night, nights, midnight, nighttime, nightfall, evening, dusk, twilight, darkness, nocturnal, starry, "
    "starlit, starlight, moonlit, moonlight, night sky, starry sky, starry night, dark sky, outer space, space, "
    "cosmos, "
    "galaxy, universe, after dark, after sunset, after sundown, after nightfall, before dawn, before sunrise, "
    "under the stars, beneath the stars, below the stars, underneath the stars, among the stars, between the stars, "
    "stars in the sky, "
    "in the stars, to the stars, across the stars, night fall, late at night, starry evening, dark night, "
    "deep space, "
    "starry heavens, under the moon, blackness, gloom, pitch dark, pitch darkness, moonless, dark~, black sky, "
    "starry skies, night skies, dark skies, the small hours, dark space, milky way, unlit",
}
NEAR_PLACES = (
    "garden, park, prairie, countryside, savanna, savannah, backyard, football pitch, village green, green hills, "
    "grassy hill, grassy hills, lake, pond, river, lagoon, bay, seaside, seashore, underwater, under water, shore, "
    "coast, harbour, harbor, swimming pool, pool, beach, sandy beach, beach sand, sandy shore, sandbox, badlands, "
    "glacier, frozen lake, frozen pond, frozen river, icy lake, ice rink, ski slope, ski resort, iceberg, icebergs, "
    "ice floe, outer space, space, cosmos, galaxy, universe, deep space, dark space, milky way"
)
"""Of SCENE_WORDS those that are places of their own: the scene that is painted for them is told."""
SCENE_EVENTS: dict[Scene, str] = {
    "night": "night fall, darkness fall, night come, darkness come, night begin, get dark, become dark, grow dark, "
    "turn dark, go dark, turn to night, turn into night, become night, night descend, darkness descend, dusk fall, "
    "evening fall, evening come, sun go down, sun set, night arrive, turn to darkness, lights go out",
    "snow": "snow, snow fall, snow start, start snowing, begin snowing, begin to snow, start to snow, winter come, "
    "winter arrive, turn to winter, turn into winter, winter begin, freeze over, become winter, snow begin",
}
"""Verb phrases that are a change of scene and no motion; the verb may be inflected."""
SCENE_COLOURS: dict[Scene, str] = {
    "meadow": "green yellow", "sea": "blue green", "desert": "yellow orange", "snow": "white blue",
    "night": "black blue purple grey gray",
}  # fmt: skip
"""Colours a scene may be called by; its own cannot be changed."""
OTHER_PLACES: dict[str, Scene] = {
    "moon": "night", "mars": "desert", "city": "night", "town": "meadow", "street": "night", "road": "desert",
    "forest": "meadow", "woods": "meadow", "wood": "meadow", "jungle": "meadow", "mountain": "snow",
    "mountains": "snow", "house": "meadow", "room": "night", "kitchen": "night", "bedroom": "night",
    "bathroom": "sea", "castle": "meadow", "cave": "night", "volcano": "desert", "island": "sea", "sunset": "night",
    "sunrise": "meadow", "dawn": "meadow", "rain": "sea", "storm": "sea", "fog": "snow", "office": "night",
    "school": "meadow", "stadium": "meadow", "highway": "desert", "village": "meadow", "skyscraper": "night",
    "planet": "night", "earth": "meadow", "sun": "desert", "hell": "desert", "heaven": "night", "paris": "night",
    "london": "night", "tokyo": "night", "york": "night", "farm": "meadow", "swamp": "meadow", "rainforest": "meadow",
    "valley": "meadow", "hill": "meadow", "hills": "meadow", "bridge": "sea", "beachside": "desert",
    "tunnel": "night",
    "canyon": "desert", "airport": "meadow", "shop": "night", "supermarket": "night", "church": "meadow",
    "library": "night", "tokyo street": "night", "clouds": "sea", "cloud": "sea", "rooftop": "night",
    "table": "desert",
    "lava": "desert", "fire": "desert", "flames": "desert", "bottle": "sea", "museum": "night", "theatre": "night",
}  # fmt: skip
PLACE_PREPOSITIONS = (
    "in", "on", "over", "across", "through", "at", "under", "near", "inside", "onto", "into", "above", "along",
    "around", "past", "beyond", "to", "toward", "towards", "within", "by", "throughout", "upon", "below", "from",
    "between", "among", "beneath", "against",
)  # fmt: skip
