/* What must not leave the logs, and what must stay readable. */
#include "unit.h"

#include <stdlib.h>

#include "handlers/redact.h"

static void test_redact(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", ""},
        {"2026-11-28 04:00:01,738 ERROR at a.b.C(D.java:12)", "2026-11-28 04:00:01,738 ERROR at a.b.C(D.java:12)"},
        {"mail ana.souza+x@mail.example.com.br, please", "mail [e-mail], please"},
        {"@override a@b", "@override a@b"},
        {"cpf 123.456.789-09 cnpj 12.345.678/0001-90", "cpf [number] cnpj [number]"},
        {"cpf=12345678909;", "cpf=[number];"},
        {"card 4111 1111 1111 1111 used", "card [number] used"},
        {"took 16777216 ms, 12345678", "took 16777216 ms, 12345678"},
        {"id 5a5d411b-e41a-4a30-ab34-bac476b95761 10b090f0-fda6-4ef3-b091-9b8fec7c45fcx",
         "id 5a5d411b-e41a-4a30-ab34-bac476b95761 10b090f0-fda6-4ef3-b091-9b8fec7c45fcx"},
        {"password=hunter2 next", "password=[secret] next"},
        {"{\"password\": \"hunter2\", \"user\": \"x\"}", "{\"password\": \"[secret]\", \"user\": \"x\"}"},
        {"Authorization: Bearer abc.def", "Authorization: Bearer [secret]"},
        {"{:token \"xyz\" :id 5}", "{:token \"[secret]\" :id 5}"},
        {"the token is old", "the token is old"},
        {"secret => 'abc' and Secret:abc", "secret => '[secret]' and Secret:[secret]"},
        {"key AKIAIOSFODNN7EXAMPLE jwt eyJhbGciOiJIUzI1NiJ9.e30.abc", "key [secret] jwt [secret]"},
        {"eyJ is short", "eyJ is short"},
        {"[e-mail] [number] token=[secret]", "[e-mail] [number] token=[secret]"},
        {"\xc3\xa9 123456789\xc3\xa9", "\xc3\xa9 [number]\xc3\xa9"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *got = hm_redact(cases[i].text);
        assert_string_equal(got, cases[i].expected);
        free(got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_redact)};
    return cmocka_run_group_tests_name("redact", tests, NULL, NULL);
}
