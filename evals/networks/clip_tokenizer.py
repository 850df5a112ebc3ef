"""Tokenise texts for CLIP and ViCLIP, with the same tokens as OpenAI's tokeniser.

The merges are the first 48,894 lines of OpenAI's `bpe_simple_vocab_16e6.txt` (MIT), which are all that it uses; the
byte pair encoding is done by the `tokenizers` library.
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
"""Tokens of a text, with the start and the end token."""
START, END = "<|startoftext|>", "<|endoftext|>"
LAST_OF_WORD: Final = "</w>"
PIECES: Final = regex.compile(
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+", regex.IGNORECASE
)


def clip_tokens(texts: Sequence[str], context: int = CLIP_CONTEXT) -> Tensor:
    """Return int64 (N, context): start, text, end, zeros. A longer text is truncated, its last token becoming end."""
    tokens = torch.zeros(len(texts), context, dtype=torch.int64)
    for row, text in zip(tokens, texts, strict=True):
        numbers = _numbers(text)
        row[: len(numbers)] = torch.tensor(numbers[:context])
        if len(numbers) > context:
            row[-1] = numbers[-1]
    return tokens


def is_cut(text: str, context: int = CLIP_CONTEXT) -> bool:
    """Return whether a text has more tokens than `context`."""
    return len(_numbers(text)) > context


def _numbers(text: str) -> list[int]:
    start, end = (_tokenizer().token_to_id(mark) for mark in (START, END))
    pieces = PIECES.findall(clean(text))
    inner: list[int] = _tokenizer().encode(pieces, is_pretokenized=True, add_special_tokens=False).ids
    return [start, *inner, end]


def clean(text: str) -> str:
    """Normalise a text as for the merges: fix broken encodings and HTML entities, single spaces, lower case."""
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
    """Return the letter of each byte in the vocabulary's order: printable bytes as themselves, then the others."""
    printable = list(chain(range(ord("!"), ord("~") + 1), range(ord("¡"), ord("¬") + 1), range(ord("®"), ord("ÿ") + 1)))
    others = [byte for byte in range(256) if byte not in printable]
    return [*map(chr, printable), *(chr(256 + index) for index in range(len(others)))]
