/* kvali seal: signs what a case is now; or takes the time stamp that came later. */
#include "engine/cli/cli.h"

#include "cases/seal.h"
#include "engine/base/when.h"
#include "engine/cli/custody_cli.h"
#include "engine/cli/secret.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STAMP_MAX = 1 << 20 };

static const struct option_spec specs[] = {
    {"key", 'k', "KEY", "A PEM or PKCS#12 file, or a pkcs11: address of a card or token"},
    {"cert", 'c', "FILE", "The signer's certificate and those above it (PEM); a PKCS#12 file has them in it"},
    {"passphrase-file", 0, "FILE",
     "The first line of FILE is the key's passphrase or PIN (default: it is asked for)"},
    {"crl", 0, "FILE", "Revocation lists (PEM): looked at before it signs, and kept with the seal"},
    {"tsa", 0, "URL", "Ask this time stamp authority for a stamp over the signature (http://…)"},
    {"tsa-query", 0, "FILE",
     "Write the request for a stamp to FILE, to be carried to where there is a network"},
    {"tsa-response", 0, "FILE",
     "Make no seal: take FILE as the answer to an earlier request. With --seal N\n"
     "for another than the newest"},
    {"seal", 0, "N", "With --tsa-response: the seal that it is for"},
    {"tsa-ca", 0, "FILE", "With --tsa-response: it must lead to these roots (PEM)"},
    {"strict", 0, NULL, "Make no seal while `kvali custody check` finds gaps"},
    {NULL, 0, NULL, NULL},
};

static int failed(const char *folder, int error, const struct why *why)
{
    return error == -EKEYREJECTED || error == -ENOPKG
               ? fail(EXIT_USAGE, NULL, error, why, "see `kvali seal --help`")
               : fail(exit_code_of_case(error), folder, error, why, NULL);
}

/* ------------------------------------------------------------------ a stamp that came later */

static int take_stamp(const struct options *options)
{
    const char *folder = options->args[0], *path = options_text(options, "tsa-response", NULL);
    struct why why = {{0}};
    struct buf answer = {0};
    struct casefile *cf = NULL;
    struct stamp_facts facts;
    uint64_t number = seal_count(folder);
    char time[WHEN_TEXT_SIZE];
    int code = EXIT_DONE;
    if (options_number(options, "seal", &number, &why) || number < 1 || number > SEALS_MAX) {
        if (!why.text[0])
            why_set(&why, -EINVAL, "--seal: there is no such seal");
        return fail_usage("seal", &why);
    }
    int error = file_read(path, STAMP_MAX, &answer, &why);
    if (error)
        code = fail(EXIT_USAGE, path, error, &why, NULL);
    else if (cli_open_case(folder, CASEFILE_LEDGER, &cf, &code) == 0) {
        error = seal_stamp(cf, (uint32_t)number, answer.data, answer.size,
                           options_text(options, "tsa-ca", NULL), &facts, &why);
        if (error)
            code = failed(folder, error, &why);
        else if (!options->quiet)
            cli_print("Seal %u is stamped: %s, by %s\n", (unsigned)number, when_format(facts.time, time),
                      facts.authority);
    }
    casefile_close(cf);
    buf_finish(&answer);
    return code;
}

/* ------------------------------------------------------------------ a seal */

static int open_key(const struct options *options, struct sign_key **ret_key)
{
    struct why why = {{0}};
    char *secret = NULL;
    const char *file = options_text(options, "passphrase-file", NULL);
    char *key = lab_default("seal", "key"), *cert = lab_default("seal", "cert");
    struct sign_source source = {.key = options_text(options, "key", key),
                                 .cert = options_text(options, "cert", cert)};
    int code = EXIT_DONE, error = file ? secret_read(file, &secret, &why) : 0;
    source.passphrase = secret;
    source.ask = secret_ask;
    if (error)
        code = fail(EXIT_ENVIRONMENT, file, error, &why, NULL);
    else if (!source.key)
        code = fail_words(EXIT_USAGE, "seal", "there is no key",
                          "give --key, or key = \"…\" under [seal] in lab.toml");
    else if ((error = sign_key_open(&source, ret_key, &why)))
        code =
            fail(EXIT_USAGE, source.key, error, &why, "`kvali keys init` makes keys for a lab that has none");
    secret_free(secret);
    free(key);
    free(cert);
    return code;
}

/* The request is in the case; a copy goes to where it can be carried away. */
static int copy_query(const char *folder, uint32_t number, const char *to)
{
    char path[PATH_MAX];
    struct buf query = {0};
    struct why why = {{0}};
    int error = seal_path(folder, number, "tsq", path, sizeof path);
    if (error == 0)
        error = file_read(path, STAMP_MAX, &query, &why);
    if (error == 0)
        error = file_write(to, query.data, query.size, &why);
    buf_finish(&query);
    return error ? fail(EXIT_ENVIRONMENT, to, error, &why, "the seal is made; its request is in seals/")
                 : EXIT_DONE;
}

static void told(const struct seal_written *seal, uint64_t gaps)
{
    cli_print("Seal %u: records 1 to %llu and %zu files, signed by %s\nSHA-256 of the seal, for paper: %s\n",
              seal->number, (unsigned long long)seal->records, seal->files, seal->who.subject, seal->sha256);
    if (seal->stamped)
        cli_print("It is stamped.\n");
    if (gaps)
        cli_print("Custody has %llu gaps, and the seal says so: `kvali custody check` lists them.\n",
                  (unsigned long long)gaps);
}

static int seal(const struct options *options, struct casefile *cf, struct sign_key *key, uint64_t gaps)
{
    struct why why = {{0}};
    struct seal_written written;
    char *tsa = lab_default("seal", "tsa"), *crl = lab_default("seal", "crl");
    struct seal_options what = {.key = key, .gaps = gaps, .tsa = options_text(options, "tsa", tsa),
                                .crl = options_text(options, "crl", crl), .now = when_now()};
    int error = seal_write(cf, &what, &written, &why), code = EXIT_DONE;
    if (error)
        code = failed(casefile_folder(cf), error, &why);
    if (error == 0 && !options->quiet)
        told(&written, gaps);
    const char *query = options_text(options, "tsa-query", NULL);
    if (error == 0 && query)
        code = copy_query(casefile_folder(cf), written.number, query);
    if (error == 0 && what.tsa && !written.stamped)
        code = fail(EXIT_ENVIRONMENT, what.tsa, -EHOSTUNREACH, &why,
                    "the seal is made without a stamp; --tsa-response takes one for it later");
    free(tsa);
    free(crl);
    return code;
}

static int run(const struct options *options)
{
    struct casefile *cf = NULL;
    struct sign_key *key = NULL;
    uint64_t gaps = 0;
    if (options_has(options, "tsa-response"))
        return take_stamp(options);
    int code = open_key(options, &key);
    if (code == EXIT_DONE && cli_open_case(options->args[0], CASEFILE_WRITE, &cf, &code) == 0)
        code = custody_cli_gaps(cf, &gaps);
    if (code == EXIT_DONE && gaps && options_has(options, "strict"))
        code =
            fail_words(EXIT_CASE, options->args[0], "custody has gaps", "`kvali custody check` lists them");
    if (code == EXIT_DONE)
        code = seal(options, cf, key, gaps);
    casefile_close(cf);
    sign_key_close(key);
    return code;
}

const struct command command_seal = {
    .name = "seal",
    .summary = "sign what a case is now, so that anyone can check it",
    .usage = "CASE --key KEY [--cert FILE] [options]",
    .help =
        "Writes CASE/seals/NNNN.json over the ledger until now and over a manifest of every file of the "
        "case, and\n"
        "NNNN.p7s, a signature over it (CMS). Go on with the case as you like; the next seal covers the "
        "rest, and this\n"
        "one. CASE/VERIFY.txt tells a third party how to check everything with sha256sum, openssl and "
        "sqlite3 alone.\n"
        "Write down the SHA-256 that is printed: with it, and only with it, can be seen that seals were "
        "taken away.\n"
        "A time stamp shows that the signature is not younger. Without a network: --tsa-query writes the "
        "request,\n"
        "any authority answers it, and --tsa-response takes the answer into the case.\n"
        "Keys: ECDSA on P-384 or P-521, or RSA from 3072 bits on. For a card or token install\n"
        "libengine-pkcs11-openssl and set PKCS11_MODULE_PATH. Defaults: [seal] in lab.toml (key, cert, crl, tsa).",
    .example =
        "  kvali seal /srv/cases/2026-001 --key /srv/keys/examiner.p12\n"
        "  kvali seal CASE --key 'pkcs11:object=examiner' --cert examiner.pem --tsa http://tsa.example/\n"
        "  kvali seal CASE --tsa-response 0001.tsr",
    .exits = "  2  the key cannot be used, or the time stamp does not belong to the seal\n"
             "  4  no case, it is locked, somebody reads its database, or (--strict) custody has gaps\n"
             "  5  the time stamp authority gave none: the seal is made all the same",
    .options = specs,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
