"""
The tormented host: its daemons, its disk, its clock, and kilnd's control socket.

In: what shall be done to them. Out: answers of kilnd. Kept: which process is which, and what was done to it by us.
"""
import glob
import json
import os
import select
import signal
import socket
import subprocess
import time

HERE = "/run/world/kiln"
RUN = "/run/kiln"
STATE = HERE + "/state"
CLOCK_FILE = "/run/world/clock"
LAST_ERRORS = 6
SHELL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shell")


class Away(Exception):
    """Nobody answered: what was asked may have happened or not."""


class Refused(Exception):
    """kilnd said no; the stable code."""


def say(words):
    print("%8.1f s  %s" % (time.monotonic() - say.began, words), flush=True)


say.began = time.monotonic()


def ask(method, params=None, timeout_s=5):
    """One call on the control socket."""
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(timeout_s)
            link.connect(RUN + "/control.sock")
            link.sendall(json.dumps(request).encode() + b"\n")
            line = link.makefile("rb").readline()
    except OSError as error:
        raise Away(str(error)) from error
    if not line.endswith(b"\n"):
        raise Away("the connection ended")
    answer = json.loads(line)
    if "error" in answer:
        raise Refused(answer["error"].get("data", {}).get("code", str(answer["error"])))
    return answer["result"]


def ask_all(method, key):
    """Every page of a list."""
    found, after = [], {}
    while True:
        page = ask(method, after, 20)
        found += page[key]
        if "next" not in page:
            return found
        after = {"after": page["next"]}


def clock_set(seconds):
    with open(CLOCK_FILE + ".new", "w") as file:
        file.write("%+d\n" % seconds)
    os.chmod(CLOCK_FILE + ".new", 0o644)
    os.rename(CLOCK_FILE + ".new", CLOCK_FILE)


def shell(*words, timeout_s=120):
    """A function of the shell tests' library. Raises when it fails."""
    done = subprocess.run([SHELL, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s,
                          check=False)
    if done.returncode:
        raise Away("%s: %s" % (" ".join(words), (done.stderr or done.stdout).strip()[-300:]))
    return done.stdout


class Daemon:
    """A daemon that is started again whenever it ends, as a host's service manager would."""

    def __init__(self, name, command):
        self.name, self.command, self.log = name, command, "%s/log/%s.log" % (HERE, name)
        self.process, self.pid, self.stopped, self.again_at, self.faults = None, None, False, 0, 0
        self.log_from = 0  # what it said since its start

    def start(self):
        log = open(self.log, "ab")
        self.log_from = log.tell()
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        start_new_session=True)
        log.close()
        self.pid, self.stopped = self.process.pid, False

    def kill(self):
        gone = os.pidfd_open(self.pid)
        os.kill(self.pid, signal.SIGKILL)
        select.select([gone], [], [])
        os.close(gone)
        if self.process:
            self.process.wait()
        self.start()

    def pause(self):
        os.kill(self.pid, signal.SIGSTOP)
        self.stopped = True

    def resume(self):
        if self.stopped:
            os.kill(self.pid, signal.SIGCONT)
        self.stopped = False

    def last_errors(self, count):
        with open(self.log, "rb") as log:
            log.seek(self.log_from)
            lines = log.read().decode(errors="replace").splitlines()
        return [line for line in lines if " error " in line][-count:]

    def look(self, excused):
        """Starts it again when it ended by itself, which is a fault unless the disk was full."""
        if not self.process or self.process.poll() is None or time.monotonic() < self.again_at:
            return
        say("%s ended by itself, status %d%s" % (self.name, self.process.returncode,
                                                  ": the disk is full" if excused else ""))
        for line in self.last_errors(LAST_ERRORS):
            say("  it said: %s" % line)
        self.faults += 0 if excused else 1
        self.again_at = time.monotonic() + 0.5
        self.start()


class Host:
    """All of it."""

    def __init__(self):
        conf = HERE + "/kiln.conf"
        clock_set(0)
        self.kilnd = Daemon("kilnd", self.command("kiln", "kilnd", conf))
        self.edge = Daemon("kiln-edge", self.command("kiln-edge", "kiln-edge", conf))
        self.libvirtd = Daemon("libvirtd", ["libvirtd"])
        with open("/run/libvirtd.pid") as file:
            self.libvirtd.pid = int(file.read())
        self.daemons = [self.kilnd, self.edge, self.libvirtd]
        self.full_until = 0

    @staticmethod
    def command(user, program, conf):
        return ["setpriv", "--reuid", user, "--regid", user, "--init-groups", "--", HERE + "/bin/" + program, "-c", conf]

    def disk_fill(self):
        block = b"\0" * 65536
        with open(STATE + "/filler", "wb", buffering=0) as file:
            for size in (len(block), 4096):
                try:
                    while True:
                        file.write(block[:size])
                except OSError:
                    continue
        self.full_until = float("inf")

    def disk_empty(self):
        if os.path.exists(STATE + "/filler"):
            os.unlink(STATE + "/filler")
        # A start that failed on the full disk may be reported a moment later.
        self.full_until = time.monotonic() + 2

    def look(self):
        for daemon in self.daemons:
            daemon.look(time.monotonic() < self.full_until)

    def calm(self):
        """Everything as it should be, from now on."""
        for daemon in self.daemons:
            daemon.resume()
        self.disk_empty()
        clock_set(0)

    def show_logs(self):
        """The end of each log, for whoever reads what went wrong."""
        for path in [daemon.log for daemon in self.daemons] + glob.glob("%s/guests/*/log" % HERE):
            tail = subprocess.run(["tail", "-n", "60", path], capture_output=True, text=True, check=False).stdout
            print("---- %s\n%s" % (path, tail), flush=True)

    def wait_up(self, limit_s=180):
        """Until kilnd answers, with libvirt and edge."""
        until = time.monotonic() + limit_s
        while time.monotonic() < until:
            self.look()
            try:
                status = ask("daemon.status")
                if status["libvirt"] == status["edge"] == "up":
                    return
            except Away:
                pass
            time.sleep(0.1)
        raise SystemExit("torture: kilnd, kiln-edge and libvirt are not up after %d s" % limit_s)
