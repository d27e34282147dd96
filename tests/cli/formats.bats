# SPDX-License-Identifier: MIT
#
# A file of each service, after the header that it writes, with each of its status words and hostile names.

load ../lib

setup() {
	make_site
	CSV=$BATS_TEST_TMPDIR/export.csv
}

# people [OPTION...]: import $CSV, and print everybody as "ADDRESS|FIRST|LAST|STATUS|SUPPRESSED|TAGS|SINCE", by address.
people() {
	expect 0 import "$CSV" --list daily "$@"
	mill export --list daily --json | jq -r '[.email, .first_name, .last_name, .status,
		(.suppressed // ""), ((.attributes.tags // []) | join("+")), .created_at] | join("|")' | sort
}

# attribute ADDRESS NAME
attribute() {
	mill subscriber show --json "$1" | jq -c ".attributes[\"$2\"]"
}

# rejected REASON: a row of the last import was rejected for that.
rejected() {
	has "$stderr" "$1"
}

@test "Substack" {
	cat >"$CSV" <<-'END'
	email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at
	ana@example.org,true,,yearly,false,2018-08-27T15:06:27.713Z,
	bob@example.org,,,other,true,2019-01-02,
	gone@deletion-request.substack.com,,,other,false,2019-01-02T00:00:00.000Z,
	odd@example.org,,,other,perhaps,2019-01-02T00:00:00.000Z,
	END
	is "$(people)" "ana@example.org|||subscribed||paid+yearly|2018-08-27T15:06:27Z
bob@example.org|||unsubscribed||other|2019-01-02T00:00:00Z"
	expect 0 import "$CSV" --list daily --dry-run
	has "$output" "Substack"
	rejected "perhaps"
	rejected "asked Substack to delete"
}

@test "beehiiv: who has a date of leaving has left, whatever the status says" {
	cat >"$CSV" <<-'END'
	email,First Name,Last Name,status,tier,created_at,stripe_customer_id,Gold Tier,unsubscribed_at,Subscription Date (Substack)
	ana@example.org, Ana ,"=cmd|' /C calc'!A0",active,free,2023-03-24 10:23:10 UTC,,Yes,,2020-01-01 00:00:00 UTC
	bob@example.org,Bob,,active,premium,2023-03-24 10:23:10 UTC,,,2023-04-01 00:00:00 UTC,
	cy@example.org,Cy,,inactive,free,2023-03-24 10:23:10 UTC,,,,
	di@example.org,Di,,pending,free,2023-03-24 10:23:10 UTC,,,,
	ed@example.org,Ed,,Needs approval,free,2023-03-24 10:23:10 UTC,,,,
	END
	is "$(people)" "ana@example.org|Ana|=cmd|' /C calc'!A0|subscribed||free+Gold Tier|2020-01-01T00:00:00Z
bob@example.org|Bob||unsubscribed||premium|2023-03-24T10:23:10Z
cy@example.org|Cy||unsubscribed||free|2023-03-24T10:23:10Z
di@example.org|Di||pending||free|2023-03-24T10:23:10Z
ed@example.org|Ed||pending||free|2023-03-24T10:23:10Z"
}

@test "Ghost" {
	printf '%s\r\n' 'id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers,gift_id' \
		'1,ana@example.org,"Ana ""; DROP TABLE x; --",hello,true,,,2020-02-03T04:05:06.000Z,,"VIP,News",Gold,' \
		'2,bob@example.org,Bob,,FALSE,,,2020-02-03T04:05:06.000Z,,,,' \
		'3,cy@example.org,Cy,,,,,2020-02-03T04:05:06.000Z,,,,' \
		'4,di@example.org,Di,,true,,,2020-02-03T04:05:06.000Z,2021-01-01T00:00:00.000Z,,,' >"$CSV"
	is "$(people)" 'ana@example.org|Ana "; DROP TABLE x; --||subscribed||VIP+News+Gold|2020-02-03T04:05:06Z
bob@example.org|Bob||unsubscribed|||2020-02-03T04:05:06Z
di@example.org|Di||unsubscribed|||2020-02-03T04:05:06Z'
	is "$(attribute ana@example.org note)" '"hello"'
	expect 0 import "$CSV" --list daily --dry-run
	rejected ":4: rejected"
}

@test "Buttondown" {
	{
		echo 'email,notes,metadata,tags,subscriber_type,creation_date,source'
		for type in regular premium gifted trialed churning unactivated unpaid paused unsubscribed removed undeliverable spammy strange; do
			echo "$type@example.org,,\"{\"\"plan\"\":\"\"x\"\"}\",\"a, b\",$type,2021-05-06T07:08:09.1+02:00,web"
		done
	} >"$CSV"
	is "$(people | cut -d'|' -f1,4,5)" 'churning@example.org|subscribed|
gifted@example.org|subscribed|
paused@example.org|unsubscribed|
premium@example.org|subscribed|
regular@example.org|subscribed|
removed@example.org|unsubscribed|
spammy@example.org|complained|complaint
trialed@example.org|subscribed|
unactivated@example.org|pending|
undeliverable@example.org|bounced|bounce
unpaid@example.org|unsubscribed|
unsubscribed@example.org|unsubscribed|'
	is "$(attribute regular@example.org plan)" '"x"'
	is "$(attribute regular@example.org tags)" '["a","b"]'
	is "$(mill subscriber show --json regular@example.org | jq -r .created_at)" 2021-05-06T05:08:09Z
	expect 0 import "$CSV" --list daily --dry-run
	rejected "strange"
}

@test "Kit: inactive has never confirmed, cold is marked" {
	cat >"$CSV" <<-'END'
	first_name,email,created_at,status,pet,tags
	Ana,ana@example.org,2022-01-01T00:00:00Z,active,cat,"a, b"
	Bob,bob@example.org,2022-01-01T00:00:00Z,inactive,,
	Cy,cy@example.org,2022-01-01T00:00:00Z,cancelled,,
	Di,di@example.org,2022-01-01T00:00:00Z,bounced,,
	Ed,ed@example.org,2022-01-01T00:00:00Z,complained,,
	Flo,flo@example.org,2022-01-01T00:00:00Z,Cold,,
	END
	is "$(people | cut -d'|' -f1,2,4-6)" 'ana@example.org|Ana|subscribed||a+b
bob@example.org|Bob|pending||
cy@example.org|Cy|unsubscribed||
di@example.org|Di|bounced|bounce|
ed@example.org|Ed|complained|complaint|
flo@example.org|Flo|subscribed||cold'
	is "$(attribute ana@example.org pet)" '"cat"'
}

@test "Kit in the words of its API, and what only looks alike" {
	while IFS='|' read -r header ana bob; do
		printf '%s\n' "$header" "$ana" "$bob" >"$CSV"
		expect 0 import "$CSV" --list daily --dry-run
		has "$output" "Kit (ConvertKit)"
		has "$output" "1 subscribed, 1 unsubscribed"
	done <<-'END'
	email_address,state,created_at,first_name|ana@example.org,active,2022-01-01T00:00:00Z,Ana|bob@example.org,cancelled,,
	id,first_name,email_address,state,created_at|1,Ana,ana@example.org,active,|2,Bob,bob@example.org,cancelled,
	first_name,email_address,state,created_at|Ana,ana@example.org,active,|Bob,bob@example.org,cancelled,
	END
	while read -r header; do
		printf '%s\n%s\n' "$header" ",$(sed 's/[^,]//g' <<<"${header#*,}")" >"$CSV"
		expect 0 import "$CSV" --list daily --dry-run
		[[ $output != *"Kit"* ]]
	done <<-'END'
	First Name,Last Name,Email Address,City,State,Created At
	Email Address,First Name,Last Name,Address,City,State,Zip
	email_address,type,creation_date,state
	END
	# Where they are one, the rows are rejected, and the operator says what it is.
	printf 'Email Address,State\nana@example.org,TX\n' >"$CSV"
	expect 0 import "$CSV" --list daily
	rejected "TX"
	expect 0 import "$CSV" --list daily --format plain
	is "$(attribute ana@example.org state)" '"TX"'
}

@test "listmonk: enabled is no consent without a word" {
	cat >"$CSV" <<-'END'
	uuid,email,name,attributes,status,created_at,updated_at
	u1,ana@example.org,Ana,"{""city"":""Graz"",""age"":7}",enabled,2023-01-02 15:04:05.123456 +0530 +0530,x
	u2,bob@example.org,Bob,{},disabled,2023-01-02 15:04:05 +0000 UTC,x
	u3,cy@example.org,Cy,{},blocklisted,0001-01-01 00:00:00 +0000 UTC,x
	END
	unchanged expect 65 import "$CSV" --list daily
	has "$stderr" "--status"
	is "$(people --status subscribed | cut -d'|' -f1-5)" 'ana@example.org|Ana||subscribed|
bob@example.org|Bob||unsubscribed|
cy@example.org|Cy||unsubscribed|import'
	is "$(attribute ana@example.org age)" 7
	is "$(mill subscriber show --json ana@example.org | jq -r .created_at)" 2023-01-02T09:34:05Z
	expect 0 import "$CSV" --list daily --status subscribed --dry-run
	has "$output" "who has left a list"
}

@test "phpList: tabs, and quotes that are none" {
	printf '%s\n' $'id\tEmail\tIs this subscriber confirmed\tIs this subscriber blacklisted\tEntered\tIs this account disabled?\tAdditional data\tcity\tList Membership' \
		$'1\tana@example.org\t1\t0\t2019-05-06 07:08:09\t0\t5" disk\t"Linz"\tNews; Daily; ' \
		$'2\tbob@example.org\t0\t0\t0000-00-00 00:00:00\t0\t\' =1+1\t\tNo Lists' \
		$'3\tcy@example.org\t1\t1\t2019-05-06 07:08:09\t0\t\t\tNo Lists' \
		$'4\tdi@example.org\t1\t0\t2019-05-06 07:08:09\t1\t\t\tNo Lists' >"$CSV"
	is "$(people | cut -d'|' -f1,4-6)" 'ana@example.org|subscribed||News+Daily
bob@example.org|pending||
cy@example.org|unsubscribed|import|
di@example.org|unsubscribed||'
	is "$(attribute ana@example.org additional_data)" '"5\" disk"'
	is "$(attribute ana@example.org city)" '"Linz"'
	is "$(attribute bob@example.org additional_data)" '"=1+1"'
}

@test "Mailtrain" {
	cat >"$CSV" <<-'END'
	cid,status,HASH_EMAIL,EMAIL,MERGE_FIRST_NAME
	a,subscribed,aGFzaA==,ana@example.org,Ana
	b,unsubscribed,aGFzaA==,bob@example.org,Bob
	c,bounced,aGFzaA==,cy@example.org,Cy
	d,complained,aGFzaA==,di@example.org,Di
	e,unsubscribed,aGFzaA==,,
	END
	is "$(people | cut -d'|' -f1,2,4,5)" 'ana@example.org|Ana|subscribed|
bob@example.org|Bob|unsubscribed|
cy@example.org|Cy|bounced|bounce
di@example.org|Di|complained|complaint'
	expect 0 import "$CSV" --list daily --dry-run
	rejected ":6: rejected"
}

@test "Mailtrain: the hash of who was erased there keeps the address out" {
	hash() { printf %s "$1" | openssl dgst -sha512 -binary | base64 -w0; }
	printf 'cid,status,HASH_EMAIL,EMAIL\na,subscribed,%s,ana@example.org\ne,unsubscribed,%s,\nf,unsubscribed,aGFzaA==,\n' \
		"$(hash ana@example.org)" "$(hash Gone@example.org)" >"$CSV"
	unchanged expect 0 import "$CSV" --list daily --dry-run
	rejected ":3: rejected: the address was erased in Mailtrain: its hash stays here"
	rejected ":4: rejected: the address was erased in Mailtrain: there is nobody left"
	expect 0 import "$CSV" --list daily
	printf 'email\nana@example.org\nGone@Example.ORG\nbob@example.org\n' >"$BATS_TEST_TMPDIR/later.csv"
	expect 0 import "$BATS_TEST_TMPDIR/later.csv" --list daily --json
	is "$(tail -1 <<<"$output" | jq -c '[.added, .unchanged, .suppressed]')" '[1,1,1]'
	has "$(mill import show 2 --rows)" "3  left alone: suppressed (erased)"
	expect 0 import "$BATS_TEST_TMPDIR/later.csv" --list daily --json --resubscribe-with-proof "a letter"
	is "$(tail -1 <<<"$output" | jq .suppressed)" 1
	expect 0 db check
}

@test "Mailtrain: undoing an import takes the hashes back" {
	printf 'cid,status,HASH_EMAIL,EMAIL\ne,unsubscribed,%s,\n' \
		"$(printf %s gone@example.org | openssl dgst -sha512 -binary | base64 -w0)" >"$CSV"
	expect 0 import "$CSV" --list daily
	expect 0 import undo 1
	printf 'email\ngone@example.org\n' >"$CSV"
	expect 0 import "$CSV" --list daily --json
	is "$(tail -1 <<<"$output" | jq .added)" 1
	expect 0 db check
}

@test "Keila: an address that is inactive there is no consent" {
	cat >"$CSV" <<-'END'
	Email,First name,Last name,Data,Status,External ID
	ana@example.org,Ana,Álvarez,"{""tags"":[""vip""],""n"":1}",active,x1
	bob@example.org,Bob,,,unsubscribed,
	cy@example.org,Cy,,,unreachable,
	di@example.org,Di,,,inactive,
	END
	is "$(people | cut -d'|' -f1-6)" 'ana@example.org|Ana|Álvarez|subscribed||vip
bob@example.org|Bob||unsubscribed||
cy@example.org|Cy||bounced|bounce|'
	is "$(attribute ana@example.org n)" 1
	expect 0 import "$CSV" --list daily --dry-run
	rejected "inactive"
}

@test "Brevo: semicolons, and the day first" {
	printf '\xef\xbb\xbfEMAIL;LASTNAME;FIRSTNAME;SMS;EMAIL_BLACKLISTED;SMS_BLACKLISTED;ADDED_TIME;MODIFIED_TIME\n' >"$CSV"
	printf 'ana@example.org;Öz;Ana;;No;Yes;03-04-2022 09:30;x\nbob@example.org;;Bob;;Yes;No;12-04-2022 09:30;x\n' >>"$CSV"
	is "$(people)" 'ana@example.org|Ana|Öz|subscribed|||2022-04-03T09:30:00Z
bob@example.org|Bob||unsubscribed|import||2022-04-12T09:30:00Z'
}

@test "Mailchimp: the zip as it was downloaded" {
	header='Adresse e-mail,Prénom,Nom,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP'
	cd "$BATS_TEST_TMPDIR"
	printf '%s\n' "$header,LAST_CHANGED,LEID,EUID,NOTES,TAGS" \
		'ana@example.org, Ana ,"Jo
Ann",2,2018-02-05 19:28:23,203.0.113.7,2018-02-06 00:00:00,203.0.113.8,,,,,"""VIP, gold"",""Blog"""' \
		'both@example.org,B,,2,,,,,,,,,' >subscribed_members_export_x.csv
	printf '%s\n' "$header,UNSUB_TIME,LEID,EUID,NOTES,TAGS" 'both@example.org,B,,2,,,,,2019-01-01 00:00:00,,,,' \
		'left@example.org,L,,2,,,,,,,,,' >unsubscribed_members_export_x.csv
	printf '%s\n' "$header,CLEAN_TIME,LEID,EUID,NOTES,TAGS" 'dead@example.org,D,,2,,,,,2019-01-01 00:00:00,,,,' \
		>cleaned_members_export_x.csv
	printf '%s\n' "$header,LAST_CHANGED,LEID,EUID,NOTES,TAGS" 'never@example.org,N,,2,,,,,,,,,' 'nobody,N,,2,,,,,,,,,' >nonsubscribed_members_export_x.csv
	echo hello >readme.md
	/usr/bin/python3 -c 'import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:
    for name in sys.argv[2:]: z.write(name)' all.zip ./*.csv readme.md
	CSV=$BATS_TEST_TMPDIR/all.zip
	expect 0 import "$CSV" --list daily --dry-run
	is "${stderr%%\'*}" "nonsubscribed_members_export_x.csv:3: rejected: "
	is "$(people)" 'ana@example.org|Ana|Jo Ann|subscribed||VIP, gold+Blog|2018-02-06T00:00:00Z
both@example.org|B||unsubscribed|||'"$(mill subscriber show --json both@example.org | jq -r .created_at)"'
dead@example.org|D||bounced|bounce||'"$(mill subscriber show --json dead@example.org | jq -r .created_at)"'
left@example.org|L||unsubscribed|||'"$(mill subscriber show --json left@example.org | jq -r .created_at)"'
never@example.org|N||pending|||'"$(mill subscriber show --json never@example.org | jq -r .created_at)"
	expect 0 consent prove ana@example.org
	has "$output" "confirmed 2018-02-06T00:00:00Z (CONFIRM_TIME) from 203.0.113.8"
	has "$output" "in subscribed_members_export_x.csv"
	expect 0 import show 1
	has "$output" "readme.md"
}

@test "a time to come is none: the words of the file stay, and the day of the import counts" {
	printf 'email,Subscribed at\nana@example.org,2099-01-01\n' >"$CSV"
	expect 0 import "$CSV" --list daily
	has "$output" "1 time could not be read"
	has "$(mill consent prove ana@example.org)" "'2099-01-01'"
	[[ $(mill subscriber show --json ana@example.org | jq -r .created_at) < 2099 ]]
}

# hostile FORMAT FIELD HEADER ROW [OPTION...]: the file is known as that format, and FIELD of its one reader is $name,
# which stands for NAME in the row. Then all is as before.
hostile() {
	printf '%s\n' "$3" "${4//NAME/\"${name//\"/\"\"}\"}" >"$CSV"
	expect 0 import "$CSV" --list daily --json "${@:5}"
	is "$(head -1 <<<"$output" | jq -r .format)" "$1"
	is "$(tail -1 <<<"$output" | jq -c '[.added, .rejected]')" '[1,0]'
	is "$(mill export --list daily --json | jq -r ".email + \" \" + .status + \" \" + .$2")" "ana@example.org subscribed $name"
	mill -q import undo "$(mill import ls --json | jq -s 'last | .import')"
	is "$(sql 'SELECT count(*) FROM subscribers')" 0
}

@test "the header rows of each service, older and newer, with a hostile name" {
	local ghost=id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at
	local chimp='MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS'
	local name=$'=cmd|\' /C calc\'!A0 "x" <b onload=y>, {{ z }}; DROP TABLE lists; -- \u202e\\'
	hostile substack attributes.expiry email,active_subscription,expiry,email_disabled,prefer_digests,created_at \
		ana@example.org,,NAME,false,false,2018-08-27
	hostile substack attributes.expiry email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at \
		ana@example.org,false,NAME,other,false,2018-08-27T15:06:27.713Z,
	hostile substack attributes.expiry email,expiry,email_disabled,prefer_digests,stripe_connected_customer_id,type \
		ana@example.org,NAME,false,false,cus_1,comp
	hostile beehiiv first_name 'email,First Name,Last Name,status,tier,created_at,stripe_customer_id,Free Tier,Bronze Tier,Silver Tier,Gold Tier,unsubscribed_at,Subscription Date (Substack)' \
		'ana@example.org,NAME,,active,free,2023-03-24 10:23:10 UTC,,,,,,,'
	hostile ghost first_name $ghost 1,ana@example.org,NAME,,true,,,2018-08-27T15:06:27.713Z,
	hostile ghost first_name $ghost,labels 1,ana@example.org,NAME,,true,,,2018-08-27T15:06:27.713Z,,
	hostile ghost first_name $ghost,labels,products 1,ana@example.org,NAME,,true,,,2018-08-27T15:06:27.713Z,,,
	hostile ghost first_name $ghost,labels,tiers,gift_id 1,ana@example.org,NAME,,true,,,2018-08-27T15:06:27.713Z,,,,
	hostile buttondown attributes.notes email,notes,metadata,tags,subscriber_type,creation_date,source,referrer_url,secondary_id,utm_campaign,utm_medium,utm_source \
		ana@example.org,NAME,,,regular,2021-05-06,,,,,,
	hostile buttondown attributes.notes email_address,type,creation_date,notes,unsubscription_date,unsubscription_reason,churn_date,ip_address,last_open_date,last_click_date \
		ana@example.org,regular,2021-05-06,NAME,,,,192.0.2.1,,
	hostile kit first_name first_name,email,created_at,status NAME,ana@example.org,2022-01-01T00:00:00Z,active
	hostile listmonk first_name uuid,email,name,attributes,status,created_at,updated_at \
		'u1,ana@example.org,NAME,{},enabled,2023-01-02 15:04:05 +0000 UTC,x' --status subscribed
	hostile phplist first_name $'id\tEmail\tIs this subscriber confirmed\tIs this subscriber blacklisted\tDid this subscriber manually confirm\tNumber of bounces\tEntered\tLast Modified\tUnique ID\tSend this subscriber HTML emails\tRSS Frequency\tIs this account disabled?\tAdditional data\tForeign Key\tName\tList Membership' \
		$'1\tana@example.org\t1\t0\t1\t0\t2019-05-06 07:08:09\t\tu\t1\t\t0\t\t\tNAME\tNews; '
	hostile mailtrain first_name cid,status,HASH_EMAIL,EMAIL,MERGE_FIRST_NAME a,subscribed,aGFzaA==,ana@example.org,NAME
	hostile keila last_name 'Email,First name,Last name,Data,Status,External ID' ana@example.org,,NAME,,active,
	hostile brevo last_name 'EMAIL;LASTNAME;FIRSTNAME;SMS;EMAIL_BLACKLISTED;SMS_BLACKLISTED;ADDED_TIME;MODIFIED_TIME' \
		'ana@example.org;NAME;;;No;No;12-04-2022 09:30;'
	hostile mailchimp first_name "Email Address,First Name,Last Name,EMAIL_TYPE,$chimp" ana@example.org,NAME,,html,2,,,,,,,,,,,,,,,,
	hostile mailchimp last_name "Email Address,First Name,Last Name,Company,$chimp" ana@example.org,,NAME,,2,,,,,,,,,,,,,,,,
}

@test "encodings, line ends, compression: the same people" {
	text=$'E-Mail;Vorname;Ort\njürgen@example.org;Jürgen;Köln\nana@example.org;Ana;"a;b"\n'
	expected='ana@example.org|Ana|"a;b"
jürgen@example.org|Jürgen|"Köln"'
	for way in 'cat' 'sed s/$/\r/' 'tr \n \r' 'iconv -t UTF-16' 'iconv -t UTF-16LE' 'iconv -t UTF-16BE' 'iconv -t CP1252' gzip 'sed 1isep=;'; do
		printf %s "$text" | $way >"$CSV"
		expect 0 import "$CSV" --list daily
		is "$(mill export --list daily --json | jq -r '"\(.email)|\(.first_name)|\(.attributes.ort | tojson)"' | sort)" "$expected"
		[[ $way != *1252 ]] || has "$output" "Windows-1252"
		mill import undo -q "$(mill import ls --json | jq -s 'last | .import')"
	done
}

@test "headers in other languages" {
	while IFS='|' read -r email first last; do
		printf '%s,%s,%s\nana@example.org,Ana,Silva\n' "$email" "$first" "$last" >"$CSV"
		is "$(people | cut -d'|' -f1-3)" 'ana@example.org|Ana|Silva'
		mill import undo -q "$(mill import ls --json | jq -s 'last | .import')"
	done <<-'END'
	E-Mail-Adresse|Vorname|Nachname
	Courriel|Prénom|Nom
	Correo electrónico|Nombre|Apellidos
	Indirizzo email|Nome|Cognome
	E-mailadres|Voornaam|Achternaam
	E-post|Förnamn|Efternamn
	Adres e-mail|Imię|Nazwisko
	メールアドレス|名|姓
	Электронная почта|Имя|Фамилия
	END
}

@test "columns of a plain file that mark who gets no mail" {
	{
		echo 'email,Opt-In,opted_out,Bounced,Complained,Blacklisted'
		echo 'in@example.org,yes,,0,no,'
		echo 'never@example.org,no,,,,'
		echo 'out@example.org,yes,x,,,'
		echo 'bounced@example.org,yes,,1,,'
		echo 'complained@example.org,yes,0,0,true,'
		echo 'blocked@example.org,yes,0,0,,yes'
		echo 'odd@example.org,yes,0,0,,perhaps'
		echo 'silent@example.org,,0,0,,'
	} >"$CSV"
	expect 0 import "$CSV" --list daily
	is "$(mill issue audience --json --list daily | jq -r '.sample[].email')" in@example.org
	is "$(mill export --list daily --json | jq -r '.email + " " + .status + " " + .suppressed' | sort)" \
		"$(printf '%s\n' 'blocked@example.org unsubscribed import' 'bounced@example.org bounced bounce' \
			'complained@example.org complained complaint' 'in@example.org subscribed ' \
			'never@example.org unsubscribed ' 'out@example.org unsubscribed ')"
	rejected "'perhaps' in 'Blacklisted' is no status"
	rejected "'Opt-In' is empty"
}

@test "what is not clear is asked, what is unknown refused" {
	printf 'email,status,unsubscribed_at,subscribed_to_emails\nana@example.org,active,,true\n' >"$CSV"
	unchanged expect 65 import "$CSV" --list daily
	has "$stderr" "--format"
	has "$stderr" ghost
	has "$stderr" beehiiv
	expect 0 import "$CSV" --list daily --format beehiiv --skip subscribed_to_emails
	unchanged expect 64 import "$CSV" --list daily --format mailchump
	has "$stderr" "mailchimp"
	printf 'email,status\nana@example.org,dormant\n' >"$CSV"
	expect 0 import "$CSV" --list daily
	rejected "dormant"
	printf 'email,status\nana@example.org,\n' >"$CSV"
	expect 0 import "$CSV" --list daily
	rejected "'status' is empty"
	printf 'ana@example.org\nBob <bob@example.org>\n' >"$CSV"
	expect 0 import "$CSV" --list daily
	is "$(mill subscriber show --json bob@example.org | jq -r .first_name)" Bob
}
