/* fuzz_json.c -- strict JSON: what is accepted can be pulled, and its canonical form is a fixed point. */
#include <assert.h>
#include <stdlib.h>

#include "base/json_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Pulls everything, also from text that was not checked: no read may leave it. */
static size_t pull(struct json_value value, unsigned depth, struct buf *texts)
{
    struct json_value name, inside;
    size_t count = 1;
    int64_t number;
    buf_clear(texts);
    if (value.kind == JSON_STRING)
        (void)json_string(value, texts);
    if (value.kind == JSON_NUMBER) {
        (void)json_number_int(value, &number);
        (void)json_number_decimal(value, 7, &number);
    }
    if (depth == JSON_DEPTH_MAX || (value.kind != JSON_OBJECT && value.kind != JSON_ARRAY))
        return count;
    struct json_iter iter = json_iter_of(value);
    if (value.kind == JSON_OBJECT)
        while (json_next_member(&iter, &name, &inside))
            count += pull(inside, depth + 1, texts);
    else
        while (json_next_item(&iter, &inside))
            count += pull(inside, depth + 1, texts);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct buf scratch, texts, canonical, again;
    struct slice text = slice_make(data, size);
    size_t offset;
    enum json_fault fault = json_check(text, JSON_DEPTH_MAX, &scratch, &offset);
    assert(offset <= size);
    size_t pulled = pull(json_value_of(text), 0, &texts);
    if (fault != JSON_OK)
        return 0;
    buf_clear(&canonical);
    buf_clear(&again);
    buf_clear(&texts);
    if (!json_canonical(json_value_of(text), &canonical, &texts))
        return 0;
    struct slice form = buf_slice(&canonical);
    assert(form.n <= 6 * size); /* an escaped control character takes six bytes */
    assert(json_check(form, JSON_DEPTH_MAX, &scratch, &offset) == JSON_OK);
    assert(json_canonical(json_value_of(form), &again, &texts) && slice_eq(form, buf_slice(&again)));
    assert(pull(json_value_of(form), 0, &texts) == pulled);
    return 0;
}
