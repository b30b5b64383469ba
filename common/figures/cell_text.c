#include "cell_text.h"

#include <stdlib.h>

#include "model/lead_fold.h"
#include "time/zone.h"

#define EXIT(name)      "x" #name,
#define VIOLATION(name) "v" #name,
const char *const cell_text_slots[CELL_TEXT_SLOTS] = {"e",
                                                      LEAD_EXITS(EXIT) "r",
                                                      "ti",
                                                      "to",
                                                      LEAD_VIOLATIONS(VIOLATION) "unknown",
                                                      "orphan",
                                                      "late",
                                                      "restated",
                                                      "beyond",
                                                      "overflow",
                                                      "repeat",
                                                      "n",
                                                      "a"};
_Static_assert((int)CELL_TEXT_SLOTS == (int)LEAD_SLOT_COUNT, "one name per slot");

const char *const cell_text_dims[3] = {"all", "source_channel", "owner_tier"};

/* printf would be most of a projection's time. */
static void add_digits(struct buf *out, uint64_t number, unsigned width)
{
    char digits[24];
    unsigned n = 0;
    do {
        digits[sizeof digits - ++n] = (char)('0' + number % 10);
        number /= 10;
    } while (number || n < width);
    buf_add(out, digits + sizeof digits - n, n);
}

void cell_text_write_pane(const struct cell_text_pane *pane, struct buf *out)
{
    int32_t year, month, day;
    if (pane->kind == 't') {
        buf_add_byte(out, 't');
    } else if (pane->kind == 'd') {
        date_to_civil((int32_t)pane->number, &year, &month, &day);
        buf_add_byte(out, 'd');
        add_digits(out, (uint64_t)year, 4);
        add_digits(out, (uint64_t)month, 2);
        add_digits(out, (uint64_t)day, 2);
    } else if (pane->kind == 'm') {
        buf_add_byte(out, 'm');
        add_digits(out, (uint64_t)(1970 + pane->number / 12), 4);
        add_digits(out, (uint64_t)(1 + pane->number % 12), 2);
    } else {
        buf_add_byte(out, (uint8_t)pane->kind);
        add_digits(out, (uint64_t)pane->number, 1);
    }
    if (pane->currency[0]) {
        buf_add_byte(out, '$');
        buf_add(out, pane->currency, 3);
    }
}

static bool read_digits(struct slice text, int64_t *number)
{
    if (text.n == 0 || text.n > 12)
        return false;
    *number = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        *number = *number * 10 + (text.p[i] - '0');
    }
    return true;
}

static bool take_currency(struct slice *text, struct cell_text_pane *pane)
{
    const char *dollar = memchr(text->p, '$', text->n);
    pane->currency[0] = 0;
    if (!dollar)
        return true;
    size_t n = text->n - (size_t)(dollar - text->p) - 1;
    if (n != 3)
        return false;
    memcpy(pane->currency, dollar + 1, 3);
    pane->currency[3] = 0;
    text->n -= 4;
    return true;
}

bool cell_text_read_pane(struct slice text, struct cell_text_pane *pane)
{
    if (text.n == 0 || !take_currency(&text, pane) || text.n == 0)
        return false;
    pane->kind = text.p[0];
    pane->number = 0;
    int64_t n = 0;
    if (pane->kind == 't')
        return text.n == 1;
    if (!strchr("dmhqi", pane->kind) || !read_digits(slice_make(text.p + 1, text.n - 1), &n))
        return false;
    pane->number = n;
    if (pane->kind == 'd')
        pane->number = date_from_civil((int32_t)(n / 10000), (int32_t)(n / 100 % 100), (int32_t)(n % 100));
    if (pane->kind == 'm')
        pane->number = (n / 100 - 1970) * 12 + n % 100 - 1;
    return true;
}

void cell_text_write_number(const char *name, int64_t number, struct buf *out)
{
    if (out->n)
        buf_add_byte(out, ' ');
    buf_add_text(out, name);
    if (number < 0)
        buf_add_byte(out, '-');
    add_digits(out, number < 0 ? -(uint64_t)number : (uint64_t)number, 1);
}

static bool is_digit(uint8_t c) { return (c >= '0' && c <= '9') || c == '-'; }

bool cell_text_next(struct cursor *value, struct slice *name, int64_t *number)
{
    while (value->p < value->end && *value->p == ' ')
        value->p++;
    const uint8_t *start = value->p;
    while (value->p < value->end && !is_digit(*value->p))
        value->p++;
    *name = slice_make(start, (size_t)(value->p - start));
    char digits[24];
    size_t n = 0;
    while (value->p < value->end && is_digit(*value->p) && n < sizeof digits - 1)
        digits[n++] = (char)*value->p++;
    digits[n] = 0;
    *number = strtoll(digits, NULL, 10);
    return name->n && n;
}

int cell_text_slot(struct slice name)
{
    for (int i = 0; i < CELL_TEXT_SLOTS; i++) {
        if (slice_is(name, cell_text_slots[i]))
            return i;
    }
    return -1;
}
