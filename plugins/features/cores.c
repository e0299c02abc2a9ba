/* cores: see cores.h. [Wang et al., Hyperscan, NSDI 2019] */
#include "plugins/features/cores.h"

#include "plugins/features/examiners.h"

#include <errno.h>
#include <hs/hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CORES_MAX = 1024 };

struct core {
    char *text;
    size_t size;
    examiner *examine;
    bool from_end; /* the examiner wants the place behind it */
    const struct table_word *word;
    const struct table_token *token;
};

struct cores {
    struct core items[CORES_MAX];
    size_t count;
    hs_database_t *database;
    hs_scratch_t *scratch;
};

static const struct {
    const char *text;
    bool any_case, from_end;
    examiner *examine;
} fixed[] = {
    {".onion", true, false, examine_onion},
    {"-----BEGIN ", false, false, examine_armor},
    {"$GP", false, false, examine_nmea},
    {"$GN", false, false, examine_nmea},
    {"\xc2\xb0", false, false, examine_degrees},
    {"t.me/", false, false, examine_messenger_link},
    {"telegram.me/", false, false, examine_messenger_link},
    {"wa.me/", false, false, examine_messenger_link},
    {"chat.whatsapp.com/", false, false, examine_messenger_link},
    {"api.whatsapp.com/", false, false, examine_messenger_link},
    {"invite.viber.com/", false, false, examine_messenger_link},
    {"chats.viber.com/", false, false, examine_messenger_link},
    {"password", true, false, examine_credential},
    {"passwd", true, false, examine_credential},
    {"passphrase", true, false, examine_credential},
    {"pwd=", true, false, examine_credential},
    {"pwd:", true, false, examine_credential},
    {"pass:", true, false, examine_credential},
    {"pass=", true, false, examine_credential},
    {"пароль", false, false, examine_credential},
    {"Пароль", false, false, examine_credential},
    {"პაროლი", false, false, examine_credential},
    {"Authorization: Basic ", true, true, examine_basic},
    {"USBSTOR", true, false, examine_usb},
    {"USB\\VID_", true, false, examine_usb},
    {"USB#VID_", true, false, examine_usb},
    {"SerialNumber:", false, false, examine_usb},
    {"\\Users\\", true, false, examine_home},
    {"\\Documents and Settings\\", true, false, examine_home},
    {"/home/", false, false, examine_home},
    {"/Users/", false, false, examine_home},
};

void cores_free(struct cores *cores)
{
    if (cores == NULL)
        return;
    for (size_t i = 0; i < cores->count; i++)
        free(cores->items[i].text);
    hs_free_scratch(cores->scratch);
    hs_free_database(cores->database);
    free(cores);
}

static int add(struct cores *cores, unsigned *flags, const char *text, bool any_case, struct core core,
               struct why *why)
{
    if (cores->count == CORES_MAX)
        return why_set(why, -EINVAL, "more than %d words, tokens and domains to look for", CORES_MAX);
    core.text = strdup(text);
    core.size = strlen(text);
    if (core.text == NULL)
        return why_set(why, -ENOMEM, "no memory");
    flags[cores->count] = any_case ? HS_FLAG_CASELESS : 0;
    cores->items[cores->count++] = core;
    return 0;
}

static int add_all(struct cores *cores, const struct tables *tables, unsigned *flags, struct why *why)
{
    int code = 0;

    for (size_t i = 0; code == 0 && i < sizeof fixed / sizeof fixed[0]; i++)
        code = add(cores, flags, fixed[i].text, fixed[i].any_case,
                   (struct core){.examine = fixed[i].examine, .from_end = fixed[i].from_end}, why);
    for (size_t i = 0; code == 0 && i < tables->word_count; i++) {
        const struct table_word *word = &tables->words[i];
        struct core core = {.word = word};

        if (word->group == CONTEXT_PHONE) {
            core.examine = examine_phone_word;
            core.from_end = true;
        }
        code = add(cores, flags, word->word, true, core, why);
    }
    for (size_t i = 0; code == 0 && i < tables->token_count; i++)
        code = add(cores, flags, tables->tokens[i].prefix, false, (struct core){.token = &tables->tokens[i]},
                   why);
    for (size_t i = 0; code == 0 && i < tables->tld_count; i++) {
        char text[72];

        snprintf(text, sizeof text, ".%.64s", tables->tlds[i].name);
        if (tables->tlds[i].value == 1)
            code = add(cores, flags, text, false, (struct core){.examine = examine_bare_domain}, why);
    }
    return code;
}

static int compile(struct cores *cores, const unsigned *flags, struct why *why)
{
    const char *texts[CORES_MAX];
    size_t sizes[CORES_MAX];
    unsigned ids[CORES_MAX];
    hs_compile_error_t *error = NULL;

    for (size_t i = 0; i < cores->count; i++) {
        texts[i] = cores->items[i].text;
        sizes[i] = cores->items[i].size;
        ids[i] = (unsigned)i;
    }
    if (hs_compile_lit_multi(texts, flags, ids, sizes, (unsigned)cores->count, HS_MODE_BLOCK, NULL,
                             &cores->database, &error) != HS_SUCCESS) {
        int code = why_set(why, strcmp(error->message, "Unable to allocate memory.") == 0 ? -ENOMEM : -EINVAL,
                           "what features consist of does not compile: %s", error->message);
        hs_free_compile_error(error);
        return code;
    }
    if (hs_alloc_scratch(cores->database, &cores->scratch) != HS_SUCCESS)
        return why_set(why, -ENOMEM, "no memory to search with");
    return 0;
}

int cores_new(const struct tables *tables, struct cores **ret_cores, struct why *why)
{
    struct cores *cores = calloc(1, sizeof *cores);
    unsigned flags[CORES_MAX];
    int code = cores != NULL ? 0 : why_set(why, -ENOMEM, "no memory");

    if (code == 0)
        code = add_all(cores, tables, flags, why);
    if (code == 0)
        code = compile(cores, flags, why);
    if (code < 0) {
        cores_free(cores);
        return code;
    }
    *ret_cores = cores;
    return 0;
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                    void *context)
{
    struct seen_list *list = context;

    (void)from, (void)flags;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity > 0 ? 2 * list->capacity : 1024;
        struct seen *items = reallocarray(list->items, capacity, sizeof items[0]);

        if (items == NULL)
            return 1;
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = (struct seen){id, (uint32_t)to};
    return 0;
}

int cores_search(const struct cores *cores, const uint8_t *data, size_t size, struct seen_list *list)
{
    hs_error_t code;

    list->count = 0;
    code = hs_scan(cores->database, (const char *)data, (unsigned)size, 0, cores->scratch, on_match, list);
    return code == HS_SUCCESS ? 0 : code == HS_SCAN_TERMINATED ? -ENOMEM : -EIO;
}

static bool word_stands(const struct table_word *word, const struct text *text, size_t begin, size_t end)
{
    return !(word->whole_before && is_alnum(text_at(text, begin - 1))) &&
           !(word->whole_after && is_alnum(text_at(text, end)));
}

size_t cores_places(const struct cores *cores, const struct seen_list *list, const struct text *text,
                    size_t shift, struct place *ret)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct core *core = &cores->items[list->items[i].core];
        size_t end = shift + list->items[i].end, begin = end - core->size;

        if (core->word != NULL && word_stands(core->word, text, begin, end))
            ret[count++] = (struct place){(uint32_t)begin, (uint32_t)end, core->word->group};
    }
    return count;
}

void cores_examine(const struct cores *cores, const struct seen *seen, struct finder *finder,
                   const struct text *text, size_t shift)
{
    const struct core *core = &cores->items[seen->core];
    size_t end = shift + seen->end, begin = end - core->size;

    if (core->word != NULL && !word_stands(core->word, text, begin, end))
        return;
    if (core->token != NULL && !(core->token->whole_before && is_alnum(text_at(text, begin - 1))))
        examine_token(finder, text, begin, core->token);
    else if (core->examine != NULL)
        core->examine(finder, text, core->from_end ? end : begin);
}
