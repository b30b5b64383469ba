/* record.c -- see record.h. */
#include "ledger/record.h"

const char *ledger_source_topic(enum ledger_source source)
{
    static const char *const topics[] = {
#define X(name, topic) [LEDGER_SOURCE_##name] = topic,
        LEDGER_SOURCES(X)
#undef X
    };
    return (unsigned)source < LEDGER_SOURCE_COUNT ? topics[source] : "";
}
