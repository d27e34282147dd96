/* SPDX-License-Identifier: MIT */
#include "pages.h"

/* /u/TOKEN: leave a list. The POST is that of RFC 8058, sent by the reader's mail provider, or the page's own
 * form; it may come again at any time, and to somebody who has long left or was erased. */

static int leave(
	struct visit *v, const struct token *t, const struct list *list, bool all, struct err *e)
{
	bool one_click = str_eq(http_form(v->in, "List-Unsubscribe"), STR("One-Click"));
	int rc;

	if (store_begin(v->store, e) < 0)
		return -1;
	rc = subscriber_unsubscribe(v->store, (int64_t)t->b, all ? 0 : (int64_t)t->a,
		one_click ? STR("one-click") : STR("unsubscribe page"), v->now, e);
	/* Whoever says it in the mail program does not want one mail more. */
	if (rc > 0 && list->goodbye && !one_click)
		rc = notice_send(v, NOTICE_GOODBYE, list, (int64_t)t->b, e);
	if (rc >= 0)
		return store_commit(v->store, e);
	store_rollback(v->store);
	return -1;
}

void page_leave(struct visit *v)
{
	struct subscriber reader = {0};
	struct list list = {0};
	struct err e = {0};
	struct token t;
	bool all = http_form(v->in, "all").n > 0,
	     one = all || http_form(v->in, "leave").n > 0 ||
		   str_eq(http_form(v->in, "List-Unsubscribe"), STR("One-Click"));
	int rc;

	if (!visit_token(v, TOKEN_UNSUBSCRIBE, v->rest, &t)) {
		visit_missing(v);
		return;
	}
	rc = list_look(v->store, (int64_t)t.a, STR(""), v->a, &list, &e);
	if (rc >= 0)
		rc = subscriber_look(v->store, (int64_t)t.b, v->a, &reader, &e);
	if (rc >= 0 && visit_acts(v) && one)
		rc = leave(v, &t, &list, all, &e);
	if (rc < 0) {
		visit_failed(v, &e);
		return;
	}
	visit_list(v, &list);
	visit_reader(v, &reader);
	visit_name(v, "page.preferences",
		visit_link(v, "/m/", TOKEN_PREFERENCES, (int64_t)t.a, (int64_t)t.b));
	visit_name(v, "page.all", all ? STR("yes") : STR(""));
	if (visit_acts(v) && one)
		visit_show(v, 200, "left", "left_title");
	else
		visit_show(v, visit_acts(v) ? 400 : 200, "leave", "leave_title");
}
