"""A TCP proxy that can fail as networks do, for tests: between one client and the servers behind it. Standard library only.

    with CutProxy({1: 9092, 2: 9094}) as proxy:    # name -> the server's port on 127.0.0.1
        proxy.ports[1]                             # where the client connects instead
        proxy.cut()                                # resets what is open, and all that comes
        proxy.black_hole(TO_CLIENT)                # requests arrive, answers do not
        proxy.passes()                             # as it was; what was held back is delivered now, in order
        proxy.delay(0.2, only=[2])                 # one server's, both ways

Each order replaces the one before, for those it names. A black hole holds bytes, ends and resets back as a network does
whose packets are sent again once it is mended; new connections are accepted (a listening socket cannot not do so) and reach
the server only when the way there is open. For a network that was away too long: cut() before passes().
Lifecycle: `with`, or close(). Thread: any; an order is in force when it returns."""
import asyncio
import contextlib
import dataclasses
import socket
import struct
import threading

TO_SERVER, TO_CLIENT, BOTH = "to_server", "to_client", ("to_server", "to_client")
CHUNK_BYTES, CHUNKS_HELD_MAX = 64 * 1024, 16
RESET = object()


@dataclasses.dataclass
class _Route:
    target: int
    listener: socket.socket
    cut: bool = False
    held: frozenset = frozenset()
    delay_s: dict = dataclasses.field(default_factory=dict)
    carried: dict = dataclasses.field(default_factory=lambda: dict.fromkeys(BOTH, 0))
    pairs: set = dataclasses.field(default_factory=set)  # the tasks of its connections
    changed: asyncio.Event = None  # replaced at each order


class CutProxy:
    def __init__(self, targets, listeners=None):
        """`listeners`: name -> a socket that listens already; made where there is none."""
        self._routes = {name: _Route(port, (listeners or {}).get(name) or socket.create_server(("127.0.0.1", 0)))
                        for name, port in targets.items()}
        self.ports = {name: route.listener.getsockname()[1] for name, route in self._routes.items()}
        self._loop = asyncio.new_event_loop()
        for route in self._routes.values():
            route.listener.setblocking(False)
            route.changed = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._call(self._listen)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- orders ----

    def passes(self, only=None):
        self._order(only)

    def cut(self, only=None):
        self._order(only, cut=True)

    def black_hole(self, direction=BOTH, only=None):
        self._order(only, held=frozenset(_directions(direction)))

    def delay(self, seconds, direction=BOTH, only=None):
        self._order(only, delay_s=dict.fromkeys(_directions(direction), seconds))

    def reset(self, only=None):
        """Resets what is open now; what comes later is treated as before."""
        self._call(lambda: [self._drop(route) for route in self._chosen(only)])

    def connections(self, only=None):
        return self._call(lambda: sum(len(route.pairs) for route in self._chosen(only)))

    def carried(self, direction, only=None):
        """Bytes that were handed on so far."""
        return self._call(lambda: sum(route.carried[direction] for route in self._chosen(only)))

    def close(self):
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()
        for route in self._routes.values():
            route.listener.close()

    # ---- inside the thread ----

    def _call(self, function):
        async def run():
            return function()
        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    def _chosen(self, only):
        return list(self._routes.values()) if only is None else [self._routes[name] for name in only]

    def _order(self, only, cut=False, held=frozenset(), delay_s=None):
        def apply():
            for route in self._chosen(only):
                route.cut, route.held, route.delay_s = cut, held, delay_s or {}
                if cut:
                    self._drop(route)
                route.changed.set()
                route.changed = asyncio.Event()
        self._call(apply)

    @staticmethod
    def _drop(route):
        for task in list(route.pairs):
            task.cancel()
        route.pairs.clear()

    def _listen(self):
        for route in self._routes.values():
            self._loop.create_task(self._accept(route))

    async def _accept(self, route):
        while True:
            client, _ = await self._loop.sock_accept(route.listener)
            if route.cut:
                _abort(client)
                continue
            client.setblocking(False)
            task = self._loop.create_task(self._serve(route, client))
            route.pairs.add(task)
            task.add_done_callback(route.pairs.discard)

    async def _serve(self, route, client):
        server = socket.socket()
        server.setblocking(False)
        clean = False
        try:
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._may_pass(route, TO_SERVER, self._loop.time())
            await self._loop.sock_connect(server, ("127.0.0.1", route.target))
            await _all_or_none([self._pump(route, TO_SERVER, client, server),
                                self._pump(route, TO_CLIENT, server, client)])
            clean = True
        except OSError:
            pass
        finally:
            for one in (client, server):
                one.close() if clean else _abort(one)

    async def _pump(self, route, direction, source, sink):
        """Ends with the end of `source`; raises OSError when a reset of it has come through."""
        chunks = asyncio.Queue(CHUNKS_HELD_MAX)
        await _all_or_none([self._read(source, chunks), self._write(route, direction, chunks, sink)])

    async def _read(self, source, chunks):
        data = True
        while data and data is not RESET:
            try:
                data = await self._loop.sock_recv(source, CHUNK_BYTES)
            except OSError:
                data = RESET
            await chunks.put((self._loop.time(), data))

    async def _write(self, route, direction, chunks, sink):
        dead = False
        while True:
            came, data = await chunks.get()
            await self._may_pass(route, direction, came)
            if data is RESET:
                raise ConnectionResetError
            if not data:
                with contextlib.suppress(OSError):
                    sink.shutdown(socket.SHUT_WR)
                return
            if dead:
                continue
            try:
                await self._loop.sock_sendall(sink, data)
                route.carried[direction] += len(data)
            except OSError:
                dead = True  # its reset travels the other way

    async def _may_pass(self, route, direction, came):
        while True:
            rest = came + route.delay_s.get(direction, 0) - self._loop.time()
            if direction not in route.held and rest <= 0:
                return
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(route.changed.wait(), None if direction in route.held else rest)


async def _all_or_none(coroutines):
    """Waits for all; the first that fails ends the others."""
    tasks = [asyncio.ensure_future(one) for one in coroutines]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


def _directions(direction):
    chosen = (direction,) if isinstance(direction, str) else tuple(direction)
    if not chosen or not set(chosen) <= set(BOTH):
        raise ValueError(f"no direction: {direction!r}")
    return chosen


def _abort(one):
    """Closes with a reset."""
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()
