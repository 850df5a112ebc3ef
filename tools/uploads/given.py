"""A file of a person as a product of a conversation. It is stored before it is called for, so nothing is made."""

from collections.abc import Sequence

from pydantic import Field

from memory.products.files import Made
from tools.arguments import Arguments, ArtifactId, described
from tools.context import Implementation, Report, ToolContext
from tools.uploads.files import LONGEST_NAME

DESCRIPTION = "Shows a file that the person gave. No model is used."


class _GivenFile(Arguments):
    """file: its name. fitted: the size it was fitted to, None if it had that. shows: a sentence, None if unknown."""

    model_config = described(DESCRIPTION)

    file: str = Field(min_length=1, max_length=LONGEST_NAME)
    fitted: str | None = Field(default=None, max_length=20)
    shows: str | None = None


class GivenPicture(_GivenFile):
    """A stored picture that the person gave."""

    image: ArtifactId


class GivenClip(_GivenFile):
    """A stored clip that the person gave."""

    clip: ArtifactId


def _given(
    context: ToolContext,
    arguments: GivenPicture | GivenClip,
    *,
    seeds: Sequence[int],
    report: Report | None,  # noqa: ARG001 - there is nothing to report
) -> list[Made]:
    id = arguments.image if isinstance(arguments, GivenPicture) else arguments.clip
    return [Made(context.archive.artifact(id), called=False) for _ in seeds]


GIVEN_PICTURE = Implementation(GivenPicture, DESCRIPTION, _given, {})
GIVEN_CLIP = Implementation(GivenClip, DESCRIPTION, _given, {})
