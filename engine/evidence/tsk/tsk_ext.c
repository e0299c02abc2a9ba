/*
 * tsk_ext: the inode of ext2/3/4 as it is stored. libtsk 4.11.1 takes the seconds for unsigned and ignores
 * the epoch bits, so that 1969 and 2378 both come out as 2106; and it does not show that a file is encrypted.
 *
 * [kernel Documentation/filesystems/ext4: super.rst, group_descr.rst, inodes.rst, ifork.rst]
 * Inode tables are found by the group descriptors, also with META_BG; nothing is verified by checksum, since
 * a damaged inode's times are still evidence.
 */
#include "engine/base/bytes.h"
#include "engine/base/when.h"
#include "engine/evidence/tsk/tsk_private.h"

#include <errno.h>
#include <stdlib.h>

enum {
    SUPERBLOCK_AT = 1024,
    SUPERBLOCK_SIZE = 1024,
    INODE_SIZE_OLD = 128,
    INODE_READ_MAX = 160, /* up to and with i_crtime_extra */
    INCOMPAT_META_BG = 0x10,
    INCOMPAT_64BIT = 0x80,
    NO_GROUP = -1,
};

struct tsk_ext {
    struct tsk_medium *medium;
    uint64_t offset; /* of the file system in the image */
    uint32_t block_size, first_data_block, blocks_per_group, inodes_per_group, inode_count, first_meta_bg;
    uint16_t inode_size, descriptor_size;
    bool meta_bg, wide;
    bool sparse_super;   /* backups only in some groups */
    int64_t table_group; /* whose inode table this is, NO_GROUP */
    uint64_t table;      /* byte in the file system */
};

struct tsk_ext *tsk_ext_new(struct tsk_medium *medium, uint64_t offset)
{
    uint8_t data[SUPERBLOCK_SIZE];
    struct bytes bytes;
    struct tsk_ext *ext;
    uint32_t log_size, incompat, read_only;

    if (!tsk_medium_bytes(medium, u64_add_saturating(offset, SUPERBLOCK_AT), data, sizeof data))
        return NULL;
    ext = calloc(1, sizeof *ext);
    if (!ext)
        return NULL;
    ext->medium = medium;
    ext->offset = offset;
    ext->table_group = NO_GROUP;
    bytes_init(&bytes, data, sizeof data);
    ext->inode_count = bytes_u32le(&bytes);
    bytes_seek(&bytes, 20);
    ext->first_data_block = bytes_u32le(&bytes);
    log_size = bytes_u32le(&bytes);
    bytes_seek(&bytes, 32);
    ext->blocks_per_group = bytes_u32le(&bytes);
    bytes_seek(&bytes, 40);
    ext->inodes_per_group = bytes_u32le(&bytes);
    bytes_seek(&bytes, 76);
    ext->inode_size = bytes_u32le(&bytes) == 0 ? INODE_SIZE_OLD : 0; /* revision 0 has no field for it */
    bytes_seek(&bytes, 88);
    if (ext->inode_size == 0)
        ext->inode_size = bytes_u16le(&bytes);
    bytes_seek(&bytes, 96);
    incompat = bytes_u32le(&bytes);
    read_only = bytes_u32le(&bytes);
    bytes_seek(&bytes, 254);
    ext->descriptor_size = bytes_u16le(&bytes);
    bytes_seek(&bytes, 260);
    ext->first_meta_bg = bytes_u32le(&bytes);

    ext->wide = (incompat & INCOMPAT_64BIT) != 0 && ext->descriptor_size >= 64;
    if (!ext->wide)
        ext->descriptor_size = 32;
    ext->meta_bg = (incompat & INCOMPAT_META_BG) != 0;
    ext->sparse_super = (read_only & 1) != 0;
    if (log_size > 6 || ext->inodes_per_group == 0 || ext->inode_size < INODE_SIZE_OLD ||
        ext->descriptor_size > 1024U << log_size) {
        free(ext);
        return NULL;
    }
    ext->block_size = 1024U << log_size;
    return ext;
}

void tsk_ext_free(struct tsk_ext *ext)
{
    free(ext);
}

static bool power_of(uint64_t number, uint64_t base)
{
    while (number > 1 && number % base == 0)
        number /= base;
    return number == 1;
}

/* True when the group begins with a copy of the superblock. */
static bool has_super(const struct tsk_ext *ext, uint64_t group)
{
    return group <= 1 || !ext->sparse_super || power_of(group, 3) || power_of(group, 5) || power_of(group, 7);
}

static uint64_t descriptor_at(const struct tsk_ext *ext, uint64_t group)
{
    uint64_t per_block = ext->block_size / ext->descriptor_size;
    uint64_t meta_group = group / per_block;
    uint64_t first, block;

    if (!ext->meta_bg || meta_group < ext->first_meta_bg)
        return (ext->first_data_block + 1 + meta_group) * ext->block_size +
               group % per_block * ext->descriptor_size;
    first = meta_group * per_block;
    block = first * ext->blocks_per_group + ext->first_data_block + (has_super(ext, first) ? 1 : 0);
    return u64_add_saturating(u64_mul_saturating(block, ext->block_size),
                              group % per_block * ext->descriptor_size);
}

static bool find_table(struct tsk_ext *ext, uint64_t group)
{
    uint8_t data[64];
    struct bytes bytes;
    uint64_t block;

    if (ext->table_group == (int64_t)group)
        return true;
    if (!tsk_medium_bytes(ext->medium, u64_add_saturating(ext->offset, descriptor_at(ext, group)), data,
                          ext->wide ? 64 : 32))
        return false;
    bytes_init(&bytes, data, sizeof data);
    bytes_seek(&bytes, 8);
    block = bytes_u32le(&bytes);
    bytes_seek(&bytes, 40);
    if (ext->wide)
        block |= (uint64_t)bytes_u32le(&bytes) << 32;
    ext->table = u64_mul_saturating(block, ext->block_size);
    ext->table_group = (int64_t)group;
    return true;
}

struct stored {
    char letter;
    uint32_t seconds, extra;
};

/* One time; what does not fit 1970 to 2038 is shown as stored too. */
static int64_t take_time(const struct stored *stored, struct buf *raw_times, bool *ret_out_of_range)
{
    int64_t when = when_from_ext4(stored->seconds, stored->extra);
    int64_t seconds = (int64_t)(int32_t)stored->seconds + ((int64_t)(stored->extra & 3) << 32);

    if (seconds < 0 || seconds > INT32_MAX) {
        buf_printf(raw_times, "%s%c=0x%08x/0x%08x", raw_times->size > 0 ? " " : "", stored->letter,
                   (unsigned)stored->seconds, (unsigned)stored->extra);
        if (seconds > INT64_MAX / 1000000000)
            *ret_out_of_range = true;
    }
    return stored->seconds == 0 && stored->extra == 0 ? WHEN_NONE : when;
}

static void take_times(struct bytes *bytes, bool extra, struct buf *raw_times, struct tsk_ext_inode *ret)
{
    struct stored accessed = {.letter = 'a'}, changed = {.letter = 'c'}, modified = {.letter = 'm'},
                  born = {.letter = 'b'};
    uint32_t deleted;

    bytes_seek(bytes, 8);
    accessed.seconds = bytes_u32le(bytes);
    changed.seconds = bytes_u32le(bytes);
    modified.seconds = bytes_u32le(bytes);
    deleted = bytes_u32le(bytes);
    bytes_seek(bytes, 32);
    ret->flags = bytes_u32le(bytes);
    bytes_seek(bytes, 128);
    if (extra) {
        /* i_extra_isize says how many of the fields behind the old inode are in use. */
        uint16_t used = bytes_u16le(bytes);
        bytes_skip(bytes, 2);
        changed.extra = used >= 8 ? bytes_u32le(bytes) : 0;
        modified.extra = used >= 12 ? bytes_u32le(bytes) : 0;
        accessed.extra = used >= 16 ? bytes_u32le(bytes) : 0;
        born.seconds = used >= 20 ? bytes_u32le(bytes) : 0;
        born.extra = used >= 24 ? bytes_u32le(bytes) : 0;
    }
    ret->modified = take_time(&modified, raw_times, &ret->out_of_range);
    ret->accessed = take_time(&accessed, raw_times, &ret->out_of_range);
    ret->changed = take_time(&changed, raw_times, &ret->out_of_range);
    ret->born = take_time(&born, raw_times, &ret->out_of_range);
    ret->deleted = deleted ? when_from_unix(deleted, 0) : WHEN_NONE;
}

/* The byte of the image where the inode is stored. */
static bool inode_at(struct tsk_ext *ext, uint64_t inode, uint64_t *ret_at)
{
    if (inode == 0 || inode > ext->inode_count || !find_table(ext, (inode - 1) / ext->inodes_per_group))
        return false;
    *ret_at = u64_add_saturating(ext->table, (inode - 1) % ext->inodes_per_group * ext->inode_size);
    *ret_at = u64_add_saturating(ext->offset, *ret_at);
    return true;
}

bool tsk_ext_inode(struct tsk_ext *ext, uint64_t inode, struct buf *raw_times,
                   struct tsk_ext_inode *ret_inode)
{
    uint8_t data[INODE_READ_MAX];
    struct bytes bytes;
    bool extra = ext->inode_size >= INODE_READ_MAX;
    uint64_t at;

    if (!inode_at(ext, inode, &at) ||
        !tsk_medium_bytes(ext->medium, at, data, extra ? INODE_READ_MAX : INODE_SIZE_OLD))
        return false;
    bytes_init(&bytes, data, extra ? INODE_READ_MAX : INODE_SIZE_OLD);
    *ret_inode = (struct tsk_ext_inode){0};
    take_times(&bytes, extra, raw_times, ret_inode);
    return true;
}

/* ------------------------------------------------------------------ the extent tree */

enum {
    EXTENTS_FL = 0x80000,
    EXTENT_MAGIC = 0xf30a,
    NODE_HEADER = 12,
    NODE_ENTRY = 12,
    TREE_DEPTH_MAX = 5,
    NODES_MAX = 1 << 18,
    LENGTH_WRITTEN_MAX = 0x8000, /* longer ones are set aside, not written: they read as zeros */
};

struct tree {
    struct tsk_ext *ext;
    tsk_extent_take *take;
    void *context;
    uint64_t size, position; /* of the file, in bytes */
    uint32_t nodes;
};

static int give(struct tree *tree, uint64_t until, uint64_t physical)
{
    struct extent extent = {.offset = tree->position, .physical = physical};

    if (until > tree->size)
        until = tree->size;
    if (until <= tree->position)
        return 0;
    extent.size = until - tree->position;
    tree->position = until;
    return tree->take(tree->context, &extent);
}

static int leaf(struct tree *tree, struct bytes *bytes)
{
    uint64_t block_size = tree->ext->block_size, from = bytes_u32le(bytes) * block_size, physical;
    uint64_t length = bytes_u16le(bytes);
    uint64_t block = (uint64_t)bytes_u16le(bytes) << 32;
    int code;

    block |= bytes_u32le(bytes);
    if (from < tree->position && tree->position < tree->size)
        return -EIO; /* not in order */
    code = give(tree, from, EXTENT_HOLE);
    if (code < 0)
        return code;
    physical = u64_add_saturating(tree->ext->offset, block * block_size);
    if (length > LENGTH_WRITTEN_MAX) {
        length -= LENGTH_WRITTEN_MAX;
        physical = EXTENT_HOLE;
    }
    return give(tree, from + length * block_size, physical);
}

/* One node: the 60 bytes in the inode, or a block. */
static int node(struct tree *tree, const uint8_t *data, size_t size, int depth)
{
    struct bytes bytes;
    uint32_t count;
    int code = 0;

    bytes_init(&bytes, data, size);
    if (bytes_u16le(&bytes) != EXTENT_MAGIC)
        return -EIO;
    count = bytes_u16le(&bytes);
    bytes_skip(&bytes, 2);
    if (bytes_u16le(&bytes) != depth || ++tree->nodes > NODES_MAX)
        return -EIO;
    bytes_seek(&bytes, NODE_HEADER);
    if (count > bytes_left(&bytes) / NODE_ENTRY)
        return -EIO;
    for (uint32_t i = 0; i < count && code == 0 && tree->position < tree->size; i++) {
        uint8_t *below;
        uint64_t block;

        if (depth == 0) {
            code = leaf(tree, &bytes);
            continue;
        }
        bytes_skip(&bytes, 4);
        block = bytes_u32le(&bytes);
        block |= (uint64_t)bytes_u16le(&bytes) << 32;
        bytes_skip(&bytes, 2);
        below = malloc(tree->ext->block_size);
        if (!below)
            return -ENOMEM;
        code = -EIO;
        if (tsk_medium_bytes(tree->ext->medium,
                             u64_add_saturating(tree->ext->offset, block * tree->ext->block_size), below,
                             tree->ext->block_size))
            code = node(tree, below, tree->ext->block_size, depth - 1);
        free(below);
    }
    return code;
}

int tsk_ext_extents(struct tsk_ext *ext, uint64_t inode, uint64_t size, tsk_extent_take *take, void *context)
{
    enum { FLAGS_AT = 32, BLOCKS_AT = 40, BLOCKS_SIZE = 60, DEPTH_AT = BLOCKS_AT + 6 };
    struct tree tree = {.ext = ext, .take = take, .context = context, .size = size};
    uint8_t data[INODE_SIZE_OLD];
    struct bytes bytes;
    uint64_t at;
    int depth, code;

    if (!inode_at(ext, inode, &at) || !tsk_medium_bytes(ext->medium, at, data, sizeof data))
        return -EIO;
    bytes_init(&bytes, data, sizeof data);
    bytes_seek(&bytes, FLAGS_AT);
    if (!(bytes_u32le(&bytes) & EXTENTS_FL))
        return -EIO;
    bytes_seek(&bytes, DEPTH_AT);
    depth = bytes_u16le(&bytes);
    if (depth > TREE_DEPTH_MAX)
        return -EIO;
    code = node(&tree, data + BLOCKS_AT, BLOCKS_SIZE, depth);
    return code < 0 ? code : give(&tree, size, EXTENT_HOLE);
}
