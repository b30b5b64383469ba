/* plan_rules.h -- what the keys of one plan item say together, by kind (plan_schema.c lists them). */
#ifndef MODEL_PLAN_RULES_H
#define MODEL_PLAN_RULES_H

#include "model/plan_schema.h"

void plan_rule_node(struct plan_checker *checker, const struct yaml_node *item);
void plan_rule_model(struct plan_checker *checker, const struct yaml_node *item);
void plan_rule_measure(struct plan_checker *checker, const struct yaml_node *item);
void plan_rule_target(struct plan_checker *checker, const struct yaml_node *item);
void plan_rule_rule(struct plan_checker *checker, const struct yaml_node *item);
void plan_rule_obligation(struct plan_checker *checker, const struct yaml_node *item);

/* Containers of calendars and targets; each reports what is wrong. */
void plan_check_week(struct plan_checker *checker, const struct yaml_node *node);
void plan_check_workdays(struct plan_checker *checker, const struct yaml_node *node);
void plan_check_weights(struct plan_checker *checker, const struct yaml_node *node);
void plan_check_intraday(struct plan_checker *checker, const struct yaml_node *node);
void plan_check_split(struct plan_checker *checker, const struct yaml_node *node);
void plan_check_dim(struct plan_checker *checker, const struct yaml_node *node);

extern const char *const plan_words_obligations[];

#endif
