/*
 * image_private: what the readers of the containers share with image.c. Only engine/evidence/image*.c,
 * folder.c and tsk/ include it.
 */
#ifndef KVALI_EVIDENCE_IMAGE_PRIVATE_H
#define KVALI_EVIDENCE_IMAGE_PRIVATE_H

#include "engine/evidence/image.h"
#include "engine/evidence/image_layer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* One kind of container. */
struct image_driver {
    /* `image->info.type` is set; fills the rest of info, state, and the descriptors. On failure image_close
     * is called. */
    int (*open)(struct image *image, const char *path, struct why *why);
    /* The range lies in the image. What cannot be read becomes zeros and goes to image_add_bad. 0 or -ENOMEM.
     */
    int (*read)(struct image *image, uint64_t offset, uint8_t *data, size_t size);
    /* Frees the state, and closes the descriptors that the library behind it owns. */
    void (*close)(struct image *image);
};

extern const struct image_driver image_driver_raw;    /* RAW, SPLIT, FILE */
extern const struct image_driver image_driver_ewf;    /* EWF */
extern const struct image_driver image_driver_tsk;    /* AFF, VMDK, VHD */
extern const struct image_driver image_driver_disk;   /* VHDX, QCOW, and VHD that has a parent */
extern const struct image_driver image_driver_folder; /* FOLDER */

struct image {
    struct image_info info;
    char *name;
    const struct image_driver *driver; /* NULL until it was chosen */
    void *state;                       /* the driver's */
    int *fds;
    size_t fd_count;
    struct statx status; /* FILE: of the file, taken when it was opened: a worker may not ask */
    struct ranges bad;
    struct ranges *watch; /* borrowed */
    void (*alive)(void *context);
    void *alive_context;
    void (*busy)(void *context, bool is_busy);
    void *busy_context;
    void *keep;
    void (*drop)(void *keep);
    /* image_layer.c */
    const struct keys *keys; /* borrowed; may be NULL */
    struct image *outer;     /* NULL: the exhibit itself */
    char *step;              /* the locator's step that led here */
    unsigned level, users;
    unsigned held; /* of the users: contents that images inside are made of */
    uint64_t clock, used;
    struct image *inner[IMAGE_INNER_MAX];
    size_t inner_count;
};

/* image_layer.c: closes what is open inside. */
void image_close_inner(struct image *image);

/* Opens a file of an image read-only, without touching its access time where that is permitted. The
 * descriptor or negative errno; `why` may be NULL. */
int image_open_file(const char *path, struct why *why);

/* Notes a descriptor that the image reads from. -ENOMEM, -EMFILE past IMAGE_FDS_MAX. */
int image_add_fd(struct image *image, int fd);

/* The descriptors that a library opens: take the snapshot, let it open, and add what is new. */
struct fd_snapshot {
    bool *open; /* by number */
    size_t count;
};
int fd_snapshot_take(struct fd_snapshot *ret_snapshot);
void fd_snapshot_finish(struct fd_snapshot *snapshot);
int image_add_new_fds(struct image *image, const struct fd_snapshot *before);

/* Room for `count` more open files, raising the soft limit where the hard one allows it. -EMFILE. */
int image_need_fds(size_t count, struct why *why);

/* Bytes of the image that could not be read. 0 or -ENOMEM. */
int image_add_bad(struct image *image, uint64_t offset, uint64_t size);

/* Reads by `read`, which gives the whole piece (0) or fails; a piece that fails is tried in halves, down to
 * `unit` bytes (aligned in the image), and what still fails is zeros and bad. 0 or -ENOMEM. */
typedef int image_piece(struct image *image, uint64_t offset, uint8_t *data, size_t size);
int image_read_pieces(struct image *image, image_piece *read, uint64_t unit, uint64_t offset, uint8_t *data,
                      size_t size);

/* Appends a sentence to info.damage or info.details; what does not fit is left out, marked by "...". Escaped
 * text only. */
void image_add_damage(struct image *image, const char *format, ...) __attribute__((format(printf, 2, 3)));
void image_add_detail(struct image *image, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Stores a hash; more than IMAGE_HASHES_MAX, or one that is there already, are left out. */
void image_add_hash(struct image *image, const char *algorithm, const char *hex, const char *source);

/* `text` escaped into `ret`, at most `limit` bytes of it (then "..."). Returns ret. */
enum { SHOWN_SIZE = 288 };
const char *image_shown(const char *text, size_t limit, char ret[SHOWN_SIZE]);

/* image_vmdk.c: a VMDK in one file, sparse and not compressed, read without regard to its name. */
struct vmdk;
int sparse_vmdk_open(struct image *image, int fd, uint64_t file_size, struct vmdk **ret_vmdk,
                     struct why *why); /* takes fd */
void sparse_vmdk_close(struct vmdk *vmdk);
uint64_t sparse_vmdk_size(const struct vmdk *vmdk);
int sparse_vmdk_read(const struct vmdk *vmdk, uint64_t offset, uint8_t *data,
                     size_t size); /* all of it, or -EIO */

/* image_tsk_check.c: what libtsk does not tell about these containers, read from the file itself before it is
 * opened: -EINVAL, -ENOTSUP (a differencing image, a container that names files elsewhere), or damage in
 * info. */
/* A VHD that holds only what differs from another: image_disk.c opens both. */
bool image_vhd_has_parent(const char *path);
int image_check_vhd(struct image *image, int fd, uint64_t file_size, struct why *why);
int image_check_vmdk(struct image *image, int fd, uint64_t file_size, const char *path, bool *ret_renamed,
                     struct why *why);

/* image_aff.c: the segments of an AFF file: stored hashes, a broken chain, and which pages are there. */
struct aff_pages {
    uint64_t page_size; /* 0: unknown */
    uint64_t count;     /* pages that the image has */
    uint8_t *present;   /* one bit each; NULL when all are */
};
int image_check_aff(struct image *image, int fd, uint64_t file_size, struct aff_pages *ret_pages,
                    struct why *why);

/* `size` bytes at `offset` of a file, all or nothing. */
bool image_pread(int fd, uint64_t offset, void *data, size_t size);

/* image_detect.c: by the first and last bytes. `ret_type` is RAW for what has no known signature and for
 * containers that kvali does not open; those are named in `ret_unsupported` (64 bytes). */
int image_detect(const char *path, enum image_type *ret_type, char ret_unsupported[64], struct why *why);

/* image_split.c: the parts of a split raw image, in order; NULL stands for one that is missing. `count` is 0
 * when the name is not that of a part, or no other part lies beside it. */
struct split {
    char **paths;
    size_t count;
    bool lone_later; /* the name is that of a later part, but the first is not there */
};
int split_find(const char *path, struct split *ret_split);
void split_finish(struct split *split);

/* image_hash.c: hashes in files beside a raw image. */
void image_find_hashes(struct image *image, const char *path);

/* image_ewf_segment.c: what one segment file is, by its own section chain. */
enum ewf_end { EWF_NEXT, EWF_DONE, EWF_BROKEN };
/* A table of chunks. */
struct ewf_table {
    uint32_t segment;       /* from 0 */
    uint64_t first, count;  /* chunks of the medium */
    uint64_t entries, base; /* offsets in the segment file: of the entries, and what theirs count from */
    uint64_t begin, end;    /* the sectors section, which its chunks lie in */
    uint8_t *rebuilt;       /* the entries, where the file has none; else NULL */
};
struct ewf_segment {
    uint16_t number;
    enum ewf_end end;
    uint64_t broken_at; /* EWF_BROKEN: offset of the section that is not there or not sound */
    uint64_t chunks;    /* listed in its tables */
    bool irregular;     /* a table is not as image_ewf_chunks.c reads them */
    size_t mended;      /* tables that are damaged and have a sound copy */
    uint64_t loose, loose_end; /* EWF_BROKEN: chunks that no table follows lie there; equal: there are none */
    struct ewf_table *tables;
    size_t table_count;
};

/* The segment files of the image that `path` belongs to, up to the last that can be used; says in info.damage
 * what is missing or broken. -EINVAL: the first is not an EWF segment file, or must not be given to a
 * decompressor; `why` says. */
struct ewf_set {
    char **paths;
    size_t count;
    uint64_t chunks;
    bool whole;     /* first to last, each with a sound chain of sections */
    bool irregular; /* not for ewf_chunks_new */
    uint64_t loose, loose_end; /* of the last segment */
    struct ewf_table *tables;
    size_t table_count;
};
int ewf_set_find(struct image *image, const char *path, struct ewf_set *ret_set, struct why *why);
void ewf_set_finish(struct ewf_set *set);
/* A table of `count` chunks for what is loose, up to `end`; takes `entries`. 0 or -ENOMEM. */
int ewf_set_add_rebuilt(struct ewf_set *set, uint8_t *entries, uint64_t count, uint64_t end);

/* image_ewf_rebuild.c: finds the chunks in what is loose, and says so in info.damage. 0 or -ENOMEM. */
int ewf_rebuild(struct image *image, struct ewf_set *set, uint64_t media_size, uint32_t chunk_size);

/* image_ewf_chunks.c: reading chunks by their tables. */
/* The header and entries of a table section whose data (`size` bytes) begins at `at`, for a table of which begin and end are known.
 * False: it is damaged, or of another kind than usual. */
bool ewf_table_read(int fd, uint64_t at, uint64_t size, struct ewf_table *table);
void ewf_tables_free(struct ewf_table *tables, size_t count);
/* The Adler-32 (RFC 1950) that segments have behind whatever they check. */
uint32_t ewf_adler32(const void *data, size_t size);
/* A stored chunk of exactly `size` bytes that begins at `stored`, of which `there` bytes are at hand, into `to`. The bytes that it takes;
 * 0: it is not whole. */
size_t ewf_unpack(bool deflated, const uint8_t *stored, size_t there, uint8_t *to, size_t size);
struct ewf_chunks;
/* Opens the segment files, which become the image's descriptors; it has none yet, and its info.size is set. Takes the set's tables.
 * What is in *ret_chunks is to be freed after a failure, too. */
int ewf_chunks_new(struct image *image, struct ewf_set *set, uint32_t chunk_size, struct ewf_chunks **ret_chunks,
                   struct why *why);
void ewf_chunks_free(struct image *image, struct ewf_chunks *chunks); /* NULL does nothing */
/* As image_driver.read. */
int ewf_chunks_read(struct image *image, struct ewf_chunks *chunks, uint64_t offset, uint8_t *data, size_t size);

#endif
