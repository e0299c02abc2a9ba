/* closed: see closed.h. */
#include "plugins/ole/closed.h"

#include "engine/base/bytes.h"

#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ OOXML */

/* An attribute's value in the agile description, which is XML. */
static void attribute(const uint8_t *data, size_t size, const char *name, char *ret, size_t room)
{
    const uint8_t *at = memmem(data, size, name, strlen(name)), *end = data + size;
    size_t length = 0;

    at = at != NULL ? at + strlen(name) : end;
    while (at < end && length + 1 < room && *at > ' ' && *at < 127 && *at != '"')
        ret[length++] = (char)*at++;
    ret[length] = '\0';
}

static void agile(const uint8_t *data, size_t size, char ret[CLOSED_SIZE])
{
    const uint8_t *key = memmem(data, size, "<keyData", 8);
    char cipher[16], bits[8], chaining[24], hash[16];

    key = key != NULL ? key : data;
    size -= (size_t)(key - data);
    attribute(key, size, "cipherAlgorithm=\"", cipher, sizeof cipher);
    attribute(key, size, "keyBits=\"", bits, sizeof bits);
    attribute(key, size, "cipherChaining=\"", chaining, sizeof chaining);
    attribute(key, size, "hashAlgorithm=\"", hash, sizeof hash);
    snprintf(ret, CLOSED_SIZE, "ECMA-376 agile: %s %s, %s, %s", cipher, bits, chaining, hash);
}

static const char *algorithm(uint32_t id)
{
    switch (id) {
    case 0x6801:
        return "RC4";
    case 0x660e:
        return "AES 128";
    case 0x660f:
        return "AES 192";
    case 0x6610:
        return "AES 256";
    default:
        return "unknown cipher";
    }
}

/* EncryptionHeader behind its size: flags, extra, algorithm, hash, bits of the key. */
static void put_header(struct bytes *bytes, const char *what, char ret[CLOSED_SIZE])
{
    uint32_t cipher, bits;

    bytes_skip(bytes, 8);
    cipher = bytes_u32le(bytes);
    bytes_skip(bytes, 4);
    bits = bytes_u32le(bytes);
    if (cipher == 0x6801)
        snprintf(ret, CLOSED_SIZE, "%s: RC4 %u", what, bits > 0 && bits <= 128 ? (unsigned)bits : 40);
    else
        snprintf(ret, CLOSED_SIZE, "%s: %s", what, algorithm(cipher));
}

bool closed_package(const uint8_t *data, size_t size, char ret[CLOSED_SIZE])
{
    struct bytes bytes;
    uint16_t major, minor;

    bytes_init(&bytes, data, size);
    major = bytes_u16le(&bytes);
    minor = bytes_u16le(&bytes);
    if (bytes_failed(&bytes) || major < 2 || major > 4 || minor < 2 || minor > 4) {
        snprintf(ret, CLOSED_SIZE, "ECMA-376 (EncryptedPackage)");
    } else if (minor == 4) {
        agile(data, size, ret);
    } else if (minor == 3) {
        snprintf(ret, CLOSED_SIZE, "ECMA-376 extensible");
    } else {
        bytes_skip(&bytes, 8); /* flags, size of the header */
        put_header(&bytes, "ECMA-376 standard", ret);
    }
    return true;
}

/* ------------------------------------------------------------------ up to 2003 */

/* EncryptionVersionInfo, with which both kinds of RC4 begin. */
static void put_rc4(struct bytes *bytes, const char *what, char ret[CLOSED_SIZE])
{
    uint16_t major = bytes_u16le(bytes), minor = bytes_u16le(bytes);

    if (!bytes_failed(bytes) && major >= 2 && major <= 4 && minor == 2) {
        char name[32];

        snprintf(name, sizeof name, "%s (CryptoAPI)", what);
        bytes_skip(bytes, 8);
        put_header(bytes, name, ret);
    } else {
        snprintf(ret, CLOSED_SIZE, "%s (RC4 40)", what);
    }
}

bool closed_workbook(const uint8_t *data, size_t size, char ret[CLOSED_SIZE])
{
    struct bytes bytes;

    bytes_init(&bytes, data, size);
    for (int i = 0; i < 64 && bytes_left(&bytes) >= 4; i++) {
        uint16_t type = bytes_u16le(&bytes), length = bytes_u16le(&bytes);
        struct bytes record;

        if (type != 0x2f) {
            bytes_skip(&bytes, length);
            continue;
        }
        bytes_init(&record, data + bytes.offset, length < bytes_left(&bytes) ? length : bytes_left(&bytes));
        if (length <= 4 || bytes_u16le(&record) == 0) /* up to Excel 95 there is no type, and only XOR */
            snprintf(ret, CLOSED_SIZE, "Excel (XOR)");
        else
            put_rc4(&record, "Excel", ret);
        return true;
    }
    return false;
}

static uint16_t flags_of(const uint8_t *data, size_t size)
{
    struct bytes bytes;

    bytes_init(&bytes, data, size);
    bytes_skip(&bytes, 10);
    return bytes_u16le(&bytes);
}

const char *closed_document_table(const uint8_t *data, size_t size)
{
    return (flags_of(data, size) & 0x0200) != 0 ? "1Table" : "0Table";
}

bool closed_document(const uint8_t *data, size_t size, const uint8_t *table, size_t table_size,
                     char ret[CLOSED_SIZE])
{
    uint16_t flags = flags_of(data, size);
    struct bytes bytes;

    if ((flags & 0x0100) == 0)
        return false;
    bytes_init(&bytes, table, table_size);
    if ((flags & 0x8000) != 0)
        snprintf(ret, CLOSED_SIZE, "Word (XOR)");
    else
        put_rc4(&bytes, "Word", ret);
    return true;
}

/* CurrentUserAtom: behind the record's head its size and a mark. */
bool closed_presentation(const uint8_t *data, size_t size, char ret[CLOSED_SIZE])
{
    struct bytes bytes;

    bytes_init(&bytes, data, size);
    bytes_skip(&bytes, 12);
    if (bytes_u32le(&bytes) != 0xf3d1c4df || bytes_failed(&bytes))
        return false;
    snprintf(ret, CLOSED_SIZE, "PowerPoint (CryptoAPI)");
    return true;
}
