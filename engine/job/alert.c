/* alert: see alert.h. Types and fields are those of the plugins yara, hashset and keywords. */
#include "engine/job/alert.h"

#include <string.h>

static const struct value *value_of(const struct record_type *type, const struct value *values,
                                    const char *field)
{
    for (size_t i = 0; i < type->field_count; i++)
        if (strcmp(type->fields[i].name, field) == 0 && values[i].present)
            return &values[i];
    return NULL;
}

static void take_name(struct job_found *found, const char *kind, const struct value *name)
{
    *found = (struct job_found){
        .kind = kind, .name = name ? name->as.bytes.data : "", .name_size = name ? name->as.bytes.size : 0};
}

static bool is_text(const struct value *value, const char *text)
{
    return value && value->as.bytes.size == strlen(text) &&
           memcmp(value->as.bytes.data, text, strlen(text)) == 0;
}

bool alert_of(const struct record_type *type, const struct value *values, struct job_found *ret_found)
{
    if (strcmp(type->name, "match") == 0) {
        const struct value *severity = value_of(type, values, "severity");
        take_name(ret_found, "rule", value_of(type, values, "rule"));
        return severity && severity->as.u64 >= JOB_SEVERE;
    }
    if (strcmp(type->name, "hashset") == 0) {
        take_name(ret_found, "hash set", value_of(type, values, "set_name"));
        return !is_text(value_of(type, values, "set_kind"), "known");
    }
    if (strcmp(type->name, "keywords") == 0) {
        take_name(ret_found, "keyword", value_of(type, values, "keyword"));
        return true;
    }
    return false;
}
