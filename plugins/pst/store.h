/*
 * store: Outlook's stores (PST, OST, PAB) as libpff reads them; store.c is the one file that knows it.
 * [MS-PST; [MS-OXCMSG], [MS-OXPROPS] for the properties' numbers]
 *
 * Whatever is returned and is no number is the caller's and freed by its own function; NULL is allowed there.
 */
#ifndef KVALI_PST_STORE_H
#define KVALI_PST_STORE_H

#include "engine/plugin.h"

struct store;
/* A folder, a message, or what is attached to one. */
struct item;

struct store_facts {
    const char *kind;     /* "PST", "OST", "PAB" */
    unsigned bits;        /* 32 (up to Outlook 2002), 64, 65: 64 with pages of 4 KiB (Outlook 2013) */
    const char *encoding; /* how the text is veiled: none, "compressible", "high"; neither wants a key */
    bool password; /* Outlook asks for one before it shows the store; the content is not encrypted by it */
    bool damaged;  /* libpff found an index that is broken */
};

/* Opens the scan's stream. -EBADMSG: it cannot be read as a store, -ENOMEM. */
int store_open(struct scan *scan, struct store **ret_store);
void store_facts(struct store *store, struct store_facts *ret_facts);
/* More of it was read than any sound store needs: what remains cannot be had. */
bool store_is_spent(const struct store *store);
void store_close(struct store *store);

/* The topmost folder; NULL: there is none. */
struct item *store_root(struct store *store);
/* Searches for what no index names any more. May take long. */
void store_recover(struct store *store);
/* Items that no folder holds, and after store_recover those that were found by the search. */
int store_count_lost(struct store *store, bool recovered);
struct item *store_lost(struct store *store, bool recovered, int index);

enum item_kind { ITEM_MESSAGE, ITEM_FOLDER, ITEM_BROKEN };

enum item_kind item_kind(struct item *item);
uint32_t item_id(struct item *item);
void item_free(struct item *item);

/* What lies in a folder or in a message: how many, and each; NULL: it cannot be read. */
enum item_part { PART_FOLDERS, PART_MESSAGES, PART_HIDDEN, PART_ATTACHMENTS };
int item_count(struct item *item, enum item_part part);
struct item *item_part(struct item *item, enum item_part part, int index);

/* A property as UTF-8 in place of what `ret` had; false when there is none. At most `most` bytes. */
bool item_text(struct item *item, uint16_t property, size_t most, struct buf *ret);
/* WHEN_NONE when there is none. */
int64_t item_time(struct item *item, uint16_t property);
bool item_number(struct item *item, uint16_t property, uint32_t *ret);
/* All texts, times and numbers, the recipients' behind the item's own, as lines of UTF-8 in place of what
 * `ret` had: "name<TAB>value<LF>", the names those of [MS-OXPROPS] or hexadecimal. Each at most `most` bytes,
 * and no more begins behind so many: false when there was more. */
bool item_properties(struct item *item, size_t most, struct buf *ret);
/* Those of one kind (1 to, 2 copies, 3 blind copies) as "Name <address>, Name <address>". */
bool item_recipients(struct item *message, uint32_t kind, size_t most, struct buf *ret);

/* A message's text in one of its forms; HAD_TOO_MUCH: it has more than `most` bytes, or than memory. */
enum item_body { BODY_TEXT, BODY_HTML, BODY_RTF };
enum item_had { HAD_NONE, HAD_IT, HAD_TOO_MUCH, HAD_BROKEN };
enum item_had item_body(struct item *message, enum item_body body, size_t most, struct buf *ret);

/* What an attachment is: content, another message, or the name of a file elsewhere. */
enum item_attached { ATTACHED_DATA, ATTACHED_ITEM, ATTACHED_ELSEWHERE };
enum item_attached item_attached(struct item *attachment);
struct item *item_inner(struct item *attachment);
/* The next bytes of its content: how many, 0 at the end, negative when they cannot be read. */
int64_t item_read(struct item *attachment, void *data, size_t size);

#endif
