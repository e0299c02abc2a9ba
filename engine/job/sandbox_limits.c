/* sandbox_limits: how much a process of the sandbox may have: descriptors, memory, bytes in a file. [setrlimit(2)] */
#include "engine/job/sandbox_private.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

int stage_limit(struct stage *stage, int resource, uint64_t value, const char *name)
{
    struct rlimit both, now;
    if (getrlimit((__rlimit_resource_t)resource, &now))
        return stage_failed(stage, name);
    both.rlim_cur = both.rlim_max = value < now.rlim_max ? (rlim_t)value : now.rlim_max;
    return setrlimit((__rlimit_resource_t)resource, &both) ? stage_failed(stage, name) : 0;
}

/* As many descriptors as the evidence may need, or as many as this user may have: where those are too few,
 * opening the evidence says so. */
int stage_limit_descriptors(struct stage *stage)
{
    rlim_t need = stage->options->evidence_fd_max > 0 ? (rlim_t)stage->options->evidence_fd_max : 0;
    struct rlimit now;
    if (getrlimit(RLIMIT_NOFILE, &now))
        return stage_failed(stage, "RLIMIT_NOFILE");
    if (now.rlim_cur >= need)
        return 0;
    struct rlimit wanted = {.rlim_cur = need, .rlim_max = now.rlim_max > need ? now.rlim_max : need};
    struct rlimit most = {.rlim_cur = now.rlim_max, .rlim_max = now.rlim_max};
    return setrlimit(RLIMIT_NOFILE, &wanted) && setrlimit(RLIMIT_NOFILE, &most)
               ? stage_failed(stage, "RLIMIT_NOFILE")
               : 0;
}

static bool fits_one_page_more(uint64_t pages, uint64_t page, struct rlimit old)
{
    struct rlimit probe = {.rlim_cur = pages * page, .rlim_max = old.rlim_max};
    if (setrlimit(RLIMIT_DATA, &probe))
        return true;
    void *map = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return map != MAP_FAILED && munmap(map, page) == 0;
}

/* What RLIMIT_DATA counts as in use. /proc/self/statm says it too, but the zygote's Landlock rules rightly
 * keep all of /proc shut; so the kernel is asked, by bisection, at which limit one page more still fits. */
static int data_in_use(struct stage *stage, uint64_t *ret_bytes)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    struct rlimit old;
    if (getrlimit(RLIMIT_DATA, &old))
        return stage_failed(stage, "RLIMIT_DATA");
    uint64_t low = 1, high = UINT64_C(1) << 36; /* in pages: 2^48 bytes are more than a process can have */
    if (old.rlim_max / page < high)
        high = old.rlim_max / page;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (fits_one_page_more(middle, page, old))
            high = middle;
        else
            low = middle + 1;
    }
    if (setrlimit(RLIMIT_DATA, &old))
        return stage_failed(stage, "RLIMIT_DATA");
    *ret_bytes = low * page;
    return 0;
}

int stage_limit_worker(struct stage *stage)
{
    const struct sandbox_options *options = stage->options;
    uint64_t used = 0;
    int r = data_in_use(stage, &used);
    if (r)
        return r;
    uint64_t data = options->memory > UINT64_MAX - used ? UINT64_MAX : used + options->memory;
    signal(SIGXFSZ, SIG_IGN); /* a full spool is -EFBIG, not death */
    if ((r = stage_limit(stage, RLIMIT_DATA, data, "RLIMIT_DATA")) ||
        (r = stage_limit(stage, RLIMIT_FSIZE, options->spool, "RLIMIT_FSIZE")) ||
        (r = stage_limit(stage, RLIMIT_NPROC, 0, "RLIMIT_NPROC")) ||
        (r = stage_limit(stage, RLIMIT_MEMLOCK, 0, "RLIMIT_MEMLOCK")))
        return r;
    return stage_limit(stage, RLIMIT_MSGQUEUE, 0, "RLIMIT_MSGQUEUE");
}
