/* known: see known.h. */
#include "plugins/similar/known.h"

#include "engine/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t keep(struct buf *texts, const char *text, size_t size)
{
    size_t at = texts->size;

    buf_append(texts, text, size);
    buf_u8(texts, '\0');
    return at;
}

static int add(struct known_list *list, struct known_hash one)
{
    if (list->count == KNOWN_MAX)
        return -E2BIG;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity * 2 + 256;
        struct known_hash *items = reallocarray(list->items, capacity, sizeof items[0]);

        if (items == NULL)
            return -ENOMEM;
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = one;
    return buf_failed(&list->texts) ? -ENOMEM : 0;
}

static int add_of_set(void *context, const struct hashset_similar_hash *hash)
{
    struct known_list *list = context;
    struct known_hash one = {.set = (uint32_t)list->set_count, .row = hash->row};

    one.hash = keep(&list->texts, hash->hash, hash->hash_size);
    one.name = keep(&list->texts, hash->name, hash->name_size);
    return add(list, one);
}

static int load_set(struct known_list *list, const char *path, struct why *why)
{
    struct hashset *set = NULL;
    const struct hashset_info *info;
    int rc;

    if (list->set_count == KNOWN_SETS_MAX)
        return why_set(why, -E2BIG, "more than %d hash sets", KNOWN_SETS_MAX);
    rc = hashset_open(path, &set, why);
    if (rc < 0)
        return rc;
    info = hashset_info(set);
    rc = info->similar[list->kind] > 0 ? hashset_similar_each(set, list->kind, add_of_set, list) : 0;
    list->sets[list->set_count++] = set;
    if (rc == -E2BIG)
        return why_set(why, rc, "%s: more than %d %s hashes in all", path, KNOWN_MAX, list->plugin);
    if (rc < 0)
        return why_set(why, rc, "%s: %s", path,
                       rc == -EBADMSG ? "its similarity hashes are damaged" : strerror(-rc));
    if (info->similar[list->kind] > 0)
        setup_loaded(list->plugin, hashset_kind_name(info->kind), info->name, info->sha256,
                     info->similar[list->kind], NULL);
    return 0;
}

/* A head line and comments are no hashes: what they lack the plugin says of each. */
static int add_of_list(struct known_list *list, char *line, uint32_t number)
{
    struct known_hash one = {.set = KNOWN_SETS_MAX, .row = number};
    struct buf name = {0};
    size_t size;

    line[strcspn(line, "\r\n")] = '\0';
    size = strcspn(line, ",\t");
    if (size == 0 || line[0] == '#')
        return 0;
    text_escape(&name, line + size + (line[size] != '\0'), strlen(line + size + (line[size] != '\0')));
    one.hash = keep(&list->texts, line, size);
    one.name = keep(&list->texts, buf_cstr(&name), strlen(buf_cstr(&name)));
    buf_finish(&name);
    return add(list, one);
}

static int load_list(struct known_list *list, const char *path, struct why *why)
{
    FILE *file = fopen(path, "re");
    char sha256[SHA256_HEX_SIZE], *line = NULL;
    size_t capacity = 0, before = list->count;
    uint32_t number = 0;
    int rc = file != NULL ? 0 : -errno;

    while (rc == 0 && getline(&line, &capacity, file) > 0)
        rc = add_of_list(list, line, ++number);
    if (rc == 0)
        rc = hash_sha256_file(path, sha256);
    list->list_name = strrchr(path, '/') != NULL ? strdup(strrchr(path, '/') + 1) : strdup(path);
    if (rc == 0 && list->list_name == NULL)
        rc = -ENOMEM;
    if (rc == 0)
        setup_loaded(list->plugin, "similar", path, sha256, list->count - before, NULL);
    else
        why_set(why, rc, "%s: %s", path, strerror(-rc));
    free(line);
    if (file != NULL)
        fclose(file);
    return rc;
}

int known_load(struct known_list *list, const char *plugin, enum hashset_similar kind,
               const struct settings *settings, struct why *why)
{
    char *sets = strdup(settings_text(settings, "hashset.sets")), *save = NULL, key[64];
    int rc = sets != NULL ? 0 : why_set(why, -ENOMEM, "no memory");
    const char *path;

    list->plugin = plugin;
    list->kind = kind;
    for (char *set = sets != NULL ? strtok_r(sets, ":", &save) : NULL; set != NULL && rc == 0;
         set = strtok_r(NULL, ":", &save))
        rc = load_set(list, set, why);
    free(sets);
    snprintf(key, sizeof key, "plugin.%s.list", plugin);
    path = settings_text(settings, key);
    return rc == 0 && path[0] != '\0' ? load_list(list, path, why) : rc;
}

void known_finish(struct known_list *list)
{
    while (list->set_count > 0)
        hashset_close(list->sets[--list->set_count]);
    free(list->items);
    free(list->list_name);
    buf_finish(&list->texts);
}

const char *known_text(const struct known_list *list, size_t offset)
{
    return (const char *)list->texts.data + offset;
}

int known_emit(struct scan *scan, const struct known_list *list, const struct record_type *type,
               const struct known_hit *hit)
{
    const struct known_hash *known = &list->items[hit->item];
    const struct hashset *set = known->set < list->set_count ? list->sets[known->set] : NULL;
    struct hashset_source source = {.name = list->list_name};
    uint64_t line = known->row;

    if (set != NULL)
        source = hashset_row_source(set, known->row, &line);
    return scan_emit(scan, type,
                     (const struct value[]){
                         value_text(set != NULL ? hashset_info(set)->name : NULL),
                         value_text(set != NULL ? hashset_kind_name(hashset_info(set)->kind) : NULL),
                         value_text(known_text(list, known->name)),
                         value_text(known_text(list, known->hash)),
                         value_text(source.name),
                         value_u64(line),
                         value_u64(hit->score),
                     });
}
