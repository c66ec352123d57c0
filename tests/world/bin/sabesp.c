/* A stand-in for sabesp, the house command line for jobs: $SABESP_WORLD names a folder in which each call is written down,
 * $WORLD_URL the simulated world, which says what it does (../programs_sabesp.c). */
#include <stdio.h>
#include <stdlib.h>

#include "ask.h"

int main(int argc, char **argv)
{
    const char *folder = getenv("SABESP_WORLD"), *url = getenv("WORLD_URL");
    (void)argc;
    if (!ask_note(folder != NULL ? folder : ".", argv))
        return 98;
    if (url != NULL)
        return ask_world(url, "sabesp", argv);
    (void)printf("sabesp: done\n");
    return 0;
}
