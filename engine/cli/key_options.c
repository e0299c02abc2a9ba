/* key_options: see key_options.h. */
#include "engine/cli/key_options.h"

#include "engine/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { LINE_MAX_BYTES = 4096 };

static const struct {
    const char *prefix;
    enum job_key_kind kind;
} kinds[] = {{"password:", JOB_KEY_PASSWORD},
             {"recovery:", JOB_KEY_RECOVERY},
             {"file:", JOB_KEY_FILE},
             {"master:", JOB_KEY_MASTER}};

/* What the taking of one option carries along. */
struct taking {
    struct job_options *job;
    struct job_key *keys;
    const char *exhibit; /* borrowed; NULL: all */
    size_t exhibit_size;
    bool in_file; /* which names no other file of keys */
    struct why *why;
};

static int add(struct taking *taking, enum job_key_kind kind, const void *data, size_t size)
{
    struct job_key *keys = reallocarray(taking->keys, taking->job->key_count + 1, sizeof *keys);
    struct job_key key = {.kind = kind, .size = size};

    if (!keys)
        return -ENOMEM;
    taking->keys = keys;
    taking->job->keys = keys;
    key.exhibit = taking->exhibit ? strndup(taking->exhibit, taking->exhibit_size) : NULL;
    key.data = malloc(size + 1);
    if (!key.data || (taking->exhibit && !key.exhibit)) {
        free(key.data);
        free(key.exhibit);
        return -ENOMEM;
    }
    memcpy(key.data, data, size);
    keys[taking->job->key_count++] = key;
    return 0;
}

static int add_file(struct taking *taking, const char *path)
{
    static uint8_t data[JOB_KEY_MAX + 1];
    FILE *file = fopen(path, "re");
    size_t size;
    int code;

    if (!file)
        return why_set(taking->why, -EINVAL, "--key file:%s: %s", path, strerror(errno));
    setbuf(file, NULL); /* no copy of the key in a buffer that is not wiped */
    size = fread(data, 1, sizeof data, file);
    if (ferror(file))
        code = why_set(taking->why, -EINVAL, "--key file:%s: it cannot be read", path);
    else if (size == 0 || size > JOB_KEY_MAX)
        code =
            why_set(taking->why, -EINVAL, "--key file:%s: a key file has 1 to %d bytes", path, JOB_KEY_MAX);
    else
        code = add(taking, JOB_KEY_FILE, data, size);
    fclose(file);
    explicit_bzero(data, sizeof data);
    return code;
}

static int add_master(struct taking *taking, const char *hex)
{
    uint8_t data[256];
    size_t size = strlen(hex) / 2;
    int code;

    if (size == 0 || size > sizeof data || strlen(hex) % 2 != 0 || !text_unhex(hex, data, size))
        return why_set(taking->why, -EINVAL, "--key master: expected 2 to 512 hexadecimal digits");
    code = add(taking, JOB_KEY_MASTER, data, size);
    explicit_bzero(data, sizeof data);
    return code;
}

/* `count` groups of `size` letters with '-' between. */
static bool has_groups(const char *text, const char *letters, size_t count, size_t size)
{
    for (size_t i = 0; i < count; i++, text += size + 1) {
        if (strspn(text, letters) != size || text[size] != (i + 1 < count ? '-' : '\0'))
            return false;
    }
    return true;
}

/* Each of BitLocker's groups is a multiple of eleven, so that a mistyped digit is seen. */
static int check_groups(struct taking *taking, const char *text)
{
    for (unsigned i = 1; i <= 8; i++, text += 7) {
        unsigned long group = strtoul(text, NULL, 10);

        if (group % 11 != 0 || group / 11 > UINT16_MAX)
            return why_set(taking->why, -EINVAL, "--key recovery: group %u of the 8 is mistyped: no BitLocker key has it", i);
    }
    return 0;
}

static int add_recovery(struct taking *taking, const char *text)
{
    bool bitlocker = has_groups(text, "0123456789", 8, 6);

    if (bitlocker && check_groups(taking, text) < 0)
        return -EINVAL;
    if (!bitlocker && !has_groups(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", 6, 4))
        return why_set(taking->why, -EINVAL,
                       "--key recovery: expected BitLocker's 8 groups of 6 digits, or FileVault's 6 groups "
                       "of 4 capital letters and digits, with '-' between");
    return add(taking, JOB_KEY_RECOVERY, text, strlen(text));
}

/* KIND:VALUE. 1: it is of no kind. */
static int add_kind(struct taking *taking, const char *spec)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t size = strlen(kinds[i].prefix);

        if (strncmp(spec, kinds[i].prefix, size) != 0)
            continue;
        if (spec[size] == '\0')
            return why_set(taking->why, -EINVAL, "--key %s: nothing follows", kinds[i].prefix);
        if (kinds[i].kind == JOB_KEY_FILE)
            return add_file(taking, spec + size);
        if (kinds[i].kind == JOB_KEY_MASTER)
            return add_master(taking, spec + size);
        if (kinds[i].kind == JOB_KEY_RECOVERY)
            return add_recovery(taking, spec + size);
        return add(taking, kinds[i].kind, spec + size, strlen(spec + size));
    }
    return 1;
}

static int add_spec(struct taking *taking, const char *spec);

static int add_lines(struct taking *taking, const char *path)
{
    char line[LINE_MAX_BYTES];
    FILE *file;
    int code = 0;

    if (taking->in_file)
        return -EINVAL;
    file = fopen(path, "re");
    if (!file)
        return why_set(taking->why, -EINVAL, "--key @%s: %s", path, strerror(errno));
    setbuf(file, NULL); /* as above */
    taking->in_file = true;
    for (unsigned number = 1; code == 0 && fgets(line, sizeof line, file); number++) {
        if (!strchr(line, '\n') && !feof(file))
            code = why_set(taking->why, -EINVAL, "--key @%s, line %u: longer than %d bytes", path, number, LINE_MAX_BYTES - 2);
        line[strcspn(line, "\r\n")] = '\0';
        if (code == 0 && line[0] != '\0' && line[0] != '#')
            code = add_spec(taking, line);
        if (code == -EINVAL && taking->why->text[0] == '\0')
            (void)why_set(taking->why, code, "--key @%s, line %u: not KIND:VALUE", path, number);
    }
    if (code == 0 && ferror(file))
        code = why_set(taking->why, -EINVAL, "--key @%s: it cannot be read", path);
    taking->in_file = false;
    fclose(file);
    explicit_bzero(line, sizeof line);
    return code;
}

/* [LABEL=]KIND:VALUE or [LABEL=]@FILE. */
static int add_spec(struct taking *taking, const char *spec)
{
    const char *outer = taking->exhibit, *equals;
    size_t outer_size = taking->exhibit_size;
    int code = add_kind(taking, spec);

    if (code <= 0)
        return code;
    if (spec[0] == '@')
        return add_lines(taking, spec + 1);
    equals = strchr(spec, '=');
    if (!equals || equals == spec)
        return -EINVAL;
    taking->exhibit = spec;
    taking->exhibit_size = (size_t)(equals - spec);
    code = equals[1] == '@' ? add_lines(taking, equals + 2) : add_kind(taking, equals + 1);
    taking->exhibit = outer;
    taking->exhibit_size = outer_size;
    return code > 0 ? -EINVAL : code;
}

/* What names a file is no secret; all else may be one, also what was mistyped. The words of the command line are ours, though
 * getopt's pointers to them are const. */
static void wipe(const char *spec)
{
    if (spec[0] != '@' && strncmp(spec, "file:", strlen("file:")) != 0)
        memset((char *)(uintptr_t)spec, '*', strlen(spec));
}

int key_options_take(const struct options *options, struct job_options *job, struct why *why)
{
    struct taking taking = {.job = job, .why = why};
    const char *spec;
    int code = 0;

    for (size_t i = 0; (spec = options_nth(options, "key", i)); i++) {
        if (code == 0)
            code = add_spec(&taking, spec);
        wipe(spec);
    }
    if (code == -EINVAL && why->text[0] == '\0')
        (void)why_set(why, code,
                      "--key: expected password:WORDS, recovery:GROUPS, master:HEX, file:PATH or @FILE");
    if (job->key_count > 0) {
        (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        (void)prctl(PR_SET_DUMPABLE, 0);
    }
    return code;
}

void key_options_finish(struct job_options *job)
{
    struct job_key *keys = job->keys;

    for (size_t i = 0; i < job->key_count; i++) {
        explicit_bzero(keys[i].data, keys[i].size);
        free(keys[i].data);
        free(keys[i].exhibit);
    }
    free(keys);
    job->keys = NULL;
    job->key_count = 0;
}
