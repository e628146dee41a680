/*
 * Writing goes through a memory stream, so growing and failing are the C library's business. Reading knows
 * only XML as libvirt writes it: well formed, attributes in single or double quotes, no CDATA, no comments.
 */
#include "src/core/virt_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    char plain;
    const char *escaped;
} entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'\'', "&apos;"}, {'"', "&quot;"}};

enum { NENTITIES = sizeof(entities) / sizeof(entities[0]) };

void virt_text_begin(struct virt_text *text)
{
    text->text = NULL;
    text->file = open_memstream(&text->text, &text->len_bytes);
}

static const char *entity_of(char c)
{
    for (int i = 0; i < NENTITIES; i++) {
        if (entities[i].plain == c)
            return entities[i].escaped;
    }
    return NULL;
}

static void put_escaped(FILE *file, const char *value)
{
    for (; *value; value++) {
        const char *escaped = entity_of(*value);

        if (escaped)
            fputs(escaped, file);
        else
            fputc(*value, file);
    }
}

void virt_text_put(struct virt_text *text, const char *format, ...)
{
    va_list values;

    if (!text->file)
        return;
    va_start(values, format);
    for (const char *c = format; *c; c++) {
        if (strncmp(c, "%s", 2) == 0) {
            put_escaped(text->file, va_arg(values, const char *));
            c += 1;
        } else if (strncmp(c, "%lu", 3) == 0) {
            fprintf(text->file, "%lu", va_arg(values, unsigned long));
            c += 2;
        } else {
            fputc(*c, text->file);
        }
    }
    va_end(values);
}

char *virt_text_take(struct virt_text *text)
{
    bool failed;

    if (!text->file)
        return NULL;
    failed = ferror(text->file) != 0;
    failed |= fclose(text->file) != 0;
    text->file = NULL;
    if (failed) {
        free(text->text);
        return NULL;
    }
    return text->text;
}

/* Copies one character or entity of an attribute's value; returns how many bytes it took. */
static size_t unescape_one(const char *from, char *ret_c)
{
    for (int i = 0; i < NENTITIES; i++) {
        size_t len = strlen(entities[i].escaped);

        if (strncmp(from, entities[i].escaped, len) == 0) {
            *ret_c = entities[i].plain;
            return len;
        }
    }
    *ret_c = *from;
    return 1;
}

static int unescape(const char *from, const char *end, char *ret_value, size_t size)
{
    char plain[512] = "";
    size_t len = 0;

    while (from < end) {
        if (len + 1 >= size || len + 1 >= sizeof(plain))
            return -EMSGSIZE;
        from += unescape_one(from, &plain[len++]);
    }
    memcpy(ret_value, plain, len);
    ret_value[len] = '\0';
    return 0;
}

/* Where the tag that begins here ends, behind its '>'. NULL for a broken one. */
static const char *tag_end(const char *tag)
{
    char quote = '\0';

    for (; *tag; tag++) {
        if (quote) {
            if (*tag == quote)
                quote = '\0';
        } else if (*tag == '\'' || *tag == '"') {
            quote = *tag;
        } else if (*tag == '>') {
            return tag + 1;
        }
    }
    return NULL;
}

int virt_text_attribute(const char *element, const char *name, char *ret_value, size_t size)
{
    const char *end = tag_end(element);
    size_t len = strlen(name);

    /* Goes from attribute to attribute, so that a value that looks like one is never taken for one. */
    for (const char *at = element + strcspn(element, " \t\n>"); end && at < end;) {
        const char *begin = at + strspn(at, " \t\n");
        const char *quote = begin + strcspn(begin, "'\"");
        const char *close = quote < end ? strchr(quote + 1, *quote) : NULL;

        if (!close)
            return -ENOENT;
        if (strncmp(begin, name, len) == 0 && begin[len] == '=')
            return unescape(quote + 1, close, ret_value, size);
        at = close + 1;
    }
    return -ENOENT;
}

const char *virt_text_element(const char *xml, const char *name, const char **ret_end)
{
    size_t len = strlen(name);
    char closing[64];

    snprintf(closing, sizeof(closing), "</%s>", name);
    for (const char *at = xml; (at = strchr(at, '<')); at++) {
        const char *end;

        if (strncmp(at + 1, name, len) != 0 || !strchr(" \t\n/>", at[1 + len]) || at[1 + len] == '\0')
            continue;
        end = tag_end(at);
        if (end && end[-2] != '/') {
            end = strstr(end, closing);
            end = end ? end + strlen(closing) : NULL;
        }
        if (end)
            *ret_end = end;
        return end ? at : NULL;
    }
    return NULL;
}
