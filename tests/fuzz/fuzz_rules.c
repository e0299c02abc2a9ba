/*
 * fuzz_rules: whatever stands in a file of YARA rules, loading it comes to an end and keeps to its bounds:
 * cutting it into rules, understanding their conditions, and the search for their literals. libyara and
 * Hyperscan are fuzzed with it.
 */
#include "plugins/yara/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    struct rules rules = {0};
    struct why why = {{0}};
    char path[64];
    int fd = memfd_create("rules", MFD_CLOEXEC);

    if (!started && yr_initialize() != 0)
        abort();
    started = true;
    if (size > MOST) /* compiling takes a second for each megabyte, and says nothing new */
        size = MOST;
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (rules_load(path, true, &rules, &why) == 0)
        rules_finish(&rules);
    (void)close(fd);
    return 0;
}
