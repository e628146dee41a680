# What the namespace cases share: Kiln in a world of the case's own, VMs that merely sit in their BIOS, and their guests: the
# real stub and controller as processes, joined to the bridge where the VM would be.
#
#   in    run below tests/world/run; KILN_BIN, NS_BIN: folders of the programs and of the test programs
#   kept  as tests/e2e/lib.sh; guests in $GUESTS/VM: their root for firmware files, console, log
# shellcheck shell=bash
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

GUESTS=$HERE/guests
HOSTILE=$HERE/hostile
GUEST_API=10.77.0.1:8443
OWNER_API=127.0.0.1:9443
trap 'report $?' EXIT

# What a failed case leaves to read.
report() {
    [ "$1" -eq 0 ] && return
    tail -n 40 "$HERE"/log/*.log "$GUESTS"/*/{console,log} >&2 2>/dev/null || true
}

# ---- Kiln ----

# start_ns [hostile]: folders, a release, the daemons, an empty brick, alice. With "hostile" the edge is the hostile one. NS_CONF: what a case
# wants otherwise in the configuration, for jq.
start_ns() {
    write_config
    # A VM that never registers holds its place among those that boot.
    jq ".max_boots = 16 | ${NS_CONF:-.}" "$CONF" >"$CONF.new" && mv "$CONF.new" "$CONF"
    cp "${NS_BIN:?is the folder of the test programs}"/ns_* "$HERE/bin/"
    mkdir -p "$GUESTS" "$HOSTILE"
    chown kiln-edge "$HOSTILE"
    kiln release keygen "$HERE/release.key" >/dev/null
    publish_release 5 >/dev/null
    qemu-img create -q -f qcow2 "$POOL/empty.qcow2" 16M
    if [ "${1:-}" = hostile ]; then start_hostile; else start_kiln; fi
    kiln brick add empty --image empty.qcow2 --vcpus 1 --memory 64 --applications >/dev/null
    add_person alice owner >/dev/null 2>&1
    IDENTITY=$(kiln --json status | jq -r .identity)
}

start_hostile() {
    start_daemon kiln kilnd
    wait_for "kilnd's socket" 30 test -S "$RUN/control.sock"
    setsid setpriv --reuid kiln-edge --regid kiln-edge --init-groups -- \
        "$HERE/bin/ns_hostile_edge" "$CONF" "$HOSTILE/malice" </dev/null >>"$HERE/log/kiln-edge.log" 2>&1 &
    echo $! >"$HERE/kiln-edge.pid"
    disown
    wait_for "the hostile edge" 30 edge_is_up
}

# arm MALICE [WORDS]: the hostile edge does it once, at its next chance.
arm() {
    echo "$*" >"$HOSTILE/new"
    mv "$HOSTILE/new" "$HOSTILE/malice"
}

# await_malice WORDS: until what was armed is done.
await_malice() { wait_for "$1 to be done" 25 malice_is_done; }
malice_is_done() { [ ! -e "$HOSTILE/malice" ]; }

# said LOG TEXT: whether the log holds it; said_since looks only at what came after the mark.
said() { grep -qF -- "$2" "$1"; }
mark() { MARK=$(stat -c %s "$1" 2>/dev/null || echo 0); }
said_since() { grep -qF -- "$2" <(tail -c +$((MARK + 1)) "$1"); }

# ---- VMs ----

vm_json() { kiln --json vm show "$1"; }
vm_id() { vm_json "$1" | jq -r .id; }
vm_state() { vm_json "$1" | jq -r .state; }
vm_is() { [ "$(vm_state "$1")" = "$2" ]; }

# What of a VM must not change by what is done to it from outside.
vm_kept() { vm_json "$1" | jq -cS '{id, name, owner, brick, state, key, code, drives: [.drives[] | {id, name, mode, status}]}'; }
# Everything that kilnd keeps, for comparison: VMs, drives, users, bricks; and that its audit is whole.
host_kept() {
    for vm in $(kiln --json vm list | jq -r '.vms[].id' | sort); do vm_kept "$vm"; done
    kiln --json drive list
    kiln --json user list
    kiln --json brick list
}
# How often anything was changed, as the audit has it.
audit_count() { kiln --json audit list | jq '.entries | length'; }

# new_vm NAME [DRIVE...]: alice's, until its domain runs.
new_vm() {
    local name=$1
    shift
    create_vm alice "$name" empty "$@"
    wait_state "$name" booted 60 >/dev/null
}

# ---- guests ----

# make_root VM: the files of the VM's firmware, as its domain has them, and the boot secret of its present boot.
make_root() {
    local vm=$1 id root=$GUESTS/$1 xml boot
    id=$(vm_id "$vm")
    xml=$(virsh -c $URI dumpxml "kiln-$id")
    rm -rf "$root/sys"
    mkdir -p "$root"/{etc/kiln,sys/firmware/dmi/entries/11-0,sys/class/dmi/id,var/lib/kiln} \
        "$root/sys/firmware/qemu_fw_cfg/by_name/opt/org.kiln/boot-secret"
    cp "$HERE/release.key.pub" "$root/etc/kiln/release.pub"
    {
        printf '\x0b\x05\x00\x0b\x04'
        sed -n 's:.*<entry>\(kiln[^<]*\)</entry>.*:\1:p' <<<"$xml" | tr '\n' '\0'
        printf '\0'
    } >"$root/sys/firmware/dmi/entries/11-0/raw"
    echo "$id" >"$root/sys/class/dmi/id/product_uuid"
    boot=$(sed -n 's/.*<kiln:vm .* boot="\([0-9]*\)".*/\1/p' <<<"$xml")
    ns_peer boot-secret "$HERE/state/identity/master" "$id" "$boot" \
        >"$root/sys/firmware/qemu_fw_cfg/by_name/opt/org.kiln/boot-secret/raw"
    sed -n "s/.*<mac address='\([^']*\)'.*/\1/p" <<<"$xml" | head -1 >"$root/mac"
    vm_json "$vm" | jq -r .address >"$root/address"
    : >>"$root/console"
}

secret_of() { echo "$GUESTS/$1/sys/firmware/qemu_fw_cfg/by_name/opt/org.kiln/boot-secret/raw"; }

# start_guest VM: its stub, in a network of its own that is joined to the bridge as the VM's card is.
start_guest() {
    local vm=$1 root=$GUESTS/$1 port
    [ -e "$root/mac" ] || make_root "$vm"
    port=guest-$(cut -d. -f4 "$root/address")
    if [ ! -e "/run/netns/$vm" ]; then
        ip netns add "$vm"
        ip link add "$port" type veth peer name eth0 address "$(cat "$root/mac")" netns "$vm"
        ip link set "$port" master kiln0 up
        ip -n "$vm" addr add "$(cat "$root/address")/24" dev eth0
        ip -n "$vm" link set eth0 up
        ip -n "$vm" link set lo up
    fi
    setsid nsenter --net="/run/netns/$vm" -- unshare --mount --propagation private -- \
        "$PROJECT/tests/ns/guest" "$root" "$HERE/bin/kiln-stub" </dev/null >>"$root/log" 2>&1 &
    disown
}

# stop_guest VM: as a crash of the whole machine would; what the stub kept is gone with it.
stop_guest() { wait_for "the guest's end" 5 guest_is_killed "$1"; }
# Some end by themselves meanwhile, and some begin.
guest_is_killed() {
    ip netns pids "$1" | xargs -r kill -KILL || true
    [ -z "$(ip netns pids "$1")" ]
}

console_says() { grep -qE "^KILN-FAIL code=$2( |$)" "$GUESTS/$1/console"; }
# expect_console VM CODE: the guest refuses and says why on its console. The console is then emptied.
expect_console() {
    wait_for "$2 on the console of $1: $(cat "$GUESTS/$1/console")" 20 console_says "$1" "$2"
    : >"$GUESTS/$1/console"
}

# expect_ready VM: its true owner and its true guest pair, and the VM comes into use.
expect_ready() {
    connect alice unlock "$1" >/dev/null || fail "the true owner and the true guest of $1 do not pair"
    wait_state "$1" ready 30 >/dev/null
    says_ready "$1" || fail "$1 says that it is not ready"
}
