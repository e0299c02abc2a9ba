/*
 * report_caseuco: CASE 1.4.0 with UCO 1.4.0 as JSON-LD [github.com/casework/CASE, github.com/ucoProject/UCO]:
 * the investigation, who examined with what tool and configuration, each exhibit's image with its provenance
 * record, each run as an investigative action, and every file with what is known of it, where it lies, and
 * which rules matched.
 *
 * Every node has an IRI that ends in a version 5 UUID made of case, exhibit and address, so that the same
 * thing has the same name in every export; there is no blank node, and each facet belongs to one object.
 */
#include "cases/report/report_facts.h"
#include "cases/report/report_formats.h"
#include "cases/report/safe.h"
#include "cases/report/uuid.h"
#include "cases/runs.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/version.h"
#include "engine/base/when.h"
#include "engine/evidence/found.h"

#include <stdio.h>
#include <string.h>

enum { IRI_SIZE = 96, RANGES_MAX_OF_A_FILE = 64 };

struct writing {
    struct report_out *out;
    struct json json;
    const struct report_from *from;
    struct uuid space; /* of this case */
    uint64_t exhibit;  /* whose files are listed */
};

/* ------------------------------------------------------------------ names and values */

static const char *iri(const struct writing *w, char ret[IRI_SIZE], const char *kind, const char *one,
                       const char *two)
{
    char text[UUID_TEXT_SIZE];
    const char *const parts[] = {kind, one ? one : "", two ? two : ""};
    struct uuid uuid = uuid_make(&w->space, parts, 3);
    snprintf(ret, IRI_SIZE, "kb:%s-%s", kind, uuid_text(&uuid, text));
    return ret;
}

static void put_ref(struct json *json, const char *key, const char *target)
{
    json_object_open(json, key);
    json_text(json, "@id", target);
    json_object_close(json);
}

static void put_typed(struct json *json, const char *key, const char *type, const char *value)
{
    json_object_open(json, key);
    json_text(json, "@type", type);
    json_text(json, "@value", value);
    json_object_close(json);
}

/* Readers take numbers as doubles: larger ones go as text with a type. */
static void put_integer(struct json *json, const char *key, uint64_t value)
{
    char text[32];
    if (value < 1ULL << 53) {
        json_u64(json, key, value);
        return;
    }
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    put_typed(json, key, "xsd:integer", text);
}

static void put_time(struct json *json, const char *key, int64_t when)
{
    char text[WHEN_TEXT_SIZE];
    if (when != WHEN_NONE)
        put_typed(json, key, "xsd:dateTime", when_format(when, text));
}

static void put_text(struct json *json, const char *key, const char *value)
{
    if (value && *value)
        json_text(json, key, value);
}

/* Opens a node of the graph. `more` is a second type or NULL. */
static void node_open(struct writing *w, const char *id, const char *type, const char *more)
{
    struct json *json = &w->json;
    json_object_open(json, NULL);
    json_text(json, "@id", id);
    if (!more) {
        json_text(json, "@type", type);
        return;
    }
    json_array_open(json, "@type");
    json_text(json, NULL, type);
    json_text(json, NULL, more);
    json_array_close(json);
}

static void node_close(struct writing *w)
{
    json_object_close(&w->json);
    buf_text(&w->out->buf, "\n");
}

static void facet_open(struct writing *w, const char *kind, const char *type, const char *one,
                       const char *two)
{
    char id[IRI_SIZE];
    json_object_open(&w->json, NULL);
    json_text(&w->json, "@id", iri(w, id, kind, one, two));
    json_text(&w->json, "@type", type);
}

/* ------------------------------------------------------------------ facets */

static void put_hash(struct writing *w, const char *method, const char *hex, const char *one, const char *two)
{
    char kind[24];
    if (!*hex)
        return;
    snprintf(kind, sizeof kind, "hash-%s", method);
    facet_open(w, kind, "uco-types:Hash", one, two);
    json_text(&w->json, "uco-types:hashMethod", method);
    put_typed(&w->json, "uco-types:hashValue", "xsd:hexBinary", hex);
    json_object_close(&w->json);
}

struct content {
    uint64_t size;
    const char *mime, *md5, *sha1, *sha256;
};

static void put_content(struct writing *w, const char *one, const char *two, const struct content *content)
{
    struct json *json = &w->json;
    facet_open(w, "content-data-facet", "uco-observable:ContentDataFacet", one, two);
    put_text(json, "uco-observable:mimeType", content->mime);
    put_integer(json, "uco-observable:sizeInBytes", content->size);
    if (*content->md5 || *content->sha1 || *content->sha256) {
        json_array_open(json, "uco-observable:hash");
        put_hash(w, "MD5", content->md5, one, two);
        put_hash(w, "SHA1", content->sha1, one, two);
        put_hash(w, "SHA256", content->sha256, one, two);
        json_array_close(json);
    }
    json_object_close(json);
}

static const char *content_status(const struct file_fact *fact)
{
    if (*fact->grade)
        return !strcmp(fact->grade, "validated") || !strcmp(fact->grade, "complete") ? "recovered"
                                                                                     : "partially recovered";
    if (!fact->has_content || fact->blocks == 0)
        return "unknown";
    return fact->overwritten == 0             ? "recovered"
           : fact->overwritten < fact->blocks ? "partially recovered"
                                              : "overwritten";
}

static void put_recovered(struct writing *w, const struct file_fact *fact)
{
    struct json *json = &w->json;
    bool bare = fact->inner || fact->flags & ENTRY_NO_METADATA;
    facet_open(w, "recovered-object-facet", "uco-observable:RecoveredObjectFacet", fact->exhibit, fact->path);
    json_text(json, "uco-observable:nameRecoveredStatus",
              fact->inner || fact->flags & ENTRY_ORPHAN ? "unknown" : "recovered");
    json_text(json, "uco-observable:metadataRecoveredStatus", bare ? "unknown" : "recovered");
    json_text(json, "uco-observable:contentRecoveredStatus", content_status(fact));
    json_object_close(json);
}

static void put_file_facet(struct writing *w, const struct file_fact *fact)
{
    struct json *json = &w->json;
    const char *slash = strrchr(fact->within, '/'), *name = slash ? slash + 1 : fact->within;
    char extension[32];
    facet_open(w, "file-facet", "uco-observable:FileFacet", fact->exhibit, fact->path);
    json_text(json, "uco-observable:fileName", name);
    json_text(json, "uco-observable:filePath", fact->within);
    text_extension(name, extension, sizeof extension);
    put_text(json, "uco-observable:extension", extension);
    json_bool(json, "uco-observable:isDirectory", !strcmp(fact->type, "folder"));
    put_integer(json, "uco-observable:sizeInBytes", fact->size);
    json_text(json, "uco-observable:allocationStatus", file_fact_deleted(fact) ? "unallocated" : "allocated");
    put_time(json, "uco-observable:observableCreatedTime", fact->born);
    put_time(json, "uco-observable:modifiedTime", fact->modified);
    put_time(json, "uco-observable:accessedTime", fact->accessed);
    put_time(json, "uco-observable:metadataChangeTime", fact->changed);
    json_object_close(json);
}

/* ------------------------------------------------------------------ files */

/* Offsets are of the image; a medium inside of it has no node that they could be of. */
static void put_ranges(struct writing *w, const struct file_fact *fact)
{
    const char *runs = fact->inside ? "" : fact->runs;
    uint64_t offset, size;
    for (int i = 0; i < RANGES_MAX_OF_A_FILE && runs_next(&runs, &offset, &size); i++) {
        char kind[40];
        if (offset == UINT64_MAX)
            continue;
        snprintf(kind, sizeof kind, "data-range-facet-%d", i);
        facet_open(w, kind, "uco-observable:DataRangeFacet", fact->exhibit, fact->path);
        put_integer(&w->json, "uco-observable:rangeOffset", offset);
        json_text(&w->json, "uco-observable:rangeOffsetType", "image");
        put_integer(&w->json, "uco-observable:rangeSize", size);
        json_object_close(&w->json);
    }
}

static void put_place(struct writing *w, const struct file_fact *fact, const char *file)
{
    struct json *json = &w->json;
    char id[IRI_SIZE], image[IRI_SIZE];
    node_open(w, iri(w, id, "observable-relationship", fact->exhibit, fact->path),
              "uco-observable:ObservableRelationship", NULL);
    json_text(json, "uco-core:kindOfRelationship", "Contained_Within");
    json_bool(json, "uco-core:isDirectional", true);
    put_ref(json, "uco-core:source", file);
    put_ref(json, "uco-core:target", iri(w, image, "image", fact->exhibit, NULL));
    json_array_open(json, "uco-core:hasFacet");
    facet_open(w, "path-relation-facet", "uco-observable:PathRelationFacet", fact->exhibit, fact->path);
    json_text(json, "uco-observable:path", fact->path);
    json_object_close(json);
    put_ranges(w, fact);
    json_array_close(json);
    node_close(w);
}

static int each_file(void *context, const struct file_fact *fact)
{
    struct writing *w = context;
    bool recovered = file_fact_deleted(fact) || *fact->grade;
    char id[IRI_SIZE];
    node_open(w, iri(w, id, "file", fact->exhibit, fact->path), "uco-observable:File",
              recovered ? "uco-observable:RecoveredObject" : NULL);
    json_array_open(&w->json, "uco-core:hasFacet");
    put_file_facet(w, fact);
    if (fact->has_content)
        put_content(w, fact->exhibit, fact->path,
                    &(struct content){fact->content_size, fact->mime, fact->unread ? "" : fact->md5,
                                      fact->unread ? "" : fact->sha1, fact->unread ? "" : fact->sha256});
    if (recovered)
        put_recovered(w, fact);
    json_array_close(&w->json);
    node_close(w);
    put_place(w, fact, id);
    return report_out_row(w->out);
}

static int each_member(void *context, const struct file_fact *fact)
{
    struct writing *w = context;
    char id[IRI_SIZE];
    if (fact->exhibit_id == w->exhibit)
        put_ref(&w->json, NULL, iri(w, id, "file", fact->exhibit, fact->path));
    return report_out_row(w->out);
}

/* ------------------------------------------------------------------ exhibits */

static void put_image(struct writing *w, const struct model_exhibit *exhibit)
{
    struct json *json = &w->json;
    char id[IRI_SIZE];
    node_open(w, iri(w, id, "image", exhibit->label, NULL), "uco-observable:Image", "uco-observable:File");
    json_array_open(json, "uco-core:hasFacet");
    facet_open(w, "image-facet", "uco-observable:ImageFacet", exhibit->label, NULL);
    put_text(json, "uco-observable:imageType", exhibit->type);
    json_object_close(json);
    facet_open(w, "file-facet", "uco-observable:FileFacet", exhibit->label, NULL);
    put_text(json, "uco-observable:fileName", exhibit->name);
    put_text(json, "uco-observable:filePath", exhibit->path);
    json_object_close(json);
    put_content(w, exhibit->label, NULL,
                &(struct content){exhibit->size, "", exhibit->md5, exhibit->sha1, exhibit->sha256});
    json_array_close(json);
    node_close(w);
}

static void put_provenance(struct writing *w, const struct model_exhibit *exhibit)
{
    char id[IRI_SIZE], image[IRI_SIZE];
    node_open(w, iri(w, id, "provenance-record", exhibit->label, NULL), "case-investigation:ProvenanceRecord",
              NULL);
    json_text(&w->json, "case-investigation:exhibitNumber", exhibit->label);
    json_text(&w->json, "case-investigation:rootExhibitNumber", exhibit->label);
    json_array_open(&w->json, "uco-core:object");
    put_ref(&w->json, NULL, iri(w, image, "image", exhibit->label, NULL));
    json_array_close(&w->json);
    node_close(w);
}

/* What processing made of the exhibit. */
static int put_derived(struct writing *w, const struct model_exhibit *exhibit)
{
    struct json *json = &w->json;
    struct buf number = {0};
    char id[IRI_SIZE];
    buf_printf(&number, "%s/files", exhibit->label);
    node_open(w, iri(w, id, "provenance-record", exhibit->label, "files"),
              "case-investigation:ProvenanceRecord", NULL);
    json_text(json, "case-investigation:exhibitNumber", buf_cstr(&number));
    json_text(json, "case-investigation:rootExhibitNumber", exhibit->label);
    json_text(json, "uco-core:description", "Files found in the image of the exhibit");
    json_array_open(json, "uco-core:object");
    w->exhibit = exhibit->id;
    int code = file_facts(w->from->cf, FACTS_ALL, each_member, w, w->from->why);
    json_array_close(json);
    node_close(w);
    buf_finish(&number);
    return code;
}

/* ------------------------------------------------------------------ tool and runs */

static void put_tool(struct writing *w)
{
    char id[IRI_SIZE];
    node_open(w, iri(w, id, "tool", NULL, NULL), "uco-tool:AnalyticTool", NULL);
    json_text(&w->json, "uco-core:name", "kvali");
    json_text(&w->json, "uco-tool:version", kvali_version());
    json_text(&w->json, "uco-tool:toolType", "forensic evidence engine");
    node_close(w);
}

static void put_examiner(struct writing *w)
{
    char person[IRI_SIZE], role[IRI_SIZE], id[IRI_SIZE];
    const char *name = w->from->model->examiner;
    if (!*name)
        return;
    node_open(w, iri(w, person, "person", name, NULL), "uco-identity:Person", NULL);
    json_text(&w->json, "uco-core:name", name);
    node_close(w);
    node_open(w, iri(w, role, "examiner", name, NULL), "case-investigation:Examiner", NULL);
    json_text(&w->json, "uco-core:name", "Examiner");
    node_close(w);
    node_open(w, iri(w, id, "relationship", name, NULL), "uco-core:Relationship", NULL);
    json_text(&w->json, "uco-core:kindOfRelationship", "Has_Role");
    json_bool(&w->json, "uco-core:isDirectional", true);
    put_ref(&w->json, "uco-core:source", person);
    put_ref(&w->json, "uco-core:target", role);
    node_close(w);
}

static void put_entry(struct writing *w, const char *run, const char *name, const char *value)
{
    facet_open(w, "configuration-entry", "uco-configuration:ConfigurationEntry", run, name);
    json_text(&w->json, "uco-configuration:itemName", name);
    json_text(&w->json, "uco-configuration:itemValue", value);
    json_object_close(&w->json);
}

static int put_loaded(struct writing *w, uint64_t run, const char *number)
{
    struct db_statement *s = NULL;
    struct buf name = {0};
    int code = db_prepare(casefile_db(w->from->cf),
                          "SELECT DISTINCT plugin, kind, name, sha256 FROM t_run_loaded WHERE run = ?1 AND "
                          "problem IS NULL ORDER BY 1, 2, 3, 4",
                          &s);
    if (code == 0)
        db_bind_u64(s, 1, run);
    while (code == 0 && (code = db_step(s)) == 1) {
        buf_clear(&name);
        for (int i = 0; i < 3; i++) {
            safe_text(&name, db_text(s, i), strlen(db_text(s, i)));
            buf_text(&name, i < 2 ? " " : "");
        }
        put_entry(w, number, buf_cstr(&name), db_text(s, 3));
        code = 0;
    }
    db_finalize(s);
    buf_finish(&name);
    return code;
}

static int put_configured(struct writing *w, const struct model_run *run, const char *number)
{
    struct json *json = &w->json;
    char id[IRI_SIZE], configuration[IRI_SIZE];
    node_open(w, iri(w, id, "configured-tool", number, NULL), "uco-tool:ConfiguredTool", NULL);
    json_text(json, "uco-core:name", "kvali");
    json_text(json, "uco-tool:version", kvali_version());
    put_ref(json, "uco-configuration:usesConfiguration",
            iri(w, configuration, "configuration", number, NULL));
    put_ref(json, "uco-configuration:isConfigurationOf", iri(w, id, "tool", NULL, NULL));
    node_close(w);
    node_open(w, configuration, "uco-configuration:Configuration", NULL);
    json_array_open(json, "uco-configuration:configurationEntry");
    put_entry(w, number, "SHA-256 of the settings that can change findings", run->settings_sha256);
    int code = put_loaded(w, run->id, number);
    json_array_close(json);
    node_close(w);
    return code;
}

static const char *action_status(const char *status)
{
    return !strcmp(status, "done")      ? "Complete/Finish"
           : !strcmp(status, "running") ? "Ongoing"
           : !strcmp(status, "failed")  ? "Fail"
                                        : "Error";
}

static void put_refs(struct writing *w, const char *key, const char *two)
{
    const struct report_model *model = w->from->model;
    char id[IRI_SIZE];
    json_array_open(&w->json, key);
    for (size_t i = 0; i < model->exhibit_cut.count; i++)
        put_ref(&w->json, NULL, iri(w, id, "provenance-record", model->exhibits[i].label, two));
    json_array_close(&w->json);
}

static int put_run(struct writing *w, const struct model_run *run, const char *before)
{
    struct json *json = &w->json;
    char id[IRI_SIZE], number[24];
    snprintf(number, sizeof number, "%llu", (unsigned long long)run->id);
    int code = put_configured(w, run, number);
    node_open(w, iri(w, id, "investigative-action", number, NULL), "case-investigation:InvestigativeAction",
              NULL);
    json_text(json, "uco-core:name", "processing");
    json_text(json, "uco-action:actionStatus", action_status(run->status));
    put_time(json, "uco-action:startTime", run->started);
    put_time(json, "uco-action:endTime", run->ended);
    if (*w->from->model->examiner)
        put_ref(json, "uco-action:performer", iri(w, id, "person", w->from->model->examiner, NULL));
    json_array_open(json, "uco-action:instrument");
    put_ref(json, NULL, iri(w, id, "configured-tool", number, NULL));
    json_array_close(json);
    put_refs(w, "uco-action:object", NULL);
    put_refs(w, "uco-action:result", "files");
    if (*before)
        put_ref(json, "case-investigation:wasInformedBy", iri(w, id, "investigative-action", before, NULL));
    node_close(w);
    return code;
}

/* ------------------------------------------------------------------ matches and faults */

static void put_annotation(struct writing *w, const char *kind, uint64_t number, const char *object,
                           const char *tag, const char *statement)
{
    char id[IRI_SIZE], text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    node_open(w, iri(w, id, "annotation", kind, text), "uco-core:Annotation", NULL);
    json_array_open(&w->json, "uco-core:tag");
    json_text(&w->json, NULL, tag);
    json_array_close(&w->json);
    json_text(&w->json, "uco-core:statement", statement);
    json_array_open(&w->json, "uco-core:object");
    put_ref(&w->json, NULL, object);
    json_array_close(&w->json);
    node_close(w);
}

/* Of one statement: exhibit, path, is it a file, tag, and what is said in up to four parts. */
static int put_annotations(struct writing *w, const char *kind, const char *sql)
{
    struct db_statement *s = NULL;
    struct buf statement = {0}, label = {0}, path = {0};
    uint64_t number = 0;
    char object[IRI_SIZE];
    int code = db_prepare(casefile_db(w->from->cf), sql, &s);
    while (code == 0 && (code = db_step(s)) == 1) {
        buf_clear(&statement);
        buf_clear(&label);
        buf_clear(&path);
        safe_text(&label, db_text(s, 0), strlen(db_text(s, 0)));
        safe_text(&path, db_text(s, 1), strlen(db_text(s, 1)));
        safe_text(&statement, db_text(s, 4), strlen(db_text(s, 4)));
        bool file = db_i64(s, 2);
        iri(w, object, file ? "file" : "image", buf_cstr(&label), file ? buf_cstr(&path) : NULL);
        put_annotation(w, kind, number++, object, db_text(s, 3), buf_cstr(&statement));
        code = report_out_row(w->out);
    }
    db_finalize(s);
    buf_finish(&statement);
    buf_finish(&label);
    buf_finish(&path);
    return code;
}

#define IS_FILE "s.kind NOT IN (0, 1, 5, 6)"
static const char matches_sql[] =
    "SELECT m.exhibit, m.path, " IS_FILE
    ", 'YARA', 'The YARA rule ' || m.rule || ' matched' || CASE WHEN m.severity IS NULL THEN '' ELSE "
    "', severity ' || m.severity END FROM match m JOIN t_stream s ON s.id = m.stream ORDER BY s.exhibit, "
    "m.path, m.namespace, m.rule, m.pass, s.locator";
static const char faults_sql[] = "SELECT f.exhibit, f.path, 0, 'fault', f.kind || ': ' || f.path || ': ' || "
                                 "f.detail || CASE WHEN f.effect = '' THEN '' ELSE ' (' || "
                                 "f.effect || ')' END FROM fault f ORDER BY 1, 2, 5, f.offset";

/* ------------------------------------------------------------------ all */

static void put_investigation(struct writing *w)
{
    const struct report_model *model = w->from->model;
    char id[IRI_SIZE], number[24];
    node_open(w, iri(w, id, "investigation", NULL, NULL), "case-investigation:Investigation", NULL);
    json_text(&w->json, "uco-core:name", model->number);
    json_text(&w->json, "case-investigation:investigationForm", "case");
    put_time(&w->json, "uco-core:objectCreatedTime", model->created);
    json_array_open(&w->json, "uco-core:object");
    for (size_t i = 0; i < model->exhibit_cut.count; i++)
        put_ref(&w->json, NULL, iri(w, id, "provenance-record", model->exhibits[i].label, NULL));
    for (size_t i = 0; i < model->run_cut.count; i++) {
        snprintf(number, sizeof number, "%llu", (unsigned long long)model->runs[i].id);
        put_ref(&w->json, NULL, iri(w, id, "investigative-action", number, NULL));
    }
    json_array_close(&w->json);
    node_close(w);
}

static void put_context(struct json *json)
{
    static const char *const spaces[][2] = {
        {"kb", "urn:kvali:"},
        {"case-investigation", "https://ontology.caseontology.org/case/investigation/"},
        {"uco-action", "https://ontology.unifiedcyberontology.org/uco/action/"},
        {"uco-configuration", "https://ontology.unifiedcyberontology.org/uco/configuration/"},
        {"uco-core", "https://ontology.unifiedcyberontology.org/uco/core/"},
        {"uco-identity", "https://ontology.unifiedcyberontology.org/uco/identity/"},
        {"uco-observable", "https://ontology.unifiedcyberontology.org/uco/observable/"},
        {"uco-tool", "https://ontology.unifiedcyberontology.org/uco/tool/"},
        {"uco-types", "https://ontology.unifiedcyberontology.org/uco/types/"},
        {"xsd", "http://www.w3.org/2001/XMLSchema#"},
    };
    json_object_open(json, "@context");
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        json_text(json, spaces[i][0], spaces[i][1]);
    json_object_close(json);
}

static int put_exhibits(struct writing *w)
{
    const struct report_model *model = w->from->model;
    int code = 0;
    for (size_t i = 0; i < model->exhibit_cut.count && code == 0; i++) {
        put_image(w, &model->exhibits[i]);
        put_provenance(w, &model->exhibits[i]);
        code = put_derived(w, &model->exhibits[i]);
    }
    return code;
}

static int put_runs(struct writing *w)
{
    const struct report_model *model = w->from->model;
    char before[24] = "";
    int code = 0;
    for (size_t i = 0; i < model->run_cut.count && code == 0; i++) {
        code = put_run(w, &model->runs[i], before);
        snprintf(before, sizeof before, "%llu", (unsigned long long)model->runs[i].id);
    }
    return code;
}

int report_write_caseuco(struct report_out *out, const struct report_from *from)
{
    char created[WHEN_TEXT_SIZE];
    const char *const parts[] = {"case", from->model->number, when_format(from->model->created, created)};
    struct writing w = {.out = out, .from = from, .space = uuid_make(&uuid_kvali, parts, 3)};
    json_init(&w.json, &out->buf);
    json_object_open(&w.json, NULL);
    put_context(&w.json);
    json_array_open(&w.json, "@graph");
    put_investigation(&w);
    put_examiner(&w);
    put_tool(&w);
    int code = put_exhibits(&w);
    if (code == 0)
        code = put_runs(&w);
    if (code == 0)
        code = file_facts(from->cf, FACTS_ALL, each_file, &w, from->why);
    if (code == 0 && db_has_table(casefile_db(from->cf), "rec_yara_match"))
        code = put_annotations(&w, "yara", matches_sql);
    if (code == 0)
        code = put_annotations(&w, "fault", faults_sql);
    json_array_close(&w.json);
    json_object_close(&w.json);
    buf_text(&out->buf, "\n");
    return code;
}
