/*
 * matches: what the yara plugin finds in a stream is what the `yara` command finds in the extracted file.
 *
 *     matches SOURCE_ROOT
 *
 * Every sample, and one file of several MiB whose matches lie across the borders of blocks and in what is
 * kept in the spool file. Compared are the rules and the offset, length and name of every string that a
 * record shows. 77 (skipped) without the command.
 */
#include "tests/plugins/samples.h"
#include "tests/plugins/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PER_STRING_MAX = 64, BIG_SIZE = 5 * 1024 * 1024 + 123 };

extern const struct plugin plugin_yara;
static const struct plugin *const plugins[] = {&plugin_yara};

struct found {
    struct buf lines;
    bool limited;
};

static int on_record(void *context, uint32_t stream, uint32_t plugin, uint32_t type, const void *data,
                     size_t size)
{
    struct found *found = context;
    struct value values[RECORD_FIELDS_MAX];
    struct bytes bytes;
    const char *at;
    char *strings, id[128];
    uint64_t offset, length;
    int used;

    (void)stream, (void)plugin;
    bytes_init(&bytes, data, size);
    if (record_decode(&bytes, plugin_yara.emits[type], values) < 0)
        abort();
    buf_append(&found->lines, values[1].as.bytes.data, values[1].as.bytes.size);
    buf_text(&found->lines, ":");
    buf_append(&found->lines, values[0].as.bytes.data, values[0].as.bytes.size);
    buf_text(&found->lines, "\n");
    strings = strndup(values[4].as.bytes.data, values[4].as.bytes.size);
    at = strings + 1;
    while (sscanf(at, "{\"id\":\"%127[^\"]\",\"offset\":%" SCNu64 ",\"length\":%" SCNu64 "%n", id, &offset,
                  &length, &used) == 3) {
        buf_printf(&found->lines, "0x%" PRIx64 ":%" PRIu64 ":%s\n", offset, length, id);
        at = strchr(at + used, '}') + 1;
        at += *at == ',';
    }
    free(strings);
    return 0;
}

static int on_text(void *context, uint32_t stream, uint32_t plugin, uint64_t offset, const char *text)
{
    struct found *found = context;

    (void)stream, (void)plugin, (void)offset;
    printf("limited: %s\n", text);
    found->limited = true;
    return 0;
}

static void run_plugin(struct scanner *scanner, const struct sample *sample, struct found *found)
{
    struct trace_source source = {.data = sample->data, .size = sample->size};
    struct scan_sink sink = {.record = on_record, .note = on_text, .limited = on_text, .context = found};
    struct source from = trace_source(&source);
    struct scan_result result;

    if (scanner_scan(scanner, trace_info(sample->name, sample->size), &from, 0, &sink, &result) < 0)
        abort();
}

/* The rule files that the plugin uses, as arguments for the command: sets have folders, the test's own have
 * none. */
static void add_rules(struct buf *command, const struct scanner *scanner, const char *root)
{
    size_t count;
    const struct loaded *loaded = scanner_loaded(scanner, &count);

    for (size_t i = 0; i < count; i++) {
        const char *dot = strrchr(loaded[i].name, '.');
        const char *folder = strchr(loaded[i].name, '/') != NULL ? "rules/yara" : "tests/plugins/yara/rules";

        if (strcmp(loaded[i].kind, "rules") == 0 && loaded[i].problem == NULL && loaded[i].count > 0)
            buf_printf(command, " '%.*s:%s/%s/%s'", (int)(dot - loaded[i].name), loaded[i].name, root, folder,
                       loaded[i].name);
    }
}

/* One line of the command's as the plugin's: "ns:rule path" or "0x10:2:$ab: ab". */
static void take_line(struct buf *lines, char *line, char last[160], unsigned *count)
{
    char *end;

    if (strncmp(line, "0x", 2) != 0) {
        line[strcspn(line, " ")] = '\0';
        buf_printf(lines, "%s\n", line);
        last[0] = '\0';
        return;
    }
    end = strchr(line, '$');
    end = end != NULL ? strchr(end, ':') : NULL;
    if (end == NULL)
        abort();
    *end = '\0';
    if (strcmp(last, strchr(line, '$')) != 0)
        *count = 0;
    snprintf(last, 160, "%s", strchr(line, '$'));
    if (++*count <= PER_STRING_MAX)
        buf_printf(lines, "%s\n", line);
}

static void run_command(const struct scanner *scanner, const char *root, const struct sample *sample,
                        const char *path, struct buf *lines)
{
    const struct stream_info *info = trace_info(sample->name, sample->size);
    const char *type = sample->size > 1 && memcmp(sample->data, "MZ", 2) == 0 ? "EXE" : "";
    struct buf command = {0};
    char *line = NULL, last[160] = "";
    size_t capacity = 0;
    unsigned count = 0;
    FILE *pipe;

    buf_printf(
        &command,
        "yara -w -e -s -L -d 'filename=%s' -d 'filepath=%s' -d 'extension=%s%s' -d 'filetype=%s' -d md5= "
        "-d owner= -d size=%zu -d deleted=false",
        info->name, info->path, info->extension[0] != '\0' ? "." : "", info->extension, type, sample->size);
    add_rules(&command, scanner, root);
    buf_printf(&command, " '%s'", path);
    pipe = popen(buf_cstr(&command), "r");
    if (pipe == NULL)
        abort();
    while (getline(&line, &capacity, pipe) > 0)
        take_line(lines, line, last, &count);
    if (pclose(pipe) != 0) {
        printf("the command fails: %s\n", buf_cstr(&command));
        exit(1);
    }
    free(line);
    buf_finish(&command);
}

static bool compare(struct scanner *scanner, const char *root, const char *folder,
                    const struct sample *sample)
{
    struct found found = {0};
    struct buf lines = {0};
    bool same;
    FILE *file;
    char *path;

    if (asprintf(&path, "%s/file", folder) < 0)
        abort();
    file = fopen(path, "we");
    if (file == NULL || fwrite(sample->data, 1, sample->size, file) != sample->size || fclose(file) != 0)
        abort();
    run_plugin(scanner, sample, &found);
    run_command(scanner, root, sample, path, &lines);
    same = strcmp(buf_cstr(&found.lines), buf_cstr(&lines)) == 0 && !found.limited;
    if (!same)
        printf("%s: the plugin:\n%s  the command:\n%s", sample->name, buf_cstr(&found.lines),
               buf_cstr(&lines));
    unlink(path);
    free(path);
    buf_finish(&found.lines);
    buf_finish(&lines);
    return same;
}

static void put(struct sample *sample, size_t offset, const char *text)
{
    memcpy(sample->data + offset, text, strlen(text));
}

/* Noise, with something to find at the borders of blocks, chunks and the end. */
static void make_big(struct sample *sample)
{
    uint32_t state = 1;

    *sample = (struct sample){.name = strdup("mechanics.lnk"), .size = BIG_SIZE};
    sample->data = malloc(BIG_SIZE);
    if (sample->data == NULL || sample->name == NULL)
        abort();
    for (size_t i = 0; i < BIG_SIZE; i++) {
        state = state * 1664525 + 1013904223;
        sample->data[i] = (uint8_t)(state >> 24);
        if (sample->data[i] == 'b')
            sample->data[i] = 'c'; /* no chance "ab" */
    }
    put(sample, 65536 - 7, "kvali-mechanics");
    put(sample, (1 << 20) - 7, "kvali-mechanics");
    put(sample, (1 << 20) + 4096 - 1, "tail");
    put(sample, (2 << 20) - 12, "-----BEGIN PRIVATE KEY-----\nMIIBVAIBADANBgkqhkiG9w0BAQEFAASCMIIB\n");
    put(sample, (3 << 20) - 1, "\xe1\x83\x99");
    put(sample, BIG_SIZE - 15, "kvali-mechanics");
    for (size_t i = 0; i < 200; i++)
        put(sample, (4 << 20) - 200 + 2 * i, "ab");
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/kvali-matches-XXXXXX", spool[] = "/tmp/kvali-spool-XXXXXX";
    struct settings settings;
    struct samples samples;
    struct scanner *scanner;
    struct sample big;
    struct why why;
    unsigned failures = 0;
    int fd;

    if (argc != 2 || system("yara --version >/dev/null 2>&1") != 0)
        return argc != 2 ? 2 : 77;
    trace_settings(&settings, argv[1]);
    settings_set(&settings, "spool.memory", "64K", NULL);
    fd = mkstemp(spool);
    if (fd < 0 || unlink(spool) != 0 || mkdtemp(folder) == NULL ||
        scanner_new(plugins, 1, &settings, &scanner, &why) < 0)
        abort();
    scanner_set_spool(scanner, fd);
    samples_read(&samples, argv[1], "yara");
    for (size_t i = 0; i < samples.count; i++)
        failures += !compare(scanner, argv[1], folder, &samples.items[i]);
    make_big(&big);
    failures += !compare(scanner, argv[1], folder, &big);
    printf("%zu files, %u differ\n", samples.count + 1, failures);
    free(big.data);
    free(big.name);
    samples_free(&samples);
    scanner_free(scanner);
    settings_finish(&settings);
    close(fd);
    rmdir(folder);
    return failures > 0;
}
