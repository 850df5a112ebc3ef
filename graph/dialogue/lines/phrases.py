"""How lists of words and phrases are written in this package: in one text, with commas between them."""


def phrases(text: str) -> frozenset[str]:
    """Return the words and phrases of a text that commas separate."""
    return frozenset(" ".join(phrase.split()) for phrase in text.split(",") if phrase.strip())
