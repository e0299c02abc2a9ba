/*
 * layer: a medium made of other contents: what an encrypted volume holds when a key opens it, the disk in a
 * virtual disk's file, a volume of LVM. An image (image.h) is opened on it, so that everything that reads
 * images reads this as well, again and again: partition, encrypted volume, virtual disk in it, and so on.
 *
 * A kind of layer is one struct; layer_kinds lists them. The library behind a kind is included by its one
 * file alone.
 */
#ifndef KVALI_EVIDENCE_LAYER_LAYER_H
#define KVALI_EVIDENCE_LAYER_LAYER_H

#include "engine/base/why.h"
#include "engine/evidence/key.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes at any offset. */
struct reader {
    /* All of [offset, offset + size), or -EIO. The range is checked by reader_read. */
    int (*read)(void *context, uint64_t offset, void *data, size_t size);
    void *context;
    uint64_t size;
};
/* -EIO too when the range does not lie within. */
int reader_read(const struct reader *reader, uint64_t offset, void *data, size_t size);

enum { LAYER_BASES_MAX = 16, LAYER_NOTE_SIZE = 256, LAYER_PARENT_SIZE = 1024 };

/* What a layer is opened with; borrowed while it is open. */
struct layer_base {
    struct reader readers[LAYER_BASES_MAX]; /* the contents that it is made of */
    size_t count;
    uint32_t number;              /* which of several it is, from 1; 0 for kinds of which there is one */
    const struct keys *keys;      /* may be NULL */
    void (*alive)(void *context); /* called between long computations; may be NULL */
    void *alive_context;
};

struct layer {
    const struct layer_kind *kind;
    void *state;
    uint64_t size;
    uint32_t sector_size;
    char note[LAYER_NOTE_SIZE]; /* what it is, and which key opened it: "LUKS2, aes-xts-plain64, ...": escaped
                                 */
};

struct layer_kind {
    const char *name; /* in locators: [a-z0-9]+ */
    bool keyed;       /* needs a key */
    /* Fills state, size, note. -ENOKEY: no key given opens it; -ENOTSUP: of a sort that is not read; -EINVAL:
     * damaged, or not such a thing; -ENOMEM; `why` says. On failure `close` is called when state was set. */
    int (*open)(struct layer *layer, const struct layer_base *base, struct why *why);
    /* All of it or -EIO. The range lies in the layer. */
    int (*read)(struct layer *layer, uint64_t offset, void *data, size_t size);
    void (*close)(struct layer *layer);
    /* The name of the disk from which this file holds the difference, as it stands there; false: it has none.
     * May be NULL. */
    bool (*parent)(const struct reader *reader, char ret_name[LAYER_PARENT_SIZE]);
    /* True when [offset, offset + size) has no bytes of its own: what is read there is the same range of the first
     * reader. May be NULL: never. */
    bool (*through)(const struct layer *layer, uint64_t offset, uint64_t size);
};

extern const struct layer_kind layer_luks;      /* layer_luks.c: LUKS1 and LUKS2 */
extern const struct layer_kind layer_bitlocker; /* layer_bitlocker.c */
extern const struct layer_kind layer_filevault; /* layer_filevault.c: FileVault 2, libfvde */
extern const struct layer_kind layer_qcow;      /* layer_qcow.c: libqcow */
extern const struct layer_kind layer_vhd;       /* layer_vhd.c: VHD and VHDX, libvhdi */
extern const struct layer_kind layer_vmdk;      /* layer_vmdk.c: libvmdk */
extern const struct layer_kind layer_lvm;       /* layer_lvm.c: a volume of LVM2 */
extern const struct layer_kind layer_shadow;    /* layer_shadow.c: a snapshot in NTFS, libvshadow */

/* Loads libvshadow. */
void layer_shadow_warm(void);
/* True when the NTFS volume has a catalog of snapshots, be it empty. */
bool layer_shadow_there(const struct reader *reader);

/* The identifier of the volume group that a physical volume of LVM2 belongs to. False: it cannot be told. */
enum { LAYER_GROUP_SIZE = 64 };
bool layer_lvm_group(const struct reader *reader, char ret_group[LAYER_GROUP_SIZE]);

/* Reads any range of what can be had only in units of `unit` bytes, at most 4096: `read` is asked for whole ones, from a multiple
 * of it on. 0 or what `read` gave. */
typedef int layer_read_units(const void *state, uint64_t offset, uint8_t *data, size_t size);
int layer_read_any(layer_read_units *read, const void *state, uint32_t unit, uint64_t offset, void *data,
                   size_t size);

/* NULL: no such kind. */
const struct layer_kind *layer_kind_find(const char *name, size_t size);

/* The kind of a file that begins like this and ends like that (each up to 512 bytes): a virtual disk, or an
 * encrypted container; NULL: none. */
const struct layer_kind *layer_kind_detect(const uint8_t *first, size_t first_size, const uint8_t *last,
                                           size_t last_size);

/* Before the sandbox closes. */
void layer_warm(void);

#endif
