/*
 * What the command lines of kiln-stub and kiln-controller share. In: argv. Out: options, or an exit status.
 * Kept: nothing.
 */
#ifndef KILN_GUEST_MAIN_OPTIONS_H
#define KILN_GUEST_MAIN_OPTIONS_H

struct main_options {
    const char *sysroot; /* borrowed, like all here; "" when it is not given */
    const char *console; /* NULL when it is not given */
};

/* NAME and USAGE are the program's. Returns an exit status when --help, --version or a mistake has ended it,
 * else -1 to go on with RET_OPTIONS. */
int main_options_read(int argc, char **argv, const char *name, const char *usage,
                      struct main_options *ret_options);

#endif
