/* program.h -- what every service's main does alike: fault points, settings from flags, file and environment, log,
 * signals, wiring, topics (made when missing, refused when wrong), metrics, health, HTTP. SIGTERM and SIGINT ask it to
 * end; a second one ends it at once. */
#ifndef MACHINE_PROGRAM_H
#define MACHINE_PROGRAM_H

#include "base/health.h"
#include "base/http.h"
#include "base/metrics.h"
#include "machine/wiring.h"

enum { PROGRAM_TURN_MS = 100 };

struct program {
    const char *name;
    struct settings settings;
    struct wiring wiring;
    struct metrics *metrics;
    struct health *health;
    struct http_server *http; /* NULL: off */
    struct err err;           /* why it ends; OK: it was asked to */
};

/* Flags are --NAME VALUE or --NAME=VALUE of the table of settings, --config FILE, --help, --version, --print-config.
 * Returns -1 to go on, else the exit code of a program that is already done. */
int program_begin(struct program *program, const char *name, int argc, char **argv);
/* Waits a turn; false: it is asked to end. */
bool program_runs(struct program *program);
/* Closes all that begin opened, in the reverse order; returns the exit code of program->err. */
int program_end(struct program *program);

/* The parts of begin that `paceline run` uses, too. Signals: blocked in every thread, taken by program_asked_to_end. */
void program_signals_begin(void);
/* Memory of a service that reads a stream: what was used once is kept, for it is used again at once. */
void program_memory_begin(void);
bool program_asked_to_end(int timeout_ms);

#endif
