"""
What the torment orders of kilnd, and what it may therefore expect.

In: a random source, kilnd. Out: orders. Kept: every VM that kilnd said it made, and what was done to it since.
An order that nobody answered is asked again until it is, so each has one known outcome.
"""
import signal
import os
import subprocess
import threading
import time

from host import Away, Refused, ask, ask_all, say, shell

SHORT_S = 20  # the registration deadline of the brick `short`
BRICKS = {"short": ["--deadlines", "booted=%d" % SHORT_S], "empty": []}


class Vm:
    """KIND: quiet (a domain and no more), short (its deadline will end it), holder (with a drive), guest (with a real
    controller), real (a real guest in a real QEMU)."""

    def __init__(self, name, kind, uuid, ordered_at):
        self.name, self.kind, self.uuid = name, kind, uuid
        self.ordered_at = ordered_at  # first; kilnd may have made it then, and only its answer was lost
        self.destroyed = False  # we asked for its end
        self.shot = False       # we killed its QEMU
        self.ended_at = None    # when kilnd was first seen to call it destroyed

    @property
    def doomed(self):
        return self.destroyed or self.shot or self.kind == "short"


def persist(what, *words, stop=None, **params):
    """Asks until there is an answer. None when STOP is set first."""
    while True:
        try:
            return ask(what, params)
        except Away:
            if stop is not None and stop.is_set():
                return None
            time.sleep(0.2)


class Vms:
    """The population."""

    def __init__(self, random, wanted):
        self.random, self.wanted = random, wanted
        self.vms, self.drives, self.lock = [], [], threading.Lock()
        self.count, self.refusals, self.stop = 0, {}, threading.Event()

    def prepare(self, drives):
        for brick, options in BRICKS.items():
            words = ["kiln", "brick", "add", brick, "--image", "empty.qcow2", "--vcpus", "1", "--memory", "64",
                     "--applications", *options]
            shell("env", *words)
        shell("add_person", "alice", "owner")
        for number in range(drives):
            shell("create_drive", "alice", "drive-%d" % number)
            self.drives.append("drive-%d" % number)

    def living(self, *kinds):
        with self.lock:
            return [vm for vm in self.vms if not vm.doomed and (not kinds or vm.kind in kinds)]

    def make(self, kind, name=None, brick=None, drive=None):
        """Orders one; None when kilnd refused, as it may (no address left, the drive is held)."""
        with self.lock:
            self.count += 1
            name = name or "%s-%d" % (kind, self.count)
        order = {"owner": "alice", "name": name, "brick": brick or ("short" if kind == "short" else "empty")}
        if drive:
            order["drives"] = [{"drive": drive}]
        ordered_at = time.monotonic()
        while True:
            try:
                uuid = ask("vm.create", order)["id"]
            except Refused as refused:
                # Asked before, and only the answer was lost.
                if str(refused) != "ALREADY_EXISTS":
                    self.refusals[str(refused)] = self.refusals.get(str(refused), 0) + 1
                    if str(refused) in ("STORE_FAILED", "DISK_FULL"):
                        time.sleep(0.5)
                        continue
                    return None
                uuid = persist("vm.show", vm=name)["id"]
            except Away:
                time.sleep(0.2)
                continue
            vm = Vm(name, kind, uuid, ordered_at)
            with self.lock:
                self.vms.append(vm)
            return vm

    def destroy(self, vm, force):
        vm.destroyed = True
        while True:
            try:
                persist("vm.destroy", vm=vm.uuid, force=force, reason="the torment")
                return
            except Refused as refused:
                self.refusals[str(refused)] = self.refusals.get(str(refused), 0) + 1
                time.sleep(0.5)

    def make_some_order(self):
        die = self.random.random()
        if die < 0.12:
            self.make("short")
        elif die < 0.3 and self.drives:
            self.make("holder", drive=self.random.choice(self.drives))
        else:
            self.make("quiet")

    def churn(self):
        """Orders and destroys until told to stop, around the wanted number."""
        while not self.stop.is_set():
            living = self.living("quiet", "holder")
            if len(living) < self.wanted or not living:
                self.make_some_order()
            else:
                self.destroy(self.random.choice(living), self.random.random() < 0.2)
            self.stop.wait(self.random.uniform(0.05, 0.5))

    def watch_on(self):
        """Watches until told to stop."""
        while not self.stop.wait(1):
            try:
                self.watch()
            except (Away, Refused):
                continue

    def watch(self):
        """Notes when VMs are first seen destroyed."""
        records = {record["id"]: record for record in ask_all("vm.list", "vms")}
        with self.lock:
            for vm in self.vms:
                record = records.get(vm.uuid)
                if vm.ended_at is None and record and record["state"] == "destroyed":
                    vm.ended_at = time.monotonic()

    def shoot(self, vm):
        """kill -9 of its QEMU; False when it has none now."""
        try:
            with open("/run/libvirt/qemu/kiln-%s.pid" % vm.uuid) as file:
                pid = int(file.read())
            vm.shot = True
            os.kill(pid, signal.SIGKILL)
        except (OSError, ValueError):
            vm.shot = False
            return False
        if vm.kind == "guest":
            machine_end(vm)
        return True


def machine_end(vm):
    """The processes that are the inside of a VM end with it."""
    pids = subprocess.run(["ip", "netns", "pids", vm.name], capture_output=True, text=True, check=False).stdout.split()
    for pid in pids:
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass


def controllers(vm):
    """Pids of the controller in a VM's namespace."""
    found = []
    pids = subprocess.run(["ip", "netns", "pids", vm.name], capture_output=True, text=True, check=False).stdout.split()
    for pid in pids:
        try:
            with open("/proc/%s/comm" % pid) as file:
                if file.read().startswith("kiln-controller"):
                    found.append(int(pid))
        except OSError:
            pass
    return found


def wait_states(vms, states, limit_s):
    """Until each VM is in one of STATES; says which are not and raises after LIMIT_S."""
    until = time.monotonic() + limit_s
    missing = vms
    while missing:
        try:
            records = {record["id"]: record for record in ask_all("vm.list", "vms")}
            missing = [vm for vm in vms if records[vm.uuid]["state"] not in states]
            for vm in missing:
                if records[vm.uuid]["state"] == "destroyed":
                    raise SystemExit("torture: %s ended early: %s" % (vm.name, records[vm.uuid]))
        except Away:
            pass
        if missing and time.monotonic() > until:
            raise SystemExit("torture: not %s after %d s: %s" % (states, limit_s, [vm.name for vm in missing]))
        time.sleep(0.5)


def people_in(vms):
    """Gives guests their controllers and pairs their owner with them, until each is in use."""
    guests = [vm for vm in vms if vm.kind == "guest"]
    for vm in guests:
        shell("start_guest", vm.name)
    live = [vm for vm in vms if vm.kind in ("guest", "real")]
    wait_states(live, ("registered", "ready"), 300)
    for vm in live:
        formats = ["--format", "data-" + vm.name] if vm.kind == "real" else []
        shell("connect", "alice", "unlock", vm.name, *formats)
        say("%s is in use" % vm.name)
    wait_states(live, ("ready",), 120)
