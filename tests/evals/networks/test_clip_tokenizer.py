"""The tokens are those of OpenAI's own tokeniser, which printed the numbers here."""

import pytest

from evals.networks.clip_tokenizer import clip_tokens, is_cut

START, END = 49406, 49407


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Van Gogh style", [2451, 19697, 1844]),
        (
            "It's 25 FPS -- café, &amp;amp; 中文 🎬!",
            [585, 568, 273, 276, 25300, 2432, 15304, 267, 261, 19759, 255, 29032, 485, 36020, 256],
        ),
        ("schÃ¶n  <|endoftext|>", [844, 7255, 333, END]),
        ("", []),
    ],
)
def test_openai_s_numbers(text: str, numbers: list[int]) -> None:
    (row,) = clip_tokens([text]).tolist()
    assert row == [START, *numbers, END] + [0] * (75 - len(numbers))


def test_a_long_text_keeps_its_beginning_and_an_end() -> None:
    text = "painting " * 1200
    short, long = clip_tokens(["painting", text], context=32).tolist()
    assert long == [START, *[short[1]] * 30, END]
    assert is_cut(text)
    assert not is_cut("painting " * 75)
    assert is_cut("painting " * 76)
