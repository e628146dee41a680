/*
 * Identity: the VM's RSA key: the one that the stub kept, or a fresh one, made on the job thread.
 * In: what the stub handed over. Out: KEY_MADE. Kept: the key, in the controller and with the stub.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/controller.h"
#include "guest/job.h"
#include "protocol/crypto.h"
#include "src/io/log.h"
#include "src/io/loop.h"
#include "src/io/random.h"

#define KEY_BITS 2048

struct key_job {
    struct controller *controller; /* borrowed */
    struct crypto_rsa *key;        /* owned */
    int result;
    int64_t took_ms;
};

static int random_bytes(void *arg, uint8_t *out, size_t len)
{
    (void)arg;
    random_fill(out, len);
    return 0;
}

static void make_key(void *arg)
{
    struct key_job *job = arg;
    int64_t began_ms = loop_monotonic_ms();
    job->result = crypto_rsa_generate(KEY_BITS, random_bytes, NULL, &job->key);
    job->took_ms = loop_monotonic_ms() - began_ms;
}

static void fail(struct controller *controller, int result)
{
    char detail[96];
    snprintf(detail, sizeof detail, "the VM's key: %s", strerror(-result));
    controller_happen_trouble(controller, GUEST_ON_FATAL, CODE_INTERNAL, detail);
}

static void key_made(void *arg)
{
    struct key_job *job = arg;
    struct controller *controller = job->controller;
    struct kept *kept = &controller->secrets->kept;
    int result = job->result;
    if (result == 0)
        result = crypto_rsa_encode_private(job->key, kept->private_key, &kept->private_key_len);
    log_info("identity", "a key was made", "took_ms=%lld result=%d", (long long)job->took_ms, result);
    controller->key = job->key;
    free(job);
    if (result < 0)
        fail(controller, result);
    else
        controller_happen_plain(controller, GUEST_ON_KEY_MADE);
}

static int start_job(struct controller *controller)
{
    struct key_job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return -ENOMEM;
    job->controller = controller;
    int result = job_start(controller->jobs, make_key, key_made, job);
    if (result < 0)
        free(job);
    return result;
}

void identity_make_key(struct controller *controller)
{
    const struct kept *kept = &controller->secrets->kept;
    int result;
    if (kept->private_key_len > 0) {
        result = crypto_rsa_decode_private(kept->private_key, kept->private_key_len, &controller->key);
        if (result == 0)
            controller_happen_plain(controller, GUEST_ON_KEY_MADE);
    } else {
        result = start_job(controller);
    }
    if (result < 0)
        fail(controller, result);
}
