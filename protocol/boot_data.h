/*
 * Boot data in SMBIOS OEM strings (README 3). In: strings or a struct. Out: the other. Nothing is kept.
 */
#ifndef KILN_PROTOCOL_BOOT_DATA_H
#define KILN_PROTOCOL_BOOT_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BOOT_DATA_HASH_BYTES = 32,
    BOOT_DATA_HOST_BYTES = 64,    /* an address with the NUL */
    BOOT_DATA_STRING_BYTES = 128, /* a string with the NUL */
    BOOT_DATA_STRINGS = 4,
};

#define BOOT_DATA_SECRET_ITEM "opt/org.kiln/boot-secret"

struct boot_data {
    char host[BOOT_DATA_HOST_BYTES]; /* of the URL: IPv4 address, [IPv6] without brackets, or name */
    uint16_t port;
    uint8_t edge[BOOT_DATA_HASH_BYTES]; /* fingerprints */
    uint8_t identity[BOOT_DATA_HASH_BYTES];
    uint8_t brick[BOOT_DATA_HASH_BYTES];
    unsigned seen; /* which strings were read, a bit each */
};

/* Takes one OEM string into DATA (zeroed first). 0 taken, or not ours; -EBADMSG ours and wrong, or there
 * twice. */
int boot_data_read(struct boot_data *data, const char *string);
/* Whether all of them were read. */
bool boot_data_complete(const struct boot_data *data);
/* Writes string number INDEX below BOOT_DATA_STRINGS. */
void boot_data_format(const struct boot_data *data, unsigned index, char out[BOOT_DATA_STRING_BYTES]);

/* SCSI serial of a drive: the first 20 hex digits of its id, and a NUL. */
void drive_serial_format(const uint8_t drive[16], char out[21]);

#endif
