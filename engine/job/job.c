/*
 * job: how a run begins and ends: what the case and its ledger are told before the first worker starts, and the sums after
 * the last one has ended.
 */
#include "engine/job/supervisor.h"

#include "cases/digest.h"
#include "cases/histogram.h"
#include "cases/kept.h"
#include "cases/link.h"
#include "cases/pass.h"
#include "engine/base/json.h"
#include "engine/base/version.h"
#include "engine/base/when.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/utsname.h>
#include <unistd.h>

static void settings_to_json(const struct settings *settings, struct json *json)
{
    json_object_open(json, "settings");
    for (size_t i = 0; i < settings->count; i++)
        json_text(json, settings->items[i].key, settings->items[i].value);
    json_object_close(json);
}

static void write_host(struct json *json, const char *key)
{
    struct utsname name;
    json_object_open(json, key);
    if (uname(&name) == 0) {
        json_text(json, "node", name.nodename);
        json_text(json, "system", name.sysname);
        json_text(json, "release", name.release);
        json_text(json, "machine", name.machine);
    }
    json_u64(json, "processors", (uint64_t)sysconf(_SC_NPROCESSORS_ONLN));
    json_object_close(json);
}

static void write_versions(struct json *json, const char *key, const char *worker)
{
    json_object_open(json, key);
    json_text(json, "kvali", kvali_version());
    json_text(json, "commit", kvali_commit());
    json_text(json, "database", db_version());
    json_raw(json, "worker", worker ? worker : "{}");
    json_object_close(json);
}

static int begin_run(struct supervisor *s)
{
    struct buf settings = {0}, host = {0}, versions = {0};
    struct json json;
    char sha256[SHA256_HEX_SIZE];
    settings_sha256(s->options->settings, sha256);
    json_init(&json, &settings);
    json_object_open(&json, NULL);
    settings_to_json(s->options->settings, &json);
    json_object_close(&json);
    json_init(&json, &host);
    write_host(&json, NULL);
    json_init(&json, &versions);
    write_versions(&json, NULL, NULL);
    int code = buf_failed(&settings) || buf_failed(&host) || buf_failed(&versions) ? -ENOMEM : 0;
    if (code == 0)
        code = writer_run_begin(s->writer, buf_cstr(&settings), sha256, buf_cstr(&versions), buf_cstr(&host), &s->run);
    buf_finish(&settings);
    buf_finish(&host);
    buf_finish(&versions);
    if (code == 0)
        code = later(s) ? writer_run_pass(s->writer, s->run, 0) : link_forget(s->cf);
    if (code == 0)
        code = histogram_forget(s->cf);
    return supervisor_written(s, code);
}

/* Which libraries the workers have is known when they are there: the run's row says it from then on. */
static int note_versions(struct supervisor *s)
{
    struct buf versions = {0};
    struct json json;
    json_init(&json, &versions);
    write_versions(&json, NULL, s->versions);
    int code = buf_failed(&versions) ? -ENOMEM : writer_run_versions(s->writer, s->run, buf_cstr(&versions));
    buf_finish(&versions);
    return supervisor_written(s, code);
}

/* The ledger's record of the run, once plugins, versions, evidence and sandbox are known. */
static int ledger_begin(struct supervisor *s)
{
    struct buf buf = {0}, loaded = {0};
    struct json json;
    char sha256[SHA256_HEX_SIZE];
    settings_sha256(s->options->settings, sha256);
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    json_u64(&json, "run", s->run);
    json_u64(&json, "pass", s->result.pass);
    json_text(&json, "pass_plugins", s->options->pass);
    if (!part(s))
        settings_to_json(s->options->settings, &json);
    json_text(&json, "settings_sha256", sha256);
    write_versions(&json, "versions", s->versions);
    write_host(&json, "host");
    json_array_open(&json, "plugins");
    for (size_t i = 0; i < s->plugin_count; i++) {
        json_object_open(&json, NULL);
        json_text(&json, "name", s->plugins[i].name);
        json_u64(&json, "version", s->plugins[i].version);
        json_object_close(&json);
    }
    json_array_close(&json);
    buf_printf(&loaded, "[%s]", buf_cstr(&s->loaded));
    if (part(s)) { /* thousands of parts come into one ledger, and the plan's listing has all of it */
        hash_sha256_hex(loaded.data, loaded.size, sha256);
        json_text(&json, "loaded_sha256", sha256);
    } else {
        json_raw(&json, "loaded", buf_cstr(&loaded));
    }
    json_text(&json, "sandbox_zygote", s->sandbox_zygote);
    json_u64(&json, "jobs", s->worker_count);
    json_object_close(&json);
    bool full = buf_failed(&buf) || buf_failed(&loaded) || buf_failed(&s->loaded);
    int code = full ? supervisor_fail(s, -ENOMEM, "out of memory")
                    : ledger_append(casefile_ledger(s->cf), "run-begin", buf_cstr(&buf), s->why);
    buf_finish(&buf);
    buf_finish(&loaded);
    return code ? (s->failure = code) : 0;
}

static int note_plugins(struct supervisor *s)
{
    struct buf names = {0};
    for (size_t i = 0; i < s->plugin_count; i++)
        buf_printf(&names, "%s%s", i ? "," : "", s->plugins[i].name);
    int code = buf_failed(&names) ? -ENOMEM : pass_first(s->cf, s->run, buf_cstr(&names));
    buf_finish(&names);
    s->result.pass = 1;
    return supervisor_written(s, code);
}

static int ledger_end(struct supervisor *s, const char *status)
{
    struct queue_counts counts = {0};
    struct buf buf = {0};
    struct json json;
    int code = casefile_counts_again(s->cf); /* an exhibit that did not open is a fault of the view's alone */
    if (code == 0)
        code = queue_counts(s->cf, &counts);
    if (supervisor_written(s, code))
        return code;
    s->result.streams_done = counts.streams_done;
    s->result.faults = counts.faults;
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    json_u64(&json, "run", s->run);
    json_u64(&json, "pass", s->result.pass);
    json_text(&json, "status", status);
    json_u64(&json, "streams_done", counts.streams_done);
    json_u64(&json, "streams_pending", counts.streams_pending);
    json_u64(&json, "bytes_done", counts.bytes_done);
    json_u64(&json, "faults", counts.faults);
    json_u64(&json, "workers_crashed", s->result.crashed);
    json_u64(&json, "workers_hung", s->result.hung);
    json_u64(&json, "workers_lost", s->result.lost);
    json_u64(&json, "workers_tampered", s->result.tampered);
    json_text(&json, "sandbox_worker", s->sandbox_worker);
    if (s->result.digest[0])
        json_text(&json, "digest", s->result.digest);
    json_object_close(&json);
    code = buf_failed(&buf) ? supervisor_fail(s, -ENOMEM, "out of memory")
                            : ledger_append(casefile_ledger(s->cf), "run-end", buf_cstr(&buf), s->why);
    buf_finish(&buf);
    return code ? (s->failure = code) : 0;
}

static int verify_images(struct supervisor *s)
{
    for (size_t i = 0; i < s->exhibit_count; i++) {
        if (!s->exhibit_states[i].ready)
            continue;
        int code = casefile_verify_image(s->cf, s->exhibits[i].id, s->why);
        if (code)
            return s->failure = code;
    }
    return 0;
}

/* What follows from the findings. */
static int derive(struct supervisor *s)
{
    int code = later(s) ? 0 : link_findings(s->cf, s->why);
    if (code == 0)
        code = histogram_count(s->cf, s->why);
    if (code == 0)
        code = kept_rules(s->cf, s->run, settings_text(s->options->settings, "yara.rules"), s->why);
    return code ? (s->failure = code) : 0;
}

/* Of all findings; meanwhile what follows from them. */
static int digest_and_derive(struct supervisor *s)
{
    struct why why = {{0}};
    struct digest_task *task = case_digest_begin(s->cf);
    int code = derive(s), digested = case_digest_end(task, s->cf, s->result.digest, code ? &why : s->why);
    return code ? code : digested ? (s->failure = digested) : 0;
}

static int end_run(struct supervisor *s)
{
    const char *status = s->result.interrupted ? "interrupted" : s->options->list_only ? "listed" : "done";
    bool whole = !s->result.interrupted && !s->options->list_only && !part(s);
    supervisor_progress(s, when_monotonic(), "summing up");
    int code = supervisor_written(s, writer_run_end(s->writer, s->run, status));
    if (code == 0)
        code = supervisor_written(s, writer_flush(s->writer));
    if (code == 0 && later(s))
        code = supervisor_written(s, pass_end(s->cf));
    if (code == 0 && whole && !later(s))
        code = verify_images(s);
    if (code == 0 && whole) {
        code = digest_and_derive(s);
        if (code)
            return code;
    } else if (code == 0 && !part(s) && !s->options->list_only) {
        code = case_digest(s->cf, NULL, NULL, s->result.digest, s->why);
        if (code)
            return s->failure = code;
    }
    if (code == 0)
        code = ledger_end(s, status);
    supervisor_event(s, "run-end", "status", status, "faults", s->result.faults);
    return code;
}

static int prepare(struct supervisor *s)
{
    uint32_t jobs = s->options->jobs ? s->options->jobs : (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
    s->worker_count = jobs < 1 ? 1 : jobs > JOBS_MAX ? JOBS_MAX : jobs;
    s->workers = calloc(s->worker_count, sizeof *s->workers);
    int code = casefile_exhibits(s->cf, &s->exhibits, &s->exhibit_count);
    if (code)
        return supervisor_fail(s, code, "%s: the exhibits cannot be read", casefile_folder(s->cf));
    s->exhibit_states = calloc(s->exhibit_count + 1, sizeof *s->exhibit_states);
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!s->workers || !s->exhibit_states || s->epoll < 0)
        return supervisor_fail(s, -ENOMEM, "out of memory");
    for (size_t i = 0; i < s->worker_count; i++)
        s->workers[i].process.wire.fd = -1;
    for (size_t i = 0; i < s->exhibit_count; i++)
        s->exhibit_states[i].id = s->exhibits[i].id;
    if (s->exhibit_count == 0)
        return supervisor_fail(s, -ENODATA, "%s: the case has no exhibits: `kvali add` adds one", casefile_folder(s->cf));
    code = writer_new(s->cf, &s->writer, s->why);
    if (code)
        return s->failure = code;
    if (s->options->again)
        code = supervisor_written(s, queue_reset(s->cf));
    return code;
}

int job_run(struct casefile *cf, const struct job_options *options, struct job_result *ret_result, struct why *why)
{
    struct supervisor s = {.cf = cf, .options = options, .epoll = -1, .why = why, .zygote = {.errors = -1, .wire.fd = -1}};
    s.started = s.flushed = s.crash_hour = when_monotonic();
    int code = prepare(&s);
    if (code == 0)
        code = begin_run(&s);
    if (code == 0)
        code = startup(&s);
    if (code == 0)
        code = later(&s) ? later_begin(&s) : note_plugins(&s);
    if (code == 0 && part(&s))
        code = part_check(&s);
    if (code == 0 && options->list_only)
        code = part_configuration(&s, &s.result.configuration);
    if (code == 0)
        code = ledger_begin(&s);
    if (code == 0)
        code = note_versions(&s);
    if (code == 0)
        code = supervisor_written(&s, writer_flush(s.writer)); /* whoever goes on after a kill needs the settings */
    if (code == 0)
        code = supervisor_loop(&s);
    supervisor_stop(&s);
    if (code == -EINTR) {
        s.result.interrupted = true;
        s.failure = code = 0;
    }
    if (s.unwritten && s.writer)
        writer_undo(s.writer);
    if (code == 0 && s.run)
        code = end_run(&s);
    else if (s.writer && s.run && writer_run_end(s.writer, s.run, "failed") == 0)
        (void)writer_flush(s.writer); /* the reason that ended the run is what is told */
    writer_free(s.writer);
    exhibits_free(s.exhibits, s.exhibit_count);
    free(s.exhibit_states);
    free(s.workers);
    startup_forget(&s);
    if (s.epoll >= 0)
        close(s.epoll);
    if (code == 0)
        *ret_result = s.result;
    else
        free(s.result.configuration);
    return code;
}
