/* plan_shipped.h -- the shipped measures and obligations as YAML: {measures: [...]} and {obligations: [...]}. */
#ifndef MODEL_PLAN_SHIPPED_H
#define MODEL_PLAN_SHIPPED_H

extern const char plan_shipped_measures[];
extern const char plan_shipped_obligations[];

#endif
