/* local.h -- starts the scripts of deploy/local with the environment of one test. */
#ifndef INTEGRATION_LOCAL_H
#define INTEGRATION_LOCAL_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

enum { SKIP_EXIT_CODE = 77 };

/* Runs `deploy/local/SCRIPT VERB`; true: it succeeded. The environment is that of setenv. */
static inline bool local_run(const char *script, const char *verb)
{
    char command[1024];
    (void)snprintf(command, sizeof command, "mkdir -p '%s' && '%s/deploy/local/%s' %s >'%s/%s-%s.out' 2>&1",
                   PACELINE_RUN_DIR, PACELINE_SOURCE_DIR, script, verb, PACELINE_RUN_DIR, script, verb);
    int status = system(command);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static inline int local_skip(const char *why)
{
    printf("SKIP: %s\n", why);
    return SKIP_EXIT_CODE;
}

/* A Kafka of this test's own, empty. False: it cannot run here. */
static inline bool local_kafka_start(const char *name, const char *port)
{
    char folder[512];
    (void)snprintf(folder, sizeof folder, "%s/%s", PACELINE_RUN_DIR, name);
    setenv("KAFKA_DIR", folder, 1);
    setenv("KAFKA_PORT", port, 1);
    return local_run("kafka.sh", "get") && local_run("kafka.sh", "stop") && local_run("kafka.sh", "wipe") &&
           local_run("kafka.sh", "start");
}

#endif
