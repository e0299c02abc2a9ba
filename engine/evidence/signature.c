/*
 * signature: superblock and header magic numbers of volumes.
 *
 * Sources: the Linux kernel's headers of each file system (fs/<name>/, include/uapi/linux/magic.h),
 * util-linux libblkid's probes, cryptsetup's docs (LUKS1/LUKS2 on-disk format), libyal's format notes (BDE,
 * FVDE), the ReFS and VMFS notes of the same. Offsets are bytes from the start of the volume, or from its
 * end.
 */
#include "engine/evidence/signature.h"

#include "engine/base/bytes.h"

#include <stdbool.h>
#include <string.h>

enum { READ_MAX = 512, MAGIC_MAX = 16, STEPS_MAX = 128 };

/* Bytes that must stand at `at`; with `steps`, at any of at, at + step, ... */
struct magic {
    uint64_t at;
    uint8_t bytes[MAGIC_MAX + 1];
    uint8_t size; /* 0: no such condition */
    uint16_t steps;
    uint32_t step;
    bool from_end; /* `at` counts back from the end of the volume */
};

struct row {
    struct signature signature;
    struct magic magic, and; /* both must hold */
};

#define AT(offset, text)                                                                                     \
    {                                                                                                        \
        .at = (offset), .bytes = text, .size = sizeof(text) - 1                                              \
    }
#define END(offset, text)                                                                                    \
    {                                                                                                        \
        .at = (offset), .bytes = text, .size = sizeof(text) - 1, .from_end = true                            \
    }
#define EACH(offset, n, gap, text)                                                                           \
    {                                                                                                        \
        .at = (offset), .bytes = text, .size = sizeof(text) - 1, .steps = n, .step = gap                     \
    }
#define ENCRYPTED(name)                                                                                      \
    {                                                                                                        \
        "encrypted: " name, SIGNATURE_ENCRYPTED                                                              \
    }
#define UNSUPPORTED(name)                                                                                    \
    {                                                                                                        \
        "unsupported: " name, SIGNATURE_UNSUPPORTED                                                          \
    }
#define READABLE(name)                                                                                       \
    {                                                                                                        \
        name, SIGNATURE_READABLE                                                                             \
    }
#define SWAP                                                                                                 \
    {                                                                                                        \
        "swap", SIGNATURE_DATA                                                                               \
    }
#define HIBERNATION                                                                                          \
    {                                                                                                        \
        "hibernation", SIGNATURE_DATA                                                                        \
    }
#define TUXONICE                                                                                             \
    {                                                                                                        \
        "hibernation: TuxOnIce", SIGNATURE_DATA                                                              \
    }
#define TUXONICE_MAGIC "\xed\xc3\x02\xe9\x98\x56\xe5\x0c"

static const struct row rows[] = {
    {ENCRYPTED("BitLocker"), AT(3, "-FVE-FS-")},
    {ENCRYPTED("BitLocker To Go"), AT(3, "MSWIN4.1"),
     AT(424, "\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01")},
    {ENCRYPTED("LUKS1"), AT(0, "LUKS\xba\xbe\0\1")},
    {ENCRYPTED("LUKS2"), AT(0, "LUKS\xba\xbe\0\2")},
    {ENCRYPTED("LUKS2 (second header)"), EACH(0x4000, 8, 0x4000, "SKUL\xba\xbe\0\2")},
    {ENCRYPTED("FileVault (CoreStorage)"), AT(88, "CS"), AT(8, "\1\0\x10\0")},

    {UNSUPPORTED("XFS"), AT(0, "XFSB")},
    {UNSUPPORTED("Btrfs"), AT(0x10040, "_BHRfS_M")},
    {UNSUPPORTED("ReiserFS"), AT(0x10034, "ReIsEr")},
    {UNSUPPORTED("ReiserFS"), AT(0x2034, "ReIsEr")},
    {UNSUPPORTED("Reiser4"), AT(0x10000, "ReIsEr4")},
    {UNSUPPORTED("JFS"), AT(0x8000, "JFS1")},
    {UNSUPPORTED("ReFS"), AT(3, "ReFS\0\0\0\0")},
    {UNSUPPORTED("F2FS"), AT(1024, "\x10\x20\xf5\xf2")},
    {UNSUPPORTED("NILFS"), AT(1024, "\2\0\0\0"), AT(1030, "\x34\x34")},
    {UNSUPPORTED("bcachefs"), AT(4120, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81")},
    {UNSUPPORTED("EROFS"), AT(1024, "\xe2\xe1\xf5\xe0")},
    {UNSUPPORTED("GFS2"), AT(0x10000, "\x01\x16\x19\x70\0\0\0\1")},
    {UNSUPPORTED("OCFS2"), EACH(1024, 4, 1024, "OCFSV2")},
    {UNSUPPORTED("squashfs"), AT(0, "hsqs")},
    {UNSUPPORTED("squashfs"), AT(0, "sqsh")},
    {UNSUPPORTED("cramfs"), AT(16, "Compressed ROMFS")},
    {UNSUPPORTED("cramfs"), AT(528, "Compressed ROMFS")},
    {UNSUPPORTED("romfs"), AT(0, "-rom1fs-")},
    {UNSUPPORTED("VMFS"), AT(0x100000, "\x0d\xd0\x01\xc0")},
    {UNSUPPORTED("VMFS"), AT(0x200000, "\x5e\xf1\xab\x2f")},
    {UNSUPPORTED("HPFS"), AT(0x2000, "\x49\xe8\x95\xf9")},
    {UNSUPPORTED("ZFS"), EACH(0x20000, 128, 1024, "\x0c\xb1\xba\0\0\0\0\0")},
    {UNSUPPORTED("ZFS"), EACH(0x20000, 128, 1024, "\0\0\0\0\0\xba\xb1\x0c")},
    {UNSUPPORTED("LVM2"), EACH(0, 4, 512, "LABELONE")},
    {UNSUPPORTED("Linux RAID"), AT(0, "\xfc\x4e\x2b\xa9\1\0\0\0")},
    {UNSUPPORTED("Linux RAID"), AT(4096, "\xfc\x4e\x2b\xa9\1\0\0\0")},
    {UNSUPPORTED("Intel RAID"), END(1024, "Intel Raid ISM ")},
    {UNSUPPORTED("DDF RAID"), END(512, "\xde\x11\xde\x11")},

    {READABLE("ntfs"), AT(3, "NTFS    "), AT(510, "\x55\xaa")},
    {READABLE("exfat"), AT(3, "EXFAT   "), AT(510, "\x55\xaa")},
    {READABLE("fat32"), AT(82, "FAT32   "), AT(510, "\x55\xaa")},
    {READABLE("fat16"), AT(54, "FAT16   "), AT(510, "\x55\xaa")},
    {READABLE("fat12"), AT(54, "FAT12   "), AT(510, "\x55\xaa")},
    {READABLE("apfs"), AT(32, "NXSB")},
    {READABLE("hfs+"), AT(1024, "H+\0\4")},
    {READABLE("hfs+"), AT(1024, "HX\0\5")},
    {READABLE("hfs+"), AT(1024, "BD"), AT(1148, "H+")}, /* HFS+ wrapped in HFS */
    {READABLE("ufs2"), AT(65536 + 1372, "\x19\x01\x54\x19")},
    {READABLE("ufs2"), AT(65536 + 1372, "\x19\x54\x01\x19")},
    {READABLE("ufs1"), AT(8192 + 1372, "\x54\x19\x01\0")},
    {READABLE("ufs1"), AT(8192 + 1372, "\0\1\x19\x54")},

    {UNSUPPORTED("UDF"), EACH(0x8001, 16, 2048, "NSR02")},
    {UNSUPPORTED("UDF"), EACH(0x8001, 16, 2048, "NSR03")},
    {UNSUPPORTED("UDF"), EACH(0x8001, 16, 4096, "NSR03")},
    {READABLE("iso9660"), EACH(0x8001, 16, 2048, "CD001")},

    {TUXONICE, AT(0, TUXONICE_MAGIC)},
    {HIBERNATION, AT(4086, "S1SUSPEND")},
    {HIBERNATION, AT(4086, "S2SUSPEND")},
    {HIBERNATION, AT(4086, "ULSUSPEND")},
    {HIBERNATION, AT(4086, "LINHIB0001")},
    {SWAP, AT(4086, "SWAPSPACE2")},
    {SWAP, AT(4086, "SWAP-SPACE")},
    {SWAP, AT(8182, "SWAPSPACE2")},
    {SWAP, AT(16374, "SWAPSPACE2")},
    {SWAP, AT(65526, "SWAPSPACE2")},

    /* Two bytes are weak evidence: last. */
    {READABLE("ext2"), AT(1080, "\x53\xef")},
    {UNSUPPORTED("HFS (classic)"), AT(1024, "BD")},
    {UNSUPPORTED("Minix"), AT(1040, "\x7f\x13")},
    {UNSUPPORTED("Minix"), AT(1040, "\x8f\x13")},
    {UNSUPPORTED("Minix"), AT(1040, "\x68\x24")},
    {UNSUPPORTED("Minix"), AT(1040, "\x78\x24")},
    {UNSUPPORTED("Minix"), AT(1048, "\x5a\x4d")},
};

static const struct signature linux_raid = UNSUPPORTED("Linux RAID");
static const struct signature zeros = {"zeros", SIGNATURE_ZEROS};
static const struct signature unknown = {"unknown", SIGNATURE_UNKNOWN};
static const struct signature noise = {"unknown: random bytes, perhaps encrypted", SIGNATURE_RANDOM};

struct volume {
    uint64_t size;
    signature_read *read;
    void *context;
};

static bool bytes_at(const struct volume *volume, uint64_t at, const uint8_t *bytes, size_t size)
{
    uint8_t data[MAGIC_MAX * 2];

    if (!u64_range_fits(at, size, volume->size))
        return false;
    volume->read(volume->context, at, data, size);
    return memcmp(data, bytes, size) == 0;
}

static bool magic_holds(const struct volume *volume, const struct magic *magic)
{
    uint64_t at = magic->at;

    if (magic->from_end) {
        if (at > volume->size)
            return false;
        at = volume->size - at;
    }
    for (uint32_t i = 0; i <= magic->steps; i++) {
        if (bytes_at(volume, at + (uint64_t)i * magic->step, magic->bytes, magic->size))
            return true;
        if (magic->steps == 0 || i + 1 == magic->steps)
            break;
    }
    return false;
}

static bool row_fits(const struct volume *volume, const struct row *row)
{
    return magic_holds(volume, &row->magic) && (row->and.size == 0 || magic_holds(volume, &row->and));
}

/* The md superblocks that are found from the end: 0.90 in the last whole 64 KiB but one, 1.0 eight KiB before
 * the end [Linux raid wiki, "RAID superblock formats"]. */
static bool is_linux_raid(const struct volume *volume)
{
    static const uint8_t magic[] = {0xfc, 0x4e, 0x2b, 0xa9};
    static const uint8_t magic_big[] = {0xa9, 0x2b, 0x4e, 0xfc};
    uint64_t old, new;

    if (volume->size < 0x20000)
        return false;
    old = (volume->size & ~(uint64_t)0xffff) - 0x10000;
    new = (volume->size / 512 - 16) / 8 * 8 * 512;
    return bytes_at(volume, old, magic, sizeof magic) || bytes_at(volume, old, magic_big, sizeof magic_big) ||
           bytes_at(volume, new, magic, sizeof magic);
}

static bool is_zero_range(const struct volume *volume, uint64_t from, uint64_t until)
{
    static const uint8_t none[READ_MAX];
    uint8_t data[READ_MAX];

    for (uint64_t at = from; at < until; at += READ_MAX) {
        size_t size = until - at < READ_MAX ? (size_t)(until - at) : READ_MAX;
        volume->read(volume->context, at, data, size);
        if (memcmp(data, none, size) != 0)
            return false;
    }
    return true;
}

/* Samples: the first and last 64 KiB whole, and a piece of each 512th part between. */
static bool is_zeros(const struct volume *volume)
{
    enum { EDGE = 65536, SAMPLES = 512 };
    uint64_t between;

    if (volume->size <= 2 * EDGE)
        return is_zero_range(volume, 0, volume->size);
    between = volume->size - 2 * EDGE;
    if (!is_zero_range(volume, 0, EDGE) || !is_zero_range(volume, volume->size - EDGE, volume->size))
        return false;
    for (uint64_t i = 0; i < SAMPLES; i++) {
        uint64_t at = EDGE + between / SAMPLES * i;
        if (!is_zero_range(volume, at, at + READ_MAX))
            return false;
    }
    return true;
}

/* Encrypted bytes are spread evenly: Pearson's chi-square over the 256 values, 255 +- 22.6 for random bytes.
 * Compressed data of this amount is far outside of four deviations. The first sector is among the samples: an
 * unencrypted header does not pass as random either. */
static bool is_random(const struct volume *volume)
{
    enum { SAMPLES = 512, EDGE_SAMPLES = 16 };
    uint32_t counts[256] = {0};
    uint8_t data[READ_MAX];
    const double expected = (double)SAMPLES * READ_MAX / 256;
    double sum = 0;

    if (volume->size < (uint64_t)SAMPLES * READ_MAX)
        return false;
    for (uint64_t i = 0; i < SAMPLES; i++) {
        uint64_t at = i < EDGE_SAMPLES ? i * READ_MAX : (volume->size - READ_MAX) / (SAMPLES - 1) * i;
        uint32_t own = 0;

        volume->read(volume->context, at, data, sizeof data);
        for (size_t k = 0; k < sizeof data; k++) {
            counts[data[k]]++;
            own += data[k] == data[0];
        }
        if (own > READ_MAX / 16) /* one repeated byte: no need to look further */
            return false;
    }
    for (size_t i = 0; i < 256; i++)
        sum += ((double)counts[i] - expected) * ((double)counts[i] - expected) / expected;
    return sum > 255 - 4 * 22.6 && sum < 255 + 4 * 22.6;
}

const struct signature *signature_find(uint64_t size, signature_read *read, void *context)
{
    const struct volume volume = {size, read, context};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (row_fits(&volume, &rows[i]))
            return &rows[i].signature;
    }
    if (is_linux_raid(&volume))
        return &linux_raid;
    if (is_zeros(&volume))
        return &zeros;
    return is_random(&volume) ? &noise : &unknown;
}

const struct signature *signature_find_encrypted(uint64_t size, signature_read *read, void *context)
{
    const struct volume volume = {size, read, context};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].signature.class == SIGNATURE_ENCRYPTED && row_fits(&volume, &rows[i]))
            return &rows[i].signature;
    }
    return NULL;
}
