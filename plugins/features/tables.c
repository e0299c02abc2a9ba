/* tables: reading them, and looking things up. */
#include "plugins/features/tables.h"

#include "engine/base/hash.h"
#include "engine/base/settings.h"
#include "engine/plugin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 512, COLUMNS_MAX = 6, ROWS_MAX = 1 << 16 };

/* One row into the tables; NULL, or what is wrong with it. */
typedef const char *take_row(struct tables *tables, char *const *columns);

/* One more row at the end of an array that grows by doubling; NULL: no memory. */
static void *grow(void *rows, size_t *count, size_t size)
{
    char *array;

    memcpy(&array, rows, sizeof array);
    if ((*count & (*count - 1)) == 0) {
        array = reallocarray(array, *count > 0 ? 2 * *count : 1, size);
        if (array == NULL)
            return NULL;
        memcpy(rows, &array, sizeof array);
    }
    return memset(array + size * (*count)++, 0, size);
}

static int word_of(const char *const *words, int count, const char *word)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], word) == 0)
            return i;
    }
    return -1;
}

static bool number(const char *text, uint64_t least, uint64_t most, uint32_t *ret)
{
    uint64_t value;

    if (!size_parse(text, &value) || value < least || value > most)
        return false;
    *ret = (uint32_t)value;
    return true;
}

static const char *take_word(struct tables *tables, char *const *columns)
{
    static const char *const groups[CONTEXTS] = {"phone", "personal", "legal", "vehicle",
                                                 "imei",  "login",    "place"};
    int group = word_of(groups, CONTEXTS, columns[0]);
    struct table_word *row = grow(&tables->words, &tables->word_count, sizeof *row);
    size_t size;

    if (row == NULL)
        return "no memory";
    row->whole_before = columns[1][0] == '|';
    row->word = strdup(columns[1] + row->whole_before);
    if (row->word == NULL)
        return "no memory";
    size = strlen(row->word);
    row->whole_after = size > 0 && row->word[size - 1] == '|';
    if (row->whole_after)
        row->word[size - 1] = '\0';
    row->group = (enum context)group;
    return group < 0 ? "no such group" : row->word[0] == '\0' ? "the word is empty" : NULL;
}

static const char *take_token(struct tables *tables, char *const *columns)
{
    static const char *const alphabets[] = {"upper", "alnum", "hex", "word", "url", "dotted"};
    static const char *const checks[] = {"-", "crc", "jwt", "bot"};
    int alphabet = word_of(alphabets, TOKEN_ALPHABETS, columns[2]),
        check = word_of(checks, TOKEN_CHECKS, columns[5]);
    struct table_token *row = grow(&tables->tokens, &tables->token_count, sizeof *row);

    if (row == NULL)
        return "no memory";
    row->whole_before = columns[1][0] == '|';
    row->name = strdup(columns[0]);
    row->prefix = strdup(columns[1] + row->whole_before);
    if (row->name == NULL || row->prefix == NULL)
        return "no memory";
    if (alphabet < 0 || check < 0 || strlen(row->prefix) < 3)
        return "no such alphabet or check, or the prefix is shorter than three characters";
    row->alphabet = (enum token_alphabet)alphabet;
    row->check = (enum token_check)check;
    return number(columns[3], 1, 2000, &row->least) && number(columns[4], row->least, 2000, &row->most)
               ? NULL
               : "least or most is not a number, or out of range";
}

/* "16-19" or "13,16,19" as bits. */
static bool lengths(const char *text, uint32_t *ret)
{
    unsigned first, last;
    int used;

    while (sscanf(text, "%2u%n", &first, &used) == 1) {
        text += used;
        last = first;
        if (*text == '-' && sscanf(text, "-%2u%n", &last, &used) == 1)
            text += used;
        if (first < 8 || last > 30 || first > last)
            return false;
        for (unsigned n = first; n <= last; n++)
            *ret |= UINT32_C(1) << n;
        if (*text != ',')
            break;
        text++;
    }
    return *text == '\0' && *ret != 0;
}

static const char *take_card(struct tables *tables, char *const *columns)
{
    struct table_card *row = grow(&tables->cards, &tables->card_count, sizeof *row);

    if (row == NULL)
        return "no memory";
    row->issuer = strdup(columns[3]);
    row->digits = (uint32_t)strlen(columns[0]);
    if (row->issuer == NULL)
        return "no memory";
    if (strlen(columns[1]) != row->digits || !number(columns[0], 0, 99999999, &row->first) ||
        !number(columns[1], row->first, 99999999, &row->last))
        return "the prefixes are no numbers of the same length, in order";
    return lengths(columns[2], &row->lengths) ? NULL : "the lengths are not like 16 or 13,16-19";
}

static const char *take_calling(struct tables *tables, char *const *columns)
{
    struct table_calling *row = grow(&tables->callings, &tables->calling_count, sizeof *row);

    if (row == NULL)
        return "no memory";
    row->code = strdup(columns[0]);
    row->country = strdup(columns[3]);
    if (row->code == NULL || row->country == NULL)
        return "no memory";
    return number(columns[1], 4, 14, &row->least) && number(columns[2], row->least, 14, &row->most)
               ? NULL
               : "least or most is not a number, or out of range";
}

static const char *take_iban(struct tables *tables, char *const *columns)
{
    struct table_iban *row = grow(&tables->ibans, &tables->iban_count, sizeof *row);
    const char *at = columns[1];
    unsigned count;
    char kind;
    int used;

    if (row == NULL)
        return "no memory";
    if (strlen(columns[0]) != 2)
        return "the country is not two letters";
    memcpy(row->country, columns[0], 2);
    while (sscanf(at, "%2u%1[nac]%n", &count, (char[2]){0}, &used) == 2) {
        kind = at[used - 1];
        if (row->size + count > 30)
            return "longer than an IBAN can be";
        memset(row->form + row->size, kind, count);
        row->size += count;
        at += used;
    }
    return *at == '\0' && row->size > 0 ? NULL : "the form is not like 2a16n";
}

static const char *take_tld(struct tables *tables, char *const *columns)
{
    struct table_name *row = grow(&tables->tlds, &tables->tld_count, sizeof *row);

    if (row == NULL || (row->name = strdup(columns[0])) == NULL)
        return "no memory";
    row->value = strcmp(columns[1], "bare") == 0;
    return NULL;
}

static const char *take_seed(struct tables *tables, char *const *columns)
{
    struct table_name *row = grow(&tables->seeds, &tables->seed_count, sizeof *row);

    if (row == NULL || (row->name = strdup(columns[0])) == NULL)
        return "no memory";
    row->value = (uint32_t)tables->seed_count - 1;
    return NULL;
}

static const struct {
    const char *file;
    int columns;
    take_row *take;
} files[] = {
    {"bip39.tsv", 1, take_seed},   {"calling.tsv", 4, take_calling}, {"card.tsv", 4, take_card},
    {"context.tsv", 2, take_word}, {"iban.tsv", 2, take_iban},       {"tld.tsv", 2, take_tld},
    {"token.tsv", 6, take_token},
};

static const char *split(char *line, char **columns, int wanted)
{
    int count = 0;

    for (char *at = line; at != NULL; count++) {
        if (count == COLUMNS_MAX)
            return "too many columns";
        columns[count] = strsep(&at, "\t");
    }
    return count == wanted ? NULL : "not as many columns as the table has, with a tab between them";
}

static int read_rows(struct tables *tables, FILE *file, const char *path, size_t which, uint64_t *ret_rows,
                     struct why *why)
{
    char line[LINE_SIZE], *columns[COLUMNS_MAX];

    for (unsigned n = 1; fgets(line, sizeof line, file) != NULL; n++) {
        size_t length = strcspn(line, "\n");
        const char *problem;

        if (line[length] == '\0' && !feof(file))
            return why_set(why, -EINVAL, "%s:%u: the line is too long", path, n);
        line[length] = '\0';
        if (line[0] == '#' || line[0] == '\0')
            continue;
        problem = *ret_rows == ROWS_MAX ? "too many rows" : split(line, columns, files[which].columns);
        if (problem == NULL)
            problem = files[which].take(tables, columns);
        if (problem != NULL)
            return why_set(why, -EINVAL, "%s:%u: %s", path, n, problem);
        ++*ret_rows;
    }
    return ferror(file) ? why_set(why, -EIO, "%s: cannot be read", path) : 0;
}

static int read_file(struct tables *tables, const char *folder, size_t which, struct why *why)
{
    char path[4096], sha256[SHA256_HEX_SIZE];
    uint64_t rows = 0;
    FILE *file;
    int code;

    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, files[which].file) >= sizeof path)
        return why_set(why, -ENAMETOOLONG, "%s: the path is too long", folder);
    code = hash_sha256_file(path, sha256);
    file = code < 0 ? NULL : fopen(path, "re");
    if (file == NULL)
        return why_set(why, code < 0 ? code : -errno, "%s: %s", path, strerror(code < 0 ? -code : errno));
    code = read_rows(tables, file, path, which, &rows, why);
    fclose(file);
    if (code == 0)
        setup_loaded("features", "table", files[which].file, sha256, rows, NULL);
    return code;
}

static size_t slot_of(const char *name, size_t size)
{
    uint32_t hash = 2166136261U;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (uint8_t)name[i]) * 16777619U;
    return (hash ^ hash >> 15) % TABLE_SLOTS;
}

static int fill_slots(struct table_name *names, size_t count, uint16_t *slots, const char *file,
                      struct why *why)
{
    if (count > TABLE_SLOTS / 2)
        return why_set(why, -EINVAL, "%s: more than %d names", file, TABLE_SLOTS / 2);
    for (size_t i = 0; i < count; i++) {
        size_t slot;

        names[i].size = strlen(names[i].name);
        slot = slot_of(names[i].name, names[i].size);
        while (slots[slot] != 0)
            slot = (slot + 1) % TABLE_SLOTS;
        slots[slot] = (uint16_t)(i + 1);
    }
    return 0;
}

int tables_load(const char *folder, struct tables **ret_tables, struct why *why)
{
    struct tables *tables = calloc(1, sizeof *tables);
    int code = tables != NULL ? 0 : why_set(why, -ENOMEM, "no memory");

    for (size_t i = 0; code == 0 && i < sizeof files / sizeof files[0]; i++)
        code = read_file(tables, folder, i, why);
    if (code == 0 && tables->seed_count != 2048)
        code = why_set(why, -EINVAL, "%s/bip39.tsv: the list has 2048 words, this file %zu", folder,
                       tables->seed_count);
    if (code == 0)
        code = fill_slots(tables->seeds, tables->seed_count, tables->seed_slots, "bip39.tsv", why);
    if (code == 0)
        code = fill_slots(tables->tlds, tables->tld_count, tables->tld_slots, "tld.tsv", why);
    if (code < 0) {
        tables_free(tables);
        return code;
    }
    *ret_tables = tables;
    return 0;
}

void tables_free(struct tables *tables)
{
    if (tables == NULL)
        return;
    for (size_t i = 0; i < tables->word_count; i++)
        free(tables->words[i].word);
    for (size_t i = 0; i < tables->token_count; i++) {
        free(tables->tokens[i].name);
        free(tables->tokens[i].prefix);
    }
    for (size_t i = 0; i < tables->card_count; i++)
        free(tables->cards[i].issuer);
    for (size_t i = 0; i < tables->calling_count; i++) {
        free(tables->callings[i].code);
        free(tables->callings[i].country);
    }
    for (size_t i = 0; i < tables->tld_count; i++)
        free(tables->tlds[i].name);
    for (size_t i = 0; i < tables->seed_count; i++)
        free(tables->seeds[i].name);
    free(tables->words);
    free(tables->tokens);
    free(tables->cards);
    free(tables->callings);
    free(tables->ibans);
    free(tables->tlds);
    free(tables->seeds);
    free(tables);
}

/* ------------------------------------------------------------------ looking up */

static const struct table_name *name_of(const struct table_name *names, const uint16_t *slots,
                                        const uint8_t *text, size_t size)
{
    char name[64];

    if (size == 0 || size >= sizeof name)
        return NULL;
    for (size_t i = 0; i < size; i++)
        name[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i]);
    for (size_t slot = slot_of(name, size); slots[slot] != 0; slot = (slot + 1) % TABLE_SLOTS) {
        const struct table_name *other = &names[slots[slot] - 1];

        if (other->size == size && memcmp(other->name, name, size) == 0)
            return other;
    }
    return NULL;
}

const struct table_name *tables_tld(const struct tables *tables, const uint8_t *name, size_t size)
{
    return name_of(tables->tlds, tables->tld_slots, name, size);
}

const struct table_name *tables_seed(const struct tables *tables, const uint8_t *word, size_t size)
{
    return size >= 3 && size <= 8 ? name_of(tables->seeds, tables->seed_slots, word, size) : NULL;
}

const struct table_iban *tables_iban(const struct tables *tables, const uint8_t country[2])
{
    for (size_t i = 0; i < tables->iban_count; i++) {
        if (memcmp(tables->ibans[i].country, country, 2) == 0)
            return &tables->ibans[i];
    }
    return NULL;
}

const struct table_calling *tables_calling(const struct tables *tables, const char *digits, size_t size)
{
    for (size_t i = 0; i < tables->calling_count; i++) {
        const struct table_calling *row = &tables->callings[i];
        size_t code = strlen(row->code);

        if (size > code && memcmp(row->code, digits, code) == 0)
            return size - code >= row->least && size - code <= row->most ? row : NULL;
    }
    return NULL;
}

const struct table_card *tables_card(const struct tables *tables, const char *digits, size_t size)
{
    for (size_t i = 0; i < tables->card_count; i++) {
        const struct table_card *row = &tables->cards[i];
        uint32_t prefix = 0;

        if (size > 30 || size < row->digits)
            continue;
        for (uint32_t k = 0; k < row->digits; k++)
            prefix = prefix * 10 + (uint32_t)(digits[k] - '0');
        if (prefix >= row->first && prefix <= row->last)
            return (row->lengths >> size & 1) != 0 ? row : NULL;
    }
    return NULL;
}
