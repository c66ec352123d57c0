/* Secrets by reference: the three forms, what is refused, and that no error tells the value. */
#include "base/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "unit.h"

static char folder[] = "/tmp/hm-test-secret-XXXXXX";

static const char *const file_names[] = {"plain",        "newline", "two-newlines", "lines",        "empty",
                                         "only-newline", "nul",     "full",         "full-newline", "long"};

static void write_file(const char *name, const char *data, size_t len)
{
    char *path = hm_xasprintf("%s/%s", folder, name);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
    free(path);
}

static int make_files(void **state)
{
    (void)state;
    char big[16386];
    if (mkdtemp(folder) == NULL)
        return -1;
    memset(big, 'k', sizeof big);
    big[16384] = '\n';
    write_file("plain", "s3cret", 6);
    write_file("newline", "s3cret\n", 7);
    write_file("two-newlines", "s3cret\n\n", 8);
    write_file("lines", "-----BEGIN-----\nabc\n-----END-----\n", 34);
    write_file("empty", "", 0);
    write_file("only-newline", "\n", 1);
    write_file("nul", "s3c\0ret", 7);
    write_file("full", big, 16384);
    write_file("full-newline", big, 16385);
    write_file("long", big, 16386);
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(file_names); i++) {
        char *path = hm_xasprintf("%s/%s", folder, file_names[i]);
        (void)unlink(path);
        free(path);
    }
    return rmdir(folder);
}

static void test_ref_ok(void **state)
{
    (void)state;
    assert_true(hm_secret_ref_ok("env:A"));
    assert_true(hm_secret_ref_ok("file:a"));
    assert_true(hm_secret_ref_ok("file:/run/secrets/a"));
    assert_true(hm_secret_ref_ok("credential:a"));
    assert_false(hm_secret_ref_ok("env:"));
    assert_false(hm_secret_ref_ok("file:"));
    assert_false(hm_secret_ref_ok("credential:"));
    assert_false(hm_secret_ref_ok(""));
    assert_false(hm_secret_ref_ok("xoxb-123"));
    assert_false(hm_secret_ref_ok("ENV:A"));
    assert_false(hm_secret_ref_ok(" env:A"));
    assert_false(hm_secret_ref_ok("vault:a"));
}

static void check_read(const char *ref, const char *expected)
{
    char *secret = NULL;
    struct hm_err err = {0};
    if (hm_secret_read(ref, folder, &secret, &err) != HM_OK)
        fail_msg("%s: %s", ref, err.msg);
    assert_string_equal(secret, expected);
    hm_secret_free(secret);
}

static void check_refused(const char *ref, enum hm_code code, const char *why)
{
    char *secret = folder; /* must be set to NULL */
    struct hm_err err = {0};
    assert_int_equal(hm_secret_read(ref, folder, &secret, &err), code);
    assert_null(secret);
    assert_int_equal(err.code, code);
    if (strstr(err.msg, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.msg, why);
    assert_null(strstr(err.msg, "s3c"));
}

static void test_files(void **state)
{
    (void)state;
    check_read("file:plain", "s3cret");
    check_read("file:newline", "s3cret");
    check_read("file:two-newlines", "s3cret\n"); /* one is the editor's, the second was meant */
    check_read("file:lines", "-----BEGIN-----\nabc\n-----END-----");
    char *absolute = hm_xasprintf("file:%s/plain", folder);
    check_read(absolute, "s3cret");
    free(absolute);

    check_refused("file:empty", HM_EENV, "file:empty is empty");
    check_refused("file:only-newline", HM_EENV, "is empty");
    check_refused("file:missing", HM_EENV, "No such file");
    check_refused("file:.", HM_EENV, "cannot read");
    check_refused("file:nul", HM_EENV, "NUL");
}

static void test_ceiling(void **state)
{
    (void)state;
    char *secret = NULL;
    assert_int_equal(hm_secret_read("file:full", folder, &secret, NULL), HM_OK);
    assert_int_equal(strlen(secret), 16384);
    hm_secret_free(secret);
    check_refused("file:full-newline", HM_ETOOBIG, "longer than 16384 bytes");
    check_refused("file:long", HM_ETOOBIG, "longer than 16384 bytes");
}

static void test_environment(void **state)
{
    (void)state;
    assert_int_equal(setenv("HM_TEST_SECRET", "s3cret", 1), 0);
    check_read("env:HM_TEST_SECRET", "s3cret");
    assert_int_equal(setenv("HM_TEST_SECRET", "", 1), 0);
    check_refused("env:HM_TEST_SECRET", HM_EENV, "is empty");
    assert_int_equal(unsetenv("HM_TEST_SECRET"), 0);
    check_refused("env:HM_TEST_SECRET", HM_EENV, "HM_TEST_SECRET is not set");
}

static void test_credentials(void **state)
{
    (void)state;
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    check_refused("credential:plain", HM_EENV, "CREDENTIALS_DIRECTORY is not set");
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
    check_read("credential:newline", "s3cret");
    check_refused("credential:missing", HM_EENV, "credential:missing");
    check_refused("credential:../passwd", HM_EINVAL, "not a path");
    check_refused("credential:/etc/passwd", HM_EINVAL, "not a path");
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

static void test_a_secret_in_clear_is_refused_and_not_repeated(void **state)
{
    (void)state;
    check_refused("s3cret", HM_EINVAL, "must be written as env:NAME");
    check_refused("", HM_EINVAL, "must be written as");
}

static void test_free_takes_anything(void **state)
{
    (void)state;
    hm_secret_free(NULL);
    hm_secret_free(hm_xstrdup(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ref_ok),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_ceiling),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_a_secret_in_clear_is_refused_and_not_repeated),
        cmocka_unit_test(test_free_takes_anything),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
