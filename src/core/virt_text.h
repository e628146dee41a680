/*
 * A growing XML text: what is put in is escaped, what is spelled in a format is not.
 *
 * In: formats and values. Out: one string. Kept: the text until it is taken; an error is remembered until
 * then.
 */
#ifndef KILN_CORE_VIRT_TEXT_H
#define KILN_CORE_VIRT_TEXT_H

#include <stddef.h>
#include <stdio.h>

struct virt_text {
    FILE *file;
    char *text;
    size_t len_bytes;
};

/* Begins an empty text. Without memory every later call does nothing and virt_text_take returns NULL. */
void virt_text_begin(struct virt_text *text);

/* Appends the format. It knows %s, whose value is escaped for XML text and attributes, and %lu. */
void virt_text_put(struct virt_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Ends the text and gives it to the caller, who frees it. NULL without memory. */
char *virt_text_take(struct virt_text *text);

/* Value of the attribute `name` in the first tag of `element`, unescaped. Returns 0, -ENOENT when the tag has
 * no such attribute, or -EMSGSIZE when it does not fit. */
int virt_text_attribute(const char *element, const char *name, char *ret_value, size_t size);

/* Finds the next `<name ...>` at or after `xml`, self-closing or with its end tag. Returns its beginning and
 * sets *ret_end behind it, or NULL. For elements that do not nest in themselves. */
const char *virt_text_element(const char *xml, const char *name, const char **ret_end);

#endif
