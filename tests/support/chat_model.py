"""A tiny chat model: fitted to given answers, written as GGUF, run by real llama.cpp; and a recorder in memory."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Notebook:
    """A recorder in memory; `kept` are the calls of `remember`, in order."""

    answers: dict[str, str] = field(default_factory=dict)
    kept: list[dict[str, Any]] = field(default_factory=list)

    def recall(self, digest: str) -> str | None:
        return self.answers.get(digest)

    def remember(self, digest: str, model: str, purpose: str, request: Any, response: str) -> None:
        self.answers[digest] = response
        self.kept.append({"model": model, "purpose": purpose, "request": request, "response": response})


def fit(folder: Path, samples: list[tuple[str, str]], *, passes: int = 400) -> None:
    """Overfits a Qwen2 of 0.2 M parameters on pairs of what it reads and what it then writes, and saves it."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=512, initial_alphabet=alphabet, special_tokens=["<|endoftext|>"])
    tokenizer.train_from_iterator([text for sample in samples for text in sample], trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>"],
    )  # fmt: skip
    config = Qwen2Config(
        vocab_size=len(fast), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=4, max_position_embeddings=4096, eos_token_id=fast.eos_token_id,
        pad_token_id=fast.pad_token_id, bos_token_id=None, tie_word_embeddings=False,
    )  # fmt: skip
    model = Qwen2ForCausalLM(config)
    learned = []
    for read, written in samples:
        asked, told = fast(read)["input_ids"], fast(written)["input_ids"]
        learned.append((torch.tensor([asked + told]), torch.tensor([[-100] * len(asked) + told])))
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    for _ in range(passes):
        losses = [model(input_ids=tokens, labels=labels).loss for tokens, labels in learned]
        optimizer.zero_grad()
        sum(losses).backward()
        optimizer.step()
        if max(loss.item() for loss in losses) < 0.002:
            break
    model.save_pretrained(folder)
    fast.save_pretrained(folder)


_TENSORS = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
}  # fmt: skip
_TOP = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
        "lm_head.weight": "output.weight"}  # fmt: skip


def convert(folder: Path, target: Path, template: str) -> None:
    """The saved model as one GGUF file with a chat template."""
    import gguf
    import numpy as np
    from safetensors.numpy import load_file

    config = json.loads((folder / "config.json").read_text())
    words = json.loads((folder / "tokenizer.json").read_text())
    added = {token["id"]: token for token in words["added_tokens"]}
    names: list[str] = [""] * config["vocab_size"]
    kinds = [int(gguf.TokenType.NORMAL)] * config["vocab_size"]
    for name, index in words["model"]["vocab"].items():
        names[index] = name
    for index, token in added.items():
        names[index], kinds[index] = token["content"], int(gguf.TokenType.CONTROL)
    out = gguf.GGUFWriter(str(target), "qwen2")
    out.add_name("tiny")
    out.add_context_length(4096)
    out.add_embedding_length(config["hidden_size"])
    out.add_block_count(config["num_hidden_layers"])
    out.add_feed_forward_length(config["intermediate_size"])
    out.add_head_count(config["num_attention_heads"])
    out.add_head_count_kv(config["num_key_value_heads"])
    out.add_layer_norm_rms_eps(config["rms_norm_eps"])
    out.add_rope_freq_base(config.get("rope_theta") or config["rope_parameters"]["rope_theta"])
    out.add_vocab_size(len(names))
    out.add_file_type(0)
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre("gpt-2")
    out.add_token_list(names)
    out.add_token_types(kinds)
    merges = words["model"]["merges"]
    out.add_token_merges([pair if isinstance(pair, str) else " ".join(pair) for pair in merges])
    out.add_eos_token_id(next(index for index, token in added.items() if token["content"] == "<|im_end|>"))
    out.add_add_bos_token(False)
    out.add_chat_template(template)
    for name, weights in load_file(folder / "model.safetensors").items():
        out.add_tensor(_tensor_name(name), weights.astype(np.float32))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def _tensor_name(name: str) -> str:
    if name in _TOP:
        return _TOP[name]
    _, _, layer, rest = name.split(".", 3)
    base, suffix = rest.rsplit(".", 1)
    return f"blk.{layer}.{_TENSORS[base]}.{suffix}"


@contextmanager
def serving(gguf: Path) -> Iterator[str]:
    """llama.cpp with a model behind HTTP, while the block lasts."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(gguf)
    params.n_ctx, params.n_parallel, params.warmup, params.use_jinja = 4096, 1, False, True
    params.hostnames, params.port, params.cpuparams.n_threads = ["127.0.0.1"], free_port(), 1
    params.sampling.temp = 0.0
    params.api_keys = ["right-key"]
    server = xllamacpp.Server(params)
    yield f"http://127.0.0.1:{params.port}/v1"
    del server


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
