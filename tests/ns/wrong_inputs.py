"""
Wrong inputs over each wire, a row each with its exact answer; and after each row the peer next to it is served: an owner and a VM
whose channel is open, an owner's session on a connection that stays, an operator on control.sock.

In: wrong_inputs.py FILE: a JSON object of addresses, ids, files. Out: a line for each wire; exit status 1 at the first thing that
does not hold. Kept: nothing.
"""
import base64
import hashlib
import hmac
import json
import os
import pwd
import socket
import struct
import subprocess
import sys

from websocket import BINARY, PATIENCE_S, Edge, Pair, Peer, block, claim

HEX32 = "01" * 32


def error_of(body):
    error = json.loads(body)["error"]
    return error["code"], error["detail"]


class Https:
    """Requests as bytes, and their answers: of one connection, which the edge may keep."""

    def __init__(self, edge, address):
        host, port = address.rsplit(":", 1)
        self.sock = edge.context.wrap_socket(socket.create_connection((host, int(port)), timeout=PATIENCE_S))
        self.got = b""

    def answer(self, request):
        """The status and the body."""
        self.sock.sendall(request)
        while b"\r\n\r\n" not in self.got:
            self.more()
        head, self.got = self.got.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        fields = {line.split(":")[0].lower(): line.split(":", 1)[1].strip() for line in lines[1:]}
        length = int(fields["content-length"])
        while len(self.got) < length:
            self.more()
        body, self.got = self.got[:length], self.got[length:]
        return int(lines[0].split(" ")[1]), body

    def more(self):
        data = self.sock.recv(65536)
        claim(data, f"the connection ends after {self.got!r}")
        self.got += data


def request(method, path, body=None, headers=""):
    data = b"" if body is None else body if isinstance(body, bytes) else body.encode()
    length = "" if body is None else f"Content-Length: {len(data)}\r\n"
    return f"{method} {path} HTTP/1.1\r\nHost: edge\r\n{headers}{length}\r\n".encode() + data


def all_of(sock):
    """What comes until the other side closes, in whatever way."""
    got = b""
    try:
        while data := sock.recv(65536):
            got += data
    except ConnectionResetError:
        pass
    return got


class Lines:
    """JSON-RPC on a Unix socket."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(path)
        self.file = self.sock.makefile("rb")

    def ask(self, line):
        self.sock.sendall(line + b"\n")
        return json.loads(self.file.readline())

    def last_words(self, data):
        """What comes until kilnd closes, of somebody who sends no more."""
        try:
            self.sock.sendall(data)
            self.sock.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return all_of(self.sock)


class Link:
    """A VM that registers and keeps its link, by protocol/README.md 2, 4.2 and 4.4."""

    def __init__(self, edge, address, vm, secret):
        self.edge, self.address, self.vm = edge, address, vm
        prk = hmac.new(bytes(32), secret, "sha256").digest()
        self.secret = secret
        self.key = hmac.new(prk, b"kiln/1 registration\x01", "sha256").digest()
        self.uuid = bytes.fromhex(vm.replace("-", ""))
        der = subprocess.run("openssl genrsa 2048 2>/dev/null | openssl rsa -pubout -outform DER 2>/dev/null", shell=True,
                             check=True, stdout=subprocess.PIPE).stdout
        status, body = Https(edge, address).answer(request("GET", "/v1/manifest"))
        manifest = json.loads(body)
        fields = [b"kiln/1 manifest", struct.pack(">Q", manifest["version"]), bytes.fromhex(manifest["config"])]
        for architecture in sorted(manifest["controllers"]):
            fields += [architecture.encode(), bytes.fromhex(manifest["controllers"][architecture])]
        self.body = {"uuid": vm, "public_key": base64.b64encode(der).decode(), "nonce_v": os.urandom(32).hex(),
                     "addresses": ["10.77.0.9"], "stub_version": "0.1.0", "controller_version": "0.1.0",
                     "manifest": hashlib.sha256(block(*fields)).hexdigest(), "config": manifest["config"]}
        self.hash = None

    def proved(self, **changes):
        """The request with these members instead (None: without), proved."""
        body = {**self.body, **changes}
        signed = block(b"kiln/1 register", self.uuid, base64.b64decode(body["public_key"]), bytes.fromhex(body["nonce_v"]),
                       ",".join(body["addresses"]).encode(), body["stub_version"].encode(),
                       body["controller_version"].encode(), bytes.fromhex(body["manifest"]), bytes.fromhex(body["config"]))
        self.hash = hashlib.sha256(signed).digest()
        return {**body, "proof": hmac.new(self.key, signed, "sha256").hexdigest()}

    def register(self, body):
        text = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return Https(self.edge, self.address).answer(request("POST", "/v1/register", text))

    def open(self):
        """Greets kilnd by a first good record."""
        self.begin()
        self.send(b'{"jsonrpc":"2.0","id":1,"method":"guest.hello","params":{"controller":"0.1.0","state":"waiting"}}')
        answer = self.next(lambda message: message.get("id") == 1)
        claim("result" in answer, f"guest.hello is answered {answer}")

    def begin(self):
        self.peer = Peer(self.edge, "link")
        nonce = os.urandom(32)
        self.peer.send(BINARY, nonce)
        ours = self.peer.message()
        prk = hmac.new(self.hash, self.secret, "sha256").digest()
        self.link_key = hmac.new(prk, b"kiln/1 link" + nonce + ours + b"\x01", "sha256").digest()
        self.count = 0

    def record(self, body, counter=None):
        counter = struct.pack(">Q", self.count if counter is None else counter)
        mac = hmac.new(self.link_key, block(b"kiln/1 link guest", counter, body), "sha256").digest()
        return counter + mac + body

    def send(self, body):
        self.peer.send(BINARY, self.record(body))
        self.count += 1

    def next(self, wanted):
        while True:
            message = json.loads(self.peer.message()[40:])
            if wanted(message):
                return message


class Rows:
    def __init__(self, given):
        self.given = given
        with open(given["token"], encoding="ascii") as token, open(given["there"]["secret"], "rb") as secret:
            self.edge = Edge(given["owner"], given["guest"], given["there"]["id"], token.read().strip(), secret.read())
        with open(given["other"]["secret"], "rb") as secret:
            self.other_edge = Edge(given["owner"], given["guest"], given["other"]["id"], self.edge.token, secret.read())
            secret.seek(0)
            self.other = Link(self.other_edge, given["guest"], given["other"]["id"], secret.read())
        self.bearer = f"Authorization: Bearer {self.edge.token}\r\n"
        self.pair = Pair(self.edge)
        self.session = Https(self.edge, given["owner"])
        self.operator = Lines(given["control"])
        self.count = 0

    def served(self, words):
        self.pair.passes(f"{words}: the channel beside it is troubled")
        status, body = self.session.answer(request("GET", "/v1/me", headers=self.bearer))
        claim(status == 200 and json.loads(body)["name"] == "alice", f"{words}: the session beside it gets {status} {body}")
        answer = self.operator.ask(b'{"jsonrpc":"2.0","id":1,"method":"daemon.status"}')
        claim(answer["result"]["edge"] == "up", f"{words}: the operator beside it gets {answer}")
        self.count += 1

    def done(self, name):
        print(f"{name}: {self.count} rows, after each the peers beside it are served", flush=True)
        self.count = 0

    def http(self, words, place, data, status, code, detail):
        got, body = Https(self.edge, self.given[place]).answer(data)
        claim((got, *error_of(body)) == (status, code, detail), f"{words}: {got} {body}")
        self.served(words)

    # ---- heads of HTTP ----

    def heads(self):
        get = "GET /v1/origin HTTP/1.1\r\n"
        rows = [
            ("no host", get + "\r\n", 400, "Bad Request"),
            ("two hosts", get + "Host: a\r\nHost: b\r\n\r\n", 400, "Bad Request"),
            ("a space before the colon", get + "Host : a\r\n\r\n", 400, "Bad Request"),
            ("a control in a value", get + "Host: a\r\nX: \x01\r\n\r\n", 400, "Bad Request"),
            ("a name that is no token", get + "Host: a\r\nX(): 1\r\n\r\n", 400, "Bad Request"),
            ("a line without a colon", get + "Host: a\r\nnonsense\r\n\r\n", 400, "Bad Request"),
            ("two tokens", get + "Host: a\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n", 400, "Bad Request"),
            ("two lengths", get + "Host: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", 400, "Bad Request"),
            ("a length below zero", get + "Host: a\r\nContent-Length: -1\r\n\r\n", 400, "Bad Request"),
            ("more than any body", get + "Host: a\r\nContent-Length: 999999999\r\n\r\n", 413, "Content Too Large"),
            ("a body where there is none", get + "Host: a\r\nContent-Length: 1\r\n\r\nx", 413, "Content Too Large"),
            ("a path that leads up", "GET /v1/../x HTTP/1.1\r\nHost: a\r\n\r\n", 400, "Bad Request"),
            ("a path that leads up, in hex", "GET /%2e%2e/x HTTP/1.1\r\nHost: a\r\n\r\n", 400, "Bad Request"),
            ("a slash in hex", "GET /v1%2forigin HTTP/1.1\r\nHost: a\r\n\r\n", 400, "Bad Request"),
            ("a NUL in hex", "GET /v1/%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "Bad Request"),
            ("a whole address", "GET https://a/v1/origin HTTP/1.1\r\nHost: a\r\n\r\n", 400, "Bad Request"),
            ("two blanks", "GET /v1/origin x HTTP/1.1\r\nHost: a\r\n\r\n", 400, "Bad Request"),
            ("nonsense", "nonsense\r\n\r\n", 400, "Bad Request"),
            ("HTTP/2.0", "GET /v1/origin HTTP/2.0\r\nHost: a\r\n\r\n", 400, "Bad Request"),
            ("HTTP/1.7", "GET /v1/origin HTTP/1.7\r\nHost: a\r\n\r\n", 505, "HTTP Version Not Supported"),
            ("a method that there is not", "BREW /v1/origin HTTP/1.1\r\nHost: a\r\n\r\n", 501, "Not Implemented"),
            ("a proxy's method", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501, "Not Implemented"),
            ("a head of 9,000 bytes", get + f"Host: a\r\nX: {'x' * 9000}\r\n\r\n", 400, "Bad Request"),
        ]
        codes = {400: "BAD_PARAMETER", 413: "MESSAGE_TOO_LARGE", 501: "UNAVAILABLE", 505: "UNAVAILABLE"}
        for words, text, status, detail in rows:
            if "/v1/origin" in text and status == 413:
                self.http(words, "owner", text.encode("latin-1"), status, codes[status], detail)
                text = text.replace("/v1/origin", "/v1/manifest")
                self.http(words, "guest", text.encode("latin-1"), status, codes[status], detail)
                continue
            for place in ("owner", "guest"):
                self.http(f"{words}, {place}", place, text.encode("latin-1"), status, codes[status], detail)
        for words, method, path, status, code, detail in (
                ("nothing there", "GET", "/v1/nowhere", 404, "NOT_FOUND", "Not Found"),
                ("what is the owners'", "GET", "/v1/vms", 404, "NOT_FOUND", "Not Found"),
                ("another method", "DELETE", "/v1/manifest", 405, "METHOD_NOT_ALLOWED", "Method Not Allowed"),
                ("another architecture", "GET", "/v1/controller/none", 404, "NOT_FOUND", ""),
                ("no upgrade", "GET", "/v1/link", 400, "BAD_PARAMETER", "Kiln-VM")):
            self.http(words, "guest", request(method, path), status, code, detail)
        self.done("HTTP heads")

    # ---- registration ----

    def registrations(self):
        good = self.other.proved()

        def refused(words, body, status, code, detail=""):
            got, answer = self.other.register(body)
            claim((got, *error_of(answer)) == (status, code, detail), f"{words}: {got} {answer}")
            self.served(words)

        for text in ("", "nonsense", "[]", "7", '"x"', json.dumps(good)[:-1], json.dumps(good) + "x",
                     json.dumps(good)[:-1] + ',"uuid":"x"}', b'{"uuid":"\xff"}', '{"x":' + 15 * "[" + 15 * "]" + "}"):
            refused(f"the body {text[:40]!r}", text, 400, "BAD_PARAMETER", "body")
        for member in good:
            refused(f"no {member}", {key: good[key] for key in good if key != member}, 400, "BAD_PARAMETER", member)
            refused(f"{member} is a number", {**good, member: 7}, 400, "BAD_PARAMETER", member)
        for member, value in (("uuid", "x"), ("uuid", good["uuid"].upper() + "A"), ("nonce_v", "00"), ("nonce_v", HEX32.replace("01", "0G")),
                              ("public_key", "####"), ("public_key", "A"), ("addresses", ["a,b"]), ("addresses", [""]),
                              ("addresses", [1]), ("addresses", ["a"] * 9), ("addresses", ["a" * 65]), ("stub_version", "v" * 33),
                              ("stub_version", "a b"), ("controller_version", "a,b"), ("manifest", "00"), ("config", None),
                              ("proof", HEX32[:-2]), ("proof", HEX32 + "01")):
            refused(f"{member} is {value!r}", {**good, member: value}, 400, "BAD_PARAMETER", member)
        for words, body in (("a proof of nothing", {**good, "proof": HEX32}), ("another nonce", {**good, "nonce_v": HEX32}),
                            ("another key", {**good, "public_key": "AAAA"}),
                            ("a VM that there is not", {**good, "uuid": "01010101-0101-4101-8101-010101010101"}),
                            ("the VM beside it", {**good, "uuid": self.edge.vm})):
            refused(words, body, 403, "PROOF_WRONG")
        refused("a key that is none, proved", self.other.proved(public_key="AAAA"), 400, "BAD_PARAMETER", "public_key")
        status, body = self.other.register(self.other.proved())
        claim(status == 200, f"the good one is answered {status} {body}")
        refused("another, by whom is registered", self.other.proved(nonce_v=HEX32), 409, "ALREADY_REGISTERED")
        self.other.proved()
        self.done("registrations")

    # ---- the owner API ----

    def owners(self):
        def ask(words, method, path, body, status, code, detail="", headers=""):
            self.http(words, "owner", request(method, path, body, headers), status, code, detail)

        for headers in ("", "Authorization: Bearer\r\n", f"Authorization: Bearer {HEX32}\r\n", f"Authorization: Basic {self.edge.token}\r\n",
                        f"Authorization: Bearer {self.edge.token}0\r\n", f"Authorization: Bearer {self.edge.token.upper()}\r\n",
                        f"Sec-WebSocket-Protocol: kiln.token.{HEX32}\r\n"):
            claim(self.edge.token != self.edge.token.upper(), "the token has no letter: run again")
            ask(f"a session by {headers[:30]!r}", "GET", "/v1/vms", None, 401, "SESSION_EXPIRED", headers=headers)
        nonce = '"time=1,nonce=' + "0" * 32
        for signature in ("", "x", "time=1", "time=1,nonce=00,signature=AAAA", "time=-1,nonce=" + "0" * 32 + ",signature=AAAA",
                          nonce + ",signature=AAAA", "time=1,nonce=" + "0" * 32 + ",signature="):
            ask(f"signed by {signature!r}", "POST", "/v1/vms", "{}", 401, "SIGNATURE_WRONG",
                headers=self.bearer + f"Kiln-Signature: {signature}\r\n")
        ask("not signed", "POST", "/v1/vms", "{}", 401, "SIGNATURE_WRONG", headers=self.bearer)
        ask("another's page", "GET", "/v1/me", None, 403, "NOT_ALLOWED", "Origin", self.bearer + "Origin: https://evil.example\r\n")
        ask("no upgrade", "GET", "/v1/events", None, 400, "BAD_PARAMETER", "Upgrade", self.bearer)
        challenge = {"fingerprint": HEX32}
        for path, body, detail in (("/v1/login/challenge", "x", "the body is no JSON object"), ("/v1/login/challenge", "{}", "fingerprint"),
                                   ("/v1/login/challenge", '{"fingerprint":7}', "fingerprint"),
                                   ("/v1/login/challenge", '{"fingerprint":"00"}', "fingerprint"),
                                   ("/v1/login", "[]", "the body is no JSON object"), ("/v1/login", json.dumps(challenge), "nonce"),
                                   ("/v1/login", json.dumps({**challenge, "nonce": HEX32}), "signature"),
                                   ("/v1/login", json.dumps({**challenge, "nonce": HEX32, "signature": "A"}), "signature")):
            ask(f"{path} with {body}", "POST", path, body, 400, "BAD_PARAMETER", detail)
        ask("a log in of nobody", "POST", "/v1/login", json.dumps({**challenge, "nonce": HEX32, "signature": "AAAA"}), 401, "LOGIN_FAILED")
        for method, path, body, status, code, detail in (
                ("POST", "/v1/vms", "{", 400, "BAD_PARAMETER", "the body is no JSON object"),
                ("POST", "/v1/vms", '{"name":"A B"}', 400, "BAD_PARAMETER", "name"),
                ("POST", "/v1/vms", '{"name":"a","brick":"none"}', 404, "NOT_FOUND", "brick none"),
                ("POST", "/v1/vms", '{"name":"a","brick":"empty","drives":[7]}', 400, "BAD_PARAMETER", "drives[0]: drive"),
                ("DELETE", "/v1/vms/" + self.edge.vm, '{"force":1}', 400, "BAD_PARAMETER", "force"),
                ("POST", "/v1/drives", '{"id":"x"}', 400, "BAD_PARAMETER", "id"),
                ("PUT", "/v1/vms", "{}", 405, "METHOD_NOT_ALLOWED", ""),
                ("POST", "/v1/nothing", "{}", 404, "NOT_FOUND", "")):
            self.signed(method, path, body, status, code, detail)
        self.done("owner API")

    def signed(self, method, path, body, status, code, detail):
        given = self.given
        out = subprocess.run([given["peer"], "ask", given["owner"], self.edge.token, method, path, body, given["identity"], given["key"],
                              given["passphrase"]], check=True, stdout=subprocess.PIPE, text=True).stdout
        got, answer = out.split(" ", 1)
        claim((int(got), *error_of(answer)) == (status, code, detail), f"{method} {path} {body}: {out}")
        self.served(f"{method} {path} {body}")

    # ---- JSON-RPC ----

    def says(self, path, words, data, wanted, uid=None):
        if uid is not None:
            os.seteuid(uid)
        try:
            lines = Lines(path)
        finally:
            os.seteuid(0)
        said = lines.last_words(data)
        found = []
        for line in said.splitlines():
            error = json.loads(line)["error"]
            more = error.get("data") or {}
            found.append((error["code"], more.get("code", ""), more.get("detail", "")))
        claim(found == wanted, f"{words}: {said}")
        self.served(words)

    def rpc(self):
        malformed, invalid, large = (-32700, "", ""), (-32600, "", ""), (1002, "MESSAGE_TOO_LARGE", "")

        def parameter(name):
            return (-32602, "BAD_PARAMETER", name)

        def call(method, params=None):
            return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, **({"params": params} if params is not None else {})}).encode() + b"\n"

        rows = [
            ("nonsense", b"nonsense\n", [malformed]),
            ("a cut message", b'{"jsonrpc":"2.0"\n', [malformed]),
            ("no UTF-8", b'{"jsonrpc":"2.0","id":1,"method":"\xff"}\n', [malformed]),
            ("a key twice", b'{"jsonrpc":"2.0","id":1,"id":2,"method":"vm.list"}\n', [malformed]),
            ("a NUL", b"\0\n", [malformed]),
            ("a list", b"[]\n", [invalid]),
            ("an empty object", b"{}\n", [invalid]),
            ("another version", b'{"jsonrpc":"1.0","id":1,"method":"vm.list"}\n', [invalid]),
            ("a method that is a number", b'{"jsonrpc":"2.0","id":1,"method":7}\n', [invalid]),
            ("params that are a number", b'{"jsonrpc":"2.0","id":1,"method":"vm.list","params":7}\n', [invalid]),
            ("an id that is a list", b'{"jsonrpc":"2.0","id":[],"method":"vm.list"}\n', [invalid]),
            ("two wrong ones", b"{}\n[]\n", [invalid, invalid]),
            ("a wrong one after a malformed one", b"x\n[]\n", [malformed]),
            ("an unknown method", call("vm.frobnicate"), [(-32601, "", "")]),
            ("too deep", call("vm.list").replace(b"}", b',"params":' + 16 * b"[" + 16 * b"]" + b"}"), [large]),
            ("a line without end", 70000 * b"x", [large]),
            ("half a line", b'{"jsonrpc":"2.0","id":1,"method":"vm.list"', []),
        ]
        control = [
            ("no VM", call("vm.show"), [parameter("vm")]),
            ("a VM that is a number", call("vm.show", {"vm": 7}), [parameter("vm")]),
            ("nobody's VM", call("vm.show", {"vm": "nowhere"}), [(1003, "NOT_FOUND", "nowhere")]),
            ("a name that is none", call("vm.create", {"name": "A", "brick": "empty", "owner": "alice"}), [parameter("name")]),
            ("a role that is none", call("user.add", {"name": "x", "role": "king", "public_key": "AAAA"}), [parameter("role")]),
            ("a key that is none", call("user.add", {"name": "x", "role": "owner", "public_key": "AAAA"}), [parameter("public_key")]),
        ]
        for words, data, wanted in rows + control:
            self.says(self.given["control"], "control.sock: " + words, data, wanted)
        self.done("JSON-RPC on control.sock")
        user = pwd.getpwnam("kiln-edge").pw_uid
        first = [(1005, "", "")]
        edge = [(f"{method} before hello", call(method, {}), first) for method in
                ("guest.register", "guest.token", "owner.request", "owner.channel", "owner.events", "bridge.redeem")]
        edge += [(f"hello {params}", call("edge.hello", params), [parameter(name)]) for params, name in (
            ({}, "certificate"), ({"version": "0"}, "certificate"), ({"version": "0", "certificate": "00"}, "certificate"))]
        edge += [("another's records", b'{"jsonrpc":"2.0","method":"link.data","params":{"link":1,"data":"AAAA"}}\n', []),
                 ("the end of all relays", b'{"jsonrpc":"2.0","method":"relay.closed","params":{"relay":1,"kind":"channel"}}\n', [])]
        for words, data, wanted in [row for row in rows if row[0] not in ("too deep", "a line without end")] + edge:
            self.says(self.given["edge"], "edge.sock: " + words, data.replace(b"vm.", b"no."), wanted, user)
        self.says(self.given["edge"], "a stranger", call("edge.hello", {}), [], pwd.getpwnam("nobody").pw_uid)
        self.done("JSON-RPC on edge.sock")

    # ---- the bridge ----

    def bridges(self):
        line = f"KILN/1 {HEX32}\r\n"
        rows = [("a ticket of nobody", line, "TICKET_WRONG")]
        rows += [(repr(text), text, "BAD_PARAMETER") for text in (
            line.lower(), line.replace("1 ", "2 "), line.replace(" ", "  ", 1), line.replace("0101\r", "010G\r"), line.replace("01\r\n", "01\n\n"),
            line.replace("01\r\n", "0101\r\n"), line.replace("01\r\n", "\r\n"), "SSH-2.0-OpenSSH_9.2\r\n", "GET / HTTP/1.1\r\n\r\n", "\r\n", "\0" * 80)]
        host, port = self.given["bridge"].rsplit(":", 1)
        for words, text, code in rows:
            sock = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
            sock.sendall(text.encode("latin-1"))
            said = all_of(sock).decode()
            claim(said.startswith(f"ERR {code} ") and said.endswith("\r\n"), f"{words}: {said!r}")
            self.served(words)
        self.done("bridge lines")

    # ---- the link ----

    def link_ends(self, words, spoil):
        """What SPOIL sends ends this link with 1008, and the VM comes again."""
        link = self.other
        link.begin()
        if not words.startswith("first"):
            link.open()
        spoil(link)
        code = link.peer.closed()
        claim(code == 1008, f"{words}: closed with {code}")
        self.served(words)

    def links(self):
        hello = b'{"jsonrpc":"2.0","id":1,"method":"guest.hello","params":{"controller":"0.1.0","state":"waiting"}}'

        def notice(method, **params):
            return lambda link: link.send(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode())

        def raw(make):
            return lambda link: link.peer.send(BINARY, make(link))

        for words, spoil in (
                ("first: nothing", raw(lambda link: b"")),
                ("first: a record of 39 bytes", raw(lambda link: link.record(hello)[:39])),
                ("first: another counter", raw(lambda link: link.record(hello, 1))),
                ("first: no MAC", raw(lambda link: bytes(40) + hello)),
                ("first: another body", raw(lambda link: link.record(hello)[:-1] + b" ")),
                ("first: no JSON", lambda link: link.send(b"nonsense")),
                ("the same again", raw(lambda link: link.record(hello, 0))),
                ("one that is left out", raw(lambda link: link.record(hello, link.count + 1))),
                ("a counter as large as there is", raw(lambda link: link.record(hello, (1 << 64) - 1))),
                ("no JSON", lambda link: link.send(b"{")),
                ("too deep", lambda link: link.send(20 * b"[" + 20 * b"]")),
                ("no UTF-8", lambda link: link.send(b'"\xff"')),
                ("a state that is a number", notice("guest.state", state=7, story="x")),
                ("a failure of no code", notice("guest.failure", code=7, detail="x")),
                ("a drive of nobody's", notice("guest.drive", drive="x", status="mounted", code="", detail="")),
                ("ready before its time", notice("guest.ready"))):
            self.link_ends(words, spoil)
        self.other.open()
        for words, body, code in (("a list", b"[]", -32600), ("an unknown method", b'{"jsonrpc":"2.0","id":3,"method":"guest.x"}', -32601)):
            self.other.send(body)
            answer = self.other.next(lambda message: "error" in message)
            claim(answer["error"]["code"] == code, f"{words}: {answer}")
            self.served(words)
        self.done("a VM's link")


def main(path):
    with open(path, encoding="utf-8") as file:
        rows = Rows(json.load(file))
    rows.heads()
    rows.registrations()
    rows.owners()
    rows.rpc()
    rows.bridges()
    rows.links()


if __name__ == "__main__":
    main(*sys.argv[1:])
