/*
 * form: see form.h. Signatures: APPNOTE.TXT 6.3.10 (zip), 7zFormat.txt, RAR technote, POSIX.1-2001 pax
 * (ustar), cpio(5), ar(5), [MS-CAB], ISO 28500 (WARC), xar(5), RFC 1952, 8878, LZ4 frame format 1.6, .xz
 * format 1.0.4, lzip manual, rpm's lead.
 */
#include "plugins/archive/form.h"

#include "engine/base/bytes.h"

#include <string.h>

static const struct signature {
    enum form form;
    uint8_t offset, size;
    const char *bytes;
} signatures[] = {
    {FORM_ZIP, 0, 4, "PK\3\4"},
    {FORM_ZIP, 0, 8, "PK00PK\3\4"},
    {FORM_ZIP, 0, 8, "PK\7\10PK\3\4"},
    {FORM_ZIP, 0, 4, "PK\5\6"},
    {FORM_SEVENZIP, 0, 6, "7z\xbc\xaf\x27\x1c"},
    {FORM_RAR, 0, 7, "Rar!\x1a\7\0"},
    {FORM_RAR5, 0, 8, "Rar!\x1a\7\1\0"},
    {FORM_CPIO, 0, 6, "070701"},
    {FORM_CPIO, 0, 6, "070702"},
    {FORM_CPIO, 0, 6, "070707"},
    {FORM_AR, 0, 8, "!<arch>\n"},
    {FORM_CAB, 0, 8, "MSCF\0\0\0\0"},
    {FORM_XAR, 0, 4, "xar!"},
    {FORM_WARC, 0, 7, "WARC/0."},
    {FORM_WARC, 0, 7, "WARC/1."},
    {FORM_LHA, 2, 3, "-lh"},
    {FORM_LHA, 2, 3, "-lz"},
    {FORM_GZIP, 0, 3, "\x1f\x8b\10"},
    {FORM_XZ, 0, 6,
     "\xfd"
     "7zXZ\0"},
    {FORM_ZSTD, 0, 4, "\x28\xb5\x2f\xfd"},
    {FORM_LZ4, 0, 4, "\4\x22\x4d\x18"},
    {FORM_LZ4, 0, 4, "\2\x21\x4c\x18"},
    {FORM_LZIP, 0, 4, "LZIP"},
    {FORM_COMPRESS, 0, 2, "\x1f\x9d"},
    {FORM_RPM, 0, 4, "\xed\xab\xee\xdb"},
};

static const char *const names[FORMS] = {
    "",     "zip", "7z",   "rar",   "rar5", "tar",  "cpio", "ar",   "cab",  "iso9660",  "xar",
    "warc", "lha", "gzip", "bzip2", "xz",   "zstd", "lz4",  "lzma", "lzip", "compress", "rpm",
};

const char *form_name(enum form form)
{
    return names[form];
}

/* An octal field of a tar header: digits, then a blank or NUL. */
static bool octal(const uint8_t *data, size_t size, uint64_t *ret)
{
    uint64_t value = 0;
    size_t i = 0;
    bool digits = false;

    while (i < size && data[i] == ' ')
        i++;
    for (; i < size && data[i] >= '0' && data[i] <= '7'; i++, digits = true)
        value = value << 3 | (uint64_t)(data[i] - '0');
    *ret = value;
    return digits && (i == size || data[i] == ' ' || data[i] == '\0');
}

/* The checksum is the sum of the header's bytes with blanks in its own place; some old programs summed signed
 * bytes. */
static bool is_tar(const uint8_t *data, size_t size)
{
    enum { HEADER = 512, SUM = 148, SUM_SIZE = 8 };
    uint64_t stored, mode;
    int64_t with_sign = 0;
    uint64_t sum = 0;

    if (size < HEADER || data[0] == '\0' || !octal(data + SUM, SUM_SIZE, &stored) ||
        !octal(data + 100, 8, &mode))
        return false;
    for (size_t i = 0; i < HEADER; i++) {
        uint8_t c = i >= SUM && i < SUM + SUM_SIZE ? ' ' : data[i];

        sum += c;
        with_sign += (int8_t)c;
    }
    return sum == stored || (with_sign >= 0 && (uint64_t)with_sign == stored);
}

/* The old binary cpio has a magic of two bytes only: its name's length and the NUL behind it must be right,
 * too. */
static bool is_binary_cpio(const uint8_t *data, size_t size)
{
    enum { HEADER = 26 };
    struct bytes bytes;
    size_t name;
    bool big;

    if (size < HEADER + 2)
        return false;
    big = data[0] == 0x71 && data[1] == 0xc7;
    if (!big && (data[0] != 0xc7 || data[1] != 0x71))
        return false;
    bytes_init(&bytes, data, size);
    bytes_skip(&bytes, 20);
    name = big ? bytes_u16be(&bytes) : bytes_u16le(&bytes);
    return name >= 2 && name <= 1024 && (HEADER + name > size || data[HEADER + name - 1] == '\0') &&
           memchr(data + HEADER, '\0', size - HEADER < name - 1 ? size - HEADER : name - 1) == NULL;
}

/* [lzma-file-format.txt]: properties, a dictionary of 2^n or 2^n + 2^(n-1), and a size that is unknown or
 * less than 2^38. */
static bool is_lzma(const uint8_t *data, size_t size)
{
    struct bytes bytes;
    uint32_t dictionary;
    uint64_t unpacked;

    if (size < 18 || data[0] != 0x5d || data[13] != 0)
        return false;
    bytes_init(&bytes, data, size);
    bytes_skip(&bytes, 1);
    dictionary = bytes_u32le(&bytes);
    unpacked = bytes_u64le(&bytes);
    if (dictionary < 4096 || (unpacked != UINT64_MAX && unpacked >= UINT64_C(1) << 38))
        return false;
    while ((dictionary & 1) == 0)
        dictionary >>= 1;
    return dictionary == 1 || dictionary == 3;
}

static bool is_lha(const uint8_t *data, size_t size)
{
    return size > 22 && data[6] == '-' && data[20] <= 3;
}

/* A compress header's third byte says how long codes get: 9 to 16 bits; two bits are never set. */
static bool is_compress(const uint8_t *data, size_t size)
{
    return size > 3 && (data[2] & 0x60) == 0 && (data[2] & 0x1f) >= 9 && (data[2] & 0x1f) <= 16;
}

static bool fits_more(enum form form, const uint8_t *data, size_t size)
{
    return form == FORM_LHA        ? is_lha(data, size)
           : form == FORM_COMPRESS ? is_compress(data, size)
           : form == FORM_GZIP     ? size > 10 && (data[3] & 0xe0) == 0
                                   : true;
}

enum form form_of(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; i++) {
        const struct signature *signature = &signatures[i];

        if (size >= (size_t)signature->offset + signature->size &&
            memcmp(data + signature->offset, signature->bytes, signature->size) == 0 &&
            fits_more(signature->form, data, size))
            return signature->form;
    }
    if (size > 10 && memcmp(data, "BZh", 3) == 0 && data[3] >= '1' && data[3] <= '9' &&
        (memcmp(data + 4, "1AY&SY", 6) == 0 || memcmp(data + 4, "\x17rE8P\x90", 6) == 0))
        return FORM_BZIP2;
    return is_tar(data, size)           ? FORM_TAR
           : is_binary_cpio(data, size) ? FORM_CPIO
           : is_lzma(data, size)        ? FORM_LZMA
                                        : FORM_NONE;
}

bool form_is_iso(const uint8_t *data)
{
    return data[0] <= 3 && memcmp(data + 1, "CD001", 5) == 0;
}

bool form_is_program(const uint8_t *data, size_t size)
{
    return size >= 4 &&
           (memcmp(data, "MZ", 2) == 0 || memcmp(data, "\177ELF", 4) == 0 || memcmp(data, "#!/", 3) == 0);
}

enum form form_appended(const uint8_t *data, size_t size)
{
    enum form form = size >= 8 ? form_of(data, 8) : FORM_NONE;

    return form == FORM_SEVENZIP || form == FORM_RAR || form == FORM_RAR5 || form == FORM_CAB ? form
                                                                                              : FORM_NONE;
}
