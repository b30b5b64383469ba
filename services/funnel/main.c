/* main.c -- paceline-funnel: the funnel machine on its shards. Wiring only. */
#include "funnel.h"
#include "machine/program.h"
#include "machine/service.h"

int main(int argc, char **argv)
{
    struct program program;
    int code = program_begin(&program, "funnel", argc, argv);
    if (code >= 0)
        return code;
    struct machine_service *service = NULL;
    struct err *err = &program.err;
    if (!machine_service_start(&program.wiring, &funnel_machine, program.metrics, program.health, &service, err))
        while (program_runs(&program) && !machine_service_failed(service, err))
            continue;
    machine_service_stop(&service);
    return program_end(&program);
}
