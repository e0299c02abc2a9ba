/* store: see store.h. libpff reports errors by -1 and an object that says more; here both are "there is
 * none". */
#include "plugins/pst/store.h"

#include "engine/base/text.h"
#include "engine/base/when.h"
#include "plugins/pst/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <libpff.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES = 4096, RECIPIENTS = 4096, VALUES = 256 };
#define TEXT_MAX (UINT64_C(64) << 20)

struct store {
    struct pst_reader *reader;
    libpff_file_t *file;
};

struct item {
    libpff_item_t *item;
};

int store_open(struct scan *scan, struct store **ret_store)
{
    struct store *store = calloc(1, sizeof *store);
    int code = store != NULL ? pst_reader_open(scan, &store->reader) : -ENOMEM;

    if (code == 0 && libpff_file_initialize(&store->file, NULL) != 1)
        code = -ENOMEM;
    if (code == 0 && libpff_file_open_file_io_handle(store->file, pst_reader_handle(store->reader),
                                                     LIBPFF_OPEN_READ, NULL) != 1)
        code = -EBADMSG;
    if (code == 0)
        *ret_store = store;
    else
        store_close(store);
    return code;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    if (store->file != NULL) {
        libpff_file_close(store->file, NULL);
        libpff_file_free(&store->file, NULL);
    }
    pst_reader_close(store->reader);
    free(store);
}

bool store_is_spent(const struct store *store)
{
    return pst_reader_is_spent(store->reader);
}

/* ------------------------------------------------------------------ items */

static struct item *wrap(libpff_item_t *item)
{
    struct item *ret = item != NULL ? calloc(1, sizeof *ret) : NULL;

    if (ret == NULL)
        libpff_item_free(&item, NULL);
    else
        ret->item = item;
    return ret;
}

void item_free(struct item *item)
{
    if (item != NULL)
        libpff_item_free(&item->item, NULL);
    free(item);
}

void store_facts(struct store *store, struct store_facts *ret_facts)
{
    libpff_item_t *item = NULL;
    uint8_t kind = 0, type = 0, encoding = 0;

    libpff_file_get_content_type(store->file, &kind, NULL);
    libpff_file_get_type(store->file, &type, NULL);
    libpff_file_get_encryption_type(store->file, &encoding, NULL);
    *ret_facts = (struct store_facts){
        .kind = kind == LIBPFF_FILE_CONTENT_TYPE_OST   ? "OST"
                : kind == LIBPFF_FILE_CONTENT_TYPE_PAB ? "PAB"
                                                       : "PST",
        .bits = type,
        .encoding = encoding == LIBPFF_ENCRYPTION_TYPE_NONE           ? "none"
                    : encoding == LIBPFF_ENCRYPTION_TYPE_COMPRESSIBLE ? "compressible"
                    : encoding == LIBPFF_ENCRYPTION_TYPE_HIGH         ? "high"
                                                                      : "unknown",
        .damaged = libpff_file_is_corrupted(store->file, NULL) == 1,
    };
    if (libpff_file_get_message_store(store->file, &item, NULL) == 1) {
        struct item *wrapped = wrap(item);
        uint32_t checksum = 0;

        ret_facts->password =
            wrapped != NULL &&
            item_number(wrapped, LIBPFF_ENTRY_TYPE_MESSAGE_STORE_PASSWORD_CHECKSUM, &checksum) &&
            checksum != 0;
        item_free(wrapped);
    }
}

struct item *store_root(struct store *store)
{
    libpff_item_t *item = NULL;

    return libpff_file_get_root_folder(store->file, &item, NULL) == 1 ? wrap(item) : NULL;
}

void store_recover(struct store *store)
{
    libpff_file_recover_items(store->file, 0, NULL);
}

int store_count_lost(struct store *store, bool recovered)
{
    int count = 0;
    int code = recovered ? libpff_file_get_number_of_recovered_items(store->file, &count, NULL)
                         : libpff_file_get_number_of_orphan_items(store->file, &count, NULL);

    return code == 1 ? count : 0;
}

struct item *store_lost(struct store *store, bool recovered, int index)
{
    libpff_item_t *item = NULL;
    int code = recovered ? libpff_file_get_recovered_item_by_index(store->file, index, &item, NULL)
                         : libpff_file_get_orphan_item_by_index(store->file, index, &item, NULL);

    return code == 1 ? wrap(item) : NULL;
}

enum item_kind item_kind(struct item *item)
{
    uint8_t type = 0;

    if (libpff_item_get_type(item->item, &type, NULL) != 1)
        return ITEM_BROKEN;
    switch (type) {
    case LIBPFF_ITEM_TYPE_FOLDER:
        return ITEM_FOLDER;
    case LIBPFF_ITEM_TYPE_UNDEFINED:
    case LIBPFF_ITEM_TYPE_ATTACHMENT:
    case LIBPFF_ITEM_TYPE_ATTACHMENTS:
    case LIBPFF_ITEM_TYPE_RECIPIENTS:
    case LIBPFF_ITEM_TYPE_SUB_ASSOCIATED_CONTENTS:
    case LIBPFF_ITEM_TYPE_SUB_FOLDERS:
    case LIBPFF_ITEM_TYPE_SUB_MESSAGES:
        return ITEM_BROKEN;
    default:
        return ITEM_MESSAGE;
    }
}

uint32_t item_id(struct item *item)
{
    uint32_t id = 0;

    libpff_item_get_identifier(item->item, &id, NULL);
    return id;
}

int item_count(struct item *item, enum item_part part)
{
    int count = 0, code = 0;

    if (part == PART_FOLDERS)
        code = libpff_folder_get_number_of_sub_folders(item->item, &count, NULL);
    else if (part == PART_MESSAGES)
        code = libpff_folder_get_number_of_sub_messages(item->item, &count, NULL);
    else if (part == PART_HIDDEN)
        code = libpff_folder_get_number_of_sub_associated_contents(item->item, &count, NULL);
    else
        code = libpff_message_get_number_of_attachments(item->item, &count, NULL);
    return code == 1 && count > 0 ? count : 0;
}

struct item *item_part(struct item *item, enum item_part part, int index)
{
    libpff_item_t *found = NULL;
    int code;

    if (part == PART_FOLDERS)
        code = libpff_folder_get_sub_folder(item->item, index, &found, NULL);
    else if (part == PART_MESSAGES)
        code = libpff_folder_get_sub_message(item->item, index, &found, NULL);
    else if (part == PART_HIDDEN)
        code = libpff_folder_get_sub_associated_content(item->item, index, &found, NULL);
    else
        code = libpff_message_get_attachment(item->item, index, &found, NULL);
    return code == 1 ? wrap(found) : NULL;
}

/* ------------------------------------------------------------------ properties */

/* One entry of the item's record sets; NULL: there is none. */
static libpff_record_entry_t *find(libpff_item_t *item, int index, uint16_t property)
{
    libpff_record_set_t *set = NULL;
    libpff_record_entry_t *entry = NULL;

    if (libpff_item_get_record_set_by_index(item, index, &set, NULL) != 1)
        return NULL;
    if (libpff_record_set_get_entry_by_type(set, property, 0, &entry,
                                            LIBPFF_ENTRY_VALUE_FLAG_MATCH_ANY_VALUE_TYPE, NULL) != 1)
        entry = NULL;
    libpff_record_set_free(&set, NULL);
    return entry;
}

static bool is_text(uint32_t type)
{
    return type == 0x001e || type == 0x001f;
}

/* The entry's text at the end of `ret`, without what Outlook puts before a subject: 1, and how long its
 * prefix is. *ret_cut: it is longer, and not there or not whole; left as it is otherwise. */
static bool put_text(libpff_record_entry_t *entry, size_t most, struct buf *ret, bool *ret_cut)
{
    uint32_t type = 0;
    size_t size = 0, skip = 0;
    uint8_t *text;
    bool done;

    if (libpff_record_entry_get_value_type(entry, &type, NULL) != 1 || !is_text(type) ||
        libpff_record_entry_get_data_as_utf8_string_size(entry, &size, NULL) != 1 || size <= 1)
        return false;
    if (size > TEXT_MAX || (text = malloc(size)) == NULL) {
        *ret_cut = true;
        return false;
    }
    done = libpff_record_entry_get_data_as_utf8_string(entry, text, size, NULL) == 1;
    if (done) {
        uint32_t code;

        size = strnlen((const char *)text, size);
        if (size > 1 && text[0] == 1)
            skip = 1 + text_character(text + 1, size - 1, &code);
        size -= skip;
        *ret_cut = *ret_cut || size > most;
        buf_append(ret, text + skip, size < most ? size : most);
    }
    free(text);
    return done && size > 0;
}

static bool text_of(libpff_item_t *item, int index, uint16_t property, size_t most, struct buf *ret)
{
    libpff_record_entry_t *entry = find(item, index, property);
    bool cut = false, there = entry != NULL && put_text(entry, most, ret, &cut);

    libpff_record_entry_free(&entry, NULL);
    return there;
}

bool item_text(struct item *item, uint16_t property, size_t most, struct buf *ret)
{
    buf_clear(ret);
    return text_of(item->item, 0, property, most, ret);
}

int64_t item_time(struct item *item, uint16_t property)
{
    libpff_record_entry_t *entry = find(item->item, 0, property);
    uint64_t time = 0;
    uint32_t type = 0;
    bool there = entry != NULL && libpff_record_entry_get_value_type(entry, &type, NULL) == 1 &&
                 type == 0x0040 && libpff_record_entry_get_data_as_filetime(entry, &time, NULL) == 1;

    libpff_record_entry_free(&entry, NULL);
    return there ? when_from_filetime(time) : WHEN_NONE;
}

static bool number_of(libpff_item_t *item, int index, uint16_t property, uint32_t *ret)
{
    libpff_record_entry_t *entry = find(item, index, property);
    uint32_t type = 0;
    bool there = entry != NULL && libpff_record_entry_get_value_type(entry, &type, NULL) == 1 &&
                 type == 0x0003 && libpff_record_entry_get_data_as_32bit_integer(entry, ret, NULL) == 1;

    libpff_record_entry_free(&entry, NULL);
    return there;
}

bool item_number(struct item *item, uint16_t property, uint32_t *ret)
{
    return number_of(item->item, 0, property, ret);
}

/* Names of [MS-OXPROPS] without their prefix, sorted. */
static const struct {
    uint16_t property;
    const char *name;
} names[] = {
    {0x001a, "MessageClass"},
    {0x0037, "Subject"},
    {0x0039, "ClientSubmitTime"},
    {0x0040, "ReceivedByName"},
    {0x0042, "SentRepresentingName"},
    {0x0050, "ReplyRecipientNames"},
    {0x0065, "SentRepresentingEmailAddress"},
    {0x0070, "ConversationTopic"},
    {0x0076, "ReceivedByEmailAddress"},
    {0x007d, "TransportMessageHeaders"},
    {0x0c15, "RecipientType"},
    {0x0c1a, "SenderName"},
    {0x0c1f, "SenderEmailAddress"},
    {0x0e02, "DisplayBcc"},
    {0x0e03, "DisplayCc"},
    {0x0e04, "DisplayTo"},
    {0x0e06, "MessageDeliveryTime"},
    {0x1035, "InternetMessageId"},
    {0x1042, "InReplyToId"},
    {0x3001, "DisplayName"},
    {0x3003, "EmailAddress"},
    {0x3004, "Comment"},
    {0x3007, "CreationTime"},
    {0x3008, "LastModificationTime"},
    {0x3613, "ContainerClass"},
    {0x3704, "AttachFilename"},
    {0x3707, "AttachLongFilename"},
    {0x39fe, "SmtpAddress"},
    {0x3a06, "GivenName"},
    {0x3a08, "BusinessTelephoneNumber"},
    {0x3a09, "HomeTelephoneNumber"},
    {0x3a11, "Surname"},
    {0x3a16, "CompanyName"},
    {0x3a1c, "MobileTelephoneNumber"},
    {0x5d01, "SenderSmtpAddress"},
    {0x5d02, "SentRepresentingSmtpAddress"},
    {0x5ff6, "RecipientDisplayName"},
};

static void put_name(libpff_record_entry_t *entry, struct buf *ret)
{
    uint32_t property = 0;

    libpff_record_entry_get_entry_type(entry, &property, NULL);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].property == property) {
            buf_text(ret, names[i].name);
            return;
        }
    }
    buf_printf(ret, "0x%04" PRIx32, property);
}

static bool put_number(libpff_record_entry_t *entry, uint32_t type, struct buf *ret)
{
    uint64_t large = 0;
    uint32_t number = 0;
    uint16_t small = 0;
    uint8_t truth = 0;
    char time[WHEN_TEXT_SIZE];

    switch (type) {
    case 0x0002:
        if (libpff_record_entry_get_data_as_16bit_integer(entry, &small, NULL) != 1)
            return false;
        buf_printf(ret, "%u", (unsigned)small);
        return true;
    case 0x0003:
        if (libpff_record_entry_get_data_as_32bit_integer(entry, &number, NULL) != 1)
            return false;
        buf_printf(ret, "%" PRIu32, number);
        return true;
    case 0x000b:
        if (libpff_record_entry_get_data_as_boolean(entry, &truth, NULL) != 1)
            return false;
        buf_text(ret, truth != 0 ? "yes" : "no");
        return true;
    case 0x0014:
        if (libpff_record_entry_get_data_as_64bit_integer(entry, &large, NULL) != 1)
            return false;
        buf_printf(ret, "%" PRIu64, large);
        return true;
    case 0x0040:
        if (libpff_record_entry_get_data_as_filetime(entry, &large, NULL) != 1)
            return false;
        buf_text(ret, when_format(when_from_filetime(large), time));
        return true;
    default:
        return false;
    }
}

/* Several texts, with "; " between. */
static bool put_texts(libpff_record_entry_t *entry, size_t most, struct buf *ret, bool *ret_cut)
{
    libpff_multi_value_t *values = NULL;
    size_t size = 0, start = ret->size;
    int count = 0;

    if (libpff_record_entry_get_multi_value(entry, &values, NULL) != 1)
        return false;
    libpff_multi_value_get_number_of_values(values, &count, NULL);
    *ret_cut = *ret_cut || count > VALUES;
    for (int i = 0; i < count && i < VALUES && ret->size - start < most; i++) {
        uint8_t *text = NULL;

        if (libpff_multi_value_get_value_utf8_string_size(values, i, &size, NULL) != 1 || size <= 1)
            continue;
        if (size > most || (text = malloc(size)) == NULL) {
            *ret_cut = true;
            continue;
        }
        if (libpff_multi_value_get_value_utf8_string(values, i, text, size, NULL) == 1) {
            buf_text(ret, ret->size > start ? "; " : "");
            buf_append(ret, text, strnlen((const char *)text, size));
        }
        free(text);
    }
    libpff_multi_value_free(&values, NULL);
    return ret->size > start;
}

static void put_property(libpff_record_entry_t *entry, size_t most, struct buf *ret, bool *ret_cut)
{
    uint32_t type = 0;
    size_t start = ret->size;
    bool done;

    if (libpff_record_entry_get_value_type(entry, &type, NULL) != 1)
        return;
    put_name(entry, ret);
    buf_u8(ret, '\t');
    done = is_text(type)                      ? put_text(entry, most, ret, ret_cut)
           : type == 0x101e || type == 0x101f ? put_texts(entry, most, ret, ret_cut)
                                              : put_number(entry, type, ret);
    if (done)
        buf_u8(ret, '\n');
    else
        ret->size = start;
}

/* The text of a message is a content of its own. */
static bool is_body(libpff_record_entry_t *entry)
{
    uint32_t property = 0;

    libpff_record_entry_get_entry_type(entry, &property, NULL);
    return property == 0x1000 || property == 0x1009 || property == 0x1013;
}

static void put_set(libpff_item_t *item, int index, size_t most, struct buf *ret, bool *ret_cut)
{
    libpff_record_set_t *set = NULL;
    int count = 0;

    if (libpff_item_get_record_set_by_index(item, index, &set, NULL) != 1)
        return;
    libpff_record_set_get_number_of_entries(set, &count, NULL);
    *ret_cut = *ret_cut || count > ENTRIES;
    for (int i = 0; i < count && i < ENTRIES && ret->size < most; i++) {
        libpff_record_entry_t *entry = NULL;

        if (libpff_record_set_get_entry_by_index(set, i, &entry, NULL) != 1)
            continue;
        if (!is_body(entry))
            put_property(entry, most, ret, ret_cut);
        libpff_record_entry_free(&entry, NULL);
    }
    libpff_record_set_free(&set, NULL);
}

bool item_properties(struct item *item, size_t most, struct buf *ret)
{
    libpff_item_t *list = NULL;
    bool cut = false;
    int count = 0;

    buf_clear(ret);
    put_set(item->item, 0, most, ret, &cut);
    if (libpff_message_get_recipients(item->item, &list, NULL) == 1) {
        if (libpff_item_get_number_of_record_sets(list, &count, NULL) != 1)
            count = 0;
        for (int i = 0; i < count && i < RECIPIENTS && ret->size < most; i++)
            put_set(list, i, most, ret, &cut);
        libpff_item_free(&list, NULL);
    }
    return !cut && count <= RECIPIENTS && ret->size < most;
}

/* "Name <address>" of one row. */
static void put_person(libpff_item_t *list, int index, size_t most, struct buf *ret)
{
    struct buf name = {0}, address = {0};

    if (!text_of(list, index, 0x3001, most, &name))
        text_of(list, index, 0x5ff6, most, &name);
    if (!text_of(list, index, 0x39fe, most, &address))
        text_of(list, index, 0x3003, most, &address);
    buf_append(ret, name.data, name.size);
    if (address.size > 0 && (address.size != name.size || memcmp(address.data, name.data, name.size) != 0))
        buf_printf(ret, "%s<%s>", name.size > 0 ? " " : "", buf_cstr(&address));
    buf_finish(&name);
    buf_finish(&address);
}

bool item_recipients(struct item *message, uint32_t kind, size_t most, struct buf *ret)
{
    libpff_item_t *list = NULL;
    int count = 0;

    buf_clear(ret);
    if (libpff_message_get_recipients(message->item, &list, NULL) != 1)
        return false;
    if (libpff_item_get_number_of_record_sets(list, &count, NULL) != 1)
        count = 0;
    for (int i = 0; i < count && i < RECIPIENTS && ret->size < most; i++) {
        uint32_t type = 0;

        if (!number_of(list, i, LIBPFF_ENTRY_TYPE_RECIPIENT_TYPE, &type) || (type & 0xff) != kind)
            continue;
        buf_text(ret, ret->size > 0 ? ", " : "");
        put_person(list, i, most, ret);
    }
    libpff_item_free(&list, NULL);
    return ret->size > 0;
}

/* ------------------------------------------------------------------ contents */

typedef int body_size(libpff_item_t *, size_t *, libpff_error_t **);
typedef int body_data(libpff_item_t *, uint8_t *, size_t, libpff_error_t **);

enum item_had item_body(struct item *message, enum item_body body, size_t most, struct buf *ret)
{
    static body_size *const sizes[] = {libpff_message_get_plain_text_body_size,
                                       libpff_message_get_html_body_size, libpff_message_get_rtf_body_size};
    static body_data *const datas[] = {libpff_message_get_plain_text_body, libpff_message_get_html_body,
                                       libpff_message_get_rtf_body};
    size_t size = 0;
    uint8_t *data;
    int code = sizes[body](message->item, &size, NULL);

    buf_clear(ret);
    if (code != 1 || size == 0)
        return code < 0 ? HAD_BROKEN : HAD_NONE;
    if (size > most || (data = calloc(1, size)) == NULL)
        return HAD_TOO_MUCH;
    code = datas[body](message->item, data, size, NULL);
    while (code == 1 && size > 0 && data[size - 1] == '\0')
        size--;
    if (code == 1)
        buf_append(ret, data, size);
    free(data);
    return code != 1 ? HAD_BROKEN : size > 0 ? HAD_IT : HAD_NONE;
}

enum item_attached item_attached(struct item *attachment)
{
    int type = 0;

    if (libpff_attachment_get_type(attachment->item, &type, NULL) != 1)
        return ATTACHED_ELSEWHERE;
    return type == LIBPFF_ATTACHMENT_TYPE_DATA   ? ATTACHED_DATA
           : type == LIBPFF_ATTACHMENT_TYPE_ITEM ? ATTACHED_ITEM
                                                 : ATTACHED_ELSEWHERE;
}

struct item *item_inner(struct item *attachment)
{
    libpff_item_t *item = NULL;

    return libpff_attachment_get_item(attachment->item, &item, NULL) == 1 ? wrap(item) : NULL;
}

int64_t item_read(struct item *attachment, void *data, size_t size)
{
    return libpff_attachment_data_read_buffer(attachment->item, data, size, NULL);
}
