/*
 * Command lines of the guest's programs: see main_options.h.
 */
#include "guest/main_options.h"

#include <getopt.h>
#include <stdio.h>

int main_options_read(int argc, char **argv, const char *name, const char *usage,
                      struct main_options *ret_options)
{
    static const struct option options[] = {{"sysroot", required_argument, NULL, 's'},
                                            {"console", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'v'},
                                            {0}};
    *ret_options = (struct main_options){.sysroot = ""};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 's')
            ret_options->sysroot = optarg;
        else if (option == 'c')
            ret_options->console = optarg;
        else if (option == 'v')
            return printf("%s " KILN_VERSION "\n", name) < 0;
        else
            return fputs(usage, option == 'h' ? stdout : stderr) < 0 || option != 'h' ? 2 : 0;
    }
    return -1;
}
