/* SPDX-License-Identifier: MIT */
#include "format.h"

#include <string.h>

/*
 * One row a service. What is not named here is looked for among the aliases (aliases.c), and else becomes an attribute.
 */
static const struct format formats[] = {
	{
		.name = "plain",
		.title = "plain CSV",
	},
	{
		.name = "lettermill",
		.title = "an export of Lettermill",
		.own = true,
	},
	{
		.name = "mailchimp",
		.title = "Mailchimp",
		.sign = {{"MEMBER_RATING"}, {"OPTIN_TIME", "LEID"}},
		.first_is_email = true,
		.wants_status = true,
		.column =
			{
				{"CONFIRM_TIME", COLUMN_CONFIRMED, NULL},
				{"CONFIRM_IP", COLUMN_CONFIRMED_IP, NULL},
				{"OPTIN_TIME", COLUMN_SIGNED_UP, NULL},
				{"OPTIN_IP", COLUMN_IP, NULL},
				{"UNSUB_TIME", COLUMN_STATUS, "*=unsubscribed"},
				{"CLEAN_TIME", COLUMN_STATUS, "*=bounced"},
				{"UNSUB_CAMPAIGN_ID", COLUMN_DROPPED, NULL},
				{"CLEAN_CAMPAIGN_ID", COLUMN_DROPPED, NULL},
				{"LEID", COLUMN_DROPPED, NULL},
				{"EUID", COLUMN_DROPPED, NULL},
				{"TAGS", COLUMN_TAGS, ","},
			},
	},
	{
		.name = "substack",
		.title = "Substack",
		.sign = {{"active_subscription"}, {"email_disabled", "type"}},
		.refused_suffix = "@deletion-request.substack.com",
		.refused_why = "the reader asked Substack to delete the address",
		.column =
			{
				{"email_disabled", COLUMN_STATUS,
					"true=unsubscribed|false=subscribed"},
				{"active_subscription", COLUMN_TAGS, "true=paid"},
				{"plan", COLUMN_TAGS, ""},
				{"type", COLUMN_TAGS, ""},
				{"created_at", COLUMN_SIGNED_UP, NULL},
			},
	},
	{
		.name = "beehiiv",
		.title = "beehiiv",
		.sign = {{"unsubscribed_at", "status"}, {"* Tier"}},
		.column =
			{
				{"unsubscribed_at", COLUMN_STATUS, "*=unsubscribed"},
				{"status", COLUMN_STATUS,
					"active=subscribed|pending=pending|needs approval=pending|"
					"inactive=unsubscribed"},
				{"Subscription Date (Substack)", COLUMN_SIGNED_UP, NULL},
				{"created_at", COLUMN_CREATED, NULL},
				{"tier", COLUMN_TAGS, ""},
				{"* Tier", COLUMN_TAGS, "yes=*"},
			},
	},
	{
		.name = "ghost",
		.title = "Ghost",
		.sign = {{"subscribed_to_emails"}},
		.column =
			{
				{"subscribed_to_emails", COLUMN_STATUS,
					"true=subscribed|false=unsubscribed"},
				{"deleted_at", COLUMN_STATUS, "*=unsubscribed"},
				{"created_at", COLUMN_CREATED, NULL},
				{"labels", COLUMN_TAGS, ","},
				{"tiers", COLUMN_TAGS, ","},
				{"products", COLUMN_TAGS, ","},
				{"complimentary_plan", COLUMN_TAGS, "true=complimentary"},
			},
	},
	{
		.name = "buttondown",
		.title = "Buttondown",
		.sign = {{"subscriber_type"}, {"email_address", "type", "creation_date"}},
		.column =
			{
				{"type", COLUMN_STATUS,
					"regular=subscribed|premium=subscribed+premium|gifted="
					"subscribed+gifted|"
					"trialed=subscribed|churning=subscribed|unactivated="
					"pending|"
					"unpaid=unsubscribed|paused=unsubscribed|unsubscribed="
					"unsubscribed|"
					"removed=unsubscribed|undeliverable=bounced|spammy="
					"complained"},
				{"subscriber_type", COLUMN_STATUS,
					"regular=subscribed|premium=subscribed+premium|gifted="
					"subscribed+gifted|"
					"trialed=subscribed|churning=subscribed|unactivated="
					"pending|"
					"unpaid=unsubscribed|paused=unsubscribed|unsubscribed="
					"unsubscribed|"
					"removed=unsubscribed|undeliverable=bounced|spammy="
					"complained"},
				{"unsubscription_date", COLUMN_STATUS, "*=unsubscribed"},
				{"creation_date", COLUMN_CREATED, NULL},
				{"ip_address", COLUMN_IP, NULL},
				{"tags", COLUMN_TAGS, ","},
				{"metadata", COLUMN_OBJECT, NULL},
			},
	},
	{
		.name = "kit",
		.title = "Kit (ConvertKit)",
		/* Its export, and what its API says; in a file of addresses, "State" is a place. */
		.sign = {{"first_name", "email", "created_at", "status"},
			{"email_address", "state"}, {"id", "first_name", "email_address", "state"},
			{"first_name", "email_address", "state", "created_at"}},
		.in_order = true,
		.column =
			{
				{"status", COLUMN_STATUS,
					"active=subscribed|confirmed=subscribed|cold=subscribed+"
					"cold|"
					"inactive=pending|unconfirmed=pending|cancelled="
					"unsubscribed|"
					"bounced=bounced|complained=complained"},
				{"state", COLUMN_STATUS,
					"active=subscribed|confirmed=subscribed|cold=subscribed+"
					"cold|"
					"inactive=pending|unconfirmed=pending|cancelled="
					"unsubscribed|"
					"bounced=bounced|complained=complained"},
				{"created_at", COLUMN_CREATED, NULL},
				{"tags", COLUMN_TAGS, ","},
			},
	},
	{
		.name = "listmonk",
		.title = "listmonk",
		.sign = {{"uuid", "attributes", "status", "created_at"}},
		.note = "listmonk's file does not tell who has left a list: they are still "
			"'enabled' in it",
		.column =
			{
				{"status", COLUMN_STATUS,
					"enabled=ask|disabled=unsubscribed|blocklisted=suppressed"},
				{"subscription_status", COLUMN_STATUS,
					"confirmed=subscribed|unconfirmed=pending|unsubscribed="
					"unsubscribed"},
				{"attributes", COLUMN_OBJECT, NULL},
				{"created_at", COLUMN_CREATED, NULL},
			},
	},
	{
		.name = "phplist",
		.title = "phpList",
		.sign = {{"Is this subscriber confirmed"}, {"List Membership"}},
		.lax_quotes = true,
		.column =
			{
				{"Is this subscriber confirmed", COLUMN_STATUS,
					"1=subscribed|0=pending"},
				{"Is this subscriber blacklisted", COLUMN_STATUS,
					"1=suppressed|0=subscribed"},
				{"Is this account disabled?", COLUMN_STATUS,
					"1=unsubscribed|0=subscribed"},
				{"Did this subscriber manually confirm", COLUMN_REMARK,
					"1=confirmed by hand"},
				{"Entered", COLUMN_CREATED, NULL},
				{"IP", COLUMN_IP, NULL},
				{"List Membership", COLUMN_TAGS, ";~No Lists"},
			},
	},
	{
		.name = "mailtrain",
		.title = "Mailtrain",
		.sign = {{"HASH_EMAIL"}},
		.column =
			{
				{"status", COLUMN_STATUS,
					"subscribed=subscribed|unsubscribed=unsubscribed|bounced="
					"bounced|"
					"complained=complained"},
				{"HASH_EMAIL", COLUMN_ERASED, NULL},
				{"MERGE_FIRST_NAME", COLUMN_FIRST_NAME, NULL},
				{"MERGE_LAST_NAME", COLUMN_LAST_NAME, NULL},
			},
	},
	{
		.name = "keila",
		.title = "Keila",
		.sign = {{"Data", "Status", "External ID"}},
		.column =
			{
				{"Status", COLUMN_STATUS,
					"active=subscribed|unsubscribed=unsubscribed|unreachable="
					"bounced"},
				{"Data", COLUMN_OBJECT, NULL},
			},
	},
	{
		.name = "brevo",
		.title = "Brevo",
		.sign = {{"EMAIL_BLACKLISTED"}},
		.day_first = true,
		.column =
			{
				{"EMAIL_BLACKLISTED", COLUMN_STATUS,
					"yes=suppressed|no=subscribed"},
				{"SMS_BLACKLISTED", COLUMN_DROPPED, NULL},
				{"ADDED_TIME", COLUMN_CREATED, NULL},
			},
	},
	{
		.name = "addresses",
		.title = "a list of addresses",
	},
};

const struct format_hint format_hints[] = {
	{"mailchimp", "UNSUB_TIME", STANDING_UNSUBSCRIBED},
	{"mailchimp", "CLEAN_TIME", STANDING_BOUNCED},
	{"mailchimp", "LAST_CHANGED", STANDING_SUBSCRIBED},
};
const size_t format_hints_n = sizeof format_hints / sizeof *format_hints;

const struct format *format_at(size_t i)
{
	return i < sizeof formats / sizeof *formats ? &formats[i] : NULL;
}

const struct format *format_named(const char *name)
{
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

const char *format_names(struct arena *a)
{
	const char *all = formats[0].name;

	for (size_t i = 1; i < sizeof formats / sizeof *formats; i++)
		all = arena_printf(a, "%s, %s", all, formats[i].name);
	return all;
}

static const char *const standings[STANDING_N + 1] = {
	"subscribed", "pending", "unsubscribed", "bounced", "suppressed", "complained", "ask"};

const char *standing_name(enum standing standing)
{
	return standings[standing];
}

enum standing standing_named(struct str word)
{
	enum standing s = 0;

	while (s < STANDING_N && !str_eq(word, str_of(standings[s])))
		s++;
	return s;
}
