/*
 * Everything that kilnd asks of libvirt: asynchronous, idempotent, in Kiln's words.
 *
 * In: a specification by value, and whom to tell. Out: one answer a call and events as they happen, both on
 * the loop's thread. Kept: two connections (the second only for destroying), reopened for ever when they
 * break.
 *
 * Every call returns 0 and then gives exactly one answer, or a negative errno and none. "Ensure" calls
 * succeed when the thing is already as asked. "Gone" calls succeed when it is absent. Errors of an answer:
 *   -ENOTCONN   libvirt is away: nothing is known, ask again when it is back (R22)
 *   -ECANCELED  overtaken by a later virt_domain_gone of the same VM, or by the shutdown
 *   -ENOENT     what it builds on is missing: the brick's image, the domain to attach to
 *   -EEXIST     a thing of that name exists, and is not ours
 *   -EBUSY      not yet; the same call may succeed later. Also: libvirt has lost the domain, whose QEMU runs
 *   -EINVAL     libvirt refuses the definition
 *   -EIO        anything else; the words say what
 */
#ifndef KILN_CORE_VIRT_H
#define KILN_CORE_VIRT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct virt;

enum {
    VIRT_UUID_BYTES = 37,  /* text with its NUL */
    VIRT_NAME_BYTES = 128, /* a pool, network or volume name */
    VIRT_URL_BYTES = 128,  /* libvirt's URI, the guest listener's URL */
    VIRT_PATH_BYTES = 256, /* a file on this host */
    VIRT_HASH_BYTES = 65,  /* SHA-256 as hex */
    VIRT_CMDLINE_BYTES = 1024,
    VIRT_WORDS_BYTES = 256,
    VIRT_SERIAL_BYTES = 21,  /* 20 hex digits: what fits a SCSI serial */
    VIRT_SERIALS = 64,       /* disks that one domain can show */
    VIRT_CONSOLE_LINES = 40, /* of the tail that is kept */
    VIRT_CONSOLE_TAIL_BYTES = 8192
};

enum virt_domain_type { VIRT_TYPE_AUTO, VIRT_TYPE_KVM, VIRT_TYPE_QEMU };

struct virt_config {
    char uri[VIRT_URL_BYTES];
    enum virt_domain_type domain_type; /* AUTO: KVM when libvirt says that this host can run it */
    char pool[VIRT_NAME_BYTES];
    char pool_path[VIRT_PATH_BYTES]; /* where a pool that is missing is made */
    char network[VIRT_NAME_BYTES];
    char bridge[16];
    char host_address[16]; /* of the bridge, dotted IPv4: the only address that guests reach */
    char netmask[16];
    uint16_t guest_port;                  /* of the guest listener: the only TCP port that guests reach */
    char process_folder[VIRT_PATH_BYTES]; /* libvirt's pid files, where the lost are looked for; empty: not */
};

/* ---- events ---- */

enum virt_event_kind {
    VIRT_EVENT_STARTED,
    VIRT_EVENT_STOPPED, /* by itself, or by somebody other than Kiln: `words` says which */
    VIRT_EVENT_CRASHED, /* QEMU died, or the guest panicked */
    VIRT_EVENT_PAUSED,
    VIRT_EVENT_RESUMED,
    VIRT_EVENT_REBOOTED,
    VIRT_EVENT_LOST, /* the connection broke; uuid is empty */
    VIRT_EVENT_BACK  /* it is up, also for the first time; ask for every domain again; uuid is empty */
};

struct virt_event {
    enum virt_event_kind kind;
    char uuid[VIRT_UUID_BYTES];
    const char *words; /* of the cause, for people; borrowed until the callback returns */
};

typedef void virt_event_fn(void *arg, const struct virt_event *event);

/* Events come of every domain of the host; the receiver knows which uuids are its own. Starts connecting at
 * once and tells by VIRT_EVENT_BACK. `loop` is borrowed and outlives it. Call before anything else uses
 * libvirt in this process; one at a time. Returns 0, -ENOMEM, -EAGAIN or -EIO. */
int virt_create(struct loop *loop, const struct virt_config *config, virt_event_fn *notify, void *arg,
                struct virt **ret_virt);

/* Answers what is outstanding with -ECANCELED, closes consoles and connections. Domains run on. NULL does
 * nothing. */
void virt_destroy(struct virt *virt);

/* Whether the connection is up as far as is known now. */
bool virt_is_connected(const struct virt *virt);

const char *virt_event_name(enum virt_event_kind kind);

/* ---- answers ---- */

enum virt_domain_state {
    VIRT_DOMAIN_ABSENT, /* a positive "no such domain" of a live connection */
    VIRT_DOMAIN_RUNNING,
    VIRT_DOMAIN_PAUSED,
    VIRT_DOMAIN_STOPPING, /* shutting down, dead and not yet gone, or defined and not running */
    VIRT_DOMAIN_CRASHED,
    VIRT_DOMAIN_LOST /* libvirt says that there is none, and its QEMU runs on */
};

/* A domain that carries Kiln's metadata. */
struct virt_domain_info {
    char uuid[VIRT_UUID_BYTES];
    enum virt_domain_state state;
    int pid;       /* of VIRT_DOMAIN_LOST, which tells no more than this */
    uint64_t boot; /* boot number that it was started for */
    char brick[VIRT_NAME_BYTES];
    char host_identity[VIRT_HASH_BYTES]; /* of the kilnd that made it */
    char address[16];                    /* dotted IPv4; "" where the metadata has none */
};

struct virt_volume_info {
    uint64_t capacity_bytes;      /* as a guest sees it */
    uint64_t physical_bytes;      /* as allocated */
    char sha256[VIRT_HASH_BYTES]; /* of virt_volume_hash only, else empty */
    char path[VIRT_PATH_BYTES];
};

struct virt_answer {
    int error;                              /* 0 or negative errno, as listed above */
    const char *words;                      /* of a failure, for people; "" else */
    struct virt_domain_info domain;         /* of virt_domain_query */
    struct virt_volume_info volume;         /* of volume calls */
    const struct virt_domain_info *domains; /* of virt_domain_list; borrowed until the callback returns */
    size_t ndomains;
    const char (*serials)[VIRT_SERIAL_BYTES]; /* of virt_drive_list; borrowed until the callback returns */
    size_t nserials;
    size_t ntaken; /* of virt_addresses_keep: how many were taken back */
};

typedef void virt_answer_fn(void *arg, const struct virt_answer *answer);

/* ---- the host ---- */

/* Makes, starts and refreshes what VMs stand on: the pool, the network, the filter `kiln-vm` (R29). */
int virt_ensure_host(struct virt *virt, virt_answer_fn *answered, void *arg);

/* ---- volumes ---- */

/* A thin qcow2 volume over the image volume, which is only ever read (R1). */
int virt_ensure_overlay(struct virt *virt, const char *uuid, const char *image, virt_answer_fn *answered,
                        void *arg);
/* Behind the making of it that runs; what waits to make it is cancelled. */
int virt_overlay_gone(struct virt *virt, const char *uuid, virt_answer_fn *answered, void *arg);

/* A sparse raw volume `drive-<id>.raw`. A volume of that name with another size is -EEXIST. */
int virt_ensure_drive(struct virt *virt, const char *drive, uint64_t size_bytes, virt_answer_fn *answered,
                      void *arg);

/* Deletes the volume with all that is on it. */
int virt_drive_gone(struct virt *virt, const char *drive, virt_answer_fn *answered, void *arg);

/* SHA-256 over the volume's bytes as stored, through libvirt (so of any pool type), and its sizes. */
int virt_volume_hash(struct virt *virt, const char *volume, virt_answer_fn *answered, void *arg);

/* ---- a VM ---- */

struct virt_vm_spec {
    char uuid[VIRT_UUID_BYTES];
    uint64_t boot; /* boot number; a running domain with another one is -EEXIST */
    char brick[VIRT_NAME_BYTES];
    char brick_hash[VIRT_HASH_BYTES];
    char host_identity[VIRT_HASH_BYTES]; /* SHA-256 of its SPKI */
    char edge[VIRT_HASH_BYTES];          /* SHA-256 of the edge's certificate */
    char guest_url[VIRT_URL_BYTES];
    char kernel[VIRT_NAME_BYTES]; /* volume; empty: the image boots by itself */
    char initrd[VIRT_NAME_BYTES]; /* volume; may be empty */
    char cmdline[VIRT_CMDLINE_BYTES];
    unsigned vcpus;
    uint64_t memory_bytes;
    char mac[18];                           /* 52:54:00:... */
    char address[16];                       /* dotted IPv4 */
    char boot_secret_path[VIRT_PATH_BYTES]; /* file of 32 raw bytes, readable by QEMU's user */
};

/* Pins the VM's address to its MAC in the network's DHCP. */
int virt_ensure_address(struct virt *virt, const struct virt_vm_spec *spec, virt_answer_fn *answered,
                        void *arg);
int virt_address_gone(struct virt *virt, const struct virt_vm_spec *spec, virt_answer_fn *answered,
                      void *arg);

/* Takes back every address that is pinned as Kiln pins them (network_mac) and is not one of HELD. A libvirtd
 * may carry out what a kilnd asked that has died, after the next one asked for the contrary. Owns HELD, from
 * malloc(3), also on failure. Whoever is given an address after this call is pinned after it. */
int virt_addresses_keep(struct virt *virt, uint8_t (*held)[4], size_t nheld, virt_answer_fn *answered,
                        void *arg);

/* Starts the domain (transient: libvirt keeps nothing of it once it is dead). Already running with our
 * metadata and the same boot number: success. */
int virt_ensure_domain(struct virt *virt, const struct virt_vm_spec *spec, virt_answer_fn *answered,
                       void *arg);

/* Kills the domain on the reserved connection, ahead of everything queued, and cancels what is queued for it.
 * Answers when nothing that was begun before can bring it back. A domain without Kiln's metadata is left
 * alone: -EEXIST. */
int virt_domain_gone(struct virt *virt, const char *uuid, virt_answer_fn *answered, void *arg);

/* VIRT_DOMAIN_ABSENT and VIRT_DOMAIN_LOST are answers without error. A domain without our metadata is
 * -EEXIST. */
int virt_domain_query(struct virt *virt, const char *uuid, virt_answer_fn *answered, void *arg);

/* Every domain that carries Kiln's metadata, also one that is defined and does not run
 * (VIRT_DOMAIN_STOPPING), and every one of Kiln's names that is lost. */
int virt_domain_list(struct virt *virt, virt_answer_fn *answered, void *arg);

/* ---- drives of a VM ---- */

/* Serial of a drive: the first 20 hex digits of its id, dashes left out. */
void virt_drive_serial(const char *drive, char ret_serial[static VIRT_SERIAL_BYTES]);

/* Hot-attaches the drive's volume by its serial; readers get it read-only and share it with readers only
 * (R8). */
int virt_ensure_attached(struct virt *virt, const char *uuid, const char *drive, bool readonly,
                         virt_answer_fn *answered, void *arg);

/* Answers when the guest has let go of it, or -EBUSY when it has not in the 5 s that libvirt waits. No such
 * domain: success. */
int virt_ensure_detached(struct virt *virt, const char *uuid, const char *drive, virt_answer_fn *answered,
                         void *arg);

/* Serials of the disks that the domain shows now, without the system disk. */
int virt_drive_list(struct virt *virt, const char *uuid, virt_answer_fn *answered, void *arg);

/* ---- console ---- */

/* A line of the VM's serial console, without its end, control characters replaced; at most 1023 bytes. */
typedef void virt_console_line_fn(void *arg, const char *uuid, const char *line);

/* Reads the VM's serial console from now on, until the domain ends or virt_console_close. Already open:
 * success. */
int virt_ensure_console(struct virt *virt, const char *uuid, virt_console_line_fn *line, void *line_arg,
                        virt_answer_fn *answered, void *arg);
void virt_console_close(struct virt *virt, const char *uuid);

/* The last lines seen, oldest first, each with its newline; kept until virt_console_forget, also when the
 * domain is dead. Returns the length in bytes without the NUL, 0 for a VM that was never read. */
size_t virt_console_tail(const struct virt *virt, const char *uuid, char *ret_text, size_t size);

/* Drops the tail as well. */
void virt_console_forget(struct virt *virt, const char *uuid);

#endif
