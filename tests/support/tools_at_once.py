"""A tool as LangChain has it that works at once: what a model says of it goes to the tool's function."""

from typing import Any

from langchain_core.tools import StructuredTool

from tools.context import ToolContext
from tools.registry import TOOLS, as_langchain


def as_tool(name: str, context: ToolContext, *, seed: int = 0) -> StructuredTool:
    """The tool of a name; it answers with the artifact id."""
    implementation = TOOLS[name].implementation()

    def call(arguments: Any) -> str:
        [made] = implementation.run(context, arguments, seeds=[seed], report=None)
        return made.artifact.id

    return as_langchain(TOOLS[name], implementation.arguments, call)
