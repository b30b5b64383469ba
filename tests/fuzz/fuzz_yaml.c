/* fuzz_yaml.c -- any bytes as a plan file: findings or records, never a crash; and every record that a file without
 * findings yields passes the door and is folded into a plan. */
#include <stdint.h>
#include <stdlib.h>

#include "cli/plan_file.h"
#include "model/plan_schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fold(void *context, const struct plan_change_event *change)
{
    const struct event *event = change->event;
    struct plan_change folded;
    char text[256];
    if (!plan_item_check(slice_of(plan_kinds[event->v[PLAN_KIND].i].name), event->v[PLAN_ID].s, event->v[PLAN_SPEC].s,
                         event->v[PLAN_RESOLVED].s, change->ended, text, sizeof text))
        abort();
    plan_apply(context, event, 1, &folded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct plan_file file;
    struct findings findings;
    if (size > 64 * 1024)
        return 0;
    findings_init(&findings);
    if (plan_file_parse(&file, "fuzz.yaml", slice_make(data, size), SLICE("acme"), NULL, &findings) == OK) {
        struct plan *plan = plan_new();
        struct buf bytes;
        buf_init(&bytes);
        plan_file_changes(&file, 1767571200000, "fuzz", -1, fold, plan);
        (void)plan_invalid_items(plan);
        plan_write_meta(plan, 1767571200000, &bytes);
        buf_clear(&bytes);
        plan_save(plan, &bytes);
        struct plan *back = plan_new();
        if (plan_load(back, buf_slice(&bytes), NULL) != OK)
            abort();
        plan_destroy(&back);
        plan_destroy(&plan);
        buf_close(&bytes);
    }
    plan_file_close(&file);
    findings_close(&findings);
    return 0;
}
