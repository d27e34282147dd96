/* SPDX-License-Identifier: MIT */
#include "report_parts.h"

#include <jansson.h>
#include <string.h>

static struct str text_of(struct arena *a, const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return json_is_string(v)
		       ? arena_str(a, (struct str){json_string_value(v), json_string_length(v)})
		       : (struct str){0};
}

/* The object that the text begins with. Mail systems fold its long line, and mailing adds a footer. */
static json_t *object_of(struct arena *a, struct str text)
{
	struct str s = str_trim(text);
	char *p;
	size_t n = 0;

	if (!s.n || s.p[0] != '{')
		return NULL;
	p = arena_alloc(a, s.n + 1);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n') {
			if (i + 1 < s.n && s.p[i + 1] == ' ')
				i++;
		} else {
			p[n++] = s.p[i];
		}
	}
	return json_loadb(p, n, JSON_DISABLE_EOF_CHECK, NULL);
}

static void add_all(struct reading *r, const json_t *list, bool explain, bool final)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		struct report_recipient *p = report_add(r, text_of(r->a, one, "emailAddress"));
		struct str status = text_of(r->a, one, "status");

		if (p && !explain)
			p->finding = FINDING_NONE;
		else if (p)
			report_explain(r, p, text_of(r->a, one, "diagnosticCode"),
				status.n ? status
				: final  ? STR("5.0.0")
					 : STR("4.0.0"));
	}
}

static bool read_event(struct reading *r, const json_t *event)
{
	struct str kind = text_of(r->a, event, "notificationType");
	const json_t *bounce = json_object_get(event, "bounce");
	const json_t *complaint = json_object_get(event, "complaint");
	const json_t *mail = json_object_get(event, "mail");

	if (!kind.n)
		kind = text_of(r->a, event, "eventType");
	r->out->message_id = report_field(r->a, r->copy, "message-id");
	if (str_eq(kind, STR("Bounce")) && bounce) {
		r->out->kind = REPORT_BOUNCE;
		r->out->rule = "ses-bounce";
		add_all(r, json_object_get(bounce, "bouncedRecipients"), true,
			str_eq(text_of(r->a, bounce, "bounceType"), STR("Permanent")));
	} else if (str_eq(kind, STR("Complaint")) && complaint) {
		struct str type = text_of(r->a, complaint, "complaintFeedbackType");

		r->out->kind = REPORT_COMPLAINT;
		r->out->rule = "ses-complaint";
		r->out->feedback_type = type.n ? type : STR("abuse");
		add_all(r, json_object_get(complaint, "complainedRecipients"), false, false);
	} else if (str_eq(kind, STR("Delivery")) && mail) {
		r->out->rule = "ses-delivery";
	} else if (str_eq(kind, STR("DeliveryDelay")) && mail) {
		r->out->kind = REPORT_DELAYED;
		r->out->rule = "ses-delay";
		add_all(r,
			json_object_get(
				json_object_get(event, "deliveryDelay"), "delayedRecipients"),
			true, false);
	}
	return r->out->rule;
}

bool report_json(struct reading *r)
{
	json_t *outer = object_of(r->a, r->text), *inner;
	struct str message;
	bool found = false;

	if (!outer)
		return false;
	message = text_of(r->a, outer, "Message");
	inner = message.n ? json_loadb(message.p, message.n, 0, NULL) : NULL;
	found = read_event(r, inner ? inner : outer);
	json_decref(inner);
	json_decref(outer);
	return found;
}
