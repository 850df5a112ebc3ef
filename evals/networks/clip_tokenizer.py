"""Text -> the tokens that CLIP and ViCLIP read, exactly as OpenAI's tokeniser has them.

The merges are the first 48,894 lines of OpenAI's `bpe_simple_vocab_16e6.txt` (MIT), all that it uses; the byte pair
encoding itself is the `tokenizers` library's.
"""

import gzip
import html
from collections.abc import Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Final

import ftfy
import regex
import torch
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from torch import Tensor

MERGES: Final = Path(__file__).parent / "clip_merges.txt.gz"
CLIP_CONTEXT: Final = 77
"""Tokens, the start and the end among them."""
START, END = "<|startoftext|>", "<|endoftext|>"
LAST_OF_WORD: Final = "</w>"
PIECES: Final = regex.compile(
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+", regex.IGNORECASE
)


def clip_tokens(texts: Sequence[str], context: int = CLIP_CONTEXT) -> Tensor:
    """int64 (N, context): start, the text, end, then zeros; of a longer text the beginning, its last token the end."""
    tokens = torch.zeros(len(texts), context, dtype=torch.int64)
    for row, text in zip(tokens, texts, strict=True):
        numbers = _numbers(text)
        row[: len(numbers)] = torch.tensor(numbers[:context])
        if len(numbers) > context:
            row[-1] = numbers[-1]
    return tokens


def is_cut(text: str, context: int = CLIP_CONTEXT) -> bool:
    """Whether a text has more tokens than are read."""
    return len(_numbers(text)) > context


def _numbers(text: str) -> list[int]:
    start, end = (_tokenizer().token_to_id(mark) for mark in (START, END))
    pieces = PIECES.findall(clean(text))
    inner: list[int] = _tokenizer().encode(pieces, is_pretokenized=True, add_special_tokens=False).ids
    return [start, *inner, end]


def clean(text: str) -> str:
    """The text as the merges were learned: broken encodings and HTML entities undone, single spaces, lower case."""
    return " ".join(html.unescape(html.unescape(ftfy.fix_text(text))).split()).lower()


@cache
def _tokenizer() -> Any:
    lines = gzip.decompress(MERGES.read_bytes()).decode().splitlines()
    merges = [(one, other) for one, other in map(str.split, lines)]
    letters = _byte_letters()
    words = [*letters, *(letter + LAST_OF_WORD for letter in letters), *map("".join, merges), START, END]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(BPE(vocabulary, merges, end_of_word_suffix=LAST_OF_WORD))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.add_special_tokens([START, END])
    return tokenizer


def _byte_letters() -> list[str]:
    """The letter of each byte, in the order of the vocabulary: printable ones for themselves, then the others."""
    printable = list(chain(range(ord("!"), ord("~") + 1), range(ord("¡"), ord("¬") + 1), range(ord("®"), ord("ÿ") + 1)))
    others = [byte for byte in range(256) if byte not in printable]
    return [*map(chr, printable), *(chr(256 + index) for index in range(len(others)))]
