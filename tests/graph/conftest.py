"""Peers for the planners: a tiny chat model fitted to one wish and run by real llama.cpp, and a server that misbehaves.

The tiny model is fitted on what the embedded planner answers to `WISH` (two turns), written as GGUF, and cached by the
digest of its recipe in pytest's cache folder.
"""

import hashlib
import inspect
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from graph.drafts import Brief
from graph.embedded import EmbeddedPlanner
from graph.planners import Planner
from graph.profiles import EMBEDDED

WISH = Brief(prompt="a red ball rolls right in the snow")
HEARD = 32
TEMPLATE = (
    "{%- for message in messages %}{%- if message.role == 'system' %}"
    "{{- '<|im_start|>system\\n' + message.content[:HEARD] + '<|im_end|>\\n' }}{%- else %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endif %}{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
).replace("HEARD", str(HEARD))
"""The tiny model's own template lets it hear only the beginning of the system message: it learned two answers, no more.
(A template without any system message would not do: llama.cpp then puts that message before the human one.)"""


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


@pytest.fixture
def wish() -> Brief:
    """The one wish the tiny model knows."""
    return WISH


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


def lessons() -> list[tuple[str, str, str]]:
    """What the tiny model is to learn: the system message it hears, the human one, and the answer, of both steps."""
    book, planner = Notebook(), Planner("embedded", EmbeddedPlanner(), EMBEDDED)
    planner.plan(WISH, planner.enhance(WISH, book), book)
    asked = [[message["content"] for message in call["request"]["messages"]] for call in book.kept]
    return [(told[0][:HEARD], told[1], call["response"]) for told, call in zip(asked, book.kept, strict=True)]


def prompted() -> list[tuple[str, str]]:
    """The lessons as the tiny model reads and writes them."""
    turns = "<|im_start|>system\n{}<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
    return [(turns.format(system, question), f"{answer}<|im_end|>") for system, question, answer in lessons()]


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


@pytest.fixture(scope="session")
def tiny_gguf(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GGUF file that answers the two questions about WISH; fitted once for every recipe."""
    return fitted(prompted(), TEMPLATE, request, tmp_path_factory.mktemp("tiny"))


def fitted(samples: list[tuple[str, str]], template: str, request: pytest.FixtureRequest, work: Path) -> Path:
    """The file of a tiny model that has learned the samples; made in `work` once for every recipe."""
    pytest.importorskip("xllamacpp")
    recipe = json.dumps([samples, template, inspect.getsource(fit), inspect.getsource(convert)])
    folder = request.config.cache.mkdir("mora-tiny-llama")  # type: ignore[union-attr]
    target = Path(folder) / f"{hashlib.sha256(recipe.encode()).hexdigest()[:16]}.gguf"
    if not target.exists():
        fit(work, samples)
        convert(work, work / "tiny.gguf", template)
        (work / "tiny.gguf").replace(target)
    return target


@pytest.fixture(scope="session")
def llama_server(tiny_gguf: Path) -> Iterator[str]:
    """The base URL of a real OpenAI-compatible server: llama.cpp, listening on the loopback."""
    with serving(tiny_gguf) as url:
        yield url


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


@pytest.fixture(scope="session")
def talker() -> Path:
    """A GGUF file that calls the moves of a conversation as tools; `talker.py` says what it learned."""
    pytest.importorskip("xllamacpp")
    return Path(__file__).with_name("talker.gguf")


@pytest.fixture(scope="session")
def talk_server(talker: Path) -> Iterator[str]:
    """The base URL of a real OpenAI-compatible server with the tiny talker behind it."""
    with serving(talker) as url:
        yield url


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Misbehaving:
    """A server whose answers are written down in advance; the last one is repeated. `asked`: bodies it received."""

    url: str
    script: list[Answer] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def told(self, call: int) -> list[str]:
        """The texts of the messages of a call."""
        return [message["content"] for message in self.asked[call]["messages"]]

    def says(self, content: str) -> "Misbehaving":
        """Next, a chat completion."""
        message = {"role": "assistant", "content": content}
        choices = [{"index": 0, "finish_reason": "stop", "message": message}]
        body = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": choices}
        return self.then(lambda handler: send(handler, 200, json.dumps(body).encode(), {}))

    def fails(self, code: int, message: str = "no", **headers: str) -> "Misbehaving":
        """Next, a status and a body as OpenAI words its errors."""
        body = json.dumps({"error": {"message": message, "type": "error", "code": None}}).encode()
        return self.then(lambda handler: send(handler, code, body, headers))

    def then(self, answer: Answer) -> "Misbehaving":
        self.script.append(answer)
        return self

    def cuts(self) -> "Misbehaving":
        """Next, it promises more than it sends, and hangs up."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            send(handler, 200, b'{"id": "1", "object": "chat.comp', {}, promised=4096)
            handler.wfile.flush()
            handler.connection.shutdown(socket.SHUT_RDWR)

        return self.then(answer)

    def keeps_silent(self, seconds: float) -> "Misbehaving":
        """Next, it takes the question and says nothing for a while."""
        return self.then(lambda handler: time.sleep(seconds))

    def speaks_otherwise(self) -> "Misbehaving":
        """Next, a web page with status 200."""
        return self.then(lambda handler: send(handler, 200, b"<html>hello</html>", {}))


def send(handler: BaseHTTPRequestHandler, code: int, body: bytes, headers: dict[str, str], promised: int = 0) -> None:
    handler.send_response(code)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(promised or len(body)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def misbehaving() -> Iterator[Misbehaving]:
    peer = Misbehaving("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            peer.times.append(time.monotonic())
            peer.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            peer.script[min(len(peer.asked), len(peer.script)) - 1](self)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    peer.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield peer
    server.shutdown()
    server.server_close()
