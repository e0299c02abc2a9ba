/* report_labels: see report_labels.h; the table is report_labels.inc. */
#include "cases/report/report_labels.h"

#include <assert.h>
#include <string.h>

static const char *const texts[REPORT_LABELS][REPORT_LANGS] = {
#define LABEL(id, en, ka)  [LABEL_##id] = {en, ka},
#define UNREAD(id, en, ka) [LABEL_##id] = {en, ka},
#include "cases/report/report_labels.inc"
#undef LABEL
#undef UNREAD
};

static const char *const lang_names[REPORT_LANGS] = {"en", "ka"};

const char *report_lang_name(enum report_lang lang)
{
    return lang_names[lang];
}

bool report_lang_parse(const char *name, enum report_lang *ret_lang)
{
    for (enum report_lang lang = 0; lang < REPORT_LANGS; lang++)
        if (!strcmp(lang_names[lang], name)) {
            *ret_lang = lang;
            return true;
        }
    return false;
}

enum report_lang report_label_lang(enum report_lang lang, enum report_label label)
{
    assert(label < REPORT_LABELS && lang < REPORT_LANGS);
    return texts[label][lang] ? lang : REPORT_EN;
}

const char *report_label(enum report_lang lang, enum report_label label)
{
    return texts[label][report_label_lang(lang, label)];
}

const enum report_label report_glossary[][2] = {
    {LABEL_EXHIBIT, LABEL_G_EXHIBIT},
    {LABEL_G_IMAGE_WORD, LABEL_G_IMAGE},
    {LABEL_VOLUME, LABEL_G_VOLUME},
    {LABEL_G_CONTENT_WORD, LABEL_G_CONTENT},
    {LABEL_PATH, LABEL_G_PATH},
    {LABEL_OFFSET, LABEL_G_OFFSET},
    {LABEL_G_DELETED_WORD, LABEL_G_DELETED},
    {LABEL_G_HASH_WORD, LABEL_G_HASH},
    {LABEL_G_RULE_WORD, LABEL_G_RULE},
    {LABEL_G_FAULT_WORD, LABEL_G_FAULT},
    {LABEL_G_LEDGER_WORD, LABEL_G_LEDGER},
    {LABEL_G_TIME_WORD, LABEL_G_TIME},
    {LABEL_GLOSSARY, LABEL_GLOSSARY},
};
