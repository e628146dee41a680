/* links: kiln_protocol */
/* JSON: what is read writes to a text that reads and writes the same; limits hold; nothing is read into a
 * failure. Any bytes as a string: what is valid of them comes back. */
#include <errno.h>
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

/* The bytes as a string, in one value after another, up to a limit that they may reach. */
static void check_string(const char *bytes, size_t len)
{
    struct json *tree;
    struct json_writer out = json_writer_init(65536);
    size_t valid = utf8_valid_prefix(bytes, len);
    json_write_array_begin(&out, NULL);
    json_write_text_bytes(&out, NULL, bytes, len);
    json_write_format(&out, NULL, "%.*s", valid < 64 ? (int)valid : 0, bytes);
    json_write_text(&out, NULL, NULL);
    json_write_bool(&out, NULL, len & 1);
    CLAIM(json_writer_end(&out) == -EINVAL || json_writer_end(&out) == -EMSGSIZE);
    CLAIM(!json_writer_take(&out));
    json_write_array_end(&out);
    CLAIM(out.len <= 65536);
    if (json_writer_end(&out) == 0 && !memchr(bytes, 0, len)) {
        CLAIM(json_parse(out.text, out.len, NULL, &tree) == 0 && json_count(tree) == 4);
        CLAIM(strncmp(json_text(json_at(tree, 0)), bytes, valid) == 0);
        CLAIM(json_kind(json_at(tree, 2)) == JSON_NULL && json_bool(json_at(tree, 3)) == (len & 1));
        json_destroy(tree);
    }
    json_write_array_end(&out);
    CLAIM(json_writer_end(&out) < 0);
    json_writer_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_string(size > 0 ? (const char *)data : "", size);
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
