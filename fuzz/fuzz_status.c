/* links: kiln_protocol */
/* A VM's status. Claims: what is taken is written and read back the same; of what is refused nothing stays.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz/claim.h"
#include "protocol/status.h"

static void check_again(const struct status *status)
{
    static struct status again;
    struct json *tree;
    struct json_writer out = json_writer_init(0);
    memset(&again, 0, sizeof again);
    status_encode(status, &out);
    CLAIM(json_writer_end(&out) == 0);
    CLAIM(json_parse(out.text, out.len, NULL, &tree) == 0);
    CLAIM(status_decode(tree, &again) == 0);
    CLAIM(strcmp(again.state, status->state) == 0 && again.at_ms == status->at_ms);
    CLAIM(memcmp(again.load_hundredths, status->load_hundredths, sizeof again.load_hundredths) == 0);
    CLAIM(again.ndrives == status->ndrives && again.tx_bytes == status->tx_bytes);
    for (size_t i = 0; i < again.ndrives; i++)
        CLAIM(strcmp(again.drive[i].detail, status->drive[i].detail) == 0 &&
              again.drive[i].free_kib == status->drive[i].free_kib);
    json_destroy(tree);
    json_writer_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct status status;
    struct json *tree;
    if (json_parse((const char *)data, size, NULL, &tree) < 0)
        return 0;
    memset(&status, 0, sizeof status);
    status.ndrives = 77;
    if (status_decode(tree, &status) == 0) {
        CLAIM(status.ndrives <= STATUS_DRIVES_MAX);
        check_again(&status);
    } else {
        CLAIM(status.ndrives == 77 && status.state[0] == '\0');
    }
    json_destroy(tree);
    return 0;
}
