/* What the end of a program means, for every handler that runs one: exit statuses, so that all of them say the same to the
 * person. */
#ifndef HM_HANDLERS_ARGV_ANSWER_H
#define HM_HANDLERS_ARGV_ANSWER_H

#include "handlers/handler.h"

struct hm_argv_asked {
    const char *command;   /* how people call it: "nu ser cycle" */
    enum hm_effect effect; /* of the action */
    const int *refusals;   /* exit statuses that prove that nothing was done (usage, bad parameter); ends with 0; NULL = none */
};

/* OK for exit status 0, with {status, output} as its result (output: the end of stdout). A status among the refusals is
 * PERMANENT. Any other, and an end by a signal, proves nothing: MAYBE; a read is RETRYABLE. The sentence has the status and the
 * end of stderr (or of stdout, when that is silent). */
enum hm_verdict hm_argv_judge(const struct hm_argv_asked *asked, const struct hm_answer *answer, struct hm_outcome *ret_out);

/* The program ended because it could not resolve the name of a host, says so on stderr, and nothing but zeros on stdout: nothing
 * was sent anywhere. */
bool hm_argv_unresolved(const struct hm_answer *answer);

/* True for a word that no program takes for an option and no path leads out of: letters, digits and . _ -, at most 100, beginning
 * with a letter or digit. What a person typed must pass it before it becomes a word of an argv vector. */
bool hm_argv_word_ok(const char *word);

/* True when the program printed more than is kept: its output begins with a line that says so (io/process.h). What is not in the
 * rest may have been in what is gone. */
bool hm_argv_was_cut(const struct hm_answer *answer);

/* What hm_argv_judge() makes of a program that ended well. */
/* clang-format off */
#define HM_ARGV_RESULT_FIELDS \
    {"output", HM_FIELD_TEXT, true, "the end of what the program printed", NULL}, \
    {"status", HM_FIELD_NUMBER, true, "its exit status", NULL}
/* clang-format on */

#endif
