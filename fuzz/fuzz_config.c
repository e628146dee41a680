// links: kiln_io
/*
 * Bytes as a configuration file. Claims: what is taken has every text set; what is refused leaves the result
 * untouched and says why, in words that name the file.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/io/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void claim(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config, before;
    char error[CONFIG_ERROR_MAX] = "";
    memset(&config, 0x5a, sizeof(config));
    before = config;
    if (config_parse("kiln.conf", (const char *)data, size, &config, error) < 0) {
        claim(memcmp(&config, &before, sizeof(config)) == 0);
        claim(strncmp(error, "kiln.conf: ", 11) == 0 && memchr(error, '\0', sizeof(error)) != NULL);
        return 0;
    }
    claim(config.state_dir[0] == '/' && config.run_dir[0] == '/' && config.network.subnet[0] != '\0');
    claim(config.noperators <= CONFIG_OPERATORS_MAX && config.max_boots >= 1);
    config_finish(&config);
    return 0;
}
