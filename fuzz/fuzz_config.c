/* links: kiln_io */
/*
 * Bytes as a configuration file. Claims: what is taken has every text set; what is refused leaves the result
 * untouched and says why, in words that name the file.
 */
#include <string.h>

#include "fuzz/claim.h"
#include "src/io/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config, before;
    char error[CONFIG_ERROR_MAX] = "";
    memset(&config, 0x5a, sizeof(config));
    before = config;
    if (config_parse("kiln.conf", (const char *)data, size, &config, error) < 0) {
        CLAIM(memcmp(&config, &before, sizeof(config)) == 0);
        CLAIM(strncmp(error, "kiln.conf: ", 11) == 0 && memchr(error, '\0', sizeof(error)) != NULL);
        return 0;
    }
    CLAIM(config.state_dir[0] == '/' && config.run_dir[0] == '/' && config.network.subnet[0] != '\0');
    CLAIM(config.noperators <= CONFIG_OPERATORS_MAX && config.max_boots >= 1);
    config_finish(&config);
    return 0;
}
