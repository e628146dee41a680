"""
Prints the figures of a kilnd with many VMs as a table, each with what was measured.

In: KILN_BIN, BENCH_BIN (folders of programs), BENCH_VMS (10000). Out: the table. Kept: nothing; a folder of its own in TMPDIR or
/var/tmp holds the store, and is removed, also after Ctrl-C.
"""
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

VMS = int(os.environ.get("BENCH_VMS", "10000"))
BOOTS, ROUNDS, ORDERS, SWEEP_S, LISTS = 200, 5, 2000, 32, 5
KILN, BENCH = os.environ["KILN_BIN"], os.environ["BENCH_BIN"]


class Link:
    """A JSON-RPC connection."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.settimeout(300)
        self.lines = self.socket.makefile("rb")
        self.number = 0

    def request(self, method, params):
        self.number += 1
        request = {"jsonrpc": "2.0", "id": self.number, "method": method, "params": params}
        return json.dumps(request).encode() + b"\n"

    def line(self):
        line = self.lines.readline()
        if not line:
            raise SystemExit("bench: kilnd ended the connection")
        return line

    def take(self):
        return json.loads(self.line())

    def ask(self, method, params=None):
        self.socket.sendall(self.request(method, params or {}))
        while True:
            said = self.take()
            if said.get("id") == self.number:
                return said["result"]


class Kilnd:
    """A kilnd on the folder, with an edge that has said hello."""

    def __init__(self, folder):
        self.folder = folder
        self.log = open(folder + "/log", "ab")
        environment = dict(os.environ, KILN_BENCH_DOMAINS=folder + "/domains", KILN_BENCH_TURNS=folder + "/run/turns")
        self.began = time.monotonic()
        self.process = subprocess.Popen([BENCH + "/bench_kilnd", "-c", folder + "/kiln.conf"], env=environment,
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        try:
            self.control = self.first_answer()
        except BaseException:
            self.end()
            raise
        self.answering_s = time.monotonic() - self.began
        self.edge = Link(folder + "/run/edge.sock")
        self.edge.ask("edge.hello", {"version": "0", "certificate": "07" * 32, "relays": []})

    def first_answer(self):
        while self.process.poll() is None:
            try:
                link = Link(self.folder + "/run/control.sock")
                link.ask("daemon.status")
                return link
            except OSError:
                time.sleep(0.0005)
        raise SystemExit("bench: kilnd ended: see " + self.folder + "/log")

    def until(self, what):
        while not what(self.control.ask("daemon.status")):
            time.sleep(0.005)
        return time.monotonic() - self.began

    def resident_kib(self):
        with open("/proc/%d/status" % self.process.pid) as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

    def turns_reset(self):
        os.unlink(self.folder + "/run/turns")

    def turns(self):
        """Tries, those that waited over 20 ms, the longest wait in ms."""
        time.sleep(0.3)
        with open(self.folder + "/run/turns") as file:
            tries, late, longest_us = map(int, file.read().split())
        return tries, late, longest_us / 1000

    def kiln(self, *words):
        return subprocess.run([KILN + "/kiln", "--socket", self.folder + "/run/control.sock", *words], check=True,
                              stdout=subprocess.PIPE, text=True).stdout

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.log.close()


def configure(folder):
    for name in ("state", "release", "web", "lmdb", "edge"):
        os.mkdir("%s/%s" % (folder, name))
    conf = {"state_dir": folder + "/state", "run_dir": folder + "/run", "release_dir": folder + "/release",
            "edge_state_dir": folder + "/edge", "web_dir": folder + "/web", "libvirt_uri": "test:///default",
            "pool_path": folder, "domain_type": "qemu", "network": {"subnet": "10.77.0.0/16"}, "max_boots": 1024,
            "log_level": "warning", "operators": [os.getuid()], "deadlines_s": {"booted": 0, "image-created": 0}}
    with open(folder + "/kiln.conf", "w") as file:
        json.dump(conf, file)
    open(folder + "/domains", "w").close()
    key = folder + "/user"
    subprocess.run(["openssl", "genrsa", "-out", key + ".key", "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", key + ".key", "-pubout", "-out", key + ".pem"], check=True, capture_output=True)


def prepare(folder):
    """A store with a user, a brick and VMS VMs. Returns what an empty kilnd takes, in KiB."""
    kilnd = Kilnd(folder)
    kilnd.kiln("user", "add", "alice", "--role", "owner", "--key", folder + "/user.pem")
    kilnd.kiln("brick", "add", "empty", "--image", "empty.qcow2", "--vcpus", "1", "--memory", "64")
    empty_kib = kilnd.resident_kib()
    kilnd.end()
    subprocess.run([BENCH + "/bench_fill", folder + "/state/store", folder + "/domains", "empty", str(VMS)], check=True)
    return empty_kib


def order(kilnd, prefix, count, state):
    """Orders COUNT VMs at once and waits until each is in STATE. Returns changes and seconds."""
    watch, control = Link(kilnd.folder + "/run/control.sock"), kilnd.control
    watch.ask("vm.watch", {})
    orders = b"".join(control.request("vm.create", {"owner": "alice", "name": "%s-%d" % (prefix, number), "brick": "empty"})
                      for number in range(count))
    # What is told is not read for more than this: the processors are kilnd's.
    wanted = b'"to":"%s"' % state.encode()
    began, there, changes = time.monotonic(), 0, 0
    control.socket.sendall(orders)
    while there < count:
        there += wanted in watch.line()
        changes += 1
    seconds = time.monotonic() - began
    for _ in range(count):
        if "error" in control.take():
            raise SystemExit("bench: an order was refused")
    return changes, seconds


def lmdb_rate(folder):
    said = subprocess.run([BENCH + "/bench_lmdb", folder + "/lmdb", "3"], check=True, capture_output=True, text=True)
    return float(said.stdout)


def measure(folder):
    """The rows of the table."""
    rows, empty_kib = [], prepare(folder)
    kilnd = Kilnd(folder)
    try:
        rows.append(("start to answering", "%.0f ms" % (kilnd.answering_s * 1000), "50 ms",
                     "exec to the answer of daemon.status"))
        reconciled_s = kilnd.until(lambda status: status["libvirt"] == "up" and status["recovering"] == 0)
        rows.append(("start to fully reconciled", "%.2f s" % reconciled_s, "5 s",
                     "exec to daemon.status with no VM recovering, all domains running"))
        rows.append(("resident memory a VM", "%.1f KiB" % ((kilnd.resident_kib() - empty_kib) / VMS), "64 KiB",
                     "VmRSS less that of a kilnd with no VM"))
        rows += lists(kilnd) + loops(kilnd) + transitions(kilnd, folder)
    finally:
        kilnd.end()
    return rows


def lists(kilnd):
    times = []
    for _ in range(LISTS):
        began = time.monotonic()
        listed = kilnd.kiln("--json", "vm", "list")
        times.append(time.monotonic() - began)
        if listed.count('"deadline"') != VMS:
            raise SystemExit("bench: the list has %d VMs" % listed.count('"deadline"'))
    return [("kiln vm list --json", "%.0f ms" % (statistics.median(times) * 1000), "100 ms",
             "the whole command, median of %d; %.1f MB" % (LISTS, len(listed) / 1e6))]


def loops(kilnd):
    kilnd.turns_reset()
    time.sleep(SWEEP_S)
    tries, _, longest_ms = kilnd.turns()
    rows = [("longest loop turn of a full sweep", "%.1f ms" % longest_ms, "20 ms",
             "%d tries, one a ms, over %d s with one sweep" % (tries, SWEEP_S))]
    kilnd.turns_reset()
    seconds = sum(order(kilnd, "boot-%d" % round, BOOTS, "booted")[1] for round in range(ROUNDS)) / ROUNDS
    tries, late, longest_ms = kilnd.turns()
    rows.append(("loop turns under 20 ms while %d VMs boot" % BOOTS, "%.2f %%" % (100 - 100 * late / tries), "99.9 %",
                 "%d of %d tries waited longer, %.0f ms at most; %d times, each in %.2f s" % (late, tries, longest_ms, ROUNDS, seconds)))
    return rows


def transitions(kilnd, folder):
    before = lmdb_rate(folder)
    changes, seconds = order(kilnd, "order", ORDERS, "image-created")
    single = (before + lmdb_rate(folder)) / 2
    return [("durable transitions a second", "%.0f" % (changes / seconds), "10 times those below",
             "%d changes of %d VMs ordered at once: %.1f times" % (changes, ORDERS, changes / seconds / single)),
            ("single-put LMDB transactions a second", "%.0f" % single, "", "600 bytes, synced, same disk, before and after")]


def main():
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), lambda *_: sys.exit(1))
    folder = tempfile.mkdtemp(prefix="kiln-bench-", dir=os.environ.get("TMPDIR", "/var/tmp"))
    # Sockets and boot secrets are in memory, as in /run.
    run = tempfile.mkdtemp(prefix="kiln-bench-", dir="/dev/shm")
    os.symlink(run, folder + "/run")
    try:
        configure(folder)
        print("%d VMs in the store, %d cores, %s" % (VMS, os.cpu_count(), time.strftime("%Y-%m-%d")), flush=True)
        rows = [("figure", "is", "shall be", "measured")] + measure(folder)
    finally:
        shutil.rmtree(folder)
        shutil.rmtree(run)
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)) + "  " + row[3])


if __name__ == "__main__":
    main()
