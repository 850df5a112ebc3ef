"""What is stored, as values: frozen, unknown fields forbidden, JSON both ways. No SQL, no torch."""

import hashlib
import json
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SerializerFunctionWrapHandler, model_serializer

Kind = Literal["image", "clip", "film"]
Task = Literal["auto", "text-to-video", "image-to-video", "extend", "edit", "connect", "simulate"]
RunStatus = Literal["arriving", "running", "waiting", "done", "failed", "interrupted"]
"""arriving: the files that it works on are being stored; until then no list shows the run."""


class Record(BaseModel):
    """Base of all records."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Request(Record):
    """What a person asked for, as it was asked. `images` and `clips` are artifact ids of uploads.

    before: an extension goes before the clip instead of after it. motion: whether an edited clip keeps its own.
    transitions: the shots of a film are joined by generated transitions instead of cuts; None leaves it to the words.
    candidates: how many first products every shot gets. review: who decides which take stands: `never` the inspection,
    `ask` a person, until the film is made; `chat` a person, in a conversation without an end. shows: what was seen in
    each clip, as a sentence, None where that is not certain; empty if nobody looked.
    """

    prompt: str
    images: tuple[str, ...] = ()
    clips: tuple[str, ...] = ()
    task: Task = "auto"
    before: bool = False
    motion: Literal["kept", "new"] = "kept"
    transitions: bool | None = None
    shots: int | None = None
    seconds: float | None = None
    seed: int = 0
    candidates: int = 1
    review: Literal["never", "ask", "chat"] = "never"
    profile: str = "embedded"
    planner: str = "embedded"
    shows: tuple[str | None, ...] = ()

    @model_serializer(mode="wrap")
    def _as_before(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # What was stored before files were looked at is written as it was.
        return {name: value for name, value in write(self).items() if name != "shows" or value}


class Recipe(Record):
    """Everything the bytes of a product depend on; two equal recipes give equal bytes (design, decision 2).

    agent: who makes it (`text_to_image`, ..., `upload`, `assemble_film`). weights: sha256 of its weights, "" for
    none. spec: what it was asked, seed included, as JSON. parents: sha256 of the bytes it starts from, in order.
    numerics: device kind, dtype, library versions, threads, code version.
    """

    agent: str
    weights: str = ""
    spec: dict[str, JsonValue] = Field(default_factory=dict)
    parents: tuple[str, ...] = ()
    numerics: str = ""

    @property
    def key(self) -> str:
        """sha256 over the canonical JSON of the recipe, 64 hex digits: the idempotency key of the work."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


class Media(Record):
    """What a stored file is: sizes in pixels, fps in frames a second (None for an image)."""

    kind: Kind
    media_type: str
    width: int
    height: int
    num_frames: int = 1
    fps: float | None = None


class Artifact(Record):
    """A product in the store. `id` is `<kind>-<first 16 digits of the recipe key>`; `sha256` digests its bytes.

    seconds: wall time of the agent call that made it. parents: artifact ids.
    """

    id: str
    sha256: str
    size: int
    media: Media
    recipe: Recipe
    parents: tuple[str, ...] = ()
    seconds: float = 0.0
    created_at: datetime


class Verdict(Record):
    """What a judge said of a product: `score` in 0..1 or None, one sentence why."""

    artifact: str
    judge: str
    ok: bool
    reason: str
    score: float | None = None


class AgentCall(Record):
    """One line of the ledger: an agent call that began, and how it ended (None: it never did)."""

    id: int
    run: str
    key: str
    agent: str
    started_at: datetime
    ended_at: datetime | None = None
    outcome: Literal["made", "failed"] | None = None
    artifact: str | None = None


class LlmCall(Record):
    """A planner call as it went: the digest of what was asked, and the answer."""

    run: str
    digest: str
    model: str
    purpose: str
    request: JsonValue
    response: str
    created_at: datetime


class Run(Record):
    """One run; its id is the LangGraph thread id. `settings` holds the resolved dials it was started with."""

    id: str
    status: RunStatus
    request: Request
    graph_version: int
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    film: str | None = None
    parent: str | None = None
    error: str | None = None
    created_at: datetime
    updated_at: datetime


Mark = Literal["waits", "stands", "stale", "kept", "back"]
"""How a product stands on the board. waits: for the person's word; stale: it stands, and was made from what does not
stand any more; kept: another one of its call stands; back: its call was taken back."""


class TurnProduct(Record):
    """A product that a turn made, or whose mark it changed (`made` is false), with its number and the mark it got."""

    number: int = Field(ge=1)
    artifact: str
    mark: Mark
    made: bool = True


class TurnRecord(Record):
    """One turn of a conversation: what the person said, how it was understood, and what came of it.

    number: from 1 in its run. at: when it began. question: id of the question that it answers. words: None if moves
    were given instead. moves: those given, and once the turn was heard those it was understood as. asked: what the
    person was asked at its end. state: stopped for a turn that ended early, for `error`, and can be gone on with;
    given_up for one that was taken back before it ended. changed: it changed the board, so that an undo takes it back.
    undone_by: number of the later turn that did.
    """

    run: str
    number: int = Field(ge=1)
    at: datetime
    question: str | None = None
    words: str | None = None
    moves: tuple[dict[str, JsonValue], ...] = ()
    reply: str | None = None
    voice: Literal["mora", "planner"] = "mora"
    notes: tuple[str, ...] = ()
    products: tuple[TurnProduct, ...] = ()
    asked: dict[str, JsonValue] | None = None
    state: Literal["working", "stopped", "done", "given_up"] = "working"
    changed: bool = False
    undone_by: int | None = None
    error: str | None = None
    ended_at: datetime | None = None

    @property
    def undone(self) -> bool:
        """True if nothing of it is on the board any more."""
        return self.undone_by is not None or self.state == "given_up"


class Scorer(Record):
    """What gave a score: a metric, the code and the weight files it ran with, and the settings its numbers rest on.

    code: digest of the metric's source. networks: keys of its weight files, weights: sha256 of each by its official
    name. needs: what it reads beside the frames. The others are the metric's row in the table of metrics.
    """

    metric: str
    title: str
    code: str
    networks: tuple[str, ...] = ()
    weights: dict[str, str] = Field(default_factory=dict)
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    needs: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    better: Literal["higher", "neither"] = "higher"
    scale: float = 1.0
    pooled: Literal["videos", "frames"] = "videos"
    source: str = ""

    @property
    def digest(self) -> str:
        """sha256 of all of it: scores are compared with scores of the same digest and of nothing else."""
        return _digest(self)


class Score(Record):
    """What a scorer said of a video. video: sha256 of the file. told: digest of what it was told beside the frames.

    value is None where the metric has no number (NaN); so are values, by frame or by pair as the metric says.
    """

    video: str
    told: str
    scorer: str
    value: float | None
    values: tuple[float | None, ...] = ()
    note: str | None = None
    details: dict[str, JsonValue] = Field(default_factory=dict)
    created_at: datetime


class Judged(Record):
    """A video of an evaluation: its sha256, and what it was made from. Files are told by their sha256.

    name: how it is called in tables. path: where it was last seen, which no digest rests on.
    """

    name: str
    video: str
    prompt: str | None = None
    style: str | None = None
    image: str | None = None
    before: str | None = None
    after: str | None = None
    path: str

    def told(self, needs: tuple[str, ...]) -> str:
        """The digest of what a scorer with these needs is told."""
        return _digested({need: getattr(self, need) for need in needs})


class Evaluation(Record):
    """Prompts, a system and scorers. suite: the name of the prompts, if they have one. system: who made the videos."""

    system: str
    suite: str | None = None
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    videos: tuple[Judged, ...]
    scorers: tuple[Scorer, ...]

    @property
    def digest(self) -> str:
        """sha256 of all but where the videos lie."""
        return _digested(self.model_dump(mode="json", exclude={"videos": {"__all__": {"path"}}}))


def _digest(record: Record) -> str:
    return _digested(record.model_dump(mode="json"))


def _digested(value: JsonValue) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
