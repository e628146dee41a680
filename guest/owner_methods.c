/*
 * Owner methods: see owner_methods.h.
 */
#include "guest/owner_methods.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/controller.h"
#include "guest/drive.h"
#include "guest/drives.h"
#include "guest/owner_ask.h"
#include "guest/owner_channel.h"
#include "guest/owner_terminals.h"
#include "guest/people.h"
#include "guest/sshd.h"
#include "guest/status.h"
#include "guest/users_file.h"
#include "protocol/crypto.h"
#include "protocol/json.h"
#include "src/io/rpc.h"

static void handle_status(struct rpc_request *request, const struct json *params, void *arg)
{
    struct json_writer out = json_writer_init(0);
    (void)params;
    status_encode(status_read(owner_channel_controller(arg)), &out);
    rpc_reply_json(request, &out);
}

static const struct guest_drive *find_drive(const struct controller *controller, const uint8_t id[UUID_BYTES])
{
    int index = guest_drive_find(&controller->machine, id);
    return index < 0 ? NULL : &controller->machine.drives.drive[index];
}

static void ask_unlock(struct controller *controller, struct rpc_request *request,
                       const struct guest_drive *drive, bool format, const uint8_t key[LUKS_KEY_LEN])
{
    uint8_t id[GUEST_ID_LEN];
    memcpy(id, drive->id, sizeof id);
    int slot = drives_ask(controller, id, format, request);
    if (slot < 0) {
        rpc_fail_code(request, CODE_CONFLICT, "the drive is being unlocked");
        return;
    }
    memcpy(controller->secrets->drive_key[slot], key, LUKS_KEY_LEN);
    if (controller_happen_drive(controller, GUEST_ON_UNLOCK_ASKED, id, CODE_NONE, ""))
        return;
    drives_forget(controller, slot);
    rpc_fail_code(request, CODE_CONFLICT, "the drives are not attached yet");
}

static void handle_unlock(struct rpc_request *request, const struct json *params, void *arg)
{
    struct controller *controller = owner_channel_controller(arg);
    struct json_reader reader = json_reader_init(params);
    uint8_t id[UUID_BYTES], key[LUKS_KEY_LEN + 1] = {0};
    json_read_uuid(&reader, "drive", id);
    size_t key_len = json_read_base64(&reader, "key", key, sizeof key);
    const char *mode = json_read_text(&reader, "mode");
    bool format = json_read_bool_or(&reader, "format", false);
    bool writer = strcmp(mode, "writer") == 0;
    if (key_len != LUKS_KEY_LEN)
        json_reader_fail(&reader, "key");
    if (!writer && strcmp(mode, "reader") != 0)
        json_reader_fail(&reader, "mode");
    const struct guest_drive *drive = find_drive(controller, id);
    if (request == NULL || json_reader_end(&reader) < 0)
        rpc_fail_parameter(request, reader.wrong);
    else if (drive == NULL)
        rpc_fail_code(request, CODE_DRIVE_UNKNOWN, "no such drive is attached");
    else if (drive->writer != writer)
        rpc_fail_code(request, CODE_DRIVE_MODE,
                      drive->writer ? "it is attached as writer" : "it is attached as reader");
    else
        ask_unlock(controller, request, drive, format, key);
    crypto_wipe(key, sizeof key);
}

static void handle_users_get(struct rpc_request *request, const struct json *params, void *arg)
{
    const struct guest_drives *drives = &owner_channel_controller(arg)->machine.drives;
    char path[DRIVE_PATH_MAX];
    struct json *tree = NULL;
    (void)params;
    int result = -ENOENT;
    if (drives->count > 0 && drives->drive[0].status == GUEST_DRIVE_MOUNTED) {
        drive_path(drives->drive[0].name, path);
        result = users_file_read_json(path, &tree);
    }
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    if (tree != NULL)
        json_write_value(&out, "database", tree);
    else
        json_write_null(&out, "database");
    json_write_object_end(&out);
    if (result < 0 && result != -ENOENT) {
        rpc_fail_code(request, CODE_USERS_MALFORMED,
                      result == -EBADMSG ? "users.json: no JSON, or nested too deeply" : strerror(-result));
        json_writer_finish(&out);
    } else {
        rpc_reply_json(request, &out);
    }
    json_destroy(tree);
}

/* Notes what is asked for the effect to find; the request is the caller's again when the machine refuses. */
static void ask_users(struct controller *controller, struct rpc_request *request, char *text)
{
    controller->users_request = request;
    controller->users_text = text;
    if (controller_happen_plain(controller, GUEST_ON_USERS_ASKED))
        return;
    controller->users_request = NULL;
    controller->users_text = NULL;
    free(text);
    rpc_fail_code(request, CODE_CONFLICT, "the drives are not mounted yet");
}

static void handle_users_apply(struct rpc_request *request, const struct json *params, void *arg)
{
    struct controller *controller = owner_channel_controller(arg);
    const struct json *database = json_member(params, "database");
    struct json_writer out = json_writer_init(0);
    char *text = NULL;
    if (database != NULL && json_kind(database) != JSON_NULL) {
        json_write_value(&out, NULL, database);
        text = json_writer_take(&out);
    }
    if (request == NULL || (json_kind(database) != JSON_OBJECT && json_kind(database) != JSON_NULL)) {
        rpc_fail_parameter(request, "database");
        free(text);
    } else if (controller->users_request != NULL) {
        rpc_fail_code(request, CODE_CONFLICT, "the users are being made");
        free(text);
    } else {
        ask_users(controller, request, text);
    }
    json_writer_finish(&out);
}

static void handle_ssh(struct rpc_request *request, const struct json *params, void *arg)
{
    struct json_reader reader = json_reader_init(params);
    char key_line[SSHD_KEY_LINE_MAX] = "";
    const char *line = json_read_text(&reader, "public_key");
    const char *user = people_choose(owner_channel_controller(arg), json_read_text_or(&reader, "user", ""));
    if (reader.wrong == NULL && sshd_key_parse(line, key_line) < 0)
        json_reader_fail(&reader, "public_key");
    if (request == NULL || json_reader_end(&reader) < 0)
        rpc_fail_parameter(request, reader.wrong);
    else if (user == NULL)
        rpc_fail_code(request, CODE_NO_USER, NULL);
    else
        owner_ask_ssh(arg, request, user, key_line);
}

const struct rpc_method owner_methods[] = {{"status", handle_status},
                                           {"drive.unlock", handle_unlock},
                                           {"users.get", handle_users_get},
                                           {"users.apply", handle_users_apply},
                                           {"ssh.authorize", handle_ssh},
                                           {"terminal.open", owner_terminals_open},
                                           {"terminal.list", owner_terminals_list},
                                           {"terminal.attach", owner_terminals_attach},
                                           {"terminal.resize", owner_terminals_resize},
                                           {"terminal.detach", owner_terminals_detach},
                                           {"terminal.close", owner_terminals_close},
                                           {NULL, NULL}};
