"""
RFC 6455 against the edge, section by section, with implementations that share nothing with it: websockets parses and
makes frames (and ends the test on any frame of the edge's that breaks the RFC), autobahn lives a whole life of its own.

In: websocket.py OWNER GUEST VM TOKEN-FILE SECRET-FILE: the edge's listeners, a registered VM, a session, the VM's boot
secret. Out: a line for each section; exit status 1 at the first thing that does not hold. Kept: nothing.
"""
import asyncio
import hmac
import os
import random
import re
import socket
import ssl
import struct
import sys

from autobahn.asyncio.websocket import WebSocketClientFactory, WebSocketClientProtocol
from websockets.client import ClientConnection
from websockets.frames import Close, Frame, Opcode
from websockets.uri import parse_uri

PATIENCE_S = 60
MESSAGE_MAX = 65536 + 64  # protocol/README.md 1.7
PIECES_MAX = 1024  # likewise
READER_MAX = 1024  # an owner who reads events has nothing to say
TEXT, BINARY, CONT, CLOSE, PING, PONG = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT, Opcode.CLOSE, Opcode.PING, Opcode.PONG)


def claim(holds, words):
    if not holds:
        sys.exit(f"FAILED: {words}")


def block(*fields):
    return b"".join(struct.pack(">I", len(field)) + field for field in fields)


def guest_token(secret, vm):
    """protocol/README.md 2: HKDF (RFC 5869) with an empty salt, one block; then the token."""
    derived = hmac.new(bytes(32), secret, "sha256").digest()
    key = hmac.new(derived, b"kiln/1 registration\x01", "sha256").digest()
    return hmac.new(key, block(b"kiln/1 guest token", bytes.fromhex(vm.replace("-", ""))), "sha256").hexdigest()


class Edge:
    """Where the edge listens, and who may ask it what."""

    def __init__(self, owner, guest, vm, token, secret):
        self.context = ssl.create_default_context()
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE
        self.vm = vm
        self.token = token
        guest_headers = {"Kiln-VM": vm, "Authorization": "Bearer " + guest_token(secret, vm)}
        self.places = {
            "owner": (owner, f"/v1/vms/{vm}/channel", {"Authorization": "Bearer " + token}),
            "events": (owner, "/v1/events", {"Authorization": "Bearer " + token}),
            "guest": (guest, "/v1/channel", guest_headers),
            "link": (guest, "/v1/link", guest_headers),
        }

    def dial(self, place):
        address, path, headers = self.places[place]
        host, port = address.rsplit(":", 1)
        plain = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
        return self.context.wrap_socket(plain), f"wss://{address}{path}", path, headers

    def ask(self, place, change=None):
        """A request for an upgrade, changed; returns status line and fields, and the open socket."""
        sock, _, path, headers = self.dial(place)
        lines = {"Host": "edge", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                 "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", **headers}
        text = f"GET {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
        sock.sendall((change(text) if change else text).encode("latin-1"))
        head = b""
        while b"\r\n\r\n" not in head:
            got = sock.recv(4096)
            if not got:
                break
            head += got
        text = head.split(b"\r\n\r\n")[0].decode("latin-1")
        fields = {line.split(":")[0].lower(): line.split(":", 1)[1].strip() for line in text.split("\r\n")[1:]}
        return text.split(" ")[1] if " " in text else "", fields, sock


class Peer:
    """One end, framed by websockets without its I/O, so that any bytes can be sent instead of its own."""

    def __init__(self, edge, place):
        self.sock, uri, _, headers = edge.dial(place)
        self.conn = ClientConnection(parse_uri(uri), max_size=None)
        request = self.conn.connect()
        for name, value in headers.items():
            request.headers[name] = value
        self.conn.send_request(request)
        self.flush()
        self.frames = []
        self.ended = False
        while not self.frames and not self.ended:
            self.fill()
        response = self.frames.pop(0)
        claim(response.exception is None, f"{place}: the upgrade is refused: {response.exception}")

    def flush(self):
        for data in self.conn.data_to_send():
            if data:
                try:
                    self.sock.sendall(data)
                except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
                    self.ended = True

    def fill(self):
        try:
            data = self.sock.recv(65536)
        except (ConnectionResetError, ssl.SSLError):
            data = b""
        if data:
            self.conn.receive_data(data)
        else:
            self.ended = True
            self.conn.receive_eof()
        claim(self.conn.parser_exc is None or self.ended, f"the edge breaks the RFC: {self.conn.parser_exc!r}")
        self.frames += self.conn.events_received()
        self.flush()

    def next(self):
        """The next frame, None at the end. Pings of the edge's, who looks after quiet peers, are passed over."""
        while True:
            while not self.frames and not self.ended:
                self.fill()
            frame = self.frames.pop(0) if self.frames else None
            if frame is None or frame.opcode is not PING:
                return frame

    def send(self, opcode, data=b"", fin=True, **bits):
        self.raw(Frame(opcode, data, fin, **bits).serialize(mask=True))

    def raw(self, data):
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.ended = True

    def message(self):
        """The next whole message; pongs are passed over."""
        frame = self.next()
        while frame is not None and frame.opcode is PONG:
            frame = self.next()
        claim(frame is not None and frame.opcode is BINARY and frame.fin, f"no message but {frame}")
        return frame.data

    def closed(self):
        """The code of the edge's close frame, None without; the connection must then be ended by the edge."""
        code = None
        frame = self.next()
        while frame is not None:
            if frame.opcode is CLOSE:
                code = Close.parse(frame.data).code if frame.data else 1005
            frame = self.next()
        return code

    def leave(self):
        self.sock.close()


class Pair:
    """An owner and a guest whom the edge has joined: what one sends, whole, the other gets."""

    def __init__(self, edge):
        self.guest = Peer(edge, "guest")
        self.owner = Peer(edge, "owner")

    def passes(self, words):
        for one, other in ((self.owner, self.guest), (self.guest, self.owner)):
            data = os.urandom(40)
            one.send(BINARY, data)
            claim(other.message() == data, words)

    def leave(self):
        self.owner.leave()
        self.guest.leave()


def masked(first, length, body=b"", extended=b""):
    """A frame by hand, masked with zeros: any first byte, any length field."""
    return bytes([first, 0x80 | length]) + extended + bytes(4) + body


class Sections:
    def __init__(self, edge):
        self.edge = edge
        self.neighbour = Pair(edge)
        self.count = 0

    def ends(self, words, code, *pieces, place="owner"):
        """These bytes end the connection with that code, give the other side nothing, and trouble nobody else."""
        pair = Pair(self.edge) if place in ("owner", "guest") else None
        peer = {"owner": pair.owner, "guest": pair.guest}[place] if pair else Peer(self.edge, place)
        for piece in pieces:
            peer.raw(piece)
        got = peer.closed()
        claim(got == code, f"{words}: closed with {got}, not {code}")
        if pair:
            sister = pair.guest if place == "owner" else pair.owner
            frame = sister.next()
            claim(frame is not None and frame.opcode is CLOSE, f"{words}: the other side got {frame}")
            pair.leave()
        peer.leave()
        self.neighbour.passes(f"{words}: the pair beside it is troubled")
        self.count += 1

    def arrives(self, words, data, *pieces):
        pair = Pair(self.edge)
        for piece in pieces:
            pair.owner.raw(piece)
        got = pair.guest.message()
        claim(got == data, f"{words}: {len(got)} other bytes")
        pair.leave()
        self.count += 1

    def section(self, name):
        print(f"RFC 6455 {name}: {self.count} claims hold", flush=True)
        self.count = 0

    # ---- 4: the opening handshake ----

    def refused(self, words, change, place="owner", status="400"):
        got, fields, sock = self.edge.ask(place, change)
        sock.close()
        claim(got == status, f"{words}: answered {got}, not {status}")
        claim("sec-websocket-accept" not in fields, f"{words}: accepted all the same")
        self.count += 1
        return fields

    def opening(self):
        def without(name):
            return lambda text: re.sub(f"{name}: [^\r]*\r\n", "", text)

        def instead(name, value):
            return lambda text: re.sub(f"{name}: [^\r]*", f"{name}: {value}", text)

        def besides(line):
            return lambda text: text.replace("\r\n\r\n", f"\r\n{line}\r\n\r\n")

        for place in ("owner", "events", "guest", "link"):
            for name in ("Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Host"):
                self.refused(f"{place} without {name}", without(name), place)
            for version in ("8", "12", "14", "013", "13, 8", "x"):
                fields = self.refused(f"{place} of version {version}", instead("Sec-WebSocket-Version", version), place)
                claim(fields.get("sec-websocket-version") == "13", f"version {version}: not told which is spoken")
            for key in ("", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZ===", "AAAA", "dGhlIHNhbXBsZSBub25jZQ==" * 2):
                self.refused(f"{place} with the key '{key}'", instead("Sec-WebSocket-Key", key), place)
            self.refused(f"{place} with two keys", besides("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="), place)
            self.refused(f"{place} with two versions", besides("Sec-WebSocket-Version: 8"), place)
            self.refused(f"{place} over HTTP/1.0", lambda text: text.replace("HTTP/1.1", "HTTP/1.0"), place)
            self.refused(f"{place} upgraded to h2c", instead("Upgrade", "h2c"), place)
        self.refused("POST to a link", lambda text: text.replace("GET", "POST"), "link", "405")
        self.refused("another origin", besides("Origin: https://evil.example"), "owner", "403")
        self.refused("no session", without("Authorization"), "owner", "401")
        self.section("4.2.1, what is no opening handshake")

        status, fields, sock = self.edge.ask("events", lambda text: text.replace("websocket", "WebSocket").replace(
            "Connection: Upgrade", "Connection: keep-alive, upgrade").replace("\r\n\r\n", (
                "\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
                f"Sec-WebSocket-Protocol: other, kiln.v1, kiln.token.{self.edge.token}\r\n\r\n")))
        claim(status == "101", f"a good opening handshake is answered {status}")
        claim(fields["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "the key is answered wrongly")
        claim(fields["sec-websocket-protocol"] == "kiln.v1", "the subprotocol is not kiln.v1")
        claim("sec-websocket-extensions" not in fields, "an extension is promised")
        sock.close()
        status, fields, sock = self.edge.ask("events", besides("Sec-WebSocket-Protocol: other"))
        claim(status == "101" and "sec-websocket-protocol" not in fields, "an unknown subprotocol is taken")
        sock.close()
        self.count += 2
        self.section("4.2.2, what is answered")

    # ---- 5: frames ----

    def masking(self):
        bare = Frame(BINARY, b"hello").serialize(mask=False)
        for place in ("owner", "guest", "events", "link"):
            self.ends(f"{place}: a frame that is not masked", 1002, bare, place=place)
        self.ends("a ping that is not masked", 1002, Frame(PING, b"x").serialize(mask=False))
        self.ends("a close that is not masked", 1002, Frame(CLOSE, b"\x03\xe8").serialize(mask=False))
        self.arrives("a mask of zeros", b"abc", masked(0x82, 3, b"abc"))
        self.section("5.1 and 5.3, masking")

    def base_framing(self):
        for bit in (0x40, 0x20, 0x10):
            self.ends(f"reserved bit {bit:#x}", 1002, masked(0x82 | bit, 1, b"x"))
            self.ends(f"reserved bit {bit:#x} in a ping", 1002, masked(0x89 | bit, 1, b"x"))
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
            self.ends(f"reserved opcode {opcode}", 1002, masked(0x80 | opcode, 0))
        self.ends("125 bytes said in 16 bits", 1002, masked(0x82, 126, bytes(125), struct.pack(">H", 125)))
        self.ends("65535 bytes said in 64 bits", 1002, masked(0x82, 127, b"", struct.pack(">Q", 65535)))
        self.ends("a length with its first bit set", 1002, masked(0x82, 127, b"", struct.pack(">Q", 1 << 63)))
        pair = Pair(self.edge)
        for size in (0, 1, 125, 126, 127, 65535, 65536, MESSAGE_MAX):
            data = os.urandom(size)
            pair.owner.send(BINARY, data)
            claim(pair.guest.message() == data, f"{size} bytes up")
            pair.guest.send(BINARY, data)
            claim(pair.owner.message() == data, f"{size} bytes down")
            self.count += 2
        pair.leave()
        self.arrives("one byte at a time", b"dribble", *[bytes([byte]) for byte in Frame(BINARY, b"dribble").serialize(mask=True)])
        self.section("5.2, base framing")

    def fragmentation(self):
        def piece(opcode, data, fin):
            return Frame(opcode, data, fin).serialize(mask=True)

        self.arrives("a message in pieces of a byte", b"fragment", piece(BINARY, b"f", False),
                     *[piece(CONT, bytes([byte]), False) for byte in b"ragmen"], piece(CONT, b"t", True))
        self.arrives("empty pieces", b"x", piece(BINARY, b"", False), piece(CONT, b"", False), piece(CONT, b"x", False),
                     piece(CONT, b"", True))
        self.arrives("no bytes in three pieces", b"", piece(BINARY, b"", False), piece(CONT, b"", False), piece(CONT, b"", True))
        self.arrives("a ping between pieces", b"ab", piece(BINARY, b"a", False), piece(PING, b"p", True), piece(CONT, b"b", True))
        self.ends("a continuation of nothing", 1002, piece(CONT, b"x", True))
        self.ends("a continuation of what is whole", 1002, piece(CONT, b"x", False))
        self.ends("a message inside another", 1002, piece(BINARY, b"a", False), piece(BINARY, b"b", True))
        self.ends("a ping in pieces", 1002, masked(0x09, 1, b"a"))
        self.ends("a close in pieces", 1002, masked(0x08, 2, b"\x03\xe8"))
        self.section("5.4, fragmentation")

    def control(self):
        pair = Pair(self.edge)
        for size in (0, 1, 125):
            data = os.urandom(size)
            pair.owner.send(PING, data)
            frame = pair.owner.next()
            claim(frame.opcode is PONG and frame.data == data, f"a ping of {size} bytes is answered {frame}")
            self.count += 1
        pair.owner.send(PONG, b"nobody asked")
        pair.owner.send(BINARY, b"a", fin=False)
        pair.owner.send(PING, b"between")
        frame = pair.owner.next()
        claim(frame.opcode is PONG and frame.data == b"between", f"a ping between pieces is answered {frame}")
        pair.owner.send(CONT, b"b")
        claim(pair.guest.message() == b"ab", "a ping between pieces spoils the message")
        pair.passes("a pong that nobody asked for ends it")
        pair.leave()
        self.count += 2
        self.ends("a ping of 126 bytes", 1002, masked(0x89, 126, bytes(126), struct.pack(">H", 126)))
        self.ends("a close of 126 bytes", 1002, masked(0x88, 126, b"\x03\xe8" + bytes(124), struct.pack(">H", 126)))
        self.ends("a close in the middle of a message", 1000, Frame(BINARY, b"a", False).serialize(mask=True), masked(0x88, 2, b"\x03\xe8"))
        self.ends("a message after the close", 1000, masked(0x88, 2, b"\x03\xe8"), masked(0x82, 1, b"x"))
        self.ends("a close of one byte", 1002, masked(0x88, 1, b"\x03"))
        self.section("5.5, control frames")

    # ---- 7 to 10: closing, UTF-8, limits ----

    def closing(self):
        def close(code, reason=b""):
            return masked(0x88, 2 + len(reason), struct.pack(">H", code) + reason)

        self.ends("a close without a code", 1005, masked(0x88, 0))
        for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
            self.ends(f"close {code}", code, close(code, b"because"))
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
            self.ends(f"close {code}, which nobody may send", 1002, close(code))
        self.ends("a close of the guest's", 1000, close(1000), place="guest")
        for code, seen in ((1000, 1000), (4007, 4007), (1002, 1002)):
            pair = Pair(self.edge)
            pair.owner.raw(close(code, b"why"))
            got = pair.guest.closed()
            claim(got == seen, f"close {code} is passed on as {got}")
            pair.leave()
            self.count += 1
        self.section("7.4, close codes")

    def texts(self):
        wrong = (b"\xff", b"\xc3\x28", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80",
                 b"\xc3", b"\xe2\x82", b"ok\x80")
        for text in wrong:
            self.ends(f"the text {text!r}", 1007, Frame(TEXT, text).serialize(mask=True))
            self.ends(f"the reason {text!r}", 1007, masked(0x88, 2 + len(text), b"\x03\xe8" + text))
        self.ends("a text cut in a character that goes on wrongly", 1007, Frame(TEXT, b"\xe2\x82", False).serialize(mask=True),
                  Frame(CONT, b"\x28").serialize(mask=True))
        self.ends("a good text, cut in a character: taken for text, which is not taken", 1003,
                  Frame(TEXT, b"\xe2\x82", False).serialize(mask=True), Frame(CONT, b"\xac").serialize(mask=True))
        self.ends("a text to a link", 1003, Frame(TEXT, "grüß".encode()).serialize(mask=True), place="link")
        self.ends("a text to the reader's end of events", 1008, Frame(TEXT, b"{}").serialize(mask=True), place="events")
        self.section("8.1, UTF-8")

    def limits(self):
        big = MESSAGE_MAX + 1
        self.ends("one byte too many", 1009, Frame(BINARY, bytes(big)).serialize(mask=True))
        self.ends("one byte too many, only said", 1009, masked(0x82, 127, b"x", struct.pack(">Q", big)))
        self.ends("more than there can be, only said", 1009, masked(0x82, 127, b"x", struct.pack(">Q", (1 << 63) - 1)))
        self.ends("one byte too many, in pieces", 1009, Frame(BINARY, bytes(big - 1), False).serialize(mask=True),
                  Frame(CONT, b"x").serialize(mask=True))
        first, more = Frame(BINARY, b"x", False).serialize(mask=True), Frame(CONT, b"x", False).serialize(mask=True)
        self.ends("one piece too many", 1009, first + PIECES_MAX * more)
        self.arrives("as many pieces as there may be", PIECES_MAX * b"x", first + (PIECES_MAX - 2) * more, Frame(CONT, b"x").serialize(mask=True))
        self.ends("a reader of events who says too much", 1009, Frame(TEXT, b"x" * (READER_MAX + 1)).serialize(mask=True), place="events")
        guest = Peer(self.edge, "guest")
        guest.send(BINARY, b"first")
        claim(guest.closed() == 1008, "a guest speaks first")
        self.section("10.4, limits")


class Whole(WebSocketClientProtocol):
    """Autobahn's client: what it gets goes into a queue; whoever waits for its end gets how it ended."""

    def onOpen(self):
        self.got = asyncio.Queue()
        self.end = asyncio.get_running_loop().create_future()
        self.factory.opened.set_result(self)

    def onMessage(self, payload, isBinary):
        self.got.put_nowait(payload)

    def onClose(self, wasClean, code, reason):
        if hasattr(self, "end"):
            self.end.set_result((wasClean, code))
        else:
            self.factory.opened.set_exception(ConnectionError(f"{code} {reason}"))


async def open_whole(edge, place):
    address, path, headers = edge.places[place]
    host, port = address.rsplit(":", 1)
    factory = WebSocketClientFactory(f"wss://{address}{path}", headers=headers)
    factory.protocol = Whole
    factory.opened = asyncio.get_running_loop().create_future()
    await asyncio.get_running_loop().create_connection(factory, host, int(port), ssl=edge.context)
    return await asyncio.wait_for(factory.opened, PATIENCE_S)


async def live_whole_lives(edge):
    chance = random.Random(6455)
    guest = await open_whole(edge, "guest")
    owner = await open_whole(edge, "owner")
    for number in range(200):
        data = chance.randbytes(chance.choice((0, 1, 7, 125, 126, 4000, 65535, MESSAGE_MAX)))
        one, other = (owner, guest) if number % 2 == 0 else (guest, owner)
        one.sendMessage(data, isBinary=True, fragmentSize=chance.choice((None, 1 + len(data) // 3)))
        one.sendPing(b"between")
        got = await asyncio.wait_for(other.got.get(), PATIENCE_S)
        claim(got == data, f"message {number} of {len(data)} bytes comes as {len(got)}")
    owner.sendClose(4001, "done")
    ends = await asyncio.wait_for(asyncio.gather(owner.end, guest.end), PATIENCE_S)
    claim(ends == [(True, 4001), (True, 4001)], f"the ends are not clean: {ends}")
    print("RFC 6455 as a whole, with autobahn: 200 messages and a clean end", flush=True)


def main(owner, guest, vm, token_path, secret_path):
    with open(token_path, encoding="ascii") as token, open(secret_path, "rb") as secret:
        edge = Edge(owner, guest, vm, token.read().strip(), secret.read())
    sections = Sections(edge)
    sections.opening()
    sections.masking()
    sections.base_framing()
    sections.fragmentation()
    sections.control()
    sections.closing()
    sections.texts()
    sections.limits()
    asyncio.run(live_whole_lives(edge))


if __name__ == "__main__":
    main(*sys.argv[1:])
