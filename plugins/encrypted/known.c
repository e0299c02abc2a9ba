/* known: see known.h. Where each layout is written down stands with it. */
#include "plugins/encrypted/known.h"

#include "engine/base/bytes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef const char *describe(const uint8_t *data, size_t size, struct buf *ret_method);

static bool has(const uint8_t *data, size_t size, const void *what, size_t length)
{
    return memmem(data, size, what, length) != NULL;
}

/* What stands behind `before` up to `stop` or the first byte that is no printable ASCII; "" when it is not
 * there. */
static const char *text_after(const uint8_t *data, size_t size, const char *before, char stop, char *ret,
                              size_t room)
{
    const uint8_t *at = memmem(data, size, before, strlen(before)), *end = data + size;
    size_t length = 0;

    at = at != NULL ? at + strlen(before) : end;
    while (at < end && length + 1 < room && *at > ' ' && *at < 127 && *at != (uint8_t)stop)
        ret[length++] = (char)*at++;
    ret[length] = '\0';
    return ret;
}

/* ------------------------------------------------------------------ */

/* [KeePass 1.x: KdbHeader; KDBX 3.1 and 4: keepass.info/help/kb/kdbx.html] */
static const char *keepass(const uint8_t *data, size_t size, struct buf *ret_method)
{
    static const struct {
        uint8_t id[16];
        const char *name;
    } ids[] = {
        {{0x31, 0xc1, 0xf2, 0xe6, 0xbf, 0x71, 0x43, 0x50, 0xbe, 0x58, 0x05, 0x21, 0x6a, 0xfc, 0x5a, 0xff},
         "AES 256"},
        {{0xd6, 0x03, 0x8a, 0x2b, 0x8b, 0x6f, 0x4c, 0xb5, 0xa5, 0x24, 0x33, 0x9a, 0x31, 0xdb, 0xb5, 0x9a},
         "ChaCha20"},
        {{0xad, 0x68, 0xf2, 0x9f, 0x57, 0x6f, 0x4b, 0xb9, 0xa3, 0x6a, 0xd4, 0x7a, 0xf9, 0x65, 0x34, 0x6c},
         "Twofish"},
        {{0xc9, 0xd9, 0xf3, 0x9a, 0x62, 0x8a, 0x44, 0x60, 0xbf, 0x74, 0x0d, 0x08, 0xc1, 0x8a, 0x4f, 0xea},
         "AES-KDF"},
        {{0xef, 0x63, 0x6d, 0xdf, 0x8c, 0x29, 0x44, 0x4b, 0x91, 0xf7, 0xa9, 0xa4, 0x03, 0xe3, 0x0a, 0x0c},
         "Argon2d"},
        {{0x9e, 0x29, 0x8b, 0x19, 0x56, 0xdb, 0x47, 0x73, 0xb2, 0x3d, 0xfc, 0x3e, 0xc6, 0xf0, 0xa1, 0xe6},
         "Argon2id"},
    };
    struct bytes bytes;
    uint32_t kind, flags;

    bytes_init(&bytes, data, size);
    bytes_skip(&bytes, 4);
    kind = bytes_u32le(&bytes);
    flags = bytes_u32le(&bytes);
    if (bytes_failed(&bytes))
        return NULL;
    if (kind == 0xb54bfb65) {
        buf_text(ret_method, (flags & 8) != 0 ? "KDB, Twofish" : "KDB, AES 256");
        return "KeePass database";
    }
    buf_printf(ret_method, "KDBX %" PRIu32 ".%" PRIu32, flags >> 16, flags & 0xffff);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        if (has(data, size < 1024 ? size : 1024, ids[i].id, sizeof ids[i].id))
            buf_printf(ret_method, ", %s", ids[i].name);
    }
    return "KeePass database";
}

/* [Linux: fs/ecryptfs/crypto.c, the header's marker] 16 random bits that the next 32 repeat, changed. */
static bool is_ecryptfs(const uint8_t *data, size_t size)
{
    struct bytes bytes;
    uint32_t first;

    bytes_init(&bytes, data, size);
    bytes_skip(&bytes, 8);
    first = bytes_u32be(&bytes);
    return (first ^ UINT32_C(0x3c81b7f5)) == bytes_u32be(&bytes) && !bytes_failed(&bytes);
}

static const char *ecryptfs(const uint8_t *data, size_t size, struct buf *ret_method)
{
    struct bytes bytes;
    uint64_t plain;

    (void)size;
    bytes_init(&bytes, data, 24);
    plain = bytes_u64be(&bytes);
    buf_printf(ret_method, "version %u, %" PRIu64 " bytes in clear", (unsigned)data[16], plain);
    return "eCryptfs file";
}

static const char *openssl(const uint8_t *data, size_t size, struct buf *ret_method)
{
    (void)data, (void)size;
    buf_text(ret_method, "password, with salt; the cipher is not said");
    return "OpenSSL enc";
}

/* [age-encryption.org/v1] */
static const char *age(const uint8_t *data, size_t size, struct buf *ret_method)
{
    buf_text(ret_method, has(data, size, "-> scrypt", 9) ? "password (scrypt)" : "keys");
    buf_text(ret_method, ", ChaCha20-Poly1305");
    return "age file";
}

static const char *aescrypt(const uint8_t *data, size_t size, struct buf *ret_method)
{
    if (size < 5 || data[3] > 3 || data[4] != 0)
        return NULL;
    buf_printf(ret_method, "version %u, AES 256", (unsigned)data[3]);
    return "AES Crypt file";
}

/* [LUKS1 On-Disk Format Specification 1.2.3; LUKS2 1.1.4] */
static const char *luks(const uint8_t *data, size_t size, struct buf *ret_method)
{
    char room[64];

    if (size < 592 || data[6] != 0 || (data[7] != 1 && data[7] != 2))
        return NULL;
    if (data[7] == 1) {
        buf_printf(ret_method, "LUKS1, %.32s-%.32s, %.32s", (const char *)data + 8, (const char *)data + 40,
                   (const char *)data + 72);
    } else { /* the key slots before have ciphers of their own */
        const uint8_t *segments = memmem(data, size, "\"segments\":", 11);

        room[0] = '\0';
        if (segments != NULL)
            text_after(segments, (size_t)(data + size - segments), "\"encryption\":\"", '"', room,
                       sizeof room);
        buf_printf(ret_method, "LUKS2%s%s", room[0] != '\0' ? ", " : "", room);
    }
    return "LUKS volume";
}

static const char *bitlocker(const uint8_t *data, size_t size, struct buf *ret_method)
{
    (void)data, (void)size, (void)ret_method;
    return "BitLocker volume";
}

/* [Android: BackupManagerService]: magic, version, compressed, encryption, a line each. */
static const char *android(const uint8_t *data, size_t size, struct buf *ret_method)
{
    const uint8_t *at = data + 15, *end = data + (size < 64 ? size : 64);

    for (int lines = 0; lines < 2 && at != NULL; lines++) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at != NULL ? at + 1 : NULL;
    }
    if (at == NULL || end - at < 7 || memcmp(at, "AES-256", 7) != 0)
        return NULL;
    buf_text(ret_method, "password, AES 256");
    return "Android backup";
}

static const char *wallet(const uint8_t *data, size_t size, struct buf *ret_method)
{
    (void)size;
    buf_text(ret_method, data[0] == 'K' ? "" : "AES 128");
    return data[0] == 'K' ? "KDE wallet" : "GNOME keyring";
}

static const char *keychain(const uint8_t *data, size_t size, struct buf *ret_method)
{
    (void)data, (void)size;
    buf_text(ret_method, "TripleDES");
    return "Apple keychain";
}

static const char *disk_image(const uint8_t *data, size_t size, struct buf *ret_method)
{
    (void)data, (void)size;
    buf_text(ret_method, "AES");
    return "Apple disk image";
}

static const char *axcrypt(const uint8_t *data, size_t size, struct buf *ret_method)
{
    (void)data, (void)size;
    buf_text(ret_method, "AES");
    return "AxCrypt file";
}

/* ------------------------------------------------------------------ DER */

/* [RFC 5652, 6.1] A content type at the beginning: enveloped data. [RFC 7292, 4] PFX: version 3, then
 * content. */
static const char *der(const uint8_t *data, size_t size, struct buf *ret_method)
{
    static const uint8_t enveloped[] = {6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 3};
    static const uint8_t plain[] = {6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1};
    static const uint8_t version[] = {2, 1, 3, 0x30};
    size_t near = size < 40 ? size : 40;

    if (has(data, near < 20 ? near : 20, enveloped, sizeof enveloped)) {
        buf_text(ret_method, "certificates");
        return "CMS enveloped data";
    }
    if (has(data, near < 12 ? near : 12, version, sizeof version) && has(data, near, plain, sizeof plain)) {
        buf_text(ret_method, "password");
        return "PKCS #12 key store";
    }
    return NULL;
}

/* ------------------------------------------------------------------ texts */

size_t base64_decode(const uint8_t *data, size_t size, uint8_t *ret, size_t room)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    unsigned have = 0;
    size_t count = 0;

    for (size_t i = 0; i < size && count < room; i++) {
        const char *letter = data[i] != '\0' ? strchr(letters, data[i]) : NULL;

        if (data[i] == '\r' || data[i] == '\n' || data[i] == ' ')
            continue;
        if (letter == NULL)
            break;
        bits = bits << 6 | (uint32_t)(letter - letters);
        have += 6;
        if (have >= 8) {
            have -= 8;
            ret[count++] = (uint8_t)(bits >> have);
        }
    }
    return count;
}

/* Behind the first empty line: armour has headers before its content. */
static const uint8_t *behind_headers(const uint8_t *data, size_t size)
{
    const uint8_t *one = memmem(data, size, "\n\n", 2), *two = memmem(data, size, "\r\n\r\n", 4);

    one = one != NULL ? one + 2 : NULL;
    two = two != NULL ? two + 4 : NULL;
    return one == NULL || (two != NULL && two < one) ? two : one;
}

static const char *armour(const uint8_t *data, size_t size, struct buf *ret_method)
{
    const uint8_t *at = behind_headers(data, size);
    uint8_t raw[KNOWN_HEAD];

    if (at == NULL)
        return NULL;
    return openpgp_kind(raw, base64_decode(at, (size_t)(data + size - at), raw, sizeof raw), ret_method);
}

/* [openssh: PROTOCOL.key] The cipher's name is the first text behind the magic. */
static const char *ssh_key(const uint8_t *data, size_t size, struct buf *ret_method)
{
    static const char magic[] = "openssh-key-v1";
    const uint8_t *at = memchr(data, '\n', size);
    uint8_t raw[256];
    size_t got = at != NULL ? base64_decode(at, (size_t)(data + size - at), raw, sizeof raw) : 0;
    struct bytes bytes;
    const uint8_t *name;
    uint32_t length;

    bytes_init(&bytes, raw, got);
    name = bytes_take(&bytes, sizeof magic);
    if (name == NULL || memcmp(name, magic, sizeof magic) != 0)
        return NULL;
    length = bytes_u32be(&bytes);
    name = bytes_take(&bytes, length < 64 ? length : 64);
    if (name == NULL || (length == 4 && memcmp(name, "none", 4) == 0))
        return NULL;
    buf_append(ret_method, name, length < 64 ? length : 64);
    return "OpenSSH private key";
}

/* [RFC 7468; RFC 1421] */
static const char *pem(const uint8_t *data, size_t size, struct buf *ret_method)
{
    char room[40];

    if (has(data, 40 < size ? 40 : size, "BEGIN PGP MESSAGE", 17))
        return armour(data, size, ret_method);
    if (has(data, 40 < size ? 40 : size, "BEGIN OPENSSH PRIVATE", 21))
        return ssh_key(data, size, ret_method);
    if (has(data, 48 < size ? 48 : size, "BEGIN AGE ENCRYPTED", 19))
        return "age file";
    if (has(data, 40 < size ? 40 : size, "BEGIN ENCRYPTED PRIVATE", 23)) {
        buf_text(ret_method, "PKCS #8");
        return "private key";
    }
    if (has(data, 256 < size ? 256 : size, "Proc-Type: 4,ENCRYPTED", 22)) {
        buf_text(ret_method, text_after(data, size, "DEK-Info: ", ',', room, sizeof room));
        return "private key";
    }
    return NULL;
}

static const char *salted_text(const uint8_t *data, size_t size, struct buf *ret_method)
{
    uint8_t raw[16];

    return base64_decode(data, size, raw, sizeof raw) == sizeof raw && memcmp(raw, "Salted__", 8) == 0
               ? openssl(raw, sizeof raw, ret_method)
               : NULL;
}

/* ------------------------------------------------------------------ */

static const struct {
    size_t offset;
    const char *magic;
    size_t size;
    describe *describe;
} known[] = {
    {0, "\x03\xd9\xa2\x9a\x65\xfb\x4b\xb5", 8, keepass},
    {0, "\x03\xd9\xa2\x9a\x66\xfb\x4b\xb5", 8, keepass},
    {0, "\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5", 8, keepass},
    {0, "Salted__", 8, openssl},
    {0, "U2FsdGVkX1", 10, salted_text},
    {0, "age-encryption.org/v1\n", 22, age},
    {0, "AES", 3, aescrypt},
    {0, "LUKS\xba\xbe", 6, luks},
    {3, "-FVE-FS-", 8, bitlocker},
    {0, "ANDROID BACKUP\n", 15, android},
    {0, "KWALLET\n\r\0\r\n", 12, wallet},
    {0, "GnomeKeyring\n\r\0\n", 16, wallet},
    {0, "kych\0\1\0\0", 8, keychain},
    {0, "encrcdsa", 8, disk_image},
    {0, "\xc0\xb9\x07\x2e\x4f\x93\xf1\x46\xa0\x15\x79\x2c\xa1\xd9\xe8\x21", 16, axcrypt},
    {0, "-----BEGIN ", 11, pem},
    {0, "\x30\x82", 2, der},
    {0, "\x30\x83", 2, der},
    {0, "\x30\x80", 2, der},
};

static bool matches(size_t i, const uint8_t *data, size_t size)
{
    return size >= known[i].offset + known[i].size &&
           memcmp(data + known[i].offset, known[i].magic, known[i].size) == 0;
}

bool known_begins(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (matches(i, data, size))
            return true;
    }
    return is_ecryptfs(data, size) || openpgp_begins(data, size);
}

const char *known_kind(const uint8_t *data, size_t size, struct buf *ret_method)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (matches(i, data, size))
            return known[i].describe(data, size, ret_method);
    }
    if (size >= 26 && is_ecryptfs(data, size))
        return ecryptfs(data, size, ret_method);
    return openpgp_kind(data, size, ret_method);
}
