/* event_fields.h -- constants made from event_fields.def: VISIT_VISIT_ID, LEAD_ACTION ... = index in event.v;
 * LEAD_ACTION_created, VISIT_PHASE_checkin ... = index of an enum symbol. Included by event.h only. */
#ifndef MODEL_EVENT_FIELDS_H
#define MODEL_EVENT_FIELDS_H

#define RECORD(T, name, first)                                                                                         \
    enum T##_field_index                                                                                               \
    {                                                                                                                  \
        T##_FIELDS_FROM = (int)(first)-1,
#define FIELD(T, U, name, kind, need)        T##_##U,
#define SYMBOLS(T, U, name, kind, need, ...) T##_##U,
#define RECORD_END(T)                                                                                                  \
    T##_FIELD_COUNT                                                                                                    \
    }                                                                                                                  \
    ;
#define ITEM(K, name)                                                                                                  \
    enum K##_field_index                                                                                               \
    {
#define ITEM_FIELD(K, U, name, kind, need) K##_##U,
#define ITEM_END(K)                                                                                                    \
    K##_FIELD_COUNT                                                                                                    \
    }                                                                                                                  \
    ;
#include "model/event_fields.def"

#define RECORD(T, name, first)
#define FIELD(T, U, name, kind, need)
#define S(prefix, symbol)                    prefix##_##symbol,
#define SYMBOLS(T, U, name, kind, need, ...) enum T##_##U##_symbol{__VA_ARGS__ T##_##U##_SYMBOL_COUNT};
#define RECORD_END(T)
#define ITEM(K, name)
#define ITEM_FIELD(K, U, name, kind, need)
#define ITEM_END(K)
#include "model/event_fields.def"

#endif
