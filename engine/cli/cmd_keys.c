/* kvali keys: makes keys for a lab that has none. */
#include "engine/cli/cli.h"

#include "cases/sign.h"
#include "engine/cli/secret.h"

#include <errno.h>
#include <string.h>

static const struct option_spec specs[] = {
    {"lab", 'l', "NAME", "The laboratory's name in the certificates (default: Laboratory)"},
    {"examiner", 'e', "NAME", "The examiner's name in the certificate (default: Examiner)"},
    {"passphrase-file", 0, "FILE",
     "The first line of FILE encrypts the private keys (default: it is asked for)"},
    {"no-passphrase", 0, NULL, "Leave the private keys unencrypted: for tests"},
    {NULL, 0, NULL, NULL},
};

/* NULL with *ret_code 0: none is wanted. */
static char *passphrase(const struct options *options, int *ret_code)
{
    struct why why = {{0}};
    char *secret = NULL;
    *ret_code = EXIT_DONE;
    if (options_has(options, "no-passphrase"))
        return NULL;
    const char *file = options_text(options, "passphrase-file", NULL);
    int error = file ? secret_read(file, &secret, &why) : 0;
    if (error < 0) {
        *ret_code = fail(EXIT_ENVIRONMENT, file, error, &why, NULL);
        return NULL;
    }
    if (!secret)
        secret = secret_ask("the new keys");
    if (!secret || !*secret)
        *ret_code = fail_words(EXIT_USAGE, "keys", "there is no passphrase",
                               "give --passphrase-file FILE, or --no-passphrase");
    return secret;
}

static int run(const struct options *options)
{
    const char *folder = options->args[1];
    struct why why = {{0}};
    int code;
    if (strcmp(options->args[0], "init") != 0)
        return fail_words(EXIT_USAGE, options->args[0], "there is no such part of this command",
                          "expected `kvali keys init FOLDER`");
    char *secret = passphrase(options, &code);
    if (code != EXIT_DONE) {
        secret_free(secret);
        return code;
    }
    int error = keys_make(folder, options_text(options, "lab", "Laboratory"),
                          options_text(options, "examiner", "Examiner"), secret, &why);
    secret_free(secret);
    if (error < 0)
        return fail(error == -EEXIST ? EXIT_USAGE : EXIT_ENVIRONMENT, folder, error, &why,
                    error == -EEXIST ? "choose a folder that is not there yet" : NULL);
    if (!options->quiet)
        cli_print("%s/lab-root.pem    the root: give it to those who will check seals, and keep lab-root.key "
                  "offline\n"
                  "%s/examiner.p12    to seal with: kvali seal CASE --key %s/examiner.p12\n"
                  "%s/lab-root.crl    who was revoked: nobody yet (kvali seal --crl). To take a certificate back, in that "
                  "folder:\n"
                  "                   openssl ca -config ca.cnf -revoke examiner.pem; openssl ca -config ca.cnf -gencrl "
                  "-out lab-root.crl\n"
                  "%s/tsa.pem, .cnf   a time stamp authority for tests: in that folder,\n"
                  "                   openssl ts -reply -config tsa.cnf -queryfile Q.tsq -out Q.tsr\n",
                  folder, folder, folder, folder, folder);
    return EXIT_DONE;
}

const struct command command_keys = {
    .name = "keys",
    .summary = "make keys to seal with, for a lab that has none",
    .usage = "init FOLDER [options]",
    .help = "Makes FOLDER with a root certificate of the lab (10 years), an examiner's key and certificate "
            "under it (2 years,\n"
            "ECDSA P-384, as PKCS#12) and a time stamp authority for tests. A lab with certificates of its "
            "own, or with cards,\n"
            "needs none of it: `kvali seal` takes any PEM, PKCS#12 or PKCS#11 key whose certificate may "
            "sign. Never keep\n"
            "private keys in the folder of a case.",
    .example = "  kvali keys init /srv/keys --lab 'Digital Forensics Laboratory' --examiner 'N. Beridze'",
    .options = specs,
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
