/* run_folder.h -- the folder of an installation in embedded mode: made when new, held by one `paceline run` at a time.
 */
#ifndef CLI_RUN_FOLDER_H
#define CLI_RUN_FOLDER_H

#include "base/err.h"

/* Makes DIR with log, lock, redis, store and a commented paceline.yaml, as far as they are missing. */
enum err_code run_folder_make(const char *dir, bool zh, struct err *err);
/* Takes DIR for this process; the lock goes with it. ERR_LATER: another one works there (its pid is told). */
enum err_code run_folder_lock(const char *dir, int *lock, struct err *err);

#endif
