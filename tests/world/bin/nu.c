/* A stand-in for nu, the house command line. $NU_WORLD names a folder: each call is one line of JSON in its file "calls" (argv,
 * names of the environment's variables, folder), written before anything else is done. The file "do", when there is one, says
 * what then happens, one word or two per line: say TEXT       a line on stdout complain TEXT  a line on stderr token prints
 * $NU_TOKEN wait           until somebody writes into the fifo "gate" hang           for ever stubborn       no end on TERM exit
 * N         ends with this status Without it the simulated world says what it does, when $WORLD_URL names one (../programs_nu.c);
 * else: one line, exit 0. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "base/text.h"

enum { LINE = 1000 };

static FILE *open_in_world(const char *name, const char *mode)
{
    char path[LINE];
    const char *folder = getenv("NU_WORLD");
    (void)snprintf(path, sizeof path, "%.900s/%.60s", folder != NULL ? folder : ".", name);
    return fopen(path, mode);
}

static void wait_for_gate(void)
{
    FILE *gate = open_in_world("gate", "r"); /* blocks until there is a writer */
    if (gate != NULL)
        (void)fclose(gate);
}

static const char *after(const char *line, const char *word)
{
    size_t len = strlen(word);
    return strncmp(line, word, len) == 0 && (line[len] == ' ' || line[len] == '\0') ? line + len + (line[len] == ' ') : NULL;
}

static void play(const char *line)
{
    const char *text = NULL;
    int64_t status = 0;
    if ((text = after(line, "say")) != NULL)
        (void)printf("%s\n", text);
    else if ((text = after(line, "complain")) != NULL)
        (void)fprintf(stderr, "%s\n", text);
    else if (after(line, "token") != NULL)
        (void)printf("the token is %s.\n", getenv("NU_TOKEN") != NULL ? getenv("NU_TOKEN") : "not there");
    else if (after(line, "stubborn") != NULL)
        (void)signal(SIGTERM, SIG_IGN);
    else if ((text = after(line, "exit")) != NULL)
        exit(hm_parse_i64(text, 0, 255, &status) ? (int)status : 97);
    (void)fflush(stdout);
    if (after(line, "wait") != NULL)
        wait_for_gate();
    while (after(line, "hang") != NULL)
        (void)pause();
}

int main(int argc, char **argv)
{
    char line[LINE];
    (void)argc;
    const char *folder = getenv("NU_WORLD"), *url = getenv("WORLD_URL");
    if (!ask_note(folder != NULL ? folder : ".", argv))
        return 98;
    FILE *script = open_in_world("do", "r");
    if (script == NULL && url != NULL)
        return ask_world(url, "nu", argv);
    if (script == NULL) {
        (void)printf("%s %s: done\n", argv[1] != NULL ? argv[1] : "", argv[1] != NULL && argv[2] != NULL ? argv[2] : "");
        return 0;
    }
    while (fgets(line, sizeof line, script) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        play(line);
    }
    (void)fclose(script);
    return 0;
}
