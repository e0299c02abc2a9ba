/* report_case: see report_case.h. */
#include "tests/unit/report_case.h"

#include "cases/link.h"
#include "cases/queue.h"
#include "cases/writer.h"
#include "engine/base/text.h"
#include "engine/base/when.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const report_hostile[] = {
    "<img src=x onerror=alert(1)>",
    "</style><script>alert(2)</script>",
    "</title></head><body onload=alert(3)>",
    "\" onmouseover=\"alert(4)",
    "' onfocus='alert(5)",
    "&lt;b&gt;&#x3c;i&#x3e;",
    "photo\xe2\x80\xaegpj.exe",
    "\xe2\x81\xa6hidden\xe2\x81\xa9\xef\xbb\xbf\xe2\x80\x8b",
    "bell\a escape\x1b[2J\x1b]0;title\a return\r\n",
    "invalid \xff\xfe\xc0\xaf\xed\xa0\x80 utf-8",
    "<!-- --><![CDATA[ ]]><?php ?>",
    "{1}{2}{3} %s%n $(reboot) `id` \\x3c \\",
    "საქართველო",
    NULL,
};

enum { DIGEST, FILETYPE, YARA, CARVE, THUMBNAIL, PLUGINS };
#define MIB (1024ULL * 1024)

static const struct field digest_fields[] = {
    {"md5", FIELD_BYTES, "", "a value"},    {"sha1", FIELD_BYTES, "", "a value"},
    {"sha256", FIELD_BYTES, "", "a value"}, {"xxh3", FIELD_BYTES, "", "a value"},
    {"size", FIELD_U64, "", "a value"},     {"unread", FIELD_U64, "", "a value"}};
static const struct field filetype_fields[] = {{"mime", FIELD_TEXT, "", "a value"},
                                               {"description", FIELD_TEXT, "", "a value"},
                                               {"extension_expected", FIELD_TEXT, "", "a value"},
                                               {"mismatch", FIELD_U64, "", "a value"}};
static const struct field match_fields[] = {
    {"rule", FIELD_TEXT, "", "a value"},    {"namespace", FIELD_TEXT, "", "a value"},
    {"tags", FIELD_JSON, "", "a value"},    {"meta", FIELD_JSON, "", "a value"},
    {"strings", FIELD_JSON, "", "a value"}, {"string_count", FIELD_U64, "", "a value"},
    {"severity", FIELD_U64, "", "a value"}, {"ruleset", FIELD_TEXT, "", "a value"},
    {"line", FIELD_U64, "", "a value"},     {"last_line", FIELD_U64, "", "a value"},
    {"physical", FIELD_JSON, "", "a value"}};
static const struct field carve_fields[] = {
    {"format", FIELD_TEXT, "", "a value"}, {"extension", FIELD_TEXT, "", "a value"},
    {"grade", FIELD_TEXT, "", "a value"},  {"title", FIELD_TEXT, "", "a value"},
    {"lacks", FIELD_TEXT, "", "a value"},  {"pieces", FIELD_U64, "", "a value"},
    {"carver", FIELD_TEXT, "", "a value"}};
static const struct field thumbnail_fields[] = {{"width", FIELD_U64, "", "a value"},
                                                {"height", FIELD_U64, "", "a value"},
                                                {"mime", FIELD_TEXT, "", "a value"},
                                                {"damaged", FIELD_U64, "", "a value"},
                                                {"jpeg", FIELD_BYTES, "", "a value"}};
static struct record_type types[PLUGINS] = {{"digest", 1, "a record", digest_fields, 6},
                                     {"filetype", 1, "a record", filetype_fields, 4},
                                     {"match", 3, "a record", match_fields, 11},
                                     {"carve", 1, "a record", carve_fields, 7},
                                     {"thumbnail", 1, "a record", thumbnail_fields, 5}};

struct making {
    const struct report_case *what;
    struct casefile *cf;
    struct writer *writer;
    uint64_t run, exhibit, expand;
    size_t scanned;
};

static bool is_ready(void *context, uint64_t exhibit)
{
    (void)context;
    return exhibit > 0;
}

static bool is_busy(void *context, uint64_t id)
{
    (void)context;
    return id == 0;
}

static const struct queue_filter all_tasks = {is_ready, is_busy, NULL};

/* One hostile text after the other, or a plain one. */
static const char *hostile(const struct making *making, size_t number, const char *plain)
{
    size_t count = 0;
    while (report_hostile[count])
        count++;
    return making->what->plain ? plain : report_hostile[number % count];
}

static void begin(struct making *making, const char *folder)
{
    struct why why = {{0}};
    struct record_type *one[1];
    static const char *const names[] = {"digest", "filetype", "yara", "carve", "thumbnail"};
    int error =
        casefile_create(folder, hostile(making, 0, "011120526"), hostile(making, 3, "N. Beridze"), &why);
    assert(error == 0);
    error = casefile_open(folder, CASEFILE_WRITE, &making->cf, &why);
    assert(error == 0);
    uint64_t other;
    error = casefile_add_exhibit(making->cf, hostile(making, 1, "2026-001/1"), "/srv/evidence/disk.E01",
                                 "ewf", &making->exhibit, &why);
    assert(error == 0);
    error = casefile_add_exhibit(making->cf, "2026-001/2", "/srv/evidence/phone.raw", "auto", &other, &why);
    assert(error == 0);
    error = writer_new(making->cf, &making->writer, &why);
    assert(error == 0);
    error = writer_run_begin(
        making->writer, "{\"limit.memory\":\"1G\",\"plugins\":\"digest,filetype,yara\",\"jobs\":2}",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "{\"kvali\":\"0.1.0\",\"libtsk\":\"4.11.1\",\"libewf\":\"20140813\",\"libyara\":\"4.2.3\"}",
        "{\"os\":\"Linux 6.1\",\"cpus\":2}", &making->run);
    assert(error == 0);
    for (uint32_t i = 0; i < PLUGINS; i++) {
        one[0] = &types[i];
        error = writer_plugin(making->writer, i, names[i], 1, one, 1);
        assert(error == 0);
    }
    writer_run_sandbox(making->writer, making->run, "{\"seccomp\":\"24 calls\",\"landlock\":3}");
    writer_run_loaded(making->writer, making->run, "yara", "rules", hostile(making, 2, "malware/windows.yar"),
                      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 812, NULL);
    writer_run_loaded(making->writer, making->run, "yara", "rules", "lab/broken.yar",
                      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 0,
                      hostile(making, 5, "broken.yar line 12: undefined identifier \"pe\""));
    (void)error;
}

static void add_volume(struct making *making, uint64_t attempt, const char *key, const char *filesystem,
                       const char *label, const char *content, uint64_t offset, uint64_t size)
{
    struct found_volume volume = {.key = key,
                                  .parent = "",
                                  .table = "gpt",
                                  .type = "",
                                  .label = label,
                                  .offset = offset,
                                  .size = size,
                                  .filesystem = filesystem,
                                  .content = content,
                                  .serial = "",
                                  .time_note = "UTC, 100 ns",
                                  .expand = "",
                                  .root = "",
                                  .raw = ""};
    volume.use = !strncmp(key, "gap", 3)     ? VOLUME_GAP
                 : !strncmp(key, "table", 5) ? VOLUME_TABLE
                                             : VOLUME_ALLOCATED;
    int error = writer_volume(making->writer, attempt, making->exhibit, &volume);
    assert(error == 0);
    (void)error;
}

static void add_account(struct making *making, uint64_t attempt, const char *volume, enum account_kind kind, uint64_t bytes)
{
    int error = writer_account(making->writer, attempt, making->exhibit, &(struct found_account){volume, kind, bytes});
    assert(error == 0);
    (void)error;
}

static void add_accounts(struct making *making, uint64_t attempt)
{
    add_account(making, attempt, "table@0", ACCOUNT_SHARE, MIB);
    add_account(making, attempt, "table@0", ACCOUNT_TABLE, MIB);
    add_account(making, attempt, "p2", ACCOUNT_SHARE, 69 * MIB);
    add_account(making, attempt, "p2", ACCOUNT_LIVE, 40 * MIB);
    add_account(making, attempt, "p2", ACCOUNT_SLACK, 2 * MIB);
    add_account(making, attempt, "p2", ACCOUNT_STRUCTURES, MIB);
    add_account(making, attempt, "p2", ACCOUNT_DELETED, 6 * MIB);
    add_account(making, attempt, "p2", ACCOUNT_FREE, 20 * MIB - making->what->missing);
    add_account(making, attempt, "p3", ACCOUNT_SHARE, 20 * MIB);
    add_account(making, attempt, "p3", ACCOUNT_RAW, 20 * MIB);
    add_account(making, attempt, "gap@0x5a00000", ACCOUNT_SHARE, 10 * MIB);
    add_account(making, attempt, "gap@0x5a00000", ACCOUNT_RAW, 10 * MIB);
}

static void add_entry(struct making *making, uint64_t attempt, const char *volume, const char *name,
                      size_t number, uint32_t flags, uint64_t size, enum stream_kind kind)
{
    char locator[64], head[64];
    struct buf path = {0};
    snprintf(head, sizeof head, *volume ? "disk.E01/%s/ntfs/%zu/" : "%s", *volume ? volume : "disk.E01",
             number);
    buf_text(&path, head);
    if (*volume)
        buf_text(&path, name);
    snprintf(locator, sizeof locator, kind == STREAM_IMAGE ? "image" : "fs@1048576:ntfs/%zu-128-1", number);
    struct found_entry entry = found_entry_blank();
    entry.volume = volume;
    entry.path = buf_cstr(&path);
    entry.name = name;
    entry.name_size = strlen(name);
    entry.flags = flags;
    entry.inode = number;
    entry.size = size;
    entry.modified = 1764000000000000000;
    entry.locator = locator;
    entry.kind = kind;
    entry.disk = number;
    int error = writer_entry(making->writer, attempt, making->exhibit, &entry);
    assert(error == 0);
    (void)error;
    buf_finish(&path);
}

static void add_fault(struct making *making, uint64_t attempt, uint64_t stream, enum fault_kind kind,
                      const char *volume, const char *path, const char *detail, uint64_t size)
{
    struct found_fault fault = {.kind = kind,
                                .volume = volume,
                                .path = path,
                                .stage = stream ? "scan" : "volumes",
                                .plugin = stream ? "yara" : "",
                                .offset = stream ? 4096 : UINT64_MAX,
                                .size = size,
                                .effect = "its content was not examined",
                                .detail = detail};
    int error = writer_fault(making->writer, attempt, making->exhibit, stream, &fault);
    assert(error == 0);
    (void)error;
}

static void add_names(struct making *making, uint64_t attempt)
{
    const struct report_case *what = making->what;
    size_t number = 100;
    static const char *const plain[] = {"ანგარიში.docx", "invoice_2025.pdf.exe", "IMG_2041.jpg", "notes.txt",
                                        "setup.exe",     "archive.zip"};
    for (size_t i = 0; i < what->files; i++) {
        char name[64];
        snprintf(name, sizeof name, "file-%zu.bin", i);
        add_entry(making, attempt, "p2", what->plain ? plain[i % 6] : name, number++,
                  i % 7 == 3 ? ENTRY_NAME_DELETED | ENTRY_CONTENT_DELETED : 0, 1000 + i, STREAM_FILE);
    }
    for (size_t i = 0; !what->plain && report_hostile[i]; i++)
        add_entry(making, attempt, "p2", report_hostile[i], number++, ENTRY_ENCRYPTED, 77, STREAM_FILE);
    if (what->name_size > 0) {
        char *name = malloc(what->name_size + 1);
        assert(name);
        for (size_t i = 0; i < what->name_size; i++)
            name[i] = "<\"'&>"[i % 5];
        name[what->name_size] = 0;
        add_entry(making, attempt, "p2", name, number, 0, 1, STREAM_FILE);
        free(name);
    }
}

static void expand(struct making *making)
{
    struct writer *writer = making->writer;
    struct writer_image image = {.type = "ewf",
                                 .details =
                                     hostile(making, 6, "EnCase 6, fast compression, acquired by N. Beridze"),
                                 .unsupported = "",
                                 .damage = "",
                                 .name = "disk.E01",
                                 .size = 100 * MIB,
                                 .sector_size = 512,
                                 .segments = 3,
                                 .hash_count = 1};
    uint8_t bytes[32];
    char hex[65];
    memset(bytes, 0xab, sizeof bytes);
    snprintf(hex, sizeof hex, "%s",
             making->what->mismatch ? "00112233445566778899aabbccddeeff"
                                    : "abababababababababababababababab");
    image.hashes[0][0] = "md5";
    image.hashes[0][1] = hex;
    image.hashes[0][2] = "E01 hash section";
    uint64_t attempt;
    struct task_expand task;
    size_t count = 0;
    int error = writer_image(writer, making->exhibit, &image);
    assert(error == 0);
    error = writer_expand_add(writer, making->exhibit, "volumes", "");
    assert(error == 0);
    error = queue_expands(making->cf, &all_tasks, &task, 1, &count);
    assert(error == 0 && count == 1);
    error = writer_attempt_begin(writer, &(struct attempt_at){.run = making->run, .expand = task.id, .worker = 1}, &attempt);
    assert(error == 0);
    task_expand_finish(&task);
    add_volume(making, attempt, "table@0", "", "", "", 0, MIB);
    add_volume(making, attempt, "p2", "ntfs", hostile(making, 7, "სისტემა"), "", MIB, 69 * MIB);
    add_volume(making, attempt, "p3", "", "", hostile(making, 8, "encrypted: LUKS"), 70 * MIB, 20 * MIB);
    add_volume(making, attempt, "gap@0x5a00000", "", "", "", 90 * MIB, 10 * MIB);
    add_entry(making, attempt, "", "disk.E01", 1, 0, 100 * MIB, STREAM_IMAGE);
    add_names(making, attempt);
    add_accounts(making, attempt);
    add_fault(making, attempt, 0, FAULT_ENCRYPTED, "p3", "",
              hostile(making, 9, "LUKS version 2, aes-xts-plain64"), 20 * MIB);
    for (size_t i = 0; i < making->what->faults; i++)
        add_fault(making, attempt, 0, FAULT_DAMAGED, "p2", hostile(making, i, "disk.E01/p2/ntfs/$MFT"),
                  hostile(making, i + 1, "record 11821: fixup value does not match"), 1024);
    error = writer_attempt_end(writer, attempt, ATTEMPT_DONE, NULL);
    assert(error == 0);
    (void)error;
}

static void emit_match(struct making *making, uint64_t attempt, uint64_t stream)
{
    size_t n = making->scanned;
    static const char *const rules[] = {"win_loader_unpacked", "doc_macro_autoopen", "passport_number_ge"};
    static const char *const metas[] = {
        "{\"description\":[\"Loader of a known family, unpacked\"]}",
        "{\"description\":\"Office document with a macro that runs when it is opened\"}", "{}"};
    const char *meta = making->what->plain ? metas[n % 3]
                       : n % 2             ? "not JSON at all <b>"
                                           : "{\"description\":[\"<img src=x onerror=alert(9)>\"]}";
    struct value values[] = {
        value_text(hostile(making, n, rules[n % 3])),
        value_text(hostile(making, n + 1, "malware")),
        value_text("[]"),
        value_text(meta),
        value_text("[{\"id\":\"$a\",\"offset\":1234,\"length\":4,\"data\":\"41424344\"}]"),
        value_u64(1),
        n % 3 == 2 ? value_none() : value_u64(90 - 30 * (n % 3)),
        value_text("lab"),
        value_u64(10),
        value_u64(20),
        value_text("[1234]")};
    int error = writer_record(making->writer, attempt, stream, YARA, 0, 0, values);
    assert(error == 0);
    (void)error;
}

size_t report_case_jpeg(uint8_t *data, uint32_t width, uint32_t height)
{
    static const uint8_t head[] = {0xff, 0xd8, 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0};
    const uint8_t frame[] = {0xff, 0xc0, 0, 17, 8, 0, (uint8_t)height, 0, (uint8_t)width, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1};
    static const uint8_t codes[] = {0xff, 0xc4, 0, 20, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t scan[] = {0xff, 0xda, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0, 0x2a, 0xff, 0, 0x2a, 0xff, 0xd9};
    uint8_t *at = data;
    memcpy(at, head, sizeof head);
    at += sizeof head;
    memcpy(at, (const uint8_t[]){0xff, 0xdb, 0, 67, 0}, 5);
    memset(at + 5, 16, 64);
    at += 69;
    memcpy(at, frame, sizeof frame);
    at += sizeof frame;
    memcpy(at, codes, sizeof codes);
    at += sizeof codes;
    memcpy(at, scan, sizeof scan);
    return (size_t)(at - data) + sizeof scan;
}

/* The third byte that differs keeps it from being the same as a file. */
static void add_recovered(struct making *making, uint64_t attempt, uint64_t parent, size_t n)
{
    static const char *const grades[] = {"validated", "complete", "partial", "fragment"};
    struct writer *writer = making->writer;
    const struct found_run run = {(90 + n % 10) * MIB + 512 * n, 1000 + n};
    uint8_t jpeg[1024], bytes[32];
    char path[96];
    uint64_t child;
    size_t size = report_case_jpeg(jpeg, 160, 120);
    memset(bytes, 0xab, sizeof bytes);
    if (n % 4 != 3)
        memcpy(bytes, &n, sizeof n);
    if (n % 5 == 4)
        memcpy(jpeg + 20, "</style><script>alert(6)</script>", 33);
    snprintf(path, sizeof path, "disk.E01/gap@0x5a00000/raw!/0x%08zx.jpg", n);
    const struct writer_child object = {.path = path,
                                        .name = "x.jpg",
                                        .name_size = 5,
                                        .kind = STREAM_CARVED,
                                        .deleted = true,
                                        .plugin = "carve",
                                        .runs = &run,
                                        .run_count = 1};
    int error = writer_child(writer, attempt, parent, &object, &child);
    assert(error == 0);
    error = writer_record(writer, attempt, child, CARVE, 0, 0,
                          (const struct value[]){value_text(hostile(making, n, "JPEG picture")), value_text("jpg"),
                                                 value_text(grades[n % 4]), value_text(hostile(making, n + 1, "IMG_2041")),
                                                 value_text(hostile(making, n + 2, "the last rows")), value_u64(1 + n % 2),
                                                 value_text("jpeg")});
    assert(error == 0);
    error = writer_record(writer, attempt, child, DIGEST, 0, 0,
                          (const struct value[]){value_bytes(bytes, 16), value_bytes(bytes, 20), value_bytes(bytes, 32),
                                                 value_bytes(bytes, 16), value_u64(1000 + n), value_u64(0)});
    assert(error == 0);
    error = writer_record(writer, attempt, child, THUMBNAIL, 0, 0,
                          (const struct value[]){value_u64(2048), value_u64(1536), value_text("image/jpeg"),
                                                 value_u64(n % 4 == 2), value_bytes(jpeg, size)});
    assert(error == 0);
    writer_child_end(writer, attempt, child, 0, 1000 + n);
    (void)error;
}

static void scan(struct making *making, const struct task_stream *task)
{
    struct writer *writer = making->writer;
    static const char *const mimes[] = {"application/msword", "application/x-dosexec", "image/jpeg",
                                        "text/plain"};
    uint8_t bytes[32];
    uint64_t attempt, child, n = making->scanned++;
    bool image = task->kind == STREAM_IMAGE, partial = n % 11 == 5, failed = n % 13 == 7;
    memset(bytes, 0xab, sizeof bytes);
    int error = writer_attempt_begin(
        writer, &(struct attempt_at){.run = making->run, .stream = task->id, .size = task->size, .worker = 1}, &attempt);
    assert(error == 0);
    struct value digest[] = {value_bytes(bytes, 16), value_bytes(bytes, 20), value_bytes(bytes, 32),
                             value_bytes(bytes, 16), value_u64(task->size),  value_u64(0)};
    struct value filetype[] = {value_text(hostile(making, n, mimes[n % 4])), value_text("data"),
                               value_text("docx"), value_u64(n % 5 == 1)};
    error = writer_record(writer, attempt, task->id, DIGEST, 0, 0, digest);
    assert(error == 0);
    error = writer_record(writer, attempt, task->id, FILETYPE, 0, 0, filetype);
    assert(error == 0);
    if (!image && n % 4 == 1)
        emit_match(making, attempt, task->id);
    if (!image && n % 4 == 2)
        writer_note(writer, attempt, task->id, "filetype", 12,
                    hostile(making, n, "two signatures begin here"));
    for (size_t i = 0; n == 0 && i < making->what->recovered; i++)
        add_recovered(making, attempt, task->id, i);
    if (!image && n % 6 == 2) {
        char path[64];
        snprintf(path, sizeof path, "disk.E01/p2/ntfs/child-%llu!/inner", (unsigned long long)n);
        const struct writer_child inner = {
            .path = path, .name = "inner", .name_size = 5, .kind = STREAM_CHILD, .plugin = "filetype"};
        error = writer_child(writer, attempt, task->id, &inner, &child);
        assert(error == 0);
        writer_child_end(writer, attempt, child, 0, 10);
    }
    if (!image && partial)
        add_fault(making, attempt, task->id, FAULT_UNREADABLE, "", task->path, "checksum error in chunk 17",
                  512);
    if (!image && n % 9 == 4)
        add_fault(making, attempt, task->id, FAULT_LIMIT, "", task->path,
                  hostile(making, n, "the limit of 256 MiB was reached"), 0);
    const struct attempt_read read = {.read = !image && failed && !partial ? 0 : task->size,
                                      .unread = !image && partial ? 512 : 0,
                                      .uniform = !image && n % 10 == 5,
                                      .slack = image ? 0 : 100,
                                      .slack_uniform = n % 10 < 3};
    error = writer_attempt_end(writer, attempt,
                               image || !(partial || failed) ? ATTEMPT_DONE
                               : partial                     ? ATTEMPT_PARTIAL
                                                             : ATTEMPT_FAILED,
                               &read);
    assert(error == 0);
    (void)error;
}

static void scan_all(struct making *making)
{
    struct task_stream task;
    size_t count = 0;
    int error;
    for (size_t left = 0;; left++) {
        error = queue_streams(making->cf, &all_tasks, &task, 1, UINT64_MAX, &count);
        assert(error == 0);
        if (count == 0)
            break;
        if (making->what->pending && left == 40) {
            task_stream_finish(&task);
            break;
        }
        scan(making, &task);
        task_stream_finish(&task);
    }
    (void)error;
}

void report_case_make(const char *folder, const struct report_case *what)
{
    struct making making = {.what = what};
    struct why why = {{0}};
    int error = hash_setup();
    assert(error == 0);
    begin(&making, folder);
    expand(&making);
    error = writer_flush(making.writer);
    assert(error == 0);
    scan_all(&making);
    error = writer_flush(making.writer);
    assert(error == 0);
    error = writer_run_end(making.writer, making.run, what->pending ? "interrupted" : "done");
    assert(error == 0);
    error = writer_flush(making.writer);
    assert(error == 0);
    writer_free(making.writer);
    error = link_findings(making.cf, &why);
    assert(error == 0);
    error = casefile_verify_image(making.cf, making.exhibit, &why);
    assert(error == 0);
    casefile_close(making.cf);
    (void)error;
}
