/*
 * luks2: the header of LUKS2: 4 KiB in binary and a JSON text, both twice, with a checksum.
 */
#include "engine/evidence/layer/layer_luks.h"

#include "engine/base/bytes.h"
#include "engine/evidence/layer/crypt.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BINARY = 4096, CHECKSUM_AT = 448, HEADER_MAX = 4 << 20 };

/* ------------------------------------------------------------------ the two copies */

struct copy {
    uint8_t *data; /* binary and JSON; owned */
    uint64_t size, sequence;
};

static bool checksum_fits(const uint8_t *data, uint64_t size)
{
    uint8_t digest[CRYPT_DIGEST_MAX], stored[CRYPT_DIGEST_MAX];
    uint8_t *clean = malloc(size);
    char name[33] = "";
    size_t length;

    if (!clean)
        return false;
    memcpy(name, data + 72, 32);
    memcpy(clean, data, size);
    memcpy(stored, data + CHECKSUM_AT, sizeof stored);
    memset(clean + CHECKSUM_AT, 0, sizeof stored);
    length = crypt_digest(name, clean, size, digest);
    free(clean);
    return length > 0 && memcmp(digest, stored, length) == 0;
}

/* False: no header with a sound checksum is there. */
static bool read_copy(const struct reader *reader, uint64_t at, const char *magic, struct copy *ret)
{
    uint8_t head[512];
    struct bytes bytes;
    struct copy copy;

    if (reader_read(reader, at, head, sizeof head) < 0 || memcmp(head, magic, 6) != 0)
        return false;
    bytes_init(&bytes, head, sizeof head);
    bytes_skip(&bytes, 6);
    if (bytes_u16be(&bytes) != 2)
        return false;
    copy.size = bytes_u64be(&bytes);
    copy.sequence = bytes_u64be(&bytes);
    bytes_seek(&bytes, 256);
    if (copy.size <= BINARY || copy.size > HEADER_MAX || bytes_u64be(&bytes) != at)
        return false;
    copy.data = malloc(copy.size + 1);
    if (!copy.data)
        return false;
    copy.data[copy.size] = 0;
    if (reader_read(reader, at, copy.data, copy.size) < 0 || !checksum_fits(copy.data, copy.size)) {
        free(copy.data);
        return false;
    }
    *ret = copy;
    return true;
}

/* The newer of the two, or the one that is sound. */
static bool read_header(const struct reader *reader, struct copy *ret)
{
    struct copy second = {0};
    bool first = read_copy(reader, 0, "LUKS\xba\xbe", ret), found = false;

    for (uint64_t at = 0x4000; at <= HEADER_MAX && !found; at *= 2)
        found = read_copy(reader, at, "SKUL\xba\xbe", &second);
    if (found && (!first || second.sequence > ret->sequence)) {
        if (first)
            free(ret->data);
        *ret = second;
    } else if (found) {
        free(second.data);
    }
    return first || found;
}

/* ------------------------------------------------------------------ what the JSON says */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* A number that LUKS2 writes as a text; false for anything else. */
static bool number_of(const json_t *object, const char *key, uint64_t *ret)
{
    const char *text = text_of(object, key);
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *ret = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

/* 0 for what is no number of 32 bits. */
static uint32_t count_of(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));

    return value > 0 && value <= UINT32_MAX ? (uint32_t)value : 0;
}

/* Base64 without line breaks [RFC 4648, 4]. False: it is not, or too long. */
static bool decode(const char *text, uint8_t *ret, size_t room, size_t *ret_size)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    unsigned count = 0;
    size_t size = 0;

    for (; *text && *text != '='; text++) {
        const char *letter = strchr(letters, *text);
        if (!letter || size == room)
            return false;
        bits = bits << 6 | (uint32_t)(letter - letters);
        count += 6;
        if (count >= 8) {
            count -= 8;
            ret[size++] = (uint8_t)(bits >> count);
        }
    }
    *ret_size = size;
    return size > 0;
}

static bool copy_name(char ret[32], const char *text)
{
    if (strlen(text) >= 32)
        return false;
    strcpy(ret, text);
    return true;
}

static bool read_kdf(const json_t *object, struct luks_kdf *ret)
{
    struct luks_kdf kdf = {0};
    bool pbkdf2;

    if (strlen(text_of(object, "type")) >= sizeof kdf.type || !copy_name(kdf.hash, text_of(object, "hash")))
        return false;
    strcpy(kdf.type, text_of(object, "type"));
    pbkdf2 = strcmp(kdf.type, "pbkdf2") == 0;
    kdf.rounds = count_of(object, pbkdf2 ? "iterations" : "time");
    kdf.memory = count_of(object, "memory");
    kdf.lanes = count_of(object, "cpus");
    if (!decode(text_of(object, "salt"), kdf.salt, sizeof kdf.salt, &kdf.salt_size))
        return false;
    *ret = kdf;
    return kdf.rounds > 0 && (pbkdf2 || (kdf.memory > 0 && kdf.lanes > 0));
}

static bool lists(const json_t *array, const char *name)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *item = json_string_value(json_array_get(array, i));
        if (item && strcmp(item, name) == 0)
            return true;
    }
    return false;
}

/* The digests, and which of them is that of segment `segment`. */
static bool read_digests(struct luks *luks, const json_t *digests, const char *segment)
{
    bool found = false;

    for (unsigned i = 0; i < LUKS_SLOTS_MAX; i++) {
        char name[8];
        struct luks_digest *digest = &luks->digests[i];
        const json_t *object;

        (void)snprintf(name, sizeof name, "%u", i);
        object = json_object_get(digests, name);
        if (!object || !read_kdf(object, &digest->kdf) ||
            !decode(text_of(object, "digest"), digest->digest, sizeof digest->digest, &digest->size))
            continue;
        luks->digest_count = i + 1;
        if (!found && lists(json_object_get(object, "segments"), segment)) {
            luks->digest = i;
            found = true;
        }
    }
    return found;
}

static bool read_slot(const json_t *object, const struct luks *luks, struct luks_slot *slot)
{
    const json_t *area = json_object_get(object, "area"), *af = json_object_get(object, "af");

    slot->key_size = count_of(object, "key_size");
    slot->area_key_size = count_of(area, "key_size");
    slot->stripes = count_of(af, "stripes");
    slot->digest = luks->digest;
    return strcmp(text_of(object, "type"), "luks2") == 0 && copy_name(slot->hash, text_of(af, "hash")) &&
           number_of(area, "offset", &slot->offset) &&
           luks_split_cipher(text_of(area, "encryption"), slot->cipher, slot->mode) &&
           read_kdf(json_object_get(object, "kdf"), &slot->kdf);
}

/* Those that hold the key of the digest. */
static void read_slots(struct luks *luks, const json_t *root)
{
    char name[8];
    const json_t *of_digest;

    (void)snprintf(name, sizeof name, "%u", luks->digest);
    of_digest = json_object_get(json_object_get(json_object_get(root, "digests"), name), "keyslots");
    for (unsigned i = 0; i < LUKS_SLOTS_MAX; i++) {
        struct luks_slot slot = {.number = i};
        const json_t *object;

        (void)snprintf(name, sizeof name, "%u", i);
        object = json_object_get(json_object_get(root, "keyslots"), name);
        if (object && lists(of_digest, name) && read_slot(object, luks, &slot))
            luks->slots[luks->slot_count++] = slot;
    }
}

static int read_segment(struct luks *luks, const json_t *root, struct why *why)
{
    const json_t *segments = json_object_get(root, "segments"), *segment = json_object_get(segments, "0");
    const char *size = text_of(segment, "size");

    if (json_object_size(segments) != 1 ||
        json_array_size(json_object_get(json_object_get(json_object_get(root, "config"), "requirements"),
                                        "mandatory")) > 0)
        return why_set(why, -ENOTSUP,
                       "LUKS2 in the middle of being encrypted anew, or with requirements, is not read");
    if (strcmp(text_of(segment, "type"), "crypt") != 0 || json_object_get(segment, "integrity"))
        return why_set(why, -ENOTSUP, "LUKS2 with integrity protection is not read");
    luks->sector_size = count_of(segment, "sector_size");
    if (!number_of(segment, "offset", &luks->offset) || !number_of(segment, "iv_tweak", &luks->tweak) ||
        !luks_split_cipher(text_of(segment, "encryption"), luks->cipher, luks->mode) ||
        (strcmp(size, "dynamic") != 0 && !number_of(segment, "size", &luks->size)))
        return why_set(why, -EINVAL, "the LUKS2 header is damaged: its segment is not described");
    return read_digests(luks, json_object_get(root, "digests"), "0")
               ? 0
               : why_set(why, -EINVAL, "the LUKS2 header is damaged: no digest of the volume key");
}

int luks2_parse(const struct reader *reader, struct luks *ret_luks, struct why *why)
{
    struct luks luks = {.version = 2};
    struct copy copy;
    json_t *root;
    int code;

    if (!read_header(reader, &copy))
        return why_set(why, -EINVAL, "neither LUKS2 header is sound");
    luks_uuid(copy.data + 168, luks.uuid);
    root = json_loads((const char *)copy.data + BINARY, JSON_REJECT_DUPLICATES, NULL);
    code =
        root ? read_segment(&luks, root, why) : why_set(why, -EINVAL, "the LUKS2 header's JSON is damaged");
    if (code == 0)
        read_slots(&luks, root);
    json_decref(root);
    free(copy.data);
    if (code == 0)
        *ret_luks = luks;
    return code;
}

void luks2_warm(void)
{
    json_object_seed(0); /* it would be read from /dev/urandom at the first object */
    json_decref(json_loads("{\"0\": [\"1\"]}", 0, NULL));
}
