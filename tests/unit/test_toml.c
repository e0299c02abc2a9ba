/* toml: what is read, and that everything else is refused with its line. */
#include "cases/custody_private.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

TestSuite(toml);

static json_t *read_good(const char *text)
{
    json_t *object = NULL;
    struct why why = {{0}};
    cr_assert_eq(toml_read("f", text, strlen(text), &object, &why), 0, "%s", why.text);
    return object;
}

static void expect_json(const char *text, const char *json)
{
    json_t *object = read_good(text);
    char *got = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    cr_assert_str_eq(got, json);
    free(got);
    json_decref(object);
}

Test(toml, it_reads_what_people_write)
{
    expect_json("", "{}");
    expect_json("a = 1 # one\r\n\n # two\nb=\"x\"", "{\"a\":1,\"b\":\"x\"}");
    expect_json("'a b' = 'C:\\x'\n\"c\" = \"\\\"\\u10d0\\n\"",
                "{\"a b\":\"C:\\\\x\",\"c\":\"\\\"\xe1\x83\x90\\n\"}");
    expect_json("t = true\nf = false\nn = -3", "{\"f\":false,\"n\":-3,\"t\":true}");
    expect_json("d = 2026-01-31\nw = 2026-01-31T10:00:00+04:00",
                "{\"d\":\"2026-01-31\",\"w\":\"2026-01-31T10:00:00+04:00\"}");
    expect_json("l = [ 1,\n 2, # more\n 3, ]\ne = []", "{\"e\":[],\"l\":[1,2,3]}");
    expect_json("[a]\nx = 1\n[b]\nx = 2", "{\"a\":{\"x\":1},\"b\":{\"x\":2}}");
    expect_json("[[a]]\nx = 1\n[[ a ]]\nx = 2", "{\"a\":[{\"x\":1},{\"x\":2}]}");
    expect_json("e = ''\nempty = \"\"", "{\"e\":\"\",\"empty\":\"\"}");
}

Test(toml, what_it_does_not_read_is_refused_with_its_line)
{
    static const struct {
        const char *text, *words;
    } bad[] = {
        {"a", "line 1: expected ="},
        {"a = ", "line 1: expected a value"},
        {"a = 1.5", "line 1: expected a value"},
        {"\na = \"x", "line 2: the string does not end"},
        {"a = \"\"\"x\"\"\"", "several lines"},
        {"a = {b = 1}", "table in braces"},
        {"a.b = 1", "key with a dot"},
        {"a = 1 b = 2", "more on this line"},
        {"a = 1\na = 2", "line 2: this key is there already"},
        {"[a]\n[a]", "line 2: this table is there already"},
        {"[a", "expected ]"},
        {"[[a]", "expected ]"},
        {"a = [1 2]", "expected , or ]"},
        {"a = [", "expected a value"},
        {"a = \"\\q\"", "no such escape"},
        {"a = \"\\ud800\"", "no such character"},
        {"a = \"\xff\"", "not UTF-8"},
        {"a = [[[[1]]]]", "lists in lists"},
        {"= 1", "expected a key"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *object = NULL;
        struct why why = {{0}};
        cr_assert_eq(toml_read("f", bad[i].text, strlen(bad[i].text), &object, &why), -EINVAL, "%s",
                     bad[i].text);
        cr_assert(strstr(why.text, bad[i].words), "\"%s\" is not in \"%s\"", bad[i].words, why.text);
        cr_assert_null(object);
    }
}

/* No beginning of a good file crashes it or is read beyond its end. */
Test(toml, every_beginning_of_a_file_is_read_or_refused)
{
    static const char text[] =
        "[[a]]\nx = \"\\u10d0\\n\" # c\nl = [1, 'b',\n2026-01-31]\n[b]\n\"k\" = true\n";
    for (size_t size = 0; size < sizeof text; size++) {
        json_t *object = NULL;
        char *copy = malloc(size ? size : 1);
        memcpy(copy, text, size);
        if (toml_read("f", copy, size, &object, NULL) == 0)
            json_decref(object);
        free(copy);
    }
}
