/* main.c -- `paceline`: fault points, then the command line. */
#include "base/fault.h"
#include "base/logger.h"
#include "command.h"

int main(int argc, char **argv)
{
    fault_init();
    logger_init(&(struct logger_options){.service = "cli", .level = LOGGER_INFO});
    return cli_main(argc, argv);
}
