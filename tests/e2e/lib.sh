# What the end-to-end scripts share: a Kiln in this world, its people, and waiting for what it does.
#
#   in    run below tests/world/run; KILN_BIN: the folder of the programs as built
#   kept  everything below $HERE (daemons' state, pool, keys, logs), for as long as the world lives
# shellcheck shell=bash
set -euo pipefail

PROJECT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HERE=/run/world/kiln
POOL=$HERE/pool
CONF=$HERE/kiln.conf
RUN=/run/kiln
URI=qemu:///system
PATH=$HERE/bin:$PATH
BEGAN_MS=$(date +%s%3N)
# Limits of waiting are said as for a machine that does nothing else. One that emulates several VMs on two cores gets this many
# times as long: a limit is there to end a test that has failed, never to fail one.
PATIENCE=5
# What a shell in a VM writes does not depend on the terminal of whoever runs the tests.
export TERM=dumb

now_ms() { date +%s%3N; }
since_s() { printf '%d.%d' $((($(now_ms) - $1) / 1000)) $((($(now_ms) - $1) % 1000 / 100)); }
step() { printf '%7s s  %s\n' "$(since_s "$BEGAN_MS")" "$*"; }
fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# expect WORDS COMMAND...: the command succeeds, or the test fails and says what it was about.
expect() {
    local words=$1
    shift
    "$@" || fail "$words: $*"
}

# expect_refused CODE COMMAND...: the command fails, and says the stable code CODE.
expect_refused() {
    local code=$1 output
    shift
    if output=$("$@" 2>&1); then fail "not refused: $*"; fi
    [[ $output == *"$code"* ]] || fail "refused, but not with $code: $*: $output"
}

# has GREP-ARG...: whether grep finds it in the standard input, which it reads to the end. `grep -q` does not, and then what writes into
# the pipe may end by SIGPIPE, which counts for the pipe.
has() { grep "$@" >/dev/null; }

# ---- daemons ----

# The programs are copied to where users other than root find them, whoever built them.
write_config() {
    [ -n "${KILN_WORLD:-}" ] || fail "not in a world: run it by tests/world/run"
    mkdir -p "$HERE"/{bin,state,edge,release,log,people,web} "$POOL" "$RUN"
    cp "${KILN_BIN:?is the folder of the programs}"/kiln* "$HERE/bin/"
    [ ! -d "$KILN_BIN/../web" ] || cp -r "$KILN_BIN/../web/." "$HERE/web/"
    chmod 0711 "$HERE"
    chmod 0755 "$POOL" "$RUN"
    chown kiln:kiln "$HERE/state" "$RUN" "$POOL"
    chown kiln-edge:kiln-edge "$HERE/edge"
    chmod 0700 "$HERE/state" "$HERE/edge"
    cat >"$CONF" <<CONF
{
  "state_dir": "$HERE/state",
  "edge_state_dir": "$HERE/edge",
  "release_dir": "$HERE/release",
  "run_dir": "$RUN",
  "web_dir": "$HERE/web",
  "pool": "kiln",
  "pool_path": "$POOL",
  "domain_type": "$KILN_DOMAIN_TYPE",
  "log_level": "debug",
  "operators": ["root"]
}
CONF
}

# start_daemon USER PROGRAM: in the background, its log in $HERE/log; its pid in $HERE/PROGRAM.pid.
start_daemon() {
    local user=$1 program=$2
    setsid setpriv --reuid "$user" --regid "$user" --init-groups -- \
        "$HERE/bin/$program" -c "$CONF" </dev/null >>"$HERE/log/$program.log" 2>&1 &
    echo $! >"$HERE/$program.pid"
    disown
}

# The daemons' sockets appear when they are ready for them; inotify tells, so nothing is slept for.
start_kiln() {
    start_daemon kiln kilnd
    wait_for "kilnd's socket" 30 test -S "$RUN/control.sock"
    start_daemon kiln-edge kiln-edge
    wait_for "the edge" 30 edge_is_up
}

edge_is_up() { ask daemon.status '{}' | jq -e '.edge == "up" and .libvirt == "up"' >/dev/null; }

# stop_daemon PROGRAM: asks it to end and waits until it has.
stop_daemon() {
    local pid
    pid=$(cat "$HERE/$1.pid")
    kill -TERM "$pid" 2>/dev/null || return 0
    tail --pid="$pid" -f /dev/null
}

# kill_daemon PROGRAM: it ends as in a crash. Its sockets are free when it is gone, not when it is told to go.
kill_daemon() {
    local pid
    pid=$(cat "$HERE/$1.pid")
    kill -KILL "$pid"
    tail --pid="$pid" -f /dev/null
}

# wait_for WORDS LIMIT_S COMMAND...: until the command succeeds. For what announces itself by no event.
wait_for() {
    local words=$1 limit_ms=$(($2 * PATIENCE * 1000)) began
    shift 2
    began=$(now_ms)
    until "$@" 2>/dev/null; do
        [ $(($(now_ms) - began)) -lt "$limit_ms" ] || fail "waited $((limit_ms / 1000)) s for $words"
        read -r -t 0.1 <> <(:) || true
    done
}

# ---- bricks and people ----

# Everything that comes before the daemons: folders, configuration, a release key, a published controller, the plain brick's
# volumes in the pool.
prepare_kiln() {
    write_config
    kiln release keygen "$HERE/release.key"
    publish_release 1
    make_brick plain
}

# publish_release VERSION: this build's controller, signed, where the edge serves it.
publish_release() {
    echo '{}' >"$HERE/guest.conf"
    strip -o "$HERE/kiln-controller" "$HERE/bin/kiln-controller"
    kiln release publish --key "$HERE/release.key" --dir "$HERE/release" --version "$1" --config "$HERE/guest.conf" \
        --controller "x86_64=$HERE/kiln-controller"
}

# make_brick VARIANT: builds a brick and moves its files into the pool as VARIANT.qcow2, VARIANT.vmlinuz, VARIANT.initrd.
make_brick() {
    local variant=$1 made=$HERE/brick-$1
    "$PROJECT/guest/brick/build" --stub "$HERE/bin/kiln-stub" --release-key "$HERE/release.key.pub" --variant "$variant" --out "$made"
    mv "$made/image.qcow2" "$POOL/$variant.qcow2"
    mv "$made/vmlinuz" "$POOL/$variant.vmlinuz"
    mv "$made/initrd" "$POOL/$variant.initrd"
}

# add_brick VARIANT [OPTION...]: tells kilnd of a brick that make_brick made.
add_brick() {
    local variant=$1
    shift
    kiln brick add "$variant" --image "$variant.qcow2" --kernel "$variant.vmlinuz" --initrd "$variant.initrd" \
        --cmdline "$(cat "$HERE/brick-$variant/cmdline")" --vcpus 2 --memory 768 --applications "$@" >/dev/null
}

# connect PERSON WORD...: kiln-connect as that person, who has no rights on this machine.
connect() {
    local person=$1
    shift
    setpriv --reuid nobody --regid nogroup --clear-groups -- env HOME=/nonexistent \
        kiln-connect --profile "$HERE/people/$person" --passphrase-fd 3 "$@" 3<"$HERE/people/$person.pass"
}

# add_person NAME ROLE: makes the person's key, tells kilnd of it and has the person pin the host's identity.
add_person() {
    local name=$1 role=$2 identity
    install -d -o nobody -g nogroup -m 0700 "$HERE/people/$name"
    head -c 18 /dev/urandom | base64 >"$HERE/people/$name.pass"
    connect "$name" key new >/dev/null
    kiln user add "$name" --role "$role" --key "$HERE/people/$name/public.pem"
    identity=$(kiln --json status | jq -r .identity)
    connect "$name" --url https://127.0.0.1:9443 --host-identity "$identity" me >/dev/null
}

# ---- VMs ----

# create_drive PERSON NAME [SIZE]
create_drive() { connect "$1" drive new "$2" --size "${3:-64MiB}" >/dev/null; }

# create_vm PERSON NAME BRICK [DRIVE...]
create_vm() {
    local person=$1 name=$2 brick=$3 drive words=()
    shift 3
    for drive; do words+=(--drive "$drive"); done
    connect "$person" create "$name" --brick "$brick" "${words[@]}" >/dev/null
}

# create_ready_vm PERSON NAME BRICK [DRIVE...]: until it is ready; its drives are new and are formatted.
create_ready_vm() {
    local person=$1 name=$2 drive words=()
    create_vm "$@"
    wait_state "$name" registered 120 >/dev/null
    shift 3
    for drive; do words+=(--format "$drive"); done
    connect "$person" unlock "$name" "${words[@]}" >/dev/null
    wait_state "$name" ready 60 >/dev/null
}

destroy_vm() {
    connect "$1" destroy "$2" >/dev/null
    wait_state "$2" destroyed 30 >/dev/null
    expect_gone "$2"
}

# in_vm PERSON VM COMMAND: runs it by ssh through the bridge, as the VM's user.
in_vm() { connect "$1" ssh "$2" -- "$3"; }

# as_root_in PERSON VM SCRIPT: has root of a VM of the brick "door" run it; its output and its exit status.
as_root_in() {
    local answer
    answer=$(in_vm "$1" "$2" 'mkdir -p /tmp/door && rm -f /tmp/door/answer && mkfifo /tmp/door/answer &&
        cat >/tmp/door/new && mv /tmp/door/new /tmp/door/script && cat /tmp/door/answer' <<<"$3")
    sed '$d' <<<"$answer"
    return "$(sed -n '$s/^status //p' <<<"$answer")"
}

domain_of() { echo "kiln-$(kiln --json vm show "$1" | jq -r .id)"; }

# expect_gone VM: nothing of a destroyed VM is left in libvirt or on the network, and its drives are free.
expect_gone() {
    local id
    id=$(kiln --json vm show "$1" | jq -r .id)
    wait_for "the end of $1's remains" 60 nothing_left "$id"
}

nothing_left() {
    local left held
    left=$(leftovers)
    held=$(kiln --json drive list)
    [[ $left != *"$1"* ]] && ! jq -e --arg vm "$1" 'any(.drives[].holders[]; .vm == $vm)' <<<"$held" >/dev/null
}

# says_ready VM: what the VM itself says to its owner. kilnd's record stays ready while a controller is started again.
says_ready() { connect "${2:-alice}" --json status "$1" | jq -e '.state == "ready"' >/dev/null; }

# ---- kilnd's socket ----

# ask METHOD PARAMS: the result as JSON.
ask() {
    local answer
    coproc CONTROL { exec nc -U "$RUN/control.sock" 2>/dev/null; }
    # shellcheck disable=SC2153
    local to=${CONTROL[1]} from=${CONTROL[0]} pid=$CONTROL_PID
    printf '{"jsonrpc":"2.0","id":1,"method":"%s","params":%s}\n' "$1" "$2" >&"$to"
    IFS= read -r -t 30 answer <&"$from" || answer='{"error":{"message":"no answer"}}'
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    jq -e 'if .error then (.error | tojson | halt_error(1)) else .result end' <<<"$answer"
}

# wait_state VM STATE LIMIT_S: follows the VM's events until it is in STATE; prints the event's time (ms). A VM that
# ends before fails the test and says why.
wait_state() {
    local vm=$1 wanted=$2 limit=$(($3 * PATIENCE)) line state time found=
    coproc WATCH { exec nc -U "$RUN/control.sock"; }
    # shellcheck disable=SC2153
    local to=${WATCH[1]} from=${WATCH[0]} pid=$WATCH_PID deadline=$((SECONDS + limit))
    printf '{"jsonrpc":"2.0","id":1,"method":"vm.watch","params":{"vm":"%s"}}\n' "$vm" >&"$to"
    printf '{"jsonrpc":"2.0","id":2,"method":"vm.show","params":{"vm":"%s"}}\n' "$vm" >&"$to"
    while [ $SECONDS -lt $deadline ] && IFS= read -r -t $((deadline - SECONDS)) line <&"$from"; do
        read -r state time < <(jq -r 'if .id == 2 then "\(.result.state) \(.result.entered)"
            elif .method == "vm.event" then "\(.params.to) \(.params.time)" else "- -" end' <<<"$line")
        if [ "$state" = "$wanted" ]; then
            found=$time
            break
        fi
        [ "$state" != destroyed ] || break
    done
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    [ -n "$found" ] || fail "$vm did not come to $wanted in $limit s: $(ask vm.why "{\"vm\":\"$vm\"}" || true)"
    echo "$found"
}

# ---- libvirt ----

# What Kiln leaves in libvirt and on this world's network: one line each. Bricks and drives are meant to stay.
leftovers() {
    virsh -c $URI list --all --name | sed -n 's/^kiln-/domain &/p'
    virsh -c $URI vol-list kiln 2>/dev/null | awk '$1 ~ /^vm-/ { print "volume", $1 }'
    ip -oneline link show | awk -F': ' '$2 ~ /^vnet/ { print "tap", $2 }'
    virsh -c $URI nwfilter-binding-list 2>/dev/null | awk 'NR > 2 && NF { print "filter binding", $1 }'
    virsh -c $URI net-dumpxml kiln 2>/dev/null | sed -n "s/.*<host mac='\([^']*\)'.*/lease of \1/p"
    find "$RUN/boot" -type f -printf 'boot secret %f\n' 2>/dev/null || true
}
