# SPDX-License-Identifier: BSD-3-Clause
"""
A server for what a real one won't do on demand: silence, half replies, garbage, slow bytes, resets.

FakeServer(behave) calls behave(connection, request) once for each request that arrives whole; what
that returns is done on the connection, in order: bytes are sent, Slow(bytes) one byte at a time,
CLOSE and RESET end it. None, or an empty list, is silence. A PING that comes first on a connection is
the program's question whether a password is wanted: it is answered here and not counted, unless the
server was made with answer_ping=False. One thread serves all connections.
"""
import heapq
import itertools
import selectors
import socket
import struct
import threading
import time

CLOSE = object()
RESET = object()
PING = b"*1\r\n$4\r\nPING\r\n"


class Slow:
    def __init__(self, data, pause=0.002):
        self.data = data
        self.pause = pause


def ok(_connection, _request):
    """Behaves as a server that takes everything."""
    return b"+OK\r\n"


def parse_request(data):
    """(arguments, length) of the first request in `data`, or None while it is not whole."""
    head, found, _ = data.partition(b"\r\n")
    if not found:
        return None
    assert head[:1] == b"*", f"no RESP request: {data[:100]!r}"
    at = len(head) + 2
    arguments = []
    for _ in range(int(head[1:])):
        end = data.find(b"\r\n", at)
        if end < 0:
            return None
        assert data[at:at + 1] == b"$", f"no bulk string: {data[at:at + 100]!r}"
        size = int(data[at + 1:end])
        if len(data) < end + 2 + size + 2:
            return None
        arguments.append(bytes(data[end + 2:end + 2 + size]))
        at = end + 2 + size + 2
    return arguments, at


class Connection:
    def __init__(self, server, sock, number):
        self.server = server
        self.sock = sock
        self.number = number
        self.accepted = time.monotonic()
        self.requests = 0
        self.first_request = None
        self.open = True
        self.received = bytearray()
        self.unsent = bytearray()

    def do(self, actions):
        """Carries out what a behaviour asked for."""
        if actions is None:
            return
        if not isinstance(actions, (list, tuple)):
            actions = [actions]
        delay = 0.0
        for action in actions:
            if action is CLOSE or action is RESET:
                self.server.later(delay, self.end, action is RESET)
            elif isinstance(action, Slow):
                for byte in action.data:
                    self.server.later(delay, self.send, bytes([byte]))
                    delay += action.pause
            elif delay:
                self.server.later(delay, self.send, action)
            else:
                self.send(action)

    def send(self, data):
        if self.open:
            self.unsent += data
            self.flush()

    def flush(self):
        try:
            while self.unsent:
                del self.unsent[:self.sock.send(self.unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self.end(False)
            return
        self.server.watch(self)

    def read(self):
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.end(False)
            return
        self.received += data
        while self.open:
            parsed = parse_request(self.received)
            if parsed is None:
                return
            del self.received[:parsed[1]]
            if parsed[0] == [b"PING"] and not self.requests and self.server.answer_ping:
                self.send(b"+PONG\r\n")
                continue
            self.requests += 1
            self.first_request = self.first_request or time.monotonic()
            self.server.requests += 1
            self.do(self.server.behave(self, parsed[0]))

    def end(self, reset):
        if not self.open:
            return
        self.open = False
        self.server.forget(self)
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class FakeServer:
    """
    accept_pause: seconds between two accepts, on average: a turn that took long makes up for it, so
    that traffic does not starve new connections. on_accept(connection): what to do with a new one,
    as behave() says it. A failure of the thread shows in stop().
    """

    def __init__(self, behave=ok, on_accept=None, backlog=511, accept_pause=0.0, answer_ping=True, host="127.0.0.1"):
        self.behave = behave
        self.answer_ping = answer_ping
        self.on_accept = on_accept
        self.accept_pause = accept_pause
        self.requests = 0
        self.connections = []
        self.failure = None
        self.timers = []
        self.order = itertools.count()
        self.selector = selectors.DefaultSelector()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.create_server((host, 0), family=family, backlog=backlog)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.waker, self.wakened = socket.socketpair()
        self.tasks = []
        self.lock = threading.Lock()
        self.stopping = False
        self.next_accept = time.monotonic()
        self.selector.register(self.wakened, selectors.EVENT_READ)
        self.resume_accepting()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    # Called by tests, from their own thread.

    def call(self, function, *arguments):
        """Has the server's thread call function(*arguments)."""
        with self.lock:
            self.tasks.append((function, arguments))
        self.waker.send(b"x")

    def clients(self):
        """The connections on which at least one request came."""
        return [connection for connection in list(self.connections) if connection.requests]

    def stop(self):
        self.stopping = True
        self.waker.send(b"x")
        self.thread.join(10)
        assert not self.thread.is_alive(), "the fake server hangs"
        for connection in self.connections:
            connection.end(False)
        self.listener.close()
        self.waker.close()
        self.wakened.close()
        self.selector.close()
        if self.failure:
            raise self.failure

    # The server's thread.

    def later(self, delay, function, *arguments):
        """Calls at once if `delay` is 0, so that bytes keep their order."""
        if not delay:
            function(*arguments)
            return
        heapq.heappush(self.timers, (time.monotonic() + delay, next(self.order), function, arguments))

    def resume_accepting(self):
        self.selector.register(self.listener, selectors.EVENT_READ)

    def accept_due(self):
        """Accepts what is due by now; pauses until the next is due."""
        while time.monotonic() >= self.next_accept and self.accept():
            self.next_accept += self.accept_pause
        pause = self.next_accept - time.monotonic()
        if pause > 0:
            self.selector.unregister(self.listener)
            self.later(pause, self.resume_accepting)
        else:  # nobody is waiting: what was not used does not add up
            self.next_accept = time.monotonic()

    def accept(self):
        try:
            sock, _ = self.listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(self, sock, len(self.connections))
        self.connections.append(connection)
        self.selector.register(sock, selectors.EVENT_READ, connection)
        if self.on_accept:
            connection.do(self.on_accept(connection))
        return True

    def watch(self, connection):
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.unsent else 0)
        if self.selector.get_key(connection.sock).events != events:
            self.selector.modify(connection.sock, events, connection)

    def forget(self, connection):
        try:
            self.selector.unregister(connection.sock)
        except (KeyError, ValueError):
            pass

    def run_tasks(self):
        self.wakened.recv(4096)
        with self.lock:
            tasks, self.tasks = self.tasks, []
        for function, arguments in tasks:
            function(*arguments)

    def serve(self):
        try:
            while not self.stopping:
                self.turn()
        except Exception as failure:  # shown by stop(), in the test's thread
            self.failure = failure

    def turn(self):
        timeout = max(0.0, self.timers[0][0] - time.monotonic()) if self.timers else None
        for key, events in self.selector.select(timeout):
            if key.fileobj is self.listener:
                self.accept_due()
            elif key.fileobj is self.wakened:
                self.run_tasks()
            else:
                if events & selectors.EVENT_WRITE and key.data.open:
                    key.data.flush()
                if events & selectors.EVENT_READ and key.data.open:
                    key.data.read()
        while self.timers and self.timers[0][0] <= time.monotonic():
            _, _, function, arguments = heapq.heappop(self.timers)
            function(*arguments)
