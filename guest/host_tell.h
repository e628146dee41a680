/*
 * Host tell: what the machine's record says that the host does not know yet, as notifications (README 6.4).
 * In: the record. Out: guest.state, guest.failure, guest.paired, guest.unpaired, guest.drive, guest.ready.
 * Kept: what was told, in the link (host_told.h).
 */
#ifndef KILN_GUEST_HOST_TELL_H
#define KILN_GUEST_HOST_TELL_H

struct host_link;

/* Tells every difference; nothing while the link is down, all of it after it came up. */
void host_tell(struct host_link *link);

#endif
