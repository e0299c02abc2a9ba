/*
 * signatures: rows of text compiled into Hyperscan databases, which look for all patterns in one pass over
 * the bytes. [Wang et al., Hyperscan: A Fast Multi-pattern Regex Matcher for Modern CPUs, NSDI 2019]
 *
 * Patterns that count only at the beginning of a sector are the weak ones, and one weak pattern slows the
 * search for all. So they have a database of their own, for the first 64 bytes of every sector, which are
 * put together into one run of bytes: an eighth of the data.
 *
 * A row: format, extension, offset, align, max, pattern, name; one TAB between them. Patterns have a fixed
 * width, so that the place where a match ends tells where it began.
 */
#include "plugins/carve/signatures.h"

#include "engine/base/hash.h"
#include "engine/base/settings.h"
#include "engine/plugin.h"

#include <dirent.h>
#include <errno.h>
#include <hs/hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROWS_MAX = 1024,
    LINE_SIZE = 1024,
    COLUMNS = 7,
    SECTOR = 512,
    CELL = SIGNATURE_WIDTH_MAX, /* what is searched of a sector */
    CELLS = 256,                /* sectors searched at once */
};

/* Either may be empty: NULL. */
struct databases {
    hs_database_t *anywhere, *at_sectors;
};

struct signatures {
    struct signature rows[ROWS_MAX];
    char *patterns[ROWS_MAX];
    size_t count;
    struct databases databases;
    hs_scratch_t *scratch;
    uint8_t cells[CELLS * CELL];
};

void signatures_free(struct signatures *signatures)
{
    if (signatures == NULL)
        return;
    for (size_t i = 0; i < signatures->count; i++) {
        free(signatures->rows[i].extension);
        free(signatures->rows[i].name);
        free(signatures->patterns[i]);
    }
    hs_free_scratch(signatures->scratch);
    hs_free_database(signatures->databases.anywhere);
    hs_free_database(signatures->databases.at_sectors);
    free(signatures);
}

const struct signature *signatures_at(const struct signatures *signatures, size_t index)
{
    return &signatures->rows[index];
}

/* ------------------------------------------------------------------ rows */

static bool number(const char *text, uint64_t least, uint64_t most, uint64_t *ret)
{
    return size_parse(text, ret) && *ret >= least && *ret <= most;
}

/* Before the object's first byte where it is negative. */
static bool offset_number(const char *text, int32_t *ret)
{
    bool before = text[0] == '-';
    uint64_t offset;

    if (!number(text + before, 0, before ? SIGNATURE_WIDTH_MAX : 1 << 20, &offset))
        return false;
    *ret = before ? -(int32_t)offset : (int32_t)offset;
    return true;
}

/* The pattern must compile alone and have one width. */
static const char *check_pattern(const char *pattern, uint32_t *ret_width)
{
    hs_compile_error_t *error = NULL;
    hs_expr_info_t *info = NULL;
    const char *problem = NULL;

    if (hs_expression_info(pattern, HS_FLAG_DOTALL, &info, &error) != HS_SUCCESS) {
        hs_free_compile_error(error);
        return "the pattern is not one that Hyperscan takes";
    }
    if (info->min_width != info->max_width || info->min_width == 0 || info->min_width > SIGNATURE_WIDTH_MAX)
        problem = "the pattern has no fixed width between 1 and 64 bytes";
    *ret_width = info->min_width;
    free(info);
    return problem;
}

/* NULL, or what is wrong with the row. */
static const char *take_row(struct signatures *signatures, char *line)
{
    char *columns[COLUMNS], *save = NULL;
    struct signature row = {0};
    uint64_t align;
    size_t count = 0;
    const char *problem;

    for (char *word = strtok_r(line, "\t", &save); word != NULL && count < COLUMNS;
         word = strtok_r(NULL, "\t", &save))
        columns[count++] = word;
    if (count < COLUMNS || save == NULL || *save != '\0')
        return "not seven columns with a tab between them";
    row.format = carve_format_find(columns[0]);
    if (row.format == NULL)
        return "no such format";
    if (!offset_number(columns[2], &row.offset) || !number(columns[3], 1, 4096, &align) ||
        !number(columns[4], 1, UINT64_C(1) << 50, &row.max))
        return "offset, align or max is not a number, or out of range";
    problem = check_pattern(columns[5], &row.width);
    if (problem != NULL)
        return problem;
    row.align = (uint32_t)align;
    row.extension = strdup(columns[1]);
    row.name = strdup(columns[6]);
    signatures->patterns[signatures->count] = strdup(columns[5]);
    signatures->rows[signatures->count++] = row;
    return row.extension && row.name && signatures->patterns[signatures->count - 1] ? NULL : "no memory";
}

static int read_rows(struct signatures *signatures, FILE *file, const char *path, struct why *why)
{
    char line[LINE_SIZE];

    for (unsigned n = 1; fgets(line, sizeof line, file) != NULL; n++) {
        size_t length = strcspn(line, "\n");
        const char *problem;

        if (line[length] == '\0' && !feof(file))
            return why_set(why, -EINVAL, "%s:%u: the line is too long", path, n);
        line[length] = '\0';
        if (line[0] == '#' || line[0] == '\0')
            continue;
        problem = signatures->count == ROWS_MAX ? "too many rows" : take_row(signatures, line);
        if (problem != NULL)
            return why_set(why, -EINVAL, "%s:%u: %s", path, n, problem);
    }
    return ferror(file) ? why_set(why, -EIO, "%s: cannot be read", path) : 0;
}

static int read_file(struct signatures *signatures, const char *folder, const char *name, struct why *why)
{
    char path[4096], sha256[SHA256_HEX_SIZE];
    size_t before = signatures->count;
    FILE *file;
    int code;

    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path)
        return why_set(why, -ENAMETOOLONG, "%s: the path is too long", folder);
    code = hash_sha256_file(path, sha256);
    file = code < 0 ? NULL : fopen(path, "re");
    if (file == NULL)
        return why_set(why, code < 0 ? code : -errno, "%s: %s", path, strerror(code < 0 ? -code : errno));
    code = read_rows(signatures, file, path, why);
    fclose(file);
    if (code == 0)
        setup_loaded("carve", "signatures", name, sha256, signatures->count - before, NULL);
    return code;
}

static int is_table(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return length > 4 && entry->d_name[0] != '.' && strcmp(entry->d_name + length - 4, ".tsv") == 0;
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_folder(struct signatures *signatures, const char *path, struct why *why)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_table, compare_names), code = 0;

    if (count < 0)
        return why_set(why, -errno, "%s: %s", path, strerror(errno));
    for (int i = 0; i < count; i++) {
        if (code == 0)
            code = read_file(signatures, path, entries[i]->d_name, why);
        free(entries[i]);
    }
    free(entries);
    if (code == 0 && signatures->count == 0)
        code = why_set(why, -ENOENT, "%s: no table of signatures (*.tsv) is there", path);
    return code;
}

/* ------------------------------------------------------------------ the search */

static bool is_at_sectors(const struct signature *row)
{
    return row->align % SECTOR == 0 && row->offset % SECTOR == 0;
}

/* The rows that are sought at sectors, or the others. */
static int compile(struct signatures *signatures, bool at_sectors, hs_database_t **ret, struct why *why)
{
    unsigned flags[ROWS_MAX], ids[ROWS_MAX], count = 0;
    const char *patterns[ROWS_MAX];
    hs_compile_error_t *error = NULL;

    for (size_t i = 0; i < signatures->count; i++) {
        if (is_at_sectors(&signatures->rows[i]) != at_sectors)
            continue;
        patterns[count] = signatures->patterns[i];
        flags[count] = HS_FLAG_DOTALL;
        ids[count++] = (unsigned)i;
    }
    if (count > 0 &&
        hs_compile_multi(patterns, flags, ids, count, HS_MODE_BLOCK, NULL, ret, &error) != HS_SUCCESS) {
        int code = why_set(why, strcmp(error->message, "Unable to allocate memory.") == 0 ? -ENOMEM : -EINVAL,
                           "the signatures do not compile: %s", error->message);
        hs_free_compile_error(error);
        return code;
    }
    if (count > 0 && hs_alloc_scratch(*ret, &signatures->scratch) != HS_SUCCESS)
        return why_set(why, -ENOMEM, "no memory to search with");
    return 0;
}

int signatures_load(const char *path, struct signatures **ret_signatures, struct why *why)
{
    struct signatures *signatures = calloc(1, sizeof *signatures);
    int code;

    if (signatures == NULL)
        return why_set(why, -ENOMEM, "no memory");
    code = read_folder(signatures, path, why);
    if (code == 0)
        code = compile(signatures, false, &signatures->databases.anywhere, why);
    if (code == 0)
        code = compile(signatures, true, &signatures->databases.at_sectors, why);
    if (code < 0) {
        signatures_free(signatures);
        return code;
    }
    *ret_signatures = signatures;
    return 0;
}

struct searching {
    const struct signatures *signatures;
    size_t begin, size;
    size_t sector; /* of `cells`, the first one's place */
    signatures_found *found;
    void *context;
    int answer;
};

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                    void *context)
{
    struct searching *searching = context;
    size_t place = (size_t)to - searching->signatures->rows[id].width;

    (void)from, (void)flags;
    if (place < searching->begin)
        searching->answer = searching->found(searching->context, id, place);
    return searching->answer;
}

/* Only what begins with the cell is at the beginning of a sector; the last cell may be filled up. */
static int on_cell_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                         void *context)
{
    struct searching *searching = context;
    size_t width = searching->signatures->rows[id].width, in_cells = (size_t)to - width;
    size_t place = searching->sector + in_cells / CELL * SECTOR;

    (void)from, (void)flags;
    if (in_cells % CELL == 0 && place + width <= searching->size)
        searching->answer = searching->found(searching->context, id, place);
    return searching->answer;
}

static hs_error_t search_sectors(struct signatures *signatures, const uint8_t *data,
                                 struct searching *searching)
{
    hs_error_t code = HS_SUCCESS;
    size_t place = searching->sector;

    while (place < searching->begin && code == HS_SUCCESS) {
        size_t cells = 0;

        searching->sector = place;
        for (; cells < CELLS && place < searching->begin; cells++, place += SECTOR) {
            size_t left = searching->size - place, size = left < CELL ? left : CELL;

            memcpy(signatures->cells + cells * CELL, data + place, size);
            memset(signatures->cells + cells * CELL + size, 0, CELL - size);
        }
        code = hs_scan(signatures->databases.at_sectors, (const char *)signatures->cells,
                       (unsigned)(cells * CELL), 0, signatures->scratch, on_cell_match, searching);
    }
    return code;
}

int signatures_search(struct signatures *signatures, uint64_t offset, const uint8_t *data, size_t begin,
                      size_t size, signatures_found *found, void *context)
{
    struct searching searching = {.signatures = signatures,
                                  .begin = begin,
                                  .size = size,
                                  .sector = (size_t)((SECTOR - offset % SECTOR) % SECTOR),
                                  .found = found,
                                  .context = context};
    const struct databases *databases = &signatures->databases;
    hs_error_t code = HS_SUCCESS;

    if (databases->anywhere != NULL)
        code = hs_scan(databases->anywhere, (const char *)data, (unsigned)size, 0, signatures->scratch,
                       on_match, &searching);
    if (databases->at_sectors != NULL && code == HS_SUCCESS)
        code = search_sectors(signatures, data, &searching);
    if (code == HS_SCAN_TERMINATED)
        return searching.answer;
    return code == HS_SUCCESS ? 0 : -EIO;
}
