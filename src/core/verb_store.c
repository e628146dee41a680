/*
 * The store and the audit's chain: verb_object.h says what is asked. What walks all of it runs beside the
 * loop.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/text.h"
#include "src/core/object_private.h"
#include "src/core/record_view.h"
#include "src/core/store_backup.h"
#include "src/core/store_head.h"
#include "src/core/verb_object.h"
#include "src/core/views.h"
#include "src/io/log.h"

enum { PATH_BYTES = 1024, AFTER_BYTES = 32 + 2 * STORE_KEY_MAX };

/* One of these jobs, from its question to its answer. */
struct store_question {
    struct ask *ask;
    struct store *store; /* borrowed */
    char path[PATH_BYTES];
    struct audit_mark marks[2];
    size_t nmarks;
    /* The answer's. */
    int error;
    struct audit_verdict audit;
    struct store_verdict verdict;
    char words[STORE_ERROR_LEN];
};

static void question_run(struct ask *ask, struct store_question *question, store_job_fn *run,
                         store_done_fn *done)
{
    int error = store_job(ask->verbs->core->store, run, done, question);
    if (!error)
        return;
    free(question);
    if (error == -EBUSY)
        ask_refuse(ask, CODE_CONFLICT, "another check or backup of the store runs");
    else
        ask_refuse_errno(ask, error);
}

static struct store_question *question_make(struct ask *ask)
{
    struct store_question *question = calloc(1, sizeof *question);
    if (!question) {
        ask_refuse(ask, CODE_INTERNAL, "no memory");
        return NULL;
    }
    question->ask = ask;
    question->store = ask->verbs->core->store;
    return question;
}

/* ---- audit.verify, audit.head ---- */

static void audit_run(void *arg)
{
    struct store_question *question = arg;
    question->error =
        audit_check(question->store, question->marks, question->nmarks, store_job_ends, &question->audit);
}

static void write_end(struct json_writer *out, const struct audit *end)
{
    char text[AUDIT_END_TEXT_BYTES];
    audit_end_format(end, text);
    json_write_text(out, "head", text);
}

static void audit_answer(struct ask *ask, const struct audit_verdict *verdict)
{
    struct json_writer out = json_writer_init(0);
    struct audit end = {.seq = verdict->count};
    memcpy(end.hash, verdict->hash, sizeof end.hash);
    json_write_object_begin(&out, NULL);
    json_write_int(&out, "entries", (int64_t)verdict->count);
    json_write_bool(&out, "good", verdict->wrong_at == 0);
    write_end(&out, &end);
    if (verdict->wrong_at) {
        json_write_int(&out, "at", (int64_t)verdict->wrong_at);
        json_write_text(&out, "words", verdict->words);
    }
    json_write_object_end(&out);
    ask_send(ask, 200, &out);
}

static void audit_done(void *arg)
{
    struct store_question *question = arg;
    if (question->error)
        ask_refuse(question->ask, CODE_STORE_FAILED, strerror(-question->error));
    else
        audit_answer(question->ask, &question->audit);
    free(question);
}

void verb_audit_verify(struct ask *ask, const char *head)
{
    struct store_head last;
    struct audit given;
    if (head && audit_end_parse(head, &given)) {
        ask_refuse(ask, CODE_BAD_PARAMETER, "head");
        return;
    }
    struct store_question *question = question_make(ask);
    if (!question)
        return;
    store_head_last(question->store, &last);
    question->marks[question->nmarks++] = (struct audit_mark){.end = audit_end_decode(last.audit_end),
                                                              .whose = "the store's head has as its end"};
    if (head)
        question->marks[question->nmarks++] = (struct audit_mark){.end = given, .whose = "was given"};
    question_run(ask, question, audit_run, audit_done);
}

void verb_audit_head(struct ask *ask)
{
    struct audit end;
    int error = audit_load(&end, ask->verbs->core->store);
    if (error) {
        ask_refuse(ask, CODE_STORE_FAILED, strerror(-error));
        return;
    }
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    write_end(&out, &end);
    json_write_object_end(&out);
    ask_send(ask, 200, &out);
}

/* ---- store.check ---- */

static void check_run(void *arg)
{
    struct store_question *question = arg;
    question->error = store_check_live(question->store, &question->verdict, question->words);
}

void view_store_verdict(struct json_writer *out, const struct store_verdict *verdict)
{
    json_write_int(out, "format", verdict->format);
    json_write_int(out, "transaction", (int64_t)verdict->walked.transaction);
    json_write_int(out, "pages", (int64_t)verdict->walked.pages);
    json_write_int(out, "free_pages", (int64_t)verdict->walked.free_pages);
    json_write_object_begin(out, "records");
    for (int i = 0; i < STORE_DATABASE_COUNT; i++)
        if (verdict->records[i] || !store_database_is_former((enum store_database)i))
            json_write_int(out, store_database_name((enum store_database)i), (int64_t)verdict->records[i]);
    json_write_object_end(out);
}

static void check_done(void *arg)
{
    struct store_question *question = arg;
    struct json_writer out = json_writer_init(0);
    bool is_damaged = question->error == -EUCLEAN;
    if (is_damaged)
        log_error("store", "is damaged", "words=%s", question->words);
    json_write_object_begin(&out, NULL);
    json_write_bool(&out, "good", !question->error);
    if (is_damaged)
        json_write_text(&out, "words", question->words);
    else
        view_store_verdict(&out, &question->verdict);
    json_write_object_end(&out);
    if (question->error && !is_damaged) {
        json_writer_finish(&out);
        ask_refuse(question->ask, CODE_STORE_FAILED, question->words);
    } else {
        ask_send(question->ask, 200, &out);
    }
    free(question);
}

void verb_store_check(struct ask *ask)
{
    struct store_question *question = question_make(ask);
    if (question)
        question_run(ask, question, check_run, check_done);
}

/* ---- store.backup ---- */

static void backup_run(void *arg)
{
    struct store_question *question = arg;
    question->error = store_backup(question->store, question->path, &question->verdict, question->words);
}

/* It is done, and in the audit. */
static void backup_answer(void *arg)
{
    struct store_question *question = arg;
    const struct store_verdict *verdict = &question->verdict;
    struct audit end = audit_end_decode(verdict->audit_end);
    struct json_writer out = json_writer_init(0);
    json_write_object_begin(&out, NULL);
    json_write_text(&out, "path", question->path);
    json_write_int(&out, "bytes", (int64_t)verdict->walked.file_bytes);
    write_end(&out, &end);
    view_store_verdict(&out, verdict);
    json_write_object_end(&out);
    ask_send(question->ask, 200, &out);
    free(question);
}

static void backup_refuse(struct store_question *question)
{
    int error = question->error;
    enum kiln_code code = error == -EEXIST ? CODE_ALREADY_EXISTS
                          : error == -ENOENT || error == -EACCES || error == -ENOTDIR || error == -EROFS ||
                                  error == -ELOOP || error == -EISDIR || error == -ENAMETOOLONG
                              ? CODE_BAD_PARAMETER
                              : CODE_STORE_FAILED;
    ask_refuse(question->ask, code, question->words);
    free(question);
}

static void backup_done(void *arg)
{
    struct store_question *question = arg;
    struct core *core = question->ask->verbs->core;
    char object[VM_NAME_LEN];
    struct audit_deed deed = {.actor = question->ask->caller.actor,
                              .what = "store.backup",
                              .object = object,
                              .story = question->path};
    struct store_batch *batch;
    if (question->error) {
        backup_refuse(question);
        return;
    }
    snprintf(object, sizeof object, "transaction %llu",
             (unsigned long long)question->verdict.walked.transaction);
    int error = store_batch_create(question->store, &batch);
    if (!error)
        error = object_commit(core, batch, &deed, backup_answer, question);
    if (error) {
        ask_refuse_errno(question->ask, error);
        free(question);
    }
}

void verb_store_backup(struct ask *ask, const char *path)
{
    if (path[0] != '/' || strlen(path) >= PATH_BYTES) {
        ask_refuse(ask, CODE_BAD_PARAMETER, "path");
        return;
    }
    struct store_question *question = ask_may_store(ask) ? question_make(ask) : NULL;
    if (!question)
        return;
    snprintf(question->path, sizeof question->path, "%s", path);
    question_run(ask, question, backup_run, backup_done);
}

/* ---- store.dump ---- */

struct dump {
    struct view_page page;
    enum store_database database;
    const uint8_t *after; /* the last key of the page before */
    size_t after_len_bytes;
    char next[AFTER_BYTES];
};

static int dump_record(void *arg, const void *key, size_t key_len_bytes, const void *value,
                       size_t value_len_bytes)
{
    struct dump *dump = arg;
    char hex[TEXT_HEX_BYTES(STORE_KEY_MAX)];
    if (dump->after_len_bytes == key_len_bytes && memcmp(key, dump->after, key_len_bytes) == 0)
        return 0;
    unsigned members =
        record_view(&dump->page.out, dump->database, key, key_len_bytes, value, value_len_bytes);
    if (!view_page_full(&dump->page, members))
        return 0;
    hex_encode(key, key_len_bytes, hex);
    snprintf(dump->next, sizeof dump->next, "%s:%s", store_database_name(dump->database), hex);
    return 1;
}

/* Where a page begins: "database:key in hex". */
static int after_parse(struct dump *dump, const char *after, uint8_t key[STORE_KEY_MAX])
{
    char name[32] = "";
    const char *colon = strchr(after, ':');
    size_t name_len = colon ? (size_t)(colon - after) : sizeof name;
    if (name_len >= sizeof name || strlen(colon + 1) % 2 || strlen(colon + 1) / 2 > STORE_KEY_MAX)
        return -EINVAL;
    memcpy(name, after, name_len);
    int database = store_database_find(name);
    dump->after_len_bytes = strlen(colon + 1) / 2;
    if (database < 0 || hex_decode(colon + 1, key, dump->after_len_bytes))
        return -EINVAL;
    dump->database = (enum store_database)database;
    dump->after = key;
    return 0;
}

void verb_store_dump(struct ask *ask, const char *only, const char *after)
{
    struct dump dump = {0};
    uint8_t key[STORE_KEY_MAX];
    int database = only ? store_database_find(only) : 0, rc = 0;
    if (database < 0 || (after && after_parse(&dump, after, key))) {
        ask_refuse(ask, CODE_BAD_PARAMETER, database < 0 ? "database" : "after");
        return;
    }
    if (!after)
        dump.database = (enum store_database)database;
    view_page_begin(&dump.page, "records");
    while (rc == 0 && dump.database < STORE_DATABASE_COUNT) {
        rc = store_each(ask->verbs->core->store, dump.database, dump.after, dump.after_len_bytes, 0,
                        dump_record, &dump);
        dump.after_len_bytes = 0;
        dump.database = only ? STORE_DATABASE_COUNT : dump.database + 1;
    }
    view_page_end(&dump.page, dump.next[0] ? dump.next : NULL);
    if (rc >= 0) {
        ask_send(ask, 200, &dump.page.out);
        return;
    }
    json_writer_finish(&dump.page.out);
    ask_refuse(ask, CODE_STORE_FAILED, strerror(-rc));
}
