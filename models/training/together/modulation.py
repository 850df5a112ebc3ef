"""Where [Mod] tokens begin, and modulation factors: equations 1 and 5 (Mora, section 3.2 and algorithm 1).

How a token reaches a network, equation 2, is in `models/backends/tokens.py`: generation needs it too.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from models.backends.tokens import Token

Mode = Literal["none", "token", "printed", "normalised", "constant", "gradnorm"]
"""What alpha_i is; "none" has no z either. Gradients are never scaled: under Adam that would do nothing."""
MODES: tuple[Mode, ...] = get_args(Mode)
WORD = "[Mod]"
GRADNORM_BOUNDS, GRADNORM_DECAY = (0.25, 4.0), 0.9


def with_mod(tokenizer: Any) -> Any:
    """Return a copy of a tokenizer that knows the word [Mod]; the copy is saved with what was trained."""
    known = copy.deepcopy(tokenizer)
    known.add_tokens([WORD], special_tokens=True)
    return known


@torch.no_grad()
def word_state(tokenizer: Any, encoder: Any, layer: int | None = None) -> Tensor:
    """Return equation 1, z_i0 = E_i("[Mod]") (Mora, section 3.2), (1, d).

    "[Mod]" is a new word whose embedding is the mean of the words'; the state is that at its place in
    `<start> [Mod] <end>`. layer: number of the hidden states, None for the last, normalised ones. Tokenizer and encoder
    are left as they were.
    """
    words: Any = encoder.get_input_embeddings()
    special = set(tokenizer.all_special_ids)
    known = [i for i in range(words.num_embeddings) if i not in special]
    own = with_mod(tokenizer)
    number: int = own.convert_tokens_to_ids(WORD)
    ids = torch.tensor([own(WORD).input_ids], device=words.weight.device)
    mean = words.weight[known].mean(dim=0)
    # The encoder reads some other word in its place and is handed the mean instead, so no embedding table grows.
    stand_in, place = ids.masked_fill(ids == number, known[0]), (ids == number).unsqueeze(-1)
    tables = [m for m in encoder.modules() if isinstance(m, nn.Embedding) and m.weight is words.weight]
    handles = [
        m.register_forward_hook(lambda _module, _given, output: torch.where(place, mean, output)) for m in tables
    ]
    try:
        states = encoder(stand_in, output_hidden_states=layer is not None)
    finally:
        for handle in handles:
            handle.remove()
    chosen: Tensor = states.last_hidden_state if layer is None else states.hidden_states[layer]
    return chosen[:, ids[0].tolist().index(number)].clone()


@dataclass
class Factors:
    """alpha_i of each agent by role; they multiply the learning rate of theta_i (equation 5)."""

    mode: Mode
    alpha: dict[str, float]

    @classmethod
    def beginning(cls, mode: Mode, tokens: Mapping[str, Token], roles: tuple[str, ...]) -> "Factors":
        """Return the factors before the first step; n is the number of agents in the path."""
        factors = cls(mode, dict.fromkeys(roles, 1.0))
        if mode in ("printed", "constant"):
            factors.alpha = {role: tokens[role].size / len(roles) for role in roles}
        return factors

    def follow(self, tokens: Mapping[str, Token], gradients: Mapping[str, float]) -> None:
        """Compute alpha after an update of z (algorithm 1, line 12).

        printed |z_i| / n; normalised |z_i| / |z_i0|; gradnorm (mean_j g_j) / g_i, a running mean within bounds;
        gradients: norms of the agents' gradients by role. The others stay.
        """
        for role, token in tokens.items():
            if self.mode == "printed":
                self.alpha[role] = token.size / len(self.alpha)
            elif self.mode == "normalised":
                self.alpha[role] = token.size / token.start.norm().item()
        if self.mode == "gradnorm":
            mean, (low, high) = sum(gradients.values()) / len(gradients), GRADNORM_BOUNDS
            for role, norm in gradients.items():
                here = min(high, max(low, mean / max(norm, 1e-12)))
                self.alpha[role] = GRADNORM_DECAY * self.alpha[role] + (1 - GRADNORM_DECAY) * here
