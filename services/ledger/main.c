/* main.c -- paceline-ledger: the writer of the ledger on its shards. Wiring only. */
#include "ledger_shards.h"
#include "machine/program.h"

int main(int argc, char **argv)
{
    struct program program;
    int code = program_begin(&program, "ledger", argc, argv);
    if (code >= 0)
        return code;
    struct ledger_shards *shards = NULL;
    struct err *err = &program.err;
    if (!wiring_topics_check(&program.wiring, err) &&
        !ledger_shards_start(&program.wiring, program.metrics, program.health, &shards, err))
        while (program_runs(&program) && !ledger_shards_failed(shards, err))
            continue;
    ledger_shards_stop(&shards);
    return program_end(&program);
}
