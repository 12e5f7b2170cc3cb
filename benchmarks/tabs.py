"""A browser tab without the browser: a websocket session in Streamlit's own protocol, with the elements it was sent."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

MOST_BYTES = 64 << 20
FINISHED = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


class TabError(Exception):
    """What a user would see as a failure: an exception on the page, a script that died, a connection that closed."""


class Tab:
    """One session. `elements` maps places on the page to (element, fragment), `repeated` the fragments that the browser reruns
    by itself to their seconds; `sent` and `received` count messages."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.pages: dict[str, str] = {}
        self.page = self.query = ""
        self.elements: dict[tuple[int, ...], tuple[Any, str]] = {}
        self.states: dict[str, WidgetState] = {}
        self.repeated: dict[str, float] = {}
        self.sent = self.received = self.bytes = 0

    @classmethod
    async def open(cls, address: str, headers: Mapping[str, str] | None = None, name: str = "") -> Tab:
        """Connect as a browser does, and draw the first page; `name` is what the server is called, if not by its address."""
        parts = urlsplit(address)
        socket = await connect(
            f"ws://{name or parts.hostname}:{parts.port}/_stcore/stream",
            host=parts.hostname,
            port=parts.port,
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=MOST_BYTES,
            additional_headers=headers,
            open_timeout=60,
            ping_interval=None,
        )
        tab = cls(socket)
        await tab.rerun()
        return tab

    async def close(self) -> None:
        await self.socket.close()

    async def go(self, path: str) -> None:
        """Switch to a page as the navigation does: what widgets said stays on the page that is left."""
        self.page, self.states = self.pages[path], {}
        await self.rerun()

    async def choose(self, key: str, **value: Any) -> float:
        """Give a widget a value; seconds until the first number (a metric) of the answer was there, else until its end."""
        found = self.widget(key)
        state = WidgetState(id=found[0].id)
        for field, content in value.items():
            if field == "strings":
                state.string_array_value.data.extend(content)
            else:
                setattr(state, field, json.dumps(content) if field == "json_value" else content)
        self.states[state.id] = state
        return await self.rerun(found[1])

    async def rest(self, seconds: float) -> None:
        """Do nothing but what a browser does by itself: rerun the fragments that ask for it."""
        end, due = time.perf_counter() + seconds, {f: time.perf_counter() + s for f, s in self.repeated.items()}
        while due and min(due.values()) < end:
            fragment = min(due, key=due.__getitem__)
            await asyncio.sleep(max(0.0, due[fragment] - time.perf_counter()))
            if fragment in self.repeated:
                await self.rerun(fragment, alone=True)
            due = {f: due.get(f, 0.0) for f in self.repeated}
            due |= {f: time.perf_counter() + self.repeated[f] for f in due if f == fragment or not due[f]}
        await asyncio.sleep(max(0.0, end - time.perf_counter()))

    async def rerun(self, fragment: str = "", alone: bool = False) -> float:
        """Ask for a run and read its answer to the end; seconds until the first metric, or until the end if there is none."""
        client = ClientState(
            query_string=self.query, page_script_hash=self.page, fragment_id=fragment, is_auto_rerun=alone
        )
        client.widget_states.widgets.extend(self.states.values())
        await self.socket.send(BackMsg(rerun_script=client).SerializeToString())
        self.sent += 1
        return await self._answer(time.perf_counter())

    async def _answer(self, start: float) -> float:
        """Read until the script has finished; a run that gives way to a rerun of its own is followed by another."""
        first, drawn = 0.0, dict[tuple[int, ...], tuple[Any, str]]()
        while True:
            message = await self._next()
            match message.WhichOneof("type"):
                case "new_session":
                    whole, drawn = not message.metadata.run.fragment_ids, {}
                    self.page = message.new_session.page_script_hash
                    self.repeated = {} if whole else self.repeated
                case "auto_rerun":
                    self.repeated[message.auto_rerun.fragment_id] = message.auto_rerun.interval
                case "stop_auto_rerun":
                    for stopped in message.stop_auto_rerun.fragment_ids:
                        self.repeated.pop(stopped, None)
                case "navigation":
                    self.pages = {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
                    self.page = message.navigation.page_script_hash
                case "page_info_changed":
                    self.query = message.page_info_changed.query_string
                case "delta":
                    kind = self._take(message, drawn)
                    if kind == "metric" and not first:
                        first = time.perf_counter() - start
                case "session_event" if message.session_event.HasField("script_compilation_exception"):
                    raise TabError("the script cannot be compiled")
                case "script_finished" if message.script_finished in FINISHED:
                    self.elements = drawn if whole else self.elements | drawn
                    return first or time.perf_counter() - start
                case "script_finished" if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    raise TabError("the script cannot be compiled")

    async def _next(self) -> ForwardMsg:
        data = await asyncio.wait_for(self.socket.recv(), 120)
        self.received += 1
        self.bytes += len(data)
        message = ForwardMsg()
        message.ParseFromString(data)  # type: ignore[arg-type]
        return message

    def _take(self, message: ForwardMsg, drawn: dict[tuple[int, ...], tuple[Any, str]]) -> str:
        place, delta = tuple(message.metadata.delta_path), message.delta
        if delta.WhichOneof("type") != "new_element":
            return "block"
        kind = str(delta.new_element.WhichOneof("type"))
        element = getattr(delta.new_element, kind)
        if kind == "exception":
            raise TabError(f"{element.type}: {element.message}")
        drawn[place] = (element, delta.fragment_id)
        return kind

    def widget(self, key: str) -> tuple[Any, str]:
        """The widget with this key, and the fragment that it reruns."""
        found = [pair for pair in self.elements.values() if str(getattr(pair[0], "id", "")).endswith(f"-{key}")]
        if not found:
            raise TabError(f"there is no widget {key!r} on the page")
        return found[0]

    def texts(self, kind: str) -> list[str]:
        """Bodies of all elements of a kind of protocol message, such as Metric or Alert."""
        return [e.body for e, _ in self.elements.values() if type(e).__name__ == kind]
