/*
 * report_model: what a report says, gathered once from the case, so that every format says the same.
 *
 * Tables are cut at a number of rows; beside the rows stands how many there are, and the statement that shows
 * them all. All text is as the case has it: escaped once, and still not to be trusted (safe.h).
 */
#ifndef KVALI_CASES_REPORT_REPORT_MODEL_H
#define KVALI_CASES_REPORT_REPORT_MODEL_H

#include "cases/seal.h"
#include "cases/casefile.h"
#include "engine/evidence/found.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MODEL_EXHIBITS_MAX = 500, /* rows of each table, at most */
    MODEL_VOLUMES_MAX = 1000,
    MODEL_RULES_MAX = 200,
    MODEL_MATCHES_MAX = 300,
    MODEL_ALERTS_MAX = 300,
    MODEL_LOCKED_MAX = 200,
    MODEL_MISMATCHES_MAX = 200,
    MODEL_TYPES_MAX = 40,
    MODEL_FAULTS_MAX = 500,
    MODEL_NOTES_MAX = 100,
    MODEL_RUNS_MAX = 100,
    MODEL_LOADED_MAX = 300,
    MODEL_PASSES_MAX = 50,
    MODEL_CARVED_MAX = 300,
    MODEL_DELETED_MAX = 300,
    MODEL_PICTURES_MAX = 500,
    MODEL_KEYWORDS_MAX = 1000,
    MODEL_HITS_MAX = 1000,
    MODEL_UNSTATED = -1,
    MODEL_TEXT_MAX = 2000, /* bytes of one text; a longer one is cut in the middle */
};

/* A table that was cut: `total` rows exist, `count` are here, `query` shows all. */
struct model_cut {
    size_t count;
    uint64_t total;
    const char *query; /* SQL over the case's views */
};

enum model_verification {
    VERIFIED_MATCH,
    VERIFIED_MISMATCH,
    VERIFIED_NONE,       /* nothing stored to compare with */
    VERIFIED_UNCHECKED,  /* not read to the end yet */
    VERIFIED_UNREADABLE, /* differs, and bytes could not be read */
    VERIFIED_STATES,
};
const char *model_verification_name(enum model_verification verification); /* "match" … for JSON */

struct custody;

struct model_hash {
    char *algorithm, *hex, *source;
    enum model_verification result;
};

struct model_exhibit {
    uint64_t id;
    char *label, *path, *type, *name, *details, *unsupported, *damage, *failed;
    bool opened;
    uint64_t size; /* of the medium; parts: bytes of its top-level volumes, which overlap when `overlap` */
    uint64_t parts, part_bytes;
    bool overlap;
    uint32_t sector_size, segments;
    char *md5, *sha1, *sha256; /* of the whole medium as read, "" not known */
    struct model_hash *hashes;
    size_t hash_count;
    enum model_verification verification;
};

/* How completely a part of a medium was read. contents = whole + partial + failed + pending. */
struct model_counts {
    uint64_t live, deleted;                             /* entries */
    uint64_t contents, whole, partial, failed, pending; /* contents by how they were read */
    uint64_t read, unread;                              /* bytes read; of these, unreadable */
    uint64_t limited;                                   /* contents that a limit cut */
    uint64_t faults;
};

/* What the bytes of a part are (found.h), and what of it was read and not searched because it is one repeated byte. */
struct model_account {
    bool known; /* the walk has divided it */
    uint64_t bytes[ACCOUNT_KINDS];
    uint64_t uniform, uniform_bytes;             /* free ranges and unread volumes of one byte */
    uint64_t slacks, slack_uniform, slack_bytes; /* ends of blocks behind contents; of these, of one byte; their bytes */
};

enum model_part { PART_MEDIUM, PART_VOLUME, PART_ELSEWHERE, PART_TOTAL };

struct model_volume {
    enum model_part part;
    uint64_t exhibit; /* id */
    char *key, *parent, *table, *type, *label, *filesystem, *content, *use, *time_note;
    uint64_t offset, size;
    struct model_counts counts;
    struct model_account account; /* of the medium and of all: sums */
};

struct model_rule {
    char *name, *space, *description;
    char *text; /* its source; "": it was not kept */
    int severity; /* 0 to 100, MODEL_UNSTATED */
    uint64_t contents;
};

struct model_match {
    char *exhibit, *path, *rule;
    char *string, *before, *data, *after; /* of the first string: its name, and hex; "": none */
    int severity;
    uint64_t size, offset; /* offset UINT64_MAX: not known */
    uint64_t pass;
    bool deleted;
};

/* A content that an alert or notable set has; of a content with two entries, two. */
struct model_alert {
    char *exhibit, *path, *set, *kind, *category, *series, *tags, *algorithm, *source;
    uint64_t line, size;
    bool deleted;
};

/* A hash set of the last run: entries of it; contents that it has, and of these those that plugins were spared. */
struct model_set {
    char *name, *kind, *sha256;
    uint64_t entries, contents, spared;
};

struct model_fault {
    char *exhibit, *kind, *stage, *plugin, *path, *volume, *effect, *detail;
    uint64_t offset, size; /* UINT64_MAX, 0: not known */
};

struct model_kind {
    char *kind;
    uint64_t count;
};

struct model_mismatch {
    char *exhibit, *path, *extension, *mime;
    uint64_t size;
    bool deleted;
};

struct model_type {
    char *mime; /* "" not determined */
    uint64_t count, bytes;
};

/* A value among the most frequent of its kind; those in more exhibits come first. */
struct model_feature {
    char *kind, *value, *rank, *exhibits;
    uint64_t count, contents, exhibit_count;
};

/* Recovered objects of one grade. Counted once: alone, or else as the same as a file, or else as inside another one. */
struct model_grade {
    char *grade;
    uint64_t count, bytes, reassembled, same, inside;
};

struct model_carved {
    char *exhibit, *path, *format, *grade, *title, *lacks, *sha256, *same_as, *inside; /* "" none */
    uint64_t offset, size, pieces; /* offset in the image; UINT64_MAX: not known */
};

enum model_blocks { BLOCKS_FREE, BLOCKS_PARTLY, BLOCKS_OVERWRITTEN, BLOCKS_STATES };

struct model_deleted {
    char *exhibit, *path, *owner; /* owner: the live content that has most of its blocks now, "" none */
    enum model_blocks blocks;
    uint64_t bytes, overwritten, owners;
};

/* A recovered or deleted picture. */
struct model_picture {
    char *exhibit, *path, *grade, *mime, *sha256; /* grade "": a deleted file */
    uint64_t width, height, offset;
    bool damaged;
    uint8_t *jpeg; /* NULL: what the case holds is not what kvali writes (jpegsafe.h) */
    size_t jpeg_size;
};

/* A keyword of the investigator's lists that was found, and one place of it. */
struct model_keyword {
    char *group, *keyword, *list, *writings;
    uint64_t hits, contents;
};
struct model_hit {
    char *exhibit, *path, *keyword, *writing, *before, *text, *after;
    uint64_t offset; /* in the content */
    bool deleted;
};

struct model_note {
    char *exhibit, *path, *plugin, *text;
    uint64_t offset;
};

struct model_run {
    uint64_t id;
    char *status, *settings_sha256, *settings, *versions, *host,
        *sandbox; /* the last four are JSON objects */
    int64_t started, ended;
};

/* A member of a JSON object; a value that is not a string stands as JSON. */
struct model_pair {
    char *key, *value;
};
struct model_pairs {
    struct model_pair *items;
    size_t count;
};

struct model_loaded {
    char *plugin, *kind, *name, *sha256, *problem; /* problem "": in use */
    uint64_t count, pass;
};

/* A look at everything (cases/README.md): what was looked at of it, and what was not. */
struct model_pass {
    uint64_t id, contents, done, partial, failed, pending, given_up, not_in_it, equal, faults;
    char *plugins, *status;
};

struct report_model {
    char *folder, *number, *examiner;
    int64_t created, now, first_run, last_run; /* WHEN_NONE: none */
    uint64_t pending_contents, pending_expands, run_total;

    struct model_exhibit *exhibits;
    struct model_volume
        *volumes; /* by exhibit: the medium, its volumes in order, what lies elsewhere; last the total */
    struct model_rule *rules;
    struct model_match *matches; /* most severe first */
    struct model_alert *alerts;  /* alert before notable */
    struct model_set *sets;
    struct model_fault *locked;  /* encrypted, unsupported */
    struct model_mismatch *mismatches;
    struct model_type *types;
    struct model_feature *features;
    struct model_fault *faults;
    struct model_kind *fault_kinds;
    struct model_grade *grades;        /* best first */
    struct model_carved *carved;       /* alone: neither the same as a file nor inside another object */
    struct model_carved *carved_twice; /* the others */
    struct model_deleted *deleted;
    struct model_picture *pictures;
    struct model_keyword *keywords;
    struct model_hit *hits; /* at most 20 of a keyword */
    struct model_note *notes;
    struct model_run *runs;
    struct model_loaded *loaded;
    struct model_pass *passes;
    size_t fault_kind_count;
    struct model_pairs settings, versions, host, sandbox; /* of the last run */
    struct model_cut exhibit_cut, volume_cut, rule_cut, match_cut, locked_cut, mismatch_cut, type_cut,
        fault_cut, note_cut, run_cut, loaded_cut, pass_cut, grade_cut, carved_cut, carved_twice_cut, deleted_cut, picture_cut,
        alert_cut, set_cut, feature_cut;
    struct model_cut keyword_cut, hit_cut;

    struct model_counts total;
    uint64_t total_size; /* of all media */
    uint64_t encrypted_entries, opened, unopened, verified, mismatched;
    uint64_t type_rest_count, type_rest_bytes, type_rest; /* types that are not in the table */
    uint64_t blocks[BLOCKS_STATES], blocks_none; /* deleted contents by their blocks; without any on the medium */
    uint64_t alert_contents, known_contents, spared_contents;
    uint64_t pictures_same;                      /* not in the gallery: they equal a file */
    bool has_yara, has_carve, has_thumbnails, has_keywords;

    /* As of the last record that is not a report; reports may stand behind it. */
    char ledger_head[SHA256_HEX_SIZE];
    uint64_t ledger_count;
    int64_t ledger_time;                   /* WHEN_NONE: not known */
    char ledger_problem[512];              /* "" when the chain holds */
    struct seal seal;                      /* the newest; number 0: none, or it cannot be read */
    uint64_t custody_gaps;
    struct custody *custody; /* what people recorded; NULL: none could be read */
    char findings_digest[SHA256_HEX_SIZE]; /* "" while something is pending */
};

enum model_verdict {
    VERDICT_NOTHING,
    VERDICT_MISMATCH,
    VERDICT_UNOPENED,
    VERDICT_PENDING,
    VERDICT_FAULTS,
    VERDICT_WHOLE,
};

/* Reads everything in one snapshot. `now` is the report's time; WHEN_NONE: that of the case's last record. */
int report_model_new(struct casefile *cf, int64_t now, struct report_model **ret_model, struct why *why);
void report_model_free(struct report_model *model);

/* All that a part was divided into; equal to its share when nothing is left over. */
uint64_t model_account_sum(const struct model_account *account);

/* The one sentence that matters most. */
enum model_verdict report_model_verdict(const struct report_model *model);

#endif
