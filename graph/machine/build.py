"""Build the graph of a run: its nodes and edges."""

from collections.abc import Callable
from copy import copy
from functools import lru_cache, partial
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from graph.machine import edges, nodes
from graph.machine import human as review
from graph.machine.context import Context
from graph.state.channels import DEFAULT_LIMITS, Limits, RunState

ONWARD = ["act", "think", "ask", "assemble"]
Map = CompiledStateGraph[RunState, Context, RunState, RunState]
AnyGraph = StateGraph[Any, Any, Any, Any]
Node = Callable[..., RunState]


def build(checkpointer: "BaseCheckpointSaver[str] | None" = None, *, limits: Limits = DEFAULT_LIMITS) -> Map:
    """Return the compiled graph. Every invocation supplies a `Context`."""
    graph = copy(_compiled(limits))
    graph.checkpointer = checkpointer
    return graph


@lru_cache
def _compiled(limits: Limits) -> Map:
    # Cached per process: inspecting the nodes' signatures costs as much as two steps of a run.
    graph = StateGraph(RunState, context_schema=Context)
    draw(graph, limits)
    graph.add_conditional_edges(START, edges.begin, ["enhance", "ask"])
    return graph.compile(name="mora")


def draw(graph: AnyGraph, limits: Limits, plugged: Callable[[Node], Node] = lambda node: node) -> None:
    """Add enhance -> (plan -> (act -> review -> (ask -> think)?)*)+ -> assemble -> finish, each wrapped by `plugged`.

    Never rename a node: a paused run would end silently.
    """
    route = partial(edges.onward, limits=limits)
    graph.add_node("enhance", plugged(nodes.enhance))
    graph.add_node("plan", plugged(nodes.plan))
    graph.add_node("act", plugged(nodes.act))
    graph.add_node("review", plugged(nodes.review))
    graph.add_node("ask", plugged(review.ask))
    graph.add_node("think", plugged(review.think))
    graph.add_node("assemble", plugged(nodes.assemble))
    graph.add_node("finish", plugged(nodes.finish))

    graph.add_edge("enhance", "plan")
    graph.add_conditional_edges("plan", route, ONWARD)
    graph.add_edge("act", "review")
    graph.add_conditional_edges("review", partial(edges.after_review, limits=limits), [*ONWARD, "plan"])
    graph.add_edge("ask", "think")
    graph.add_conditional_edges("think", route, ONWARD)
    graph.add_edge("assemble", "finish")
    graph.add_edge("finish", END)
