"""
What must be true after the torment, seen from outside: libvirt, processes, files, the network's addresses and filters, and
kilnd's records, each beside the others.

In: the VMs as they were ordered. Out: lists of words for each kind of breach. Kept: nothing.
"""
import collections
import glob
import os
import re
import subprocess
import time

from host import HERE, RUN, Away, Refused, ask, ask_all, shell
from vms import SHORT_S

URI = "qemu:///system"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def processes():
    """How many QEMUs run for each VM."""
    found = collections.Counter()
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                words = file.read().decode(errors="replace")
        except OSError:
            continue
        match = re.search("guest=kiln-(%s)" % UUID.pattern, words)
        if match:
            found[match.group(1)] += 1
    return found


def taps_of_domains():
    """The network devices of the domains that run, as libvirt notes them."""
    found = {}
    for path in glob.glob("/run/libvirt/qemu/kiln-*.xml"):
        with open(path) as file:
            for tap in re.findall(r"<target dev='(vnet\d+)'", file.read()):
                found[tap] = UUID.search(path).group(0)
    return found


def drives_of_domains():
    """The drives in the domains that run, as libvirt notes them: whose domain, which drive, whether it is written."""
    found = []
    for path in glob.glob("/run/libvirt/qemu/kiln-*.xml"):
        with open(path) as file:
            for disk in re.findall(r"<disk .*?</disk>", file.read(), re.DOTALL):
                drive = re.search("volume='drive-(%s)" % UUID.pattern, disk)
                if drive:
                    found.append((UUID.search(path).group(0), drive.group(1), "<readonly/>" not in disk))
    return found


class Sight:
    """One look at everything."""

    def __init__(self):
        self.records = {record["id"]: record for record in ask_all("vm.list", "vms")}
        self.drives = ask_all("drive.list", "drives")
        states = run("virsh", "-c", URI, "list", "--all")
        self.domains = dict(re.findall(r"kiln-(%s)\s+(\w+)" % UUID.pattern, states))
        self.processes = processes()
        self.volumes = {UUID.search(path).group(0) for path in glob.glob(HERE + "/pool/vm-*")}
        self.taps = set(re.findall(r"(vnet\d+)[:@]", run("ip", "-oneline", "link")))
        self.bindings = set(re.findall(r"vnet\d+", run("virsh", "-c", URI, "nwfilter-binding-list")))
        network = run("virsh", "-c", URI, "net-dumpxml", "kiln")
        self.leases = set(re.findall(r"<host mac='[^']*'.* ip='([^']*)'", network))
        self.secrets = {os.path.basename(path) for path in glob.glob(RUN + "/boot/*")}
        self.taps_used = taps_of_domains()
        self.attached = drives_of_domains()

    def alive(self):
        return {uuid: record for uuid, record in self.records.items() if record["state"] != "destroyed"}


def lost(sight, vms):
    """VMs that nobody ended and that are not there, or were ended before their time."""
    found = []
    for vm in vms:
        record = sight.records.get(vm.uuid)
        if not record:
            found.append("%s has no record" % vm.name)
        elif vm.kind == "short" and vm.ended_at and not vm.destroyed and vm.ended_at < vm.ordered_at + SHORT_S:
            found.append("%s ended %.1f s after its order: %s" % (vm.name, vm.ended_at - vm.ordered_at, record["detail"]))
        elif record["state"] == "destroyed" and not vm.doomed:
            found.append("%s: %s (%s)" % (vm.name, record["story"], record["detail"]))
        elif record["state"] != "destroyed" and sight.domains.get(vm.uuid) != "running":
            found.append("%s is %s and its domain %s" % (vm.name, record["state"], sight.domains.get(vm.uuid)))
    return found


def duplicated(sight, vms):
    """Two of what there may be one of."""
    found = ["%s has %d QEMUs" % (uuid, count) for uuid, count in sight.processes.items() if count > 1]
    names = collections.Counter(record["name"] for record in sight.records.values())
    found += ["%d VMs are named %s" % (count, name) for name, count in names.items() if count > 1]
    addresses = collections.Counter(record["address"] for record in sight.alive().values())
    found += ["%d VMs have the address %s" % (count, address) for address, count in addresses.items() if count > 1]
    ordered = {vm.uuid for vm in vms}
    found += ["%s was never ordered" % record["name"] for uuid, record in sight.records.items() if uuid not in ordered]
    for drive in sight.drives:
        writers = [holder for holder in drive["holders"] if holder["mode"] == "writer"]
        if len(writers) > 1:
            found.append("%s has %d writers" % (drive["name"], len(writers)))
        domains = [written for _, attached, written in sight.attached if attached == drive["id"]]
        if len(domains) > 1 and any(domains):
            found.append("%s is in %d domains, and is written" % (drive["name"], len(domains)))
    return found


RESTING = {"quiet": {"booted"}, "holder": {"booted"}, "guest": {"ready"}, "real": {"ready"}, "short": {"destroyed"}}


def stuck(sight, vms):
    """VMs that are not where one that is left in peace comes to rest, or wait for nobody, and ends that do not end."""
    found = []
    for vm in vms:
        record = sight.records.get(vm.uuid)
        if not record:
            continue
        waits = ask("vm.why", {"vm": vm.uuid})["waiting_for"]
        if record["state"] != "destroyed" and (vm.destroyed or vm.kind == "short"):
            found.append("%s is still %s" % (vm.name, record["state"]))
        elif record["state"] != "destroyed" and not vm.shot and record["state"] not in RESTING[vm.kind]:
            found.append("%s is %s: %s" % (vm.name, record["state"], record["detail"]))
        elif record["state"] == "destroyed":
            if waits.startswith("the end of"):
                found.append("%s waits for %s" % (vm.name, waits))
        elif record["unreachable"]:
            found.append("%s is unreachable" % vm.name)
        elif not waits or waits.startswith("another try"):
            found.append("%s waits for %s" % (vm.name, waits or "nobody"))
    return found


def drives_astray(sight, vms):
    """Drives in domains of VMs that do not hold them or whose owner never came; those that are not where they were mounted."""
    names = {vm.uuid: vm.name for vm in vms}
    paired = {vm.uuid for vm in vms if vm.kind in ("guest", "real")}
    held = {(holder["vm"], drive["id"], holder["mode"] == "writer") for drive in sight.drives for holder in drive["holders"]}
    attached = set(sight.attached)
    found = ["drive %s is in %s, which does not hold it so" % (drive, names.get(uuid, uuid))
             for uuid, drive, written in attached - held]
    found += ["drive %s is in %s, whose owner never came" % (drive, names.get(uuid, uuid))
              for uuid, drive, _ in attached if uuid not in paired]
    found += ["drive %s is not in %s" % (drive, names[uuid]) for uuid, drive, _ in held - attached
              if uuid in paired and uuid in sight.alive()]
    return found


def leaked(sight, vms):
    """What is there of VMs that are not, and drives where they should not be."""
    alive = sight.alive()
    found = []
    for what, uuids in (("domain", sight.domains), ("process", sight.processes), ("volume", sight.volumes),
                        ("boot secret", sight.secrets)):
        found += ["%s of %s" % (what, uuid) for uuid in uuids if uuid not in alive]
    found += ["volume of %s is missing" % uuid for uuid in alive if uuid not in sight.volumes]
    found += ["device %s" % tap for tap in sight.taps if sight.taps_used.get(tap) not in alive]
    found += ["filter of %s" % tap for tap in sight.bindings if sight.taps_used.get(tap) not in alive]
    addresses = {record["address"] for record in alive.values()}
    found += ["lease of %s" % address for address in sight.leases - addresses]
    found += ["no lease of %s" % address for address in addresses - sight.leases]
    found += ["no filter of %s" % tap for tap in sight.taps_used if tap not in sight.bindings]
    for drive in sight.drives:
        found += ["%s is held by %s" % (drive["name"], holder["vm"]) for holder in drive["holders"]
                  if holder["vm"] not in alive]
    return found + drives_astray(sight, vms)


def chain():
    """What is wrong with the audit."""
    verdict = ask("audit.verify", {}, 60)
    return [] if verdict["good"] else ["the audit chain breaks at entry %d" % verdict["at"]]


def in_use(vms, still_s):
    """Guests that their owner cannot reach any more, or that forgot something. A guest that was away comes again after waits
    that grow, so what is wrong counts when it has been so for STILL_S."""
    until = time.monotonic() + still_s
    while True:
        found = unusable(vms)
        if not found or time.monotonic() > until:
            return found


def unusable(vms):
    found = []
    for vm in vms:
        try:
            shell("connect", "alice", "unlock", vm.name)
            if vm.kind == "real":
                said = shell("in_vm", "alice", vm.name, "cat /drives/data-%s/home/researcher/note; "
                             "kill -0 $(cat /tmp/sleeper) && echo alive" % vm.name).split()
                if said != ["kept", "alive"]:
                    found.append("%s: its user finds %s" % (vm.name, said))
        except (Away, subprocess.TimeoutExpired) as error:
            found.append("%s: %s" % (vm.name, error))
    return found


def check(vms, still_s, limit_s, look):
    """Looks until nothing is wrong, or what is wrong has been the same for STILL_S, or LIMIT_S are over: a loaded machine may
    be slow, but not stand still. LOOK keeps the daemons up. Returns the breaches."""
    now = changed_at = time.monotonic()
    until, before = now + limit_s, None
    while True:
        look()
        try:
            vms.watch()
            sight = Sight()
            ordered = list(vms.vms)
            breaches = {"lost": lost(sight, ordered), "duplicated": duplicated(sight, ordered),
                        "stuck": stuck(sight, ordered), "leaked": leaked(sight, ordered)}
        except (Away, Refused, OSError, subprocess.CalledProcessError) as error:
            breaches = {"lost": [], "duplicated": [], "leaked": [],
                        "stuck": ["kilnd or libvirt does not answer: %s" % error]}
        now = time.monotonic()
        if breaches != before:
            before, changed_at = breaches, now
        if not any(breaches.values()) or now > changed_at + still_s or now > until:
            return breaches
        time.sleep(1)
