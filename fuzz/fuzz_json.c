/* links: kiln_protocol */
/* JSON: what is read writes to a text that reads and writes the same; limits hold; nothing is read into a
 * failure. */
#include <string.h>

#include "fuzz/claim.h"
#include "protocol/json.h"

static unsigned count_values(const struct json *value, unsigned depth)
{
    unsigned count = 1;
    CLAIM(depth <= json_limits_message.depth_max + 1);
    for (size_t i = 0; i < json_count(value); i++) {
        const char *key = json_key_at(value, i);
        CLAIM(!key || json_member(value, key) == json_at(value, i));
        count += count_values(json_at(value, i), depth + 1);
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *tree = NULL, *again = NULL;
    int error = json_parse((const char *)data, size, NULL, &tree);
    CLAIM(error <= 0 && (error == 0) == (tree != NULL));
    if (error)
        return 0;
    CLAIM(count_values(tree, 1) <= json_limits_message.members_max + 1);
    struct json_writer first = json_writer_init(0), second = json_writer_init(0);
    json_write_value(&first, NULL, tree);
    CLAIM(json_writer_end(&first) == 0);
    CLAIM(json_parse(first.text, first.len, &json_limits_channel, &again) == 0);
    json_write_value(&second, NULL, again);
    CLAIM(strcmp(first.text, second.text) == 0);
    json_writer_finish(&first);
    json_writer_finish_wiped(&second);
    json_destroy(tree);
    json_destroy_wiped(again);
    return 0;
}
