"""Counts what goes over a connection: a port that passes everything on to another one, both on 127.0.0.1. Used by cluster.py."""

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from clusters import Cluster


class Forwarder:
    """Passes connections to a port of 127.0.0.1 on to another and counts the bytes `there` and `back`."""

    def __init__(self, target: int, port: int = 0) -> None:
        self.target, self.there, self.back = target, 0, 0
        self.loop, ready = asyncio.new_event_loop(), threading.Event()
        threading.Thread(target=self._run, args=(port, ready), daemon=True).start()
        ready.wait()

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def _run(self, port: int, ready: threading.Event) -> None:
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", port))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        await asyncio.gather(self._pass(reader, far_writer, "there"), self._pass(far_reader, writer, "back"))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str) -> None:
        try:
            while chunk := await reader.read(1 << 18):
                setattr(self, way, getattr(self, way) + len(chunk))
                writer.write(chunk)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Wires(NamedTuple):
    """All connections of one worker: those that others open to it, and those that it opens to the scheduler."""

    inward: Forwarder
    outward: Forwarder

    @property
    def received(self) -> int:
        return self.inward.there + self.outward.back

    @property
    def sent(self) -> int:
        return self.inward.back + self.outward.there


def counted_worker(lab: "Cluster") -> Wires:
    """A worker that talks through forwarders only."""
    port = free_port()
    wires = Wires(Forwarder(port), Forwarder(int(lab.address.rpartition(":")[2])))
    listen = ("--listen-address", f"tcp://127.0.0.1:{port}", "--contact-address", wires.inward.address)
    lab.worker(listen=listen, scheduler=wires.outward.address)
    return wires
