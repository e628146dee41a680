/*
 * Registration: makes the VM known to the host, and the host's word known to the VM (README 4.2, R5).
 * In: keys and boot data of the controller. Out: REGISTERED, REGISTRATION_REFUSED, or HOST_UNREACHABLE for
 * each try that failed. Kept: the call under way, and the request: a crashed controller sends the very same
 * again.
 */
#ifndef KILN_GUEST_REGISTRATION_H
#define KILN_GUEST_REGISTRATION_H

struct controller;
struct registration;

int registration_create(struct controller *controller, struct registration **ret_registration);
/* Until it succeeds or is refused, at growing intervals. */
void registration_start(struct registration *registration);
/* NULL does nothing. */
void registration_destroy(struct registration *registration);

#endif
