"""
Torments a Kiln for a while, lets it rest, and counts what it lost.

In: SECONDS [SEED]; TORTURE_VMS, TORTURE_GUESTS, TORTURE_REAL in the environment. Out: what was done and when, and one last
line of counts; exit status 0 when the last four are 0. Kept: nothing. The seed decides what is done, when, and to whom
of those who are there; how fast the machine is decides who is there.
"""
import heapq
import os
import random
import sys
import threading
import time

import claims
from host import Away, Host, clock_set, say, shell
from vms import Vms, controllers, people_in, wait_states

STILL_S = 120  # a host that is left in peace and has more to do shows some of it done in this time
CRASHES_MAX, CRASH_SPAN_S = 5, 60  # of guest/stub.c
QUIET_S = 900  # how long it may take to settle
HOUR_S = 3600

# What is done, how often beside the others.
FATES = {"kill kilnd": 6, "kill kiln-edge": 4, "kill a controller": 4, "kill libvirtd": 2, "kill a QEMU": 4,
         "stop kilnd": 2, "stop kiln-edge": 1, "stop libvirtd": 1, "stop a controller": 1, "fill the disk": 2,
         "set the clock": 3}


def plan(source, seconds, real):
    """What will be done: (when, what, of whom as a fraction, for how long)."""
    planned, at = [], 0.5
    while at < seconds:
        what = source.choices(list(FATES), list(FATES.values()))[0]
        planned.append((at, what, source.random(), source.uniform(0.5, 4)))
        at += source.uniform(0.2, 1.6)
    # One of the real guests dies as a whole; the others are to live on.
    if real > 1:
        planned.append((source.uniform(0.3, 0.7) * seconds, "kill a real QEMU", source.random(), 0))
    return sorted(planned)


class Torment:
    """Does what is planned."""

    def __init__(self, host, vms):
        self.host, self.vms, self.kills, self.others, self.later = host, vms, 0, 0, []
        self.serial, self.controllers_killed = 0, {}  # by the name of the VM: when, lately

    def after(self, seconds, what):
        self.serial += 1
        heapq.heappush(self.later, (time.monotonic() + seconds, self.serial, what))

    def due(self):
        while self.later and self.later[0][0] <= time.monotonic():
            heapq.heappop(self.later)[2]()

    def victim(self, of_whom, *kinds):
        living = sorted(self.vms.living(*kinds), key=lambda vm: vm.ordered_at)
        return living[int(of_whom * len(living))] if living else None

    def kill_daemon(self, daemon):
        daemon.kill()
        return True

    def stop_daemon(self, daemon, seconds):
        daemon.pause()
        self.after(seconds, daemon.resume)
        return True

    def is_spared(self, vm):
        """A stub gives a controller up that crashes CRASHES_MAX times in CRASH_SPAN_S, as it should."""
        now = time.monotonic()
        recent = [at for at in self.controllers_killed.get(vm.name, []) if now - at < CRASH_SPAN_S]
        if len(recent) < CRASHES_MAX - 1:
            self.controllers_killed[vm.name] = recent + [now]
            return False
        return True

    def to_controller(self, of_whom, signal_number, seconds=0):
        vm = self.victim(of_whom, "guest")
        pids = controllers(vm) if vm else []
        if pids and signal_number == 9 and self.is_spared(vm):
            pids = []
        for pid in pids[:1]:
            os.kill(pid, signal_number)
            if seconds:
                self.after(seconds, lambda: resume(pid))
        return bool(pids)

    def shoot(self, of_whom, *kinds):
        vm = self.victim(of_whom, *kinds)
        return bool(vm) and self.vms.shoot(vm)

    def fill(self, seconds):
        self.host.disk_fill()
        self.after(seconds, self.host.disk_empty)
        return True

    def set_clock(self, of_whom):
        clock_set((-HOUR_S, 0, HOUR_S)[int(of_whom * 3)])
        return True

    def do(self, what, of_whom, seconds):
        host = self.host
        deeds = {
            "kill kilnd": lambda: self.kill_daemon(host.kilnd),
            "kill kiln-edge": lambda: self.kill_daemon(host.edge),
            "kill libvirtd": lambda: self.kill_daemon(host.libvirtd),
            "kill a controller": lambda: self.to_controller(of_whom, 9),
            "kill a QEMU": lambda: self.shoot(of_whom, "quiet", "holder", "guest"),
            "kill a real QEMU": lambda: self.shoot(of_whom, "real"),
            "stop kilnd": lambda: self.stop_daemon(host.kilnd, seconds),
            "stop kiln-edge": lambda: self.stop_daemon(host.edge, seconds),
            "stop libvirtd": lambda: self.stop_daemon(host.libvirtd, seconds),
            "stop a controller": lambda: self.to_controller(of_whom, 19, seconds),
            "fill the disk": lambda: self.fill(seconds),
            "set the clock": lambda: self.set_clock(of_whom),
        }
        done = deeds[what]()
        say("%s%s" % (what, "" if done else ": there is none now"))
        if done and what.startswith("kill"):
            self.kills += 1
        elif done:
            self.others += 1

    def run(self, planned):
        began = time.monotonic()
        for at, what, of_whom, seconds in planned:
            while time.monotonic() < began + at:
                self.due()
                self.host.look()
                time.sleep(0.02)
            self.do(what, of_whom, seconds)
        while self.later:
            self.due()
            self.host.look()
            time.sleep(0.02)


def resume(pid):
    try:
        os.kill(pid, 18)
    except ProcessLookupError:
        pass


def populate(vms, guests, real):
    """Everyone who is there before it begins."""
    made = [vms.make("guest") for _ in range(guests)]
    for number in range(real):
        name = "real-%d" % number
        shell("create_drive", "alice", "data-" + name)
        made.append(vms.make("real", name, "plain", "data-" + name))
    made += [vms.make("quiet") for _ in range(vms.wanted)]
    wait_states([vm for vm in made if vm.kind != "real"], ("booted",), 900)
    say("%d VMs are booted" % len(made))
    people_in(made)
    for vm in made:
        if vm.kind == "real":
            shell("in_vm", "alice", vm.name, "echo kept >/drives/data-%s/home/researcher/note; "
                  "(exec setsid sleep 100000 >/dev/null 2>&1 </dev/null) & echo $! >/tmp/sleeper" % vm.name)


def main():
    seconds = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 31)
    wanted, guests, real = (int(os.environ.get("TORTURE_" + key, most)) for key, most in
                            (("VMS", 187), ("GUESTS", 10), ("REAL", 3)))
    print("torture: seed %d, %d s, %d VMs, %d of them with a controller, %d in a real QEMU" %
          (seed, seconds, wanted + guests + real, guests, real), flush=True)
    host, vms = Host(), Vms(random.Random(seed + 1), wanted)
    host.kilnd.start()
    host.edge.start()
    host.wait_up()
    vms.prepare(4)
    if real:
        shell("add_brick", "plain", "--memory", "512", "--vcpus", "1")
    populate(vms, guests, real)
    say("the torment begins")
    torment = Torment(host, vms)
    threads = [threading.Thread(target=target, daemon=True) for target in (vms.churn, vms.watch_on)]
    for thread in threads:
        thread.start()
    torment.run(plan(random.Random(seed), seconds, real))
    say("quiet")
    vms.stop.set()
    host.calm()
    host.wait_up()
    for thread in threads:
        thread.join(60)
    sys.exit(verdict(host, vms, torment))


def verdict(host, vms, torment):
    breaches = claims.check(vms, STILL_S, QUIET_S, host.look)
    say("looked at everything")
    breaches["lost"] += claims.chain()
    breaches["stuck"] += claims.in_use(vms.living("guest", "real"), STILL_S)
    breaches["stuck"] += ["%s ended by itself %d times" % (daemon.name, daemon.faults)
                          for daemon in (host.kilnd, host.edge) if daemon.faults]
    for kind, words in breaches.items():
        for line in words:
            print("%s: %s" % (kind, line))
    print("torture: beside the kills %d processes were stopped, disks filled or clocks set; libvirtd ended by itself %d "
          "times; refused orders: %s" % (torment.others, host.libvirtd.faults, vms.refusals or "none"))
    if any(breaches.values()):
        host.show_logs()
    counts = tuple(len(breaches[kind]) for kind in ("lost", "duplicated", "stuck", "leaked"))
    print("torture: %d kills, %d VMs, %d lost, %d duplicated, %d stuck, %d leaked" %
          ((torment.kills, len(vms.vms)) + counts), flush=True)
    return 1 if any(counts) else 0


if __name__ == "__main__":
    try:
        main()
    except Away as error:
        sys.exit("torture: %s" % error)
