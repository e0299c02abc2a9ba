/*
 * found: the wire forms of what the walk reports, and the names of its enumerations.
 *
 * Every field is written in the order of its structure; integers little-endian, text as a blob with its NUL
 * (buf.h). The reader trusts nothing: a worker that parsed hostile evidence may be hostile itself. It accepts
 * exactly what the writer can produce: known enumeration values, bounded text in escaped form (text.h),
 * nothing after the end. Numbers are only numbers: sizes and offsets come from evidence and need not make
 * sense. The writer cuts descriptive text that is too long; an address that is too long makes the buffer
 * fail, because an address cut short would name something else.
 */
#include "engine/evidence/found.h"

#include "engine/base/text.h"
#include "engine/base/when.h"

#include <errno.h>
#include <string.h>

enum {
    SHORT_MAX = 256,  /* keys, table and file system names, stages */
    WORDS_MAX = 2048, /* labels, descriptions, causes */
    NAME_MAX_BYTES = 4096,
    LOCATOR_MAX = 3 * FOUND_PATH_MAX, /* "folder/" and the path in hex */
    FLAGS_ALL = (ENTRY_NO_METADATA << 1) - 1,
};

static const char *const entry_names[ENTRY_TYPES] = {
    [ENTRY_FILE] = "file",       [ENTRY_FOLDER] = "folder",     [ENTRY_LINK] = "link",
    [ENTRY_FIFO] = "fifo",       [ENTRY_CHARDEV] = "chardev",   [ENTRY_BLOCKDEV] = "blockdev",
    [ENTRY_SOCKET] = "socket",   [ENTRY_WHITEOUT] = "whiteout", [ENTRY_VIRTUAL] = "virtual",
    [ENTRY_UNKNOWN] = "unknown",
};

static const char *const fault_names[FAULT_KINDS] = {
    [FAULT_UNREADABLE] = "unreadable",
    [FAULT_DAMAGED] = "damaged",
    [FAULT_UNSUPPORTED] = "unsupported",
    [FAULT_ENCRYPTED] = "encrypted",
    [FAULT_LIMIT] = "limit",
    [FAULT_CRASH] = "crash",
    [FAULT_HANG] = "hang",
    [FAULT_MEMORY] = "memory",
    [FAULT_TAMPER] = "tamper",
    [FAULT_MISSING] = "missing",
    [FAULT_DENIED] = "denied",
    [FAULT_CHANGED] = "changed",
};

static const char *const account_names[ACCOUNT_KINDS] = {
    [ACCOUNT_SHARE] = "share",     [ACCOUNT_LIVE] = "live",       [ACCOUNT_SLACK] = "slack",
    [ACCOUNT_STRUCTURES] = "structures", [ACCOUNT_DELETED] = "deleted", [ACCOUNT_FREE] = "free",
    [ACCOUNT_OUTSIDE] = "outside", [ACCOUNT_RAW] = "raw",         [ACCOUNT_TABLE] = "table",
    [ACCOUNT_ALLOCATED] = "allocated",
};

const char *account_kind_name(enum account_kind kind)
{
    return (size_t)kind < ACCOUNT_KINDS ? account_names[kind] : "unknown";
}

struct found_entry found_entry_blank(void)
{
    return (struct found_entry){
        .volume = "",
        .path = "",
        .name = "",
        .modified = WHEN_NONE,
        .accessed = WHEN_NONE,
        .changed = WHEN_NONE,
        .born = WHEN_NONE,
        .deleted = WHEN_NONE,
        .name_modified = WHEN_NONE,
        .name_accessed = WHEN_NONE,
        .name_changed = WHEN_NONE,
        .name_born = WHEN_NONE,
        .raw_times = "",
        .target = "",
        .attribute = "",
        .locator = "",
        .kind = STREAM_FILE,
        .disk = UINT64_MAX,
    };
}

const char *entry_type_name(enum entry_type type)
{
    return (size_t)type < ENTRY_TYPES ? entry_names[type] : "unknown";
}

const char *fault_kind_name(enum fault_kind kind)
{
    return (size_t)kind < FAULT_KINDS ? fault_names[kind] : "unknown";
}

/* Text: what the reader accepts. */

static bool is_locator(const char *text)
{
    while (*text > ' ' && *text < 0x7f)
        text++;
    return *text == '\0';
}

static const char *read_text(struct bytes *bytes, size_t limit)
{
    const char *text = bytes_string(bytes);
    if (text == NULL)
        return "";
    if (strlen(text) >= limit || !text_is_escaped(text))
        bytes_fail(bytes);
    return text;
}

static const char *read_locator(struct bytes *bytes)
{
    const char *text = bytes_string(bytes);
    if (text == NULL)
        return "";
    if (strlen(text) >= LOCATOR_MAX || !is_locator(text))
        bytes_fail(bytes);
    return text;
}

/* A value of an enumeration of `count` members. */
static uint8_t read_enum(struct bytes *bytes, unsigned count)
{
    uint8_t value = bytes_u8(bytes);
    if (value < count)
        return value;
    bytes_fail(bytes);
    return 0;
}

static int read_end(struct bytes *bytes)
{
    if (bytes_left(bytes) != 0)
        bytes_fail(bytes);
    return bytes_failed(bytes) ? -EBADMSG : 0;
}

/* Descriptive text, cut between two units when it is too long. */
static void write_text(struct buf *buf, const char *text, size_t limit)
{
    if (text == NULL || strlen(text) < limit) {
        buf_string(buf, text);
        return;
    }
    size_t size = 0;
    for (size_t unit; (unit = text_escaped_unit(text + size)) != 0 && size + unit < limit;)
        size += unit;
    buf_u32le(buf, (uint32_t)size + 1);
    buf_append(buf, text, size);
    buf_u8(buf, 0);
}

/* An address: as it is, or not at all. */
static void write_address(struct buf *buf, const char *text, size_t limit)
{
    if (text != NULL && strlen(text) >= limit)
        buf->failed = true;
    buf_string(buf, text);
}

/* Volume. */

void found_volume_write(struct buf *buf, const struct found_volume *volume)
{
    write_address(buf, volume->key, SHORT_MAX);
    write_address(buf, volume->parent, SHORT_MAX);
    write_text(buf, volume->table, SHORT_MAX);
    write_text(buf, volume->type, WORDS_MAX);
    write_text(buf, volume->label, WORDS_MAX);
    buf_u64le(buf, volume->offset);
    buf_u64le(buf, volume->size);
    write_text(buf, volume->filesystem, SHORT_MAX);
    write_text(buf, volume->content, WORDS_MAX);
    buf_u32le(buf, volume->block_size);
    buf_u64le(buf, volume->block_count);
    buf_u64le(buf, volume->fs_size);
    write_text(buf, volume->serial, SHORT_MAX);
    write_text(buf, volume->time_note, WORDS_MAX);
    write_address(buf, volume->expand, LOCATOR_MAX);
    write_address(buf, volume->root, FOUND_PATH_MAX);
    write_address(buf, volume->raw, LOCATOR_MAX);
    buf_u8(buf, (uint8_t)volume->use);
}

int found_volume_read(struct bytes *bytes, struct found_volume *ret_volume)
{
    struct found_volume volume = {0};
    volume.key = read_text(bytes, SHORT_MAX);
    volume.parent = read_text(bytes, SHORT_MAX);
    volume.table = read_text(bytes, SHORT_MAX);
    volume.type = read_text(bytes, WORDS_MAX);
    volume.label = read_text(bytes, WORDS_MAX);
    volume.offset = bytes_u64le(bytes);
    volume.size = bytes_u64le(bytes);
    volume.filesystem = read_text(bytes, SHORT_MAX);
    volume.content = read_text(bytes, WORDS_MAX);
    volume.block_size = bytes_u32le(bytes);
    volume.block_count = bytes_u64le(bytes);
    volume.fs_size = bytes_u64le(bytes);
    volume.serial = read_text(bytes, SHORT_MAX);
    volume.time_note = read_text(bytes, WORDS_MAX);
    volume.expand = read_locator(bytes);
    volume.root = read_text(bytes, FOUND_PATH_MAX);
    volume.raw = read_locator(bytes);
    volume.use = read_enum(bytes, VOLUME_TABLE + 1);
    if (volume.key[0] == '\0')
        bytes_fail(bytes);
    int status = read_end(bytes);
    if (status == 0)
        *ret_volume = volume;
    return status;
}

/* Entry. */

static void write_runs(struct buf *buf, const struct found_entry *entry)
{
    size_t count = entry->run_count < FOUND_RUNS_MAX ? entry->run_count : FOUND_RUNS_MAX;
    buf_u8(buf, entry->runs_cut || count < entry->run_count);
    buf_u32le(buf, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        buf_u64le(buf, entry->runs[i].offset);
        buf_u64le(buf, entry->runs[i].size);
    }
}

static size_t read_runs(struct bytes *bytes, struct found_run *ret_runs)
{
    uint32_t count = bytes_u32le(bytes);
    if (count > FOUND_RUNS_MAX) {
        bytes_fail(bytes);
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        ret_runs[i].offset = bytes_u64le(bytes);
        ret_runs[i].size = bytes_u64le(bytes);
    }
    return count;
}

static void write_times(struct buf *buf, const struct found_entry *entry)
{
    const int64_t times[] = {
        entry->modified,      entry->accessed,      entry->changed,      entry->born,      entry->deleted,
        entry->name_modified, entry->name_accessed, entry->name_changed, entry->name_born,
    };
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        buf_i64le(buf, times[i]);
}

static void read_times(struct bytes *bytes, struct found_entry *entry)
{
    int64_t *const times[] = {
        &entry->modified,      &entry->accessed,     &entry->changed,
        &entry->born,          &entry->deleted,      &entry->name_modified,
        &entry->name_accessed, &entry->name_changed, &entry->name_born,
    };
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        *times[i] = bytes_i64le(bytes);
}

void found_entry_write(struct buf *buf, const struct found_entry *entry)
{
    write_address(buf, entry->volume, SHORT_MAX);
    write_address(buf, entry->path, FOUND_PATH_MAX);
    if (entry->name_size > NAME_MAX_BYTES)
        buf->failed = true;
    buf_blob(buf, entry->name, entry->name_size);
    buf_u8(buf, (uint8_t)entry->type);
    buf_u32le(buf, entry->flags);
    buf_u64le(buf, entry->inode);
    buf_u64le(buf, entry->sequence);
    buf_u64le(buf, entry->parent_inode);
    buf_u64le(buf, entry->size);
    buf_u64le(buf, entry->allocated_size);
    buf_u32le(buf, entry->mode);
    buf_u32le(buf, entry->uid);
    buf_u32le(buf, entry->gid);
    buf_u32le(buf, entry->links);
    write_times(buf, entry);
    write_text(buf, entry->raw_times, WORDS_MAX);
    write_text(buf, entry->target, FOUND_TARGET_MAX);
    write_text(buf, entry->attribute, SHORT_MAX);
    write_address(buf, entry->locator, LOCATOR_MAX);
    buf_u8(buf, (uint8_t)entry->kind);
    buf_u64le(buf, entry->disk);
    write_runs(buf, entry);
}

static void read_numbers(struct bytes *bytes, struct found_entry *entry)
{
    entry->type = read_enum(bytes, ENTRY_TYPES);
    entry->flags = bytes_u32le(bytes);
    entry->inode = bytes_u64le(bytes);
    entry->sequence = bytes_u64le(bytes);
    entry->parent_inode = bytes_u64le(bytes);
    entry->size = bytes_u64le(bytes);
    entry->allocated_size = bytes_u64le(bytes);
    entry->mode = bytes_u32le(bytes);
    entry->uid = bytes_u32le(bytes);
    entry->gid = bytes_u32le(bytes);
    entry->links = bytes_u32le(bytes);
    if ((entry->flags & ~(uint32_t)FLAGS_ALL) != 0)
        bytes_fail(bytes);
}

int found_entry_read(struct bytes *bytes, struct found_entry *ret_entry, struct found_run *ret_runs)
{
    struct found_entry entry = {.runs = ret_runs};
    entry.volume = read_text(bytes, SHORT_MAX);
    entry.path = read_text(bytes, FOUND_PATH_MAX);
    entry.name = bytes_blob(bytes, &entry.name_size);
    if (entry.path[0] == '\0' || entry.name_size > NAME_MAX_BYTES)
        bytes_fail(bytes);
    read_numbers(bytes, &entry);
    read_times(bytes, &entry);
    entry.raw_times = read_text(bytes, WORDS_MAX);
    entry.target = read_text(bytes, FOUND_TARGET_MAX);
    entry.attribute = read_text(bytes, SHORT_MAX);
    entry.locator = read_locator(bytes);
    entry.kind = read_enum(bytes, STREAM_KINDS);
    entry.disk = bytes_u64le(bytes);
    entry.runs_cut = read_enum(bytes, 2) != 0;
    entry.run_count = read_runs(bytes, ret_runs);
    int status = read_end(bytes);
    if (status == 0)
        *ret_entry = entry;
    return status;
}

/* Fault. */

void found_fault_write(struct buf *buf, const struct found_fault *fault)
{
    buf_u8(buf, (uint8_t)fault->kind);
    write_address(buf, fault->volume, SHORT_MAX);
    write_address(buf, fault->path, FOUND_PATH_MAX);
    write_text(buf, fault->stage, SHORT_MAX);
    write_text(buf, fault->plugin, SHORT_MAX);
    buf_u64le(buf, fault->offset);
    buf_u64le(buf, fault->size);
    write_text(buf, fault->effect, WORDS_MAX);
    write_text(buf, fault->detail, WORDS_MAX);
}

int found_fault_read(struct bytes *bytes, struct found_fault *ret_fault)
{
    struct found_fault fault = {.kind = read_enum(bytes, FAULT_KINDS)};
    fault.volume = read_text(bytes, SHORT_MAX);
    fault.path = read_text(bytes, FOUND_PATH_MAX);
    fault.stage = read_text(bytes, SHORT_MAX);
    fault.plugin = read_text(bytes, SHORT_MAX);
    fault.offset = bytes_u64le(bytes);
    fault.size = bytes_u64le(bytes);
    fault.effect = read_text(bytes, WORDS_MAX);
    fault.detail = read_text(bytes, WORDS_MAX);
    int status = read_end(bytes);
    if (status == 0)
        *ret_fault = fault;
    return status;
}

/* Account. */

void found_account_write(struct buf *buf, const struct found_account *account)
{
    write_address(buf, account->volume, SHORT_MAX);
    buf_u8(buf, (uint8_t)account->kind);
    buf_u64le(buf, account->bytes);
}

int found_account_read(struct bytes *bytes, struct found_account *ret_account)
{
    struct found_account account = {.volume = read_text(bytes, SHORT_MAX)};
    account.kind = (enum account_kind)read_enum(bytes, ACCOUNT_KINDS);
    account.bytes = bytes_u64le(bytes);
    int code = read_end(bytes);
    if (code == 0)
        *ret_account = account;
    return code;
}
