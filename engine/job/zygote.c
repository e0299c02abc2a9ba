/*
 * zygote: the process that all workers are forked from. It is exec'ed with one socket and nothing else open; it sets up
 * the plugins (rules compiled, libraries warmed) while nothing hostile has been read, closes the first stage of the
 * sandbox, opens the evidence, and then forks a worker for every FORK message. Workers are the supervisor's children.
 */
#include "engine/job/worker.h"

#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/log.h"
#include "engine/base/text.h"
#include "engine/evidence/expand.h"
#include "engine/job/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ------------------------------------------------------------------ telling the supervisor */

static int fatal(struct wire *wire, int code, const struct why *why)
{
    struct buf *out = wire_begin(wire, WIRE_FATAL);
    buf_u32le(out, (uint32_t)-code);
    buf_string(out, why->text);
    wire_end(wire);
    wire_flush(wire);
    return 1;
}

static void tell_plugins(struct wire *wire, const struct zygote *zygote)
{
    for (size_t i = 0; i < zygote->plugin_count; i++) {
        const struct plugin *plugin = zygote->plugins[i];
        struct buf *out = wire_begin(wire, WIRE_PLUGIN);
        buf_string(out, plugin->name);
        buf_u32le(out, plugin->version);
        buf_string(out, plugin->summary);
        buf_u8(out, zygote->scanner && scanner_content_only(zygote->scanner, i));
        uint32_t count = 0;
        while (plugin->emits[count])
            count++;
        buf_u32le(out, count);
        for (uint32_t t = 0; t < count; t++)
            record_type_write(out, plugin->emits[t]);
        wire_end(wire);
    }
}

static void tell_loaded(struct wire *wire, const struct scanner *scanner)
{
    size_t count = 0;
    const struct loaded *loaded = scanner ? scanner_loaded(scanner, &count) : NULL;
    for (size_t i = 0; i < count; i++) {
        struct buf *out = wire_begin(wire, WIRE_LOADED);
        buf_string(out, loaded[i].plugin);
        buf_string(out, loaded[i].kind);
        buf_string(out, loaded[i].name);
        buf_string(out, loaded[i].sha256);
        buf_u64le(out, loaded[i].count);
        buf_u8(out, loaded[i].problem != NULL);
        buf_string(out, loaded[i].problem ? loaded[i].problem : "");
        wire_end(wire);
    }
}

static void tell_versions(struct wire *wire)
{
    struct buf *out = wire_begin(wire, WIRE_VERSIONS);
    struct buf json;
    buf_init(&json);
    worker_versions(&json);
    buf_string(out, buf_cstr(&json));
    buf_finish(&json);
    wire_end(wire);
}

static void tell_image(struct wire *wire, const struct zygote_exhibit *exhibit)
{
    const struct image_info *info = image_info(exhibit->image);
    struct buf *out = wire_begin(wire, WIRE_IMAGE);
    buf_u64le(out, exhibit->id);
    buf_string(out, image_name(exhibit->image));
    buf_string(out, image_type_name(info->type));
    buf_string(out, info->details);
    buf_string(out, info->unsupported);
    buf_string(out, info->damage);
    buf_string(out, expand_root(info->type));
    buf_u64le(out, info->size);
    buf_u64le(out, info->stored);
    buf_u32le(out, info->sector_size);
    buf_u32le(out, info->segments);
    buf_u32le(out, (uint32_t)info->hash_count);
    for (size_t i = 0; i < info->hash_count; i++) {
        buf_string(out, info->hashes[i].algorithm);
        buf_string(out, info->hashes[i].hex);
        buf_string(out, info->hashes[i].source);
    }
    wire_end(wire);
}

static void tell_image_failed(struct wire *wire, uint64_t id, int code, const struct why *why)
{
    struct buf *out = wire_begin(wire, WIRE_IMAGE_FAILED);
    buf_u64le(out, id);
    buf_u32le(out, (uint32_t)-code);
    buf_string(out, why->text);
    wire_end(wire);
}

/* ------------------------------------------------------------------ setting up */

/* Receives what the supervisor says up to OPEN. */
static int take_setup(struct zygote *zygote, struct bytes *payload, struct why *why)
{
    if (bytes_u32le(payload) != WIRE_VERSION || settings_read(&zygote->settings, payload))
        return why_set(why, -EPROTO, "kvali and kvali-worker are of different versions");
    return 0;
}

static int take_exhibit(struct zygote *zygote, struct bytes *payload, struct why *why)
{
    uint64_t id = bytes_u64le(payload);
    const char *path = bytes_string(payload);
    const char *type_name = bytes_string(payload);
    enum image_type type;
    if (bytes_failed(payload) || !image_type_parse(type_name, &type))
        return why_set(why, -EPROTO, "the supervisor's exhibit message is malformed");
    struct zygote_exhibit *more =
        realloc(zygote->exhibits, (zygote->exhibit_count + 1) * sizeof *zygote->exhibits);
    char *copy = strdup(path);
    if (more)
        zygote->exhibits = more;
    if (!more || !copy) {
        free(copy);
        return why_set(why, -ENOMEM, "out of memory");
    }
    more[zygote->exhibit_count++] = (struct zygote_exhibit){.id = id, .path = copy, .type = type};
    return 0;
}

static int take_key(struct zygote *zygote, struct bytes *payload, struct why *why)
{
    uint64_t exhibit = bytes_u64le(payload);
    uint32_t kind = bytes_u32le(payload);
    size_t size = 0;
    const void *data = bytes_blob(payload, &size);
    if (bytes_failed(payload) || kind >= KEY_KINDS)
        return why_set(why, -EPROTO, "the supervisor's key message is malformed");
    for (size_t i = 0; i < zygote->exhibit_count; i++) {
        struct zygote_exhibit *one = &zygote->exhibits[i];
        int code = exhibit == UINT64_MAX || exhibit == one->id ? keys_add(&one->keys, (enum key_kind)kind, data, size) : 0;
        if (code)
            return why_set(why, code, "a key cannot be kept: at most %d, in memory that is locked", KEYS_MAX);
    }
    return 0;
}

static int receive_setup(struct zygote *zygote, struct why *why)
{
    static uint8_t packet[WIRE_PACKET_MAX];
    for (;;) {
        int64_t size = wire_receive(zygote->control, packet, false, NULL);
        if (size <= 0)
            return why_set(why, -EPIPE, "the supervisor is gone");
        struct bytes bytes, payload;
        enum wire_type type;
        bytes_init(&bytes, packet, (size_t)size);
        while (wire_next(&bytes, &type, &payload)) {
            int code = type == WIRE_SETUP     ? take_setup(zygote, &payload, why)
                       : type == WIRE_EXHIBIT ? take_exhibit(zygote, &payload, why)
                       : type == WIRE_KEY     ? take_key(zygote, &payload, why)
                       : type == WIRE_OPEN    ? 1
                                              : why_set(why, -EPROTO, "unexpected message %d", (int)type);
            if (code)
                explicit_bzero(packet, sizeof packet);
            if (code)
                return code < 0 ? code : 0;
        }
        explicit_bzero(packet, sizeof packet);
        if (bytes_failed(&bytes))
            return why_set(why, -EPROTO, "malformed packet from the supervisor");
    }
}

static int add_plugin(struct zygote *zygote, const struct plugin *plugin, struct why *why)
{
    for (size_t i = 0; i < zygote->plugin_count; i++)
        if (strcmp(zygote->plugins[i]->name, plugin->name) == 0)
            return why_set(why, -EEXIST, "plugin %s is there twice", plugin->name);
    if (zygote->plugin_count == SCANNER_PLUGINS_MAX)
        return why_set(why, -E2BIG, "more than %d plugins", SCANNER_PLUGINS_MAX);
    zygote->plugins[zygote->plugin_count++] = plugin;
    return 0;
}

/* Every name must be a built-in plugin's. The order they run in is the table's, whatever order they are named in. */
static int check_names(char *names, struct why *why)
{
    char *save = NULL;
    for (char *name = strtok_r(names, ", ", &save); name; name = strtok_r(NULL, ", ", &save)) {
        const struct plugin *const *p = plugin_table;
        while (*p && strcmp((*p)->name, name) != 0)
            p++;
        if (!*p)
            return why_set(why, -ENOENT, "there is no plugin named %s (`kvali plugins` lists them)", name);
    }
    return 0;
}

static bool is_named(const char *names, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = names; (at = strstr(at, name)); at += size)
        if ((at == names || at[-1] == ',' || at[-1] == ' ') &&
            (at[size] == 0 || at[size] == ',' || at[size] == ' '))
            return true;
    return false;
}

static int load_lab_plugins(struct zygote *zygote, char *paths, struct why *why)
{
    char *save = NULL;
    for (char *path = strtok_r(paths, ":", &save); path; path = strtok_r(NULL, ":", &save)) {
        const struct plugin *plugin;
        char sha256[SHA256_HEX_SIZE];
        int code = plugin_load(path, &plugin, sha256, why);
        if (code == 0)
            code = add_plugin(zygote, plugin, why);
        if (code)
            return code;
    }
    return 0;
}

static int choose_plugins(struct zygote *zygote, struct why *why)
{
    const char *wanted = settings_text(&zygote->settings, "plugins");
    char *names = strdup(wanted), *paths = strdup(settings_text(&zygote->settings, "lab.plugins"));
    int code = names && paths ? check_names(names, why) : why_set(why, -ENOMEM, "out of memory");
    for (const struct plugin *const *p = plugin_table; code == 0 && *p; p++)
        if (is_named(wanted, (*p)->name))
            code = add_plugin(zygote, *p, why);
    if (code == 0)
        code = load_lab_plugins(zygote, paths, why);
    free(names);
    free(paths);
    return code;
}

/* What the C library loads lazily is loaded now: afterwards no file can be opened (each of these cost a run once). */
static void warm_libc(void)
{
    setenv("TZ", "UTC0", 1);
    tzset();
    setlocale(LC_ALL, "C.UTF-8");
    setlocale(LC_MESSAGES, "C");
    time_t now = time(NULL);
    struct tm tm;
    localtime_r(&now, &tm);
    (void)strerror(EIO);
    static const char *const charsets[] = {"UTF-16LE", "UTF-16BE", "UTF-8", "ASCII", "ISO-8859-1", "CP1252", "CP437"};
    /* Never closed: an open descriptor keeps its gconv module loaded. */
    for (size_t i = 0; i < sizeof charsets / sizeof *charsets; i++)
        if (iconv_open("UTF-8", charsets[i]) == (iconv_t)-1)
            log_debug("no iconv for %s", charsets[i]);
}

static int set_up(struct zygote *zygote, struct why *why)
{
    int code = hash_setup();
    if (code)
        return why_set(why, code, "libcrypto does not offer MD5, SHA-1 and SHA-256");
    code = choose_plugins(zygote, why);
    if (code)
        return code;
    /* Without any plugin, too: slack is the scanner's own, and a replay looks for it. */
    code = scanner_new(zygote->plugins, zygote->plugin_count, &zygote->settings, &zygote->scanner, why);
    if (code)
        return code;
    code = scanner_warm(zygote->scanner);
    if (code)
        return why_set(why, code, "the warm-up scan failed: %s", strerror(-code));
    expand_warm();
    image_warm();
    return 0;
}

/* ------------------------------------------------------------------ evidence */

static int narrow(struct zygote *zygote, struct sandbox_state *state, struct why *why)
{
    size_t count = 0;
    /* The evidence, the folder it lies in (its other segments and its stored hashes), and what a worker reopens. */
    const char **readable = calloc(zygote->exhibit_count * 2 + 1, sizeof *readable);
    char **folders = calloc(zygote->exhibit_count + 1, sizeof *folders);
    if (!readable || !folders) {
        free(readable);
        free(folders);
        return why_set(why, -ENOMEM, "out of memory");
    }
    bool folder = false;
    for (size_t i = 0; i < zygote->exhibit_count; i++) {
        const struct zygote_exhibit *exhibit = &zygote->exhibits[i];
        readable[count++] = exhibit->path;
        folder = folder || exhibit->type == IMAGE_FOLDER;
        char *slash = strrchr(exhibit->path, '/');
        if (exhibit->type != IMAGE_FOLDER && slash) {
            folders[i] = strndup(exhibit->path, slash == exhibit->path ? 1 : (size_t)(slash - exhibit->path));
            if (folders[i])
                readable[count++] = folders[i];
        }
    }
    struct sandbox_options options = {
        .readable = readable,
        .readable_count = count,
        .folder = folder,
        .weak = strcmp(settings_text(&zygote->settings, "sandbox"), "weak") == 0,
        .evidence_fd_max = IMAGE_FDS_MAX + 256,
        .parent = zygote->supervisor,
    };
    int code = sandbox_zygote(&options, state, why);
    for (size_t i = 0; i < zygote->exhibit_count; i++)
        free(folders[i]);
    free(folders);
    free(readable);
    return code;
}

static void open_evidence(struct zygote *zygote, struct wire *wire)
{
    for (size_t i = 0; i < zygote->exhibit_count; i++) {
        struct zygote_exhibit *exhibit = &zygote->exhibits[i];
        struct why why = {{0}};
        int code = image_open(exhibit->path, exhibit->type, &exhibit->image, &why);
        if (code)
            tell_image_failed(wire, exhibit->id, code, &why);
        else
            tell_image(wire, exhibit);
        if (code == 0)
            image_set_keys(exhibit->image, &exhibit->keys);
        if (wire_flush(wire)) /* one by one: if the next one kills this process, it is known which one it was */
            return;
    }
}

/* ------------------------------------------------------------------ forking */

static void close_all(const int *fds)
{
    for (size_t i = 0; i < WIRE_FDS_MAX; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static int fork_worker(struct zygote *zygote, struct wire *wire, struct bytes *payload, int *fds)
{
    uint32_t number = bytes_u32le(payload);
    if (bytes_failed(payload) || fds[0] < 0 || fds[1] < 0)
        return -EPROTO;
    int pid = sandbox_fork_sibling();
    if (pid == 0) {
        close(zygote->control);
        worker_main(zygote, fds[0], fds[1], fds[2]);
    }
    struct buf *out = wire_begin(wire, WIRE_FORKED);
    buf_u32le(out, number);
    buf_u32le(out, pid < 0 ? 0 : (uint32_t)pid);
    wire_end(wire);
    return wire_flush(wire);
}

static int serve(struct zygote *zygote, struct wire *wire)
{
    static uint8_t packet[WIRE_PACKET_MAX];
    for (;;) {
        int fds[WIRE_FDS_MAX];
        int64_t size = wire_receive(zygote->control, packet, false, fds);
        if (size <= 0)
            return 0; /* the supervisor does not need this zygote any more */
        struct bytes bytes, payload;
        enum wire_type type;
        bytes_init(&bytes, packet, (size_t)size);
        int code = -EPROTO;
        while (wire_next(&bytes, &type, &payload))
            code = type == WIRE_FORK ? fork_worker(zygote, wire, &payload, fds) : -EPROTO;
        close_all(fds);
        if (code)
            return 1;
    }
}

int zygote_main(int control)
{
    struct zygote zygote = {.control = control, .supervisor = getppid()};
    struct wire wire;
    struct why why = {{0}};
    struct sandbox_state state;
    wire_init(&wire, control);
    warm_libc();
    int code = settings_init(&zygote.settings);
    if (code == 0)
        code = receive_setup(&zygote, &why);
    if (code == 0)
        code = set_up(&zygote, &why);
    if (code)
        return fatal(&wire, code, &why);
    tell_plugins(&wire, &zygote);
    tell_loaded(&wire, zygote.scanner);
    tell_versions(&wire);
    code = narrow(&zygote, &state, &why);
    if (code)
        return fatal(&wire, code, &why);
    if (wire_flush(&wire))
        return 1;
    open_evidence(&zygote, &wire);
    char words[512];
    sandbox_describe(&state, words, sizeof words);
    buf_string(wire_begin(&wire, WIRE_ZYGOTE_READY), words);
    wire_end(&wire);
    if (wire_flush(&wire))
        return 1;
    return serve(&zygote, &wire);
}
