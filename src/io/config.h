/*
 * Config: /etc/kiln/kiln.conf, one JSON object read by kilnd and kiln-edge.
 * In: a path. Out: a whole struct config with every default filled in, or words that name the key.
 * Kept: nothing. An unknown key is an error that names the nearest known one.
 */
#ifndef KILN_IO_CONFIG_H
#define KILN_IO_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_DEFAULT_PATH "/etc/kiln/kiln.conf"
#define CONFIG_ERROR_MAX 256
#define CONFIG_FILE_MAX 65536 /* bytes; a configuration larger than this is a mistake */
#define CONFIG_OPERATORS_MAX 32

/* Seconds that a VM may spend in a waiting state; 0 waits for ever. */
struct config_deadlines {
    uint32_t requested_s;       /* 120 */
    uint32_t image_created_s;   /* 120 */
    uint32_t booted_s;          /* 300 */
    uint32_t registered_s;      /* 900 */
    uint32_t paired_s;          /* 120 */
    uint32_t drives_attached_s; /* 600 */
};

enum config_domain_type { CONFIG_DOMAIN_AUTO, CONFIG_DOMAIN_KVM, CONFIG_DOMAIN_QEMU };
enum config_orphans { CONFIG_ORPHANS_REPORT, CONFIG_ORPHANS_REAP };

struct config_network {
    char *name;   /* libvirt network, "kiln" */
    char *bridge; /* "kiln0" */
    char *subnet; /* IPv4 CIDR, "10.77.0.0/24"; the host is its first address */
};

struct config {
    char *state_dir;      /* "/var/lib/kiln" */
    char *edge_state_dir; /* "/var/lib/kiln-edge" */
    char *run_dir;        /* "/run/kiln" */
    char *release_dir;    /* "/var/lib/kiln/release" */
    char *web_dir;        /* "/usr/share/kiln/web" */
    char *libvirt_uri;    /* "qemu:///system" */
    enum config_domain_type domain_type;
    char *pool;      /* "kiln" */
    char *pool_path; /* "/var/lib/kiln/pool" */
    struct config_network network;
    char *guest_listen;  /* "10.77.0.1:8443" */
    char *owner_listen;  /* "127.0.0.1:9443" */
    char *bridge_listen; /* "127.0.0.1:9022" */
    struct config_deadlines deadlines;
    uint32_t retention_s; /* how long a destroyed VM's record stays, 30 days */
    enum config_orphans orphans;
    uint32_t orphan_grace_s; /* how long a domain without a record may be seen before it counts as one, 60 */
    uint32_t max_boots;      /* VMs that boot at a time on this host; as many as it has cores, at least 2 */
    uint32_t edge_absent_s;  /* how long its bridges count as open without it, 60 */
    char *log_level;         /* "info" */
    uint32_t operators[CONFIG_OPERATORS_MAX]; /* uids that may change things on control.sock */
    size_t noperators;
};

/* Reads PATH into CONFIG. A key that is missing has its default. On failure -EINVAL (or the errno of
 * reading), CONFIG untouched, ERROR says in words which key and why. User names in "operators" are looked up
 * in passwd. */
int config_load(const char *path, struct config *ret_config, char error[CONFIG_ERROR_MAX]);
/* The same from text, NAME standing for the file in errors. */
int config_parse(const char *name, const char *text, size_t len_bytes, struct config *ret_config,
                 char error[CONFIG_ERROR_MAX]);
void config_finish(struct config *config);

/* Splits "10.77.0.1:8443" or "[::1]:8443" into host (HOST_MAX bytes) and port. -EINVAL. */
#define CONFIG_HOST_MAX 64
int config_split_address(const char *text, char ret_host[CONFIG_HOST_MAX], uint16_t *ret_port);

#endif
