/* sandbox_landlock: which paths a process of the sandbox may read. [landlock(7), through its raw system calls] */
#include "engine/job/sandbox_private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LANDLOCK_ABI_KNOWN = 7 };

/* As in Linux 6.15; an older kernel takes the longer structure as long as what it does not know is 0. */
struct ruleset {
    uint64_t fs, net, scoped;
};

enum {
    FS_ABI_1 = (1 << 13) - 1, /* EXECUTE to MAKE_SYM */
    FS_REFER = 1 << 13,       /* ABI 2 */
    FS_TRUNCATE = 1 << 14,    /* ABI 3 */
    FS_IOCTL_DEV = 1 << 15,   /* ABI 5 */
    NET_ALL = 3,              /* ABI 4: bind, connect TCP */
    SCOPE_ALL = 3,            /* ABI 6: abstract UNIX sockets, signals */
};

static struct ruleset ruleset_for(int abi)
{
    return (struct ruleset){
        .fs = FS_ABI_1 | (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) |
              (abi >= 5 ? FS_IOCTL_DEV : 0),
        .net = abi >= 4 ? NET_ALL : 0,
        .scoped = abi >= 6 ? SCOPE_ALL : 0,
    };
}

static int permit_path(struct stage *stage, int ruleset, const struct ruleset *handled, const char *path)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE};
    struct stat about = {0};
    int r = 0;
    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
        return 0; /* nothing is permitted; who opens it says what is wrong with it */
    if (rule.parent_fd < 0)
        return stage_failed(stage, path);
    if (fstat(rule.parent_fd, &about) == 0 && S_ISDIR(about.st_mode))
        rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
    else if (S_ISBLK(about.st_mode)) /* the filter leaves of ioctl only the questions for the device's size */
        rule.allowed_access |= handled->fs & FS_IOCTL_DEV;
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
        r = stage_failed(stage, path);
    close(rule.parent_fd);
    return r;
}

int stage_close_paths(struct stage *stage)
{
    const struct sandbox_options *options = stage->options;
    int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1 || stage->pretend_no_landlock)
        return stage_lacks(stage,
                           options->folder ? "Landlock (files outside the folder can be read)" : "Landlock");
    abi = abi < LANDLOCK_ABI_KNOWN ? abi : LANDLOCK_ABI_KNOWN;
    struct ruleset handled = ruleset_for(abi);
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    if (ruleset < 0)
        return stage_failed(stage, "landlock_create_ruleset");
    int r = 0;
    if (stage->zygote || options->folder)
        for (size_t i = 0; i < options->readable_count && !r; i++)
            r = permit_path(stage, ruleset, &handled, options->readable[i]);
    if (!r && syscall(SYS_landlock_restrict_self, ruleset, 0))
        r = stage_failed(stage, "landlock_restrict_self");
    close(ruleset);
    if (r)
        return r;
    stage->state.landlock = true;
    stage->state.landlock_abi = abi;
    return 0;
}
