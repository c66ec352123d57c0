/* hausmeister: the program. Everything it does is in a room below; this file only picks the subcommand. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
    return hm_cli_main(argc, argv);
}
