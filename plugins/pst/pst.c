/*
 * pst: Outlook's stores (PST, OST, PAB): every item a record, its properties, texts and attachments as
 * streams.
 *
 * What is in a store is veiled by a substitution (which wants no key), so no plugin sees anything of it in
 * the file itself: that is why all texts of an item become a stream, too. [MS-PST]
 */
#include "engine/base/text.h"
#include "engine/base/when.h"
#include "engine/plugin.h"
#include "plugins/pst/letter.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS = 64, CHUNK = 64 * 1024, PATH_SIZE = 4096, NAME_SIZE = 1024, TEXT_SIZE = 4096 };
#define ITEMS_MAX      UINT64_C(2000000)
#define BODY_MAX       ((size_t)256 << 20)
#define PROPERTIES_MAX ((size_t)16 << 20)

static const struct field store_fields[] = {
    {"kind", FIELD_TEXT, "", "PST, OST or PAB"},
    {"bits", FIELD_U64, "", "32: up to Outlook 2002; 64; 65: 64 with pages of 4 KiB, from Outlook 2013 on"},
    {"encoding", FIELD_TEXT, "", "how the content is veiled, which wants no key: none, compressible, high"},
    {"password", FIELD_U64, "", "1: Outlook asks for a password; the content is not encrypted by it"},
    {"damaged", FIELD_U64, "", "1: an index of it is broken"},
    {"folders", FIELD_U64, "", "folders"},
    {"items", FIELD_U64, "", "messages, contacts and other items in folders, and those attached to them"},
    {"hidden", FIELD_U64, "", "of these, items that Outlook does not show: rules, views, settings"},
    {"lost", FIELD_U64, "", "of these, items in no folder, and deleted ones that were recovered"},
    {"unread", FIELD_U64, "", "items that could not be read"},
};
static const struct record_type store_type = {"store", 1, "a store of Outlook", store_fields,
                                              sizeof store_fields / sizeof store_fields[0]};

static const struct field part_fields[] = {
    {"kind", FIELD_TEXT, "", "text, html, rtf, attachment"},
    {"name", FIELD_TEXT, "", "the file name that goes with it"},
    {"type", FIELD_TEXT, "", "the media type that it gives itself"},
    {"modified", FIELD_WHEN, "", "last change of an attachment"},
    {"born", FIELD_WHEN, "", "creation of an attachment"},
};
static const struct record_type part_type = {"part", 1, "the text of an item, or what is attached to it",
                                             part_fields, sizeof part_fields / sizeof part_fields[0]};

static const struct field folder_fields[] = {
    {"name", FIELD_TEXT, "", "with the folders that it lies in"},
    {"items", FIELD_U64, "", "in it"},
    {"hidden", FIELD_U64, "", "in it, which Outlook does not show"},
    {"state", FIELD_TEXT, "", "live, orphan or recovered"},
};
static const struct record_type folder_type = {"folder", 1, "a folder of Outlook", folder_fields, 4};

static const struct record_type *const pst_emits[] = {&store_type, &folder_type, &letter_type, &part_type,
                                                      NULL};

static enum plugin_want pst_start(struct scan *scan)
{
    const struct stream_info *info = scan_stream(scan);
    const uint8_t *head;

    if (info->kind != STREAM_FILE && info->kind != STREAM_ADS && info->kind != STREAM_CHILD &&
        info->kind != STREAM_CARVED)
        return PLUGIN_SKIP;
    if (scan_peek(scan, 0, 10, &head) < 0 || memcmp(head, "!BDN", 4) != 0)
        return PLUGIN_SKIP;
    return memcmp(head + 8, "SM", 2) == 0 || memcmp(head + 8, "SO", 2) == 0 || memcmp(head + 8, "AB", 2) == 0
               ? PLUGIN_FEED
               : PLUGIN_SKIP;
}

/* The store is read beside the pass: from index to index, in no order of its bytes. */
static int pst_feed(struct scan *scan, const struct block *block)
{
    (void)scan, (void)block;
    return 0;
}

/* ------------------------------------------------------------------ the walk */

struct level {
    struct item *item;
    bool folder;
    enum item_part part; /* that is being gone through */
    int next, count;
    size_t path_size;
};

struct walk {
    struct scan *scan;
    struct level levels[LEVELS];
    size_t depth;
    char path[PATH_SIZE]; /* of the level, components with '/' between, as bytes */
    const char *state;    /* of all below */
    uint64_t folders, items, hidden, lost, unread;
    int code;
};

static struct value text(const struct buf *raw, struct buf *room)
{
    buf_clear(room);
    if (raw->size == 0)
        return value_none();
    text_escape(room, raw->data, raw->size < TEXT_SIZE ? raw->size : TEXT_SIZE);
    return value_text(buf_cstr(room));
}

/* The place of the level's child: "Inbox/message@0x200024". A '/' in a name would look like a folder. Returns
 * the new size, or 0 when it is too long. */
static size_t extend(struct walk *walk, size_t size, const char *name, size_t name_size)
{
    if (size + 1 + name_size >= PATH_SIZE) {
        scan_limited(walk->scan, 0, "the names of folders are too long: not opened");
        return 0;
    }
    if (size > 0)
        walk->path[size++] = '/';
    for (size_t i = 0; i < name_size; i++)
        walk->path[size + i] = name[i] == '/' ? '_' : name[i];
    walk->path[size + name_size] = '\0';
    return size + name_size;
}

static struct sink *open_child(struct walk *walk, size_t size, const char *name,
                               const struct record_type *type, const struct value *values)
{
    char room[PATH_SIZE + NAME_SIZE];
    int length = snprintf(room, sizeof room, "%.*s/%s", (int)size, walk->path, name);
    const struct child child = {.name = room,
                                .name_size = (size_t)length < sizeof room ? (size_t)length : sizeof room - 1,
                                .kind = STREAM_CHILD,
                                .deleted = strcmp(walk->state, "live") != 0,
                                .about = type,
                                .values = values};
    struct sink *sink = scan_child(walk->scan, &child);

    if (sink == NULL)
        walk->code = -ENOSPC;
    return sink;
}

static void give(struct walk *walk, size_t size, const char *name, const struct record_type *type,
                 const struct value *values, const struct buf *content)
{
    struct sink *sink = open_child(walk, size, name, type, values);

    if (sink == NULL)
        return;
    walk->code = content->size > 0 ? sink_write(sink, content->data, content->size) : 0;
    sink_close(sink, walk->code == 0 ? SCAN_WHOLE : SCAN_CUT);
}

/* Says that something in the item at path [0, size) is damaged. */
static void note(struct walk *walk, size_t size, const char *what)
{
    struct buf shown = {0};

    text_escape(&shown, walk->path, size);
    scan_note(walk->scan, 0, "%s: %s", buf_cstr(&shown), what);
    buf_finish(&shown);
}

/* ------------------------------------------------------------------ items */

/* The item's record stands with its properties. */
static void give_properties(struct walk *walk, struct item *item, size_t size, bool hidden)
{
    size_t folder = walk->levels[walk->depth - 1].path_size;
    struct buf content = {0}, shown = {0};
    struct letter_place place = {.state = hidden ? "hidden" : walk->state};
    struct letter letter;

    text_escape(&shown, walk->path, folder);
    place.folder = buf_cstr(&shown);
    letter_read(&letter, item, &place);
    if (!item_properties(item, PROPERTIES_MAX, &content))
        scan_limited(walk->scan, 0, "item 0x%" PRIx32 " has more properties than are read", item_id(item));
    give(walk, size, "properties.txt", &letter_type, letter.values, &content);
    letter_finish(&letter);
    buf_finish(&content);
    buf_finish(&shown);
}

static void give_bodies(struct walk *walk, struct item *item, size_t size)
{
    static const struct {
        enum item_body body;
        const char *kind, *name;
    } bodies[] = {
        {BODY_TEXT, "text", "body.txt"}, {BODY_HTML, "html", "body.html"}, {BODY_RTF, "rtf", "body.rtf"}};
    struct buf content = {0};

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0] && walk->code == 0; i++) {
        const struct value values[] = {value_text(bodies[i].kind), value_none(), value_none(), value_none(),
                                       value_none()};

        switch (item_body(item, bodies[i].body, BODY_MAX, &content)) {
        case HAD_IT:
            give(walk, size, bodies[i].name, &part_type, values, &content);
            break;
        case HAD_TOO_MUCH:
            scan_limited(walk->scan, 0, "item 0x%" PRIx32 ": its %s has more than %zu bytes: not opened",
                         item_id(item), bodies[i].name, BODY_MAX);
            break;
        case HAD_BROKEN:
            note(walk, size, "one of its texts cannot be read");
            break;
        case HAD_NONE:
            break;
        }
    }
    buf_finish(&content);
}

static void push(struct walk *walk, struct item *item, bool folder, size_t path_size)
{
    enum item_part part = folder ? PART_MESSAGES : PART_ATTACHMENTS;

    walk->levels[walk->depth++] = (struct level){item, folder, part, 0, item_count(item, part), path_size};
}

/* Takes the item. `size`: where the path of what holds it ends. */
static void open_message(struct walk *walk, struct item *item, size_t size, bool hidden)
{
    char name[32];
    int length = snprintf(name, sizeof name, "item@0x%" PRIx32, item_id(item));

    if (walk->items >= ITEMS_MAX) {
        scan_limited(walk->scan, 0, "more than %" PRIu64 " items: the others were not opened", ITEMS_MAX);
        walk->code = -ENOSPC;
    }
    size = walk->code == 0 ? extend(walk, size, name, (size_t)length) : 0;
    if (size == 0) {
        item_free(item);
        return;
    }
    walk->items++;
    walk->hidden += hidden;
    walk->lost += strcmp(walk->state, "live") != 0;
    give_properties(walk, item, size, hidden);
    give_bodies(walk, item, size);
    if (walk->depth < LEVELS) {
        push(walk, item, false, size);
        return;
    }
    scan_limited(walk->scan, 0, "items lie more than %d levels deep: not opened", LEVELS);
    item_free(item);
}

static void open_folder(struct walk *walk, struct item *folder, size_t size)
{
    struct buf name = {0}, shown = {0};
    bool named = item_text(folder, 0x3001, NAME_SIZE, &name);
    size_t own = 0;

    if (named || size > 0)
        own = extend(walk, size, name.size > 0 ? (const char *)name.data : "unnamed",
                     name.size > 0 ? name.size : 7);
    walk->folders++;
    text_escape(&shown, walk->path, own);
    {
        const struct value values[] = {
            value_text(buf_cstr(&shown)), value_u64((uint64_t)item_count(folder, PART_MESSAGES)),
            value_u64((uint64_t)item_count(folder, PART_HIDDEN)), value_text(walk->state)};

        if (scan_emit(walk->scan, &folder_type, values) == -ENOSPC)
            walk->code = -ENOSPC;
    }
    buf_finish(&name);
    buf_finish(&shown);
    if (own == 0 && (size > 0 || named)) { /* too long, which was said */
        item_free(folder);
    } else if (walk->depth < LEVELS && walk->folders < ITEMS_MAX) {
        push(walk, folder, true, own);
    } else {
        scan_limited(walk->scan, 0, "folders lie more than %d levels deep, or are too many: not opened",
                     LEVELS);
        item_free(folder);
    }
}

static void give_data(struct walk *walk, struct item *attachment, size_t size, const char *name,
                      const struct value *values)
{
    struct sink *sink = open_child(walk, size, name, &part_type, values);
    uint8_t *chunk = malloc(CHUNK);
    int64_t got = chunk != NULL ? 0 : -ENOMEM;

    while (sink != NULL && walk->code == 0 && got >= 0 && (got = item_read(attachment, chunk, CHUNK)) > 0)
        walk->code = sink_write(sink, chunk, (size_t)got);
    if (got < 0)
        note(walk, size, "an attachment cannot be read whole");
    sink_close(sink, got == 0 && walk->code == 0 ? SCAN_WHOLE : SCAN_CUT);
    free(chunk);
}

static void name_of(struct item *attachment, int number, struct buf *ret)
{
    if (!item_text(attachment, 0x3707, NAME_SIZE - 1, ret) &&
        !item_text(attachment, 0x3704, NAME_SIZE - 1, ret)) {
        buf_clear(ret);
        buf_printf(ret, "attachment-%d", number);
    }
    for (size_t i = 0; i < ret->size; i++) {
        if (ret->data[i] == '/')
            ret->data[i] = '_';
    }
}

static struct value time_of(struct item *item, uint16_t property)
{
    int64_t time = item_time(item, property);

    return time != WHEN_NONE ? value_i64(time) : value_none();
}

/* Takes the attachment. What is attached as an item goes on like a message in this message. */
static void open_attachment(struct walk *walk, struct item *attachment, size_t size, int number)
{
    enum item_attached kind = item_attached(attachment);
    struct item *inner = kind == ATTACHED_ITEM ? item_inner(attachment) : NULL;
    struct buf name = {0}, rooms[2] = {{0}}, type = {0};

    name_of(attachment, number, &name);
    item_text(attachment, 0x370e, TEXT_SIZE, &type);
    {
        const struct value values[] = {value_text("attachment"), text(&name, &rooms[0]),
                                       text(&type, &rooms[1]), time_of(attachment, 0x3008),
                                       time_of(attachment, 0x3007)};

        if (kind == ATTACHED_DATA)
            give_data(walk, attachment, size, buf_cstr(&name), values);
        else if (inner != NULL)
            open_message(walk, inner, size, false);
        else
            note(walk, size,
                 kind == ATTACHED_ITEM ? "an attached item cannot be read"
                                       : "an attachment has no content in the store");
    }
    buf_finish(&name);
    buf_finish(&type);
    buf_finish(&rooms[0]);
    buf_finish(&rooms[1]);
    item_free(attachment);
}

/* ------------------------------------------------------------------ going on */

/* The next kind of things in this level; false: there is none. */
static bool turn(struct level *level)
{
    static const enum item_part after[] = {
        [PART_MESSAGES] = PART_HIDDEN, [PART_HIDDEN] = PART_FOLDERS, [PART_FOLDERS] = PART_FOLDERS};

    if (!level->folder || level->part == PART_FOLDERS)
        return false;
    level->part = after[level->part];
    level->next = 0;
    level->count = item_count(level->item, level->part);
    return true;
}

static void step(struct walk *walk)
{
    struct level *level = &walk->levels[walk->depth - 1];
    size_t size = level->path_size;
    struct item *item;
    int index;

    if (level->next >= level->count) {
        if (!turn(level)) {
            item_free(level->item);
            walk->depth--;
        }
        return;
    }
    index = level->next++;
    item = item_part(level->item, level->part, index);
    walk->path[size] = '\0';
    if (item == NULL)
        walk->unread++;
    else if (level->part == PART_FOLDERS)
        open_folder(walk, item, size);
    else if (level->part == PART_ATTACHMENTS)
        open_attachment(walk, item, size, index + 1);
    else
        open_message(walk, item, size, level->part == PART_HIDDEN);
}

static void go(struct walk *walk)
{
    while (walk->depth > 0 && walk->code == 0)
        step(walk);
    while (walk->depth > 0)
        item_free(walk->levels[--walk->depth].item);
}

/* Items in no folder stand in a folder of their own, named by what they are. */
static void walk_lost(struct walk *walk, struct store *store, bool recovered)
{
    int count = store_count_lost(store, recovered);

    walk->state = recovered ? "recovered" : "orphan";
    for (int i = 0; i < count && walk->code == 0; i++) {
        struct item *item = store_lost(store, recovered, i);
        enum item_kind kind = item != NULL ? item_kind(item) : ITEM_BROKEN;
        size_t size;

        walk->path[0] = '\0';
        size = extend(walk, 0, walk->state, strlen(walk->state));
        if (kind == ITEM_BROKEN) {
            walk->unread += item == NULL;
            item_free(item);
        } else {
            /* A level without an item, for what is opened asks where it lies. */
            walk->levels[walk->depth++] = (struct level){.path_size = size};
            if (kind == ITEM_FOLDER)
                open_folder(walk, item, size);
            else
                open_message(walk, item, size, false);
            go(walk);
        }
    }
}

static void emit_store(const struct walk *walk, const struct store_facts *facts)
{
    const struct value values[] = {
        value_text(facts->kind),    value_u64(facts->bits),    value_text(facts->encoding),
        value_u64(facts->password), value_u64(facts->damaged), value_u64(walk->folders),
        value_u64(walk->items),     value_u64(walk->hidden),   value_u64(walk->lost),
        value_u64(walk->unread),
    };

    scan_emit(walk->scan, &store_type, values);
}

static void read_store(struct walk *walk, struct store *store)
{
    struct item *root = store_root(store);
    struct store_facts facts;

    store_facts(store, &facts);
    walk->state = "live";
    if (root == NULL)
        scan_note(walk->scan, 0, "the store's topmost folder cannot be read");
    else
        open_folder(walk, root, 0);
    go(walk);
    if (walk->code == 0) {
        walk_lost(walk, store, false);
        store_recover(store);
        walk_lost(walk, store, true);
    }
    if (walk->unread > 0)
        scan_note(walk->scan, 0, "%" PRIu64 " items of the store cannot be read", walk->unread);
    if (store_is_spent(store))
        scan_limited(walk->scan, 0, "the store jumps to and fro too often: the rest of it was not read");
    emit_store(walk, &facts);
}

static int pst_finish(struct scan *scan, enum scan_status status)
{
    struct store *store = NULL;
    struct walk *walk;
    int code;

    if (status == SCAN_SPARED)
        return 0;
    code = store_open(scan, &store);
    if (code == -EBADMSG) {
        scan_note(scan, 0, "a store of Outlook that is damaged: its indexes cannot be read");
        return 0;
    }
    walk = code == 0 ? calloc(1, sizeof *walk) : NULL;
    if (walk != NULL) {
        walk->scan = scan;
        read_store(walk, store);
        code = walk->code;
    } else {
        code = -ENOMEM;
    }
    free(walk);
    store_close(store);
    return code == -ENOSPC ? 0 : code;
}

const struct plugin plugin_pst = {
    .abi = PLUGIN_ABI,
    .version = 3,
    .name = "pst",
    .summary = "Outlook's stores (PST, OST): messages and other items, texts and attachments as streams",
    .emits = pst_emits,
    .start = pst_start,
    .feed = pst_feed,
    .finish = pst_finish,
    .traits = PLUGIN_SPARED,
};
