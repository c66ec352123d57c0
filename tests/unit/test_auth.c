/* `auth = { … }` of a backend: every kind as it is read, and the exact words of every finding. */
#include "app/auth.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "unit.h"

/* Reads "auth = …;" and gives the findings as "line: text\n"; the caller frees both. */
static struct hm_auth *read_auth(const char *text, char **ret_findings)
{
    struct hm_diags diags;
    struct hm_strbuf said;
    hm_diags_init(&diags);
    hm_strbuf_init(&said, 10000);
    struct hm_cfg *cfg = hm_cfg_open_text("f", text, strlen(text), &diags);
    assert_non_null(cfg);
    struct hm_auth *auth = hm_auth_read(hm_cfg_root(cfg));
    hm_cfg_finish(hm_cfg_root(cfg));
    hm_cfg_close(cfg);
    for (size_t i = 0; i < diags.count; i++)
        hm_strbuf_addf(&said, "%d: %s\n", diags.items[i].line, diags.items[i].text);
    hm_diags_done(&diags);
    *ret_findings = hm_strbuf_take(&said);
    return auth;
}

/* "key=value " of what is set; the caller frees. */
static char *describe(const struct hm_auth *auth)
{
    const char *const fields[][2] = {{"secret", auth->secret}, {"user", auth->user},     {"session", auth->session},
                                     {"scheme", auth->scheme}, {"region", auth->region}, {"service", auth->service},
                                     {"scope", auth->scope},   {"url", auth->url}};
    struct hm_strbuf out;
    hm_strbuf_init(&out, 10000);
    for (size_t i = 0; i < HM_ARRAY_LEN(fields); i++)
        if (fields[i][1] != NULL)
            hm_strbuf_addf(&out, "%s=%s ", fields[i][0], fields[i][1]);
    hm_strbuf_addf(&out, "%lld", (long long)auth->lifetime_ms);
    return hm_strbuf_take(&out);
}

static void test_every_kind(void **state)
{
    static const char aws_with_token[] =
        "auth = { aws = { access_key = \"env:A\"; secret_key = \"env:S\"; session_token = \"env:T\";"
        " region = \"sa-east-1\"; service = \"dynamodb\"; }; };";
    static const struct {
        const char *text;
        enum hm_auth_kind kind;
        const char *want;
    } table[] = {
        {"auth = { bearer = \"env:T\"; };", HM_AUTH_BEARER, "secret=env:T 0"},
        {"auth = { basic = \"file:p\"; };", HM_AUTH_BASIC, "secret=file:p 0"},
        {"auth = { scheme = \"GenieKey\"; token = \"credential:t\"; };", HM_AUTH_SCHEME, "secret=credential:t scheme=GenieKey 0"},
        {"auth = { aws = { access_key = \"env:A\"; secret_key = \"env:S\"; region = \"r\"; service = \"s3\"; }; };", HM_AUTH_AWS,
         "secret=env:S user=env:A region=r service=s3 0"},
        {aws_with_token, HM_AUTH_AWS, "secret=env:S user=env:A session=env:T region=sa-east-1 service=dynamodb 0"},
        {"auth = { google = { key = \"file:sa.json\"; scope = \"https://g/auth/x y\"; }; };", HM_AUTH_GOOGLE,
         "secret=file:sa.json scope=https://g/auth/x y 0"},
        {"auth = { login = { url = \"https://a/t\"; user = \"env:U\"; password = \"env:P\"; lifetime = \"2h\"; }; };",
         HM_AUTH_LOGIN, "secret=env:P user=env:U url=https://a/t 7200000"},
        {"auth = { login = { url = \"https://a/t\"; user = \"env:U\"; password = \"env:P\"; }; };", HM_AUTH_LOGIN,
         "secret=env:P user=env:U url=https://a/t 3600000"},
        {"auth = { registry = { realm = \"https://r/auth\"; service = \"r.example\"; }; };", HM_AUTH_REGISTRY,
         "service=r.example url=https://r/auth 0"},
        {"auth = { registry = { realm = \"https://r/auth\"; service = \"r\"; user = \"env:U\"; password = \"env:P\"; }; };",
         HM_AUTH_REGISTRY, "secret=env:P user=env:U service=r url=https://r/auth 0"},
    };
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(table); i++) {
        char *said = NULL;
        struct hm_auth *auth = read_auth(table[i].text, &said);
        assert_string_equal(said, "");
        assert_non_null(auth);
        assert_int_equal(auth->kind, table[i].kind);
        char *is = describe(auth);
        assert_string_equal(is, table[i].want);
        free(is);
        hm_auth_free(auth);
        free(said);
    }
}

static void test_none(void **state)
{
    char *said = NULL;
    (void)state;
    assert_null(read_auth("", &said));
    assert_string_equal(said, "");
    free(said);
}

static void test_findings(void **state)
{
    static const char *const table[][2] = {
        {"auth = { };", "1: say how: one of bearer, basic, scheme, aws, google, login, registry\n"},
        {"auth = {\n bearer = \"env:A\";\n basic = \"env:B\";\n};",
         "1: one of bearer, basic, scheme, aws, google, login, registry; not several\n"},
        {"auth = { bearer = \"s3cret\"; };",
         "1: auth.bearer must not hold the secret itself: write env:NAME, file:PATH or credential:NAME\n"},
        {"auth = {\n scheme = \"Genie Key\";\n token = \"s3cret\";\n};",
         "1: scheme \"Genie Key\" must be letters, digits, '-', '.' and '_'\n"
         "3: auth.token must not hold the secret itself: write env:NAME, file:PATH or credential:NAME\n"},
        {"auth = { scheme = \"GenieKey\"; };", "1: \"token\" is missing in auth\n"},
        {"auth = {\n aws = {\n  access_key = \"env:A\";\n  region = \"us east\";\n };\n};",
         "2: \"secret_key\" is missing in auth.aws\n"
         "2: region \"us east\" must be letters, digits, '-', '.' and '_'\n"
         "2: \"service\" is missing in auth.aws\n"},
        {"auth = { google = { key = \"file:k\"; }; };", "1: \"scope\" is missing in auth.google\n"},
        {"auth = { login = { url = \"http://a.example/token\"; user = \"env:U\"; password = \"env:P\"; }; };",
         "1: auth.login.url \"http://a.example/token\" is neither https:// nor http:// to this machine (127.0.0.1, [::1], "
         "localhost)\n"},
        {"auth = { registry = { realm = \"https://r/auth\"; service = \"r\"; user = \"env:U\"; }; };",
         "1: user and password go together; without both, tokens are asked for without a name\n"},
        {"auth = { basic = \"evn:A\"; };", "1: auth.basic: no secret is named with \"evn:\"; did you mean \"env:\"?\n"},
        {"auth = { basic = \"env:\"; };",
         "1: auth.basic must not hold the secret itself: write env:NAME, file:PATH or credential:NAME\n"},
        {"auth = { aws = \"env:A\"; };", "1: auth.aws must be a group { … }, not a string \"…\"\n"},
        {"auth = {\n bearer = \"env:A\";\n token = \"env:B\";\n};", "3: unknown key \"token\" in auth\n"},
    };
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(table); i++) {
        char *said = NULL;
        struct hm_auth *auth = read_auth(table[i][0], &said);
        assert_string_equal(said, table[i][1]);
        hm_auth_free(auth);
        free(said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_findings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
