/*
 * Blank: whether a drive holds anything at all. In: a descriptor. Out: blank, or the name of what is there.
 * Kept: nothing. Reads only.
 */
#ifndef KILN_GUEST_BLANK_H
#define KILN_GUEST_BLANK_H

#define BLANK_FOUND_MAX 64

enum blank_state {
    BLANK_BLANK,   /* no signature that libblkid knows, and the first and last MiB are zeroes */
    BLANK_LUKS2,   /* a LUKS2 header, and nothing else */
    BLANK_OCCUPIED /* anything else; FOUND names it */
};

/* Probes the drive open for reading at FD: superblocks, RAIDs and volume managers, partition tables, and
 * bytes that are not zero. One doubt is enough for BLANK_OCCUPIED. FOUND: "ext4", "crypto_LUKS 2", "partition
 * table gpt", "unknown data in the first MiB". -EIO or another errno when it cannot be read: then it is not
 * blank. */
int blank_probe(int fd, enum blank_state *ret_state, char found[BLANK_FOUND_MAX]);

#endif
