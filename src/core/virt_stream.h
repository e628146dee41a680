/*
 * One opened serial console: bytes from libvirt's event thread to the loop, bounded.
 *
 * In: a domain's console. Out: bytes and the end, on the loop's thread. Kept: at most
 * VIRT_STREAM_PENDING_BYTES that the loop has not taken yet; a guest that writes faster loses what is over,
 * and the count of it is told.
 */
#ifndef KILN_CORE_VIRT_STREAM_H
#define KILN_CORE_VIRT_STREAM_H

#include <stdbool.h>
#include <stddef.h>

struct _virConnect;
struct _virDomain;
struct virt;
struct virt_stream;

enum { VIRT_STREAM_PENDING_BYTES = 65536 };

/* `lost_bytes` were dropped before these. `ended`: nothing follows. */
typedef void virt_stream_fn(void *arg, const char *bytes, size_t len_bytes, size_t lost_bytes, bool ended);

/* Makes a stream that is not open yet. `got` is called on the loop's thread until virt_stream_abandon. NULL
 * without memory. Loop's thread. */
struct virt_stream *virt_stream_create(struct virt *virt, virt_stream_fn *got, void *arg);

/* Opens it on the domain's first console, taking that over from whoever has it. Returns 0, or -1 with
 * libvirt's last error set, or -1 without when it was abandoned meanwhile. Pool's thread. */
int virt_stream_open(struct virt_stream *stream, struct _virConnect *connection, struct _virDomain *domain);

/* Ends the calls of `got` at once, and gives the stream up: it is closed on the pool, or here when `now`.
 * NULL does nothing. Loop's thread. */
void virt_stream_abandon(struct virt_stream *stream, bool now);

/* References, for who carries it to another thread. */
void virt_stream_hold(struct virt_stream *stream);
void virt_stream_release(struct virt_stream *stream);

#endif
