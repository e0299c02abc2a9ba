/* report_json: the same content as the HTML report, for programs. Sizes and offsets are bytes, times RFC 3339
 * in UTC. */
#include "cases/report/report_formats.h"

#include "engine/base/json.h"
#include "engine/base/version.h"
#include "engine/base/when.h"

static void put_cut(struct json *json, const struct model_cut *cut)
{
    json_u64(json, "total", cut->total);
    json_u64(json, "shown", cut->count);
    if (cut->total > cut->count)
        json_text(json, "query", cut->query);
}

/* {"total":…, "shown":…, "rows":[ … ]}: list_open, rows, list_close. */
static void list_open(struct json *json, const char *key, const struct model_cut *cut)
{
    json_object_open(json, key);
    put_cut(json, cut);
    json_array_open(json, "rows");
}

static void list_close(struct json *json)
{
    json_array_close(json);
    json_object_close(json);
}

/* A number that is not always known. */
static void put_known(struct json *json, const char *key, uint64_t value)
{
    if (value == UINT64_MAX)
        json_none(json, key);
    else
        json_u64(json, key, value);
}

static void put_severity(struct json *json, int severity)
{
    if (severity == MODEL_UNSTATED)
        json_none(json, "severity");
    else
        json_u64(json, "severity", (uint64_t)severity);
}

static void put_counts(struct json *json, const struct model_counts *counts)
{
    json_u64(json, "entries_live", counts->live);
    json_u64(json, "entries_deleted", counts->deleted);
    json_u64(json, "contents", counts->contents);
    json_u64(json, "contents_whole", counts->whole);
    json_u64(json, "contents_partial", counts->partial);
    json_u64(json, "contents_failed", counts->failed);
    json_u64(json, "contents_pending", counts->pending);
    json_u64(json, "contents_limited", counts->limited);
    json_u64(json, "bytes_read", counts->read);
    json_u64(json, "bytes_unreadable", counts->unread);
    json_u64(json, "faults", counts->faults);
}

static void put_summary(struct json *json, const struct report_model *model)
{
    static const char *const verdicts[] = {
        [VERDICT_NOTHING] = "nothing processed",   [VERDICT_MISMATCH] = "integrity violated",
        [VERDICT_UNOPENED] = "exhibit not opened", [VERDICT_PENDING] = "not complete",
        [VERDICT_FAULTS] = "complete with faults", [VERDICT_WHOLE] = "complete",
    };
    json_object_open(json, "summary");
    json_text(json, "verdict", verdicts[report_model_verdict(model)]);
    json_u64(json, "exhibits", model->exhibit_cut.total);
    json_u64(json, "exhibits_opened", model->opened);
    json_u64(json, "exhibits_not_opened", model->unopened);
    json_u64(json, "exhibits_verified", model->verified);
    json_u64(json, "exhibits_mismatched", model->mismatched);
    json_u64(json, "media_bytes", model->total_size);
    json_u64(json, "pending_contents", model->pending_contents);
    json_u64(json, "pending_structures", model->pending_expands);
    json_u64(json, "encrypted_entries", model->encrypted_entries);
    json_u64(json, "matches", model->match_cut.total);
    json_u64(json, "alert_contents", model->alert_contents);
    json_u64(json, "known_contents", model->known_contents);
    json_u64(json, "spared_contents", model->spared_contents);
    put_counts(json, &model->total);
    json_object_close(json);
}

/* What the bytes of a part are, in bytes; `unaccounted` is negative where the parts are more than the share. */
static void put_account(struct json *json, const struct model_account *account)
{
    static const char *const names[ACCOUNT_KINDS] = {
        [ACCOUNT_SHARE] = "share",           [ACCOUNT_LIVE] = "live",       [ACCOUNT_SLACK] = "slack",
        [ACCOUNT_STRUCTURES] = "structures", [ACCOUNT_DELETED] = "deleted", [ACCOUNT_FREE] = "free",
        [ACCOUNT_OUTSIDE] = "outside",       [ACCOUNT_RAW] = "raw",         [ACCOUNT_TABLE] = "table",
        [ACCOUNT_ALLOCATED] = "allocated",
    };
    json_object_open(json, "account");
    for (enum account_kind kind = 0; account->known && kind < ACCOUNT_KINDS; kind++)
        json_u64(json, names[kind], account->bytes[kind]);
    if (account->known)
        json_i64(json, "unaccounted", (int64_t)(account->bytes[ACCOUNT_SHARE] - model_account_sum(account)));
    json_u64(json, "repeated_byte_ranges", account->uniform);
    json_u64(json, "repeated_byte_bytes", account->uniform_bytes);
    json_u64(json, "slacks", account->slacks);
    json_u64(json, "repeated_byte_slacks", account->slack_uniform);
    json_u64(json, "repeated_byte_slack_bytes", account->slack_bytes);
    json_object_close(json);
}

static void put_volumes(struct json *json, const struct report_model *model)
{
    static const char *const parts[] = {[PART_MEDIUM] = "medium",
                                        [PART_VOLUME] = "volume",
                                        [PART_ELSEWHERE] = "elsewhere",
                                        [PART_TOTAL] = "total"};
    list_open(json, "completeness", &model->volume_cut);
    for (size_t i = 0; i < model->volume_cut.count; i++) {
        const struct model_volume *volume = &model->volumes[i];
        json_object_open(json, NULL);
        json_text(json, "part", parts[volume->part]);
        for (size_t e = 0; e < model->exhibit_cut.count; e++)
            if (volume->part != PART_TOTAL && model->exhibits[e].id == volume->exhibit)
                json_text(json, "exhibit", model->exhibits[e].label);
        if (volume->part == PART_VOLUME) {
            json_text(json, "key", volume->key);
            json_text(json, "parent", volume->parent);
            json_text(json, "table", volume->table);
            json_text(json, "use", volume->use);
            json_text(json, "type", volume->type);
            json_text(json, "label", volume->label);
            json_text(json, "filesystem", volume->filesystem);
            json_text(json, "content", volume->content);
            json_text(json, "time_note", volume->time_note);
            json_u64(json, "offset", volume->offset);
        }
        if (volume->part != PART_ELSEWHERE)
            json_u64(json, "size", volume->size);
        put_counts(json, &volume->counts);
        put_account(json, &volume->account);
        json_object_close(json);
    }
    list_close(json);
}

static void put_exhibit(struct json *json, const struct model_exhibit *exhibit)
{
    json_object_open(json, NULL);
    json_text(json, "label", exhibit->label);
    json_text(json, "name", exhibit->name);
    json_text(json, "path", exhibit->path);
    json_text(json, "type", exhibit->type);
    json_bool(json, "opened", exhibit->opened);
    json_text(json, "failed", exhibit->failed);
    json_u64(json, "size", exhibit->size);
    json_u64(json, "sector_size", exhibit->sector_size);
    json_u64(json, "segments", exhibit->segments);
    json_text(json, "details", exhibit->details);
    json_text(json, "unsupported", exhibit->unsupported);
    json_text(json, "damage", exhibit->damage);
    json_u64(json, "parts", exhibit->parts);
    json_u64(json, "parts_bytes", exhibit->part_bytes);
    json_bool(json, "parts_overlap", exhibit->overlap);
    json_text(json, "md5", exhibit->md5);
    json_text(json, "sha1", exhibit->sha1);
    json_text(json, "sha256", exhibit->sha256);
    json_text(json, "verification", model_verification_name(exhibit->verification));
    json_array_open(json, "stored_hashes");
    for (size_t i = 0; i < exhibit->hash_count; i++) {
        json_object_open(json, NULL);
        json_text(json, "algorithm", exhibit->hashes[i].algorithm);
        json_text(json, "value", exhibit->hashes[i].hex);
        json_text(json, "source", exhibit->hashes[i].source);
        json_text(json, "result", model_verification_name(exhibit->hashes[i].result));
        json_object_close(json);
    }
    json_array_close(json);
    json_object_close(json);
}

static void put_findings(struct json *json, const struct report_model *model)
{
    list_open(json, "rules_matched", &model->rule_cut);
    for (size_t i = 0; i < model->rule_cut.count; i++) {
        json_object_open(json, NULL);
        json_text(json, "rule", model->rules[i].name);
        json_text(json, "namespace", model->rules[i].space);
        put_severity(json, model->rules[i].severity);
        json_text(json, "description", model->rules[i].description);
        json_u64(json, "contents", model->rules[i].contents);
        json_object_close(json);
    }
    list_close(json);
    list_open(json, "matches", &model->match_cut);
    for (size_t i = 0; i < model->match_cut.count; i++) {
        json_object_open(json, NULL);
        json_text(json, "rule", model->matches[i].rule);
        put_severity(json, model->matches[i].severity);
        json_text(json, "exhibit", model->matches[i].exhibit);
        json_text(json, "path", model->matches[i].path);
        json_bool(json, "deleted", model->matches[i].deleted);
        json_u64(json, "size", model->matches[i].size);
        put_known(json, "offset", model->matches[i].offset);
        json_u64(json, "pass", model->matches[i].pass);
        json_object_close(json);
    }
    list_close(json);
}

static void put_text(struct json *json, const char *key, const char *text)
{
    json_text(json, key, *text ? text : NULL);
}

static void put_carved(struct json *json, const char *key, const struct model_carved *carved, const struct model_cut *cut)
{
    list_open(json, key, cut);
    for (size_t i = 0; i < cut->count; i++) {
        json_object_open(json, NULL);
        json_text(json, "exhibit", carved[i].exhibit);
        json_text(json, "path", carved[i].path);
        json_text(json, "grade", carved[i].grade);
        json_text(json, "format", carved[i].format);
        put_text(json, "title", carved[i].title);
        put_text(json, "lacks", carved[i].lacks);
        put_known(json, "offset", carved[i].offset);
        json_u64(json, "size", carved[i].size);
        json_u64(json, "pieces", carved[i].pieces);
        put_text(json, "sha256", carved[i].sha256);
        put_text(json, "same_as", carved[i].same_as);
        put_text(json, "inside", carved[i].inside);
        json_object_close(json);
    }
    list_close(json);
}

static const char *const blocks_names[BLOCKS_STATES] = {
    [BLOCKS_FREE] = "free", [BLOCKS_PARTLY] = "partly overwritten", [BLOCKS_OVERWRITTEN] = "overwritten"};

static void put_deleted(struct json *json, const struct report_model *model)
{
    json_object_open(json, "deleted_blocks");
    for (size_t i = 0; i < BLOCKS_STATES; i++)
        json_u64(json, blocks_names[i], model->blocks[i]);
    json_u64(json, "none", model->blocks_none);
    json_object_close(json);
    list_open(json, "deleted", &model->deleted_cut);
    for (size_t i = 0; i < model->deleted_cut.count; i++) {
        json_object_open(json, NULL);
        json_text(json, "exhibit", model->deleted[i].exhibit);
        json_text(json, "path", model->deleted[i].path);
        json_text(json, "blocks", blocks_names[model->deleted[i].blocks]);
        json_u64(json, "bytes", model->deleted[i].bytes);
        json_u64(json, "overwritten_bytes", model->deleted[i].overwritten);
        put_text(json, "owner", model->deleted[i].owner);
        json_u64(json, "owners", model->deleted[i].owners);
        json_object_close(json);
    }
    list_close(json);
}

/* The small pictures themselves are in the case and in the HTML report. */
static void put_pictures(struct json *json, const struct report_model *model)
{
    list_open(json, "pictures", &model->picture_cut);
    for (size_t i = 0; i < model->picture_cut.count; i++) {
        json_object_open(json, NULL);
        json_text(json, "exhibit", model->pictures[i].exhibit);
        json_text(json, "path", model->pictures[i].path);
        put_text(json, "grade", model->pictures[i].grade);
        json_text(json, "mime", model->pictures[i].mime);
        json_u64(json, "width", model->pictures[i].width);
        json_u64(json, "height", model->pictures[i].height);
        json_bool(json, "damaged", model->pictures[i].damaged);
        put_known(json, "offset", model->pictures[i].offset);
        put_text(json, "sha256", model->pictures[i].sha256);
        json_object_close(json);
    }
    list_close(json);
}

static void put_recovered(struct json *json, const struct report_model *model)
{
    list_open(json, "recovered_grades", &model->grade_cut);
    for (size_t i = 0; i < model->grade_cut.count; i++) {
        json_object_open(json, NULL);
        json_text(json, "grade", model->grades[i].grade);
        json_u64(json, "count", model->grades[i].count);
        json_u64(json, "bytes", model->grades[i].bytes);
        json_u64(json, "reassembled", model->grades[i].reassembled);
        json_u64(json, "same_as_file", model->grades[i].same);
        json_u64(json, "inside_other", model->grades[i].inside);
        json_object_close(json);
    }
    list_close(json);
    put_carved(json, "recovered", model->carved, &model->carved_cut);
    put_carved(json, "recovered_known", model->carved_twice, &model->carved_twice_cut);
    put_deleted(json, model);
    put_pictures(json, model);
}

static void put_hashsets(struct json *json, const struct report_model *model)
{
    list_open(json, "hash_sets", &model->set_cut);
    for (size_t i = 0; i < model->set_cut.count; i++) {
        json_object_open(json, NULL);
        json_text(json, "name", model->sets[i].name);
        json_text(json, "kind", model->sets[i].kind);
        json_text(json, "sha256", model->sets[i].sha256);
        json_u64(json, "entries", model->sets[i].entries);
        json_u64(json, "contents", model->sets[i].contents);
        json_u64(json, "spared", model->sets[i].spared);
        json_object_close(json);
    }
    list_close(json);
    list_open(json, "alerts", &model->alert_cut);
    for (size_t i = 0; i < model->alert_cut.count; i++) {
        const struct model_alert *alert = &model->alerts[i];
        json_object_open(json, NULL);
        json_text(json, "exhibit", alert->exhibit);
        json_text(json, "path", alert->path);
        json_text(json, "set", alert->set);
        json_text(json, "kind", alert->kind);
        put_text(json, "category", alert->category);
        put_text(json, "series", alert->series);
        put_text(json, "tags", alert->tags);
        json_text(json, "algorithm", alert->algorithm);
        json_text(json, "source", alert->source);
        json_u64(json, "line", alert->line);
        json_u64(json, "size", alert->size);
        json_bool(json, "deleted", alert->deleted);
        json_object_close(json);
    }
    list_close(json);
}

static void put_keywords(struct json *json, const struct report_model *model)
{
    list_open(json, "keywords", &model->keyword_cut);
    for (size_t i = 0; i < model->keyword_cut.count; i++) {
        json_object_open(json, NULL);
        json_text(json, "keyword", model->keywords[i].keyword);
        put_text(json, "group", model->keywords[i].group);
        json_text(json, "list", model->keywords[i].list);
        json_text(json, "writings", model->keywords[i].writings);
        json_u64(json, "hits", model->keywords[i].hits);
        json_u64(json, "contents", model->keywords[i].contents);
        json_object_close(json);
    }
    list_close(json);
    list_open(json, "keyword_hits", &model->hit_cut);
    for (size_t i = 0; i < model->hit_cut.count; i++) {
        json_object_open(json, NULL);
        json_text(json, "keyword", model->hits[i].keyword);
        json_text(json, "exhibit", model->hits[i].exhibit);
        json_text(json, "path", model->hits[i].path);
        json_bool(json, "deleted", model->hits[i].deleted);
        put_known(json, "offset", model->hits[i].offset);
        json_text(json, "writing", model->hits[i].writing);
        json_text(json, "before", model->hits[i].before);
        json_text(json, "text", model->hits[i].text);
        json_text(json, "after", model->hits[i].after);
        json_object_close(json);
    }
    list_close(json);
}

static void put_mismatches(struct json *json, const struct report_model *model)
{
    list_open(json, "extension_mismatches", &model->mismatch_cut);
    for (size_t i = 0; i < model->mismatch_cut.count; i++) {
        json_object_open(json, NULL);
        json_text(json, "exhibit", model->mismatches[i].exhibit);
        json_text(json, "path", model->mismatches[i].path);
        json_text(json, "extension", model->mismatches[i].extension);
        json_text(json, "mime", model->mismatches[i].mime);
        json_u64(json, "size", model->mismatches[i].size);
        json_bool(json, "deleted", model->mismatches[i].deleted);
        json_object_close(json);
    }
    list_close(json);
}

static void put_types(struct json *json, const struct report_model *model)
{
    list_open(json, "types", &model->type_cut);
    for (size_t i = 0; i < model->type_cut.count; i++) {
        json_object_open(json, NULL);
        json_text(json, "mime", model->types[i].mime);
        json_u64(json, "count", model->types[i].count);
        json_u64(json, "bytes", model->types[i].bytes);
        json_object_close(json);
    }
    list_close(json);
}

static void put_features(struct json *json, const struct report_model *model)
{
    list_open(json, "features", &model->feature_cut);
    for (size_t i = 0; i < model->feature_cut.count; i++) {
        const struct model_feature *feature = &model->features[i];

        json_object_open(json, NULL);
        json_text(json, "kind", feature->kind);
        json_text(json, "value", feature->value);
        json_text(json, "rank", feature->rank);
        json_u64(json, "count", feature->count);
        json_u64(json, "contents", feature->contents);
        json_text(json, "exhibits", feature->exhibits);
        json_object_close(json);
    }
    list_close(json);
}

static void put_faults(struct json *json, const char *key, const struct model_fault *faults,
                       const struct model_cut *cut)
{
    list_open(json, key, cut);
    for (size_t i = 0; i < cut->count; i++) {
        json_object_open(json, NULL);
        json_text(json, "kind", faults[i].kind);
        json_text(json, "exhibit", faults[i].exhibit);
        json_text(json, "volume", faults[i].volume);
        json_text(json, "path", faults[i].path);
        json_text(json, "stage", faults[i].stage);
        json_text(json, "plugin", faults[i].plugin);
        put_known(json, "offset", faults[i].offset);
        json_u64(json, "size", faults[i].size);
        json_text(json, "detail", faults[i].detail);
        json_text(json, "effect", faults[i].effect);
        json_object_close(json);
    }
    list_close(json);
}

static void put_fault_kinds(struct json *json, const struct report_model *model)
{
    json_object_open(json, "faults_by_kind");
    for (size_t i = 0; i < model->fault_kind_count; i++)
        json_u64(json, model->fault_kinds[i].kind, model->fault_kinds[i].count);
    json_object_close(json);
}

static void put_notes(struct json *json, const struct report_model *model)
{
    list_open(json, "notes", &model->note_cut);
    for (size_t i = 0; i < model->note_cut.count; i++) {
        json_object_open(json, NULL);
        json_text(json, "exhibit", model->notes[i].exhibit);
        json_text(json, "path", model->notes[i].path);
        json_u64(json, "offset", model->notes[i].offset);
        json_text(json, "plugin", model->notes[i].plugin);
        json_text(json, "text", model->notes[i].text);
        json_object_close(json);
    }
    list_close(json);
}

static void put_pairs(struct json *json, const char *key, const struct model_pairs *pairs)
{
    json_object_open(json, key);
    for (size_t i = 0; i < pairs->count; i++)
        json_text(json, pairs->items[i].key, pairs->items[i].value);
    json_object_close(json);
}

static void put_passes(struct json *json, const struct report_model *model)
{
    list_open(json, "passes", &model->pass_cut);
    for (size_t i = 0; i < model->pass_cut.count; i++) {
        const struct model_pass *pass = &model->passes[i];
        json_object_open(json, NULL);
        json_u64(json, "pass", pass->id);
        json_text(json, "plugins", pass->plugins);
        json_text(json, "status", pass->status);
        json_u64(json, "contents", pass->contents);
        json_u64(json, "done", pass->done);
        json_u64(json, "partial", pass->partial);
        json_u64(json, "failed", pass->failed);
        json_u64(json, "pending", pass->pending);
        json_u64(json, "given_up", pass->given_up);
        json_u64(json, "not_in_it", pass->not_in_it);
        json_u64(json, "equal", pass->equal);
        json_u64(json, "faults", pass->faults);
        json_object_close(json);
    }
    list_close(json);
}

static void put_method(struct json *json, const struct report_model *model)
{
    list_open(json, "runs", &model->run_cut);
    for (size_t i = 0; i < model->run_cut.count; i++) {
        json_object_open(json, NULL);
        json_u64(json, "run", model->runs[i].id);
        json_text(json, "status", model->runs[i].status);
        json_when(json, "started", model->runs[i].started);
        json_when(json, "ended", model->runs[i].ended);
        json_text(json, "settings_sha256", model->runs[i].settings_sha256);
        json_object_close(json);
    }
    list_close(json);
    json_object_open(json, "last_run");
    put_pairs(json, "versions", &model->versions);
    put_pairs(json, "settings", &model->settings);
    put_pairs(json, "sandbox", &model->sandbox);
    put_pairs(json, "host", &model->host);
    json_object_close(json);
    list_open(json, "loaded", &model->loaded_cut);
    for (size_t i = 0; i < model->loaded_cut.count; i++) {
        json_object_open(json, NULL);
        json_text(json, "plugin", model->loaded[i].plugin);
        json_text(json, "kind", model->loaded[i].kind);
        json_text(json, "name", model->loaded[i].name);
        json_u64(json, "count", model->loaded[i].count);
        json_text(json, "sha256", model->loaded[i].sha256);
        json_text(json, "problem", model->loaded[i].problem);
        json_u64(json, "pass", model->loaded[i].pass);
        json_object_close(json);
    }
    list_close(json);
    put_passes(json, model);
}

static void put_custody(struct json *json, const struct report_model *model)
{
    json_object_open(json, "custody");
    json_text(json, "ledger_head", model->ledger_head);
    json_u64(json, "ledger_count", model->ledger_count);
    json_text(json, "ledger_problem", *model->ledger_problem ? model->ledger_problem : NULL);
    json_text(json, "findings_digest", *model->findings_digest ? model->findings_digest : NULL);
    json_u64(json, "gaps", model->custody_gaps);
    json_u64(json, "seal", model->seal.number);
    json_text(json, "seal_sha256", model->seal.number ? model->seal.sha256 : NULL);
    json_u64(json, "sealed_records", model->seal.ledger_records);
    json_text(json, "seal_signer", model->seal.number ? model->seal.signer : NULL);
    json_object_close(json);
}

void report_json(struct buf *buf, const struct report_model *model, enum report_lang lang, const char *name)
{
    struct json json;
    json_init(&json, buf);
    json_object_open(&json, NULL);
    json_text(&json, "format", "kvali report");
    json_u64(&json, "version", 1);
    json_text(&json, "report", name);
    json_text(&json, "title", report_label(lang, LABEL_TITLE));
    json_text(&json, "disclaimer", report_label(lang, LABEL_NOT_OPINION));
    json_text(&json, "case", model->number);
    json_text(&json, "examiner", model->examiner);
    json_when(&json, "created", model->created);
    json_when(&json, "reported", model->now);
    json_text(&json, "tool", "kvali");
    json_text(&json, "tool_version", kvali_version());
    json_text(&json, "tool_commit", kvali_commit());
    put_summary(&json, model);
    put_volumes(&json, model);
    list_open(&json, "exhibits", &model->exhibit_cut);
    for (size_t i = 0; i < model->exhibit_cut.count; i++)
        put_exhibit(&json, &model->exhibits[i]);
    list_close(&json);
    put_findings(&json, model);
    put_keywords(&json, model);
    put_recovered(&json, model);
    put_features(&json, model);
    put_faults(&json, "encrypted_and_unsupported", model->locked, &model->locked_cut);
    put_hashsets(&json, model);
    put_mismatches(&json, model);
    put_types(&json, model);
    put_fault_kinds(&json, model);
    put_faults(&json, "faults", model->faults, &model->fault_cut);
    put_notes(&json, model);
    put_method(&json, model);
    put_custody(&json, model);
    json_object_close(&json);
    buf_u8(buf, '\n');
}
