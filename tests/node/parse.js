// SPDX-License-Identifier: MIT
// parse.js FILE.eml: what mailparser and postal-mime read in a message, a JSON object a line, to be compared.
'use strict';
const fs = require('fs');
const { simpleParser } = require('mailparser');
const PostalMime = require('postal-mime').default || require('postal-mime');

const raw = fs.readFileSync(process.argv[2]);
const body = (s) => (s || '').replace(/\r\n/g, '\n').trimEnd();

function tell(who, m) {
	console.log(JSON.stringify({ who, ...m }));
}

(async () => {
	const a = await simpleParser(raw, { skipImageLinks: true, skipHtmlToText: true, skipTextToHtml: true });
	tell('mailparser', {
		subject: a.subject, from: a.from.value.map((x) => [x.name, x.address]), to: a.to.value.map((x) => x.address),
		id: a.messageId, text: body(a.text), html: body(a.html), files: a.attachments.map((x) => [x.contentType, x.size]) });
	const b = await new PostalMime().parse(raw);
	tell('postal-mime', {
		subject: b.subject, from: [[b.from.name, b.from.address]], to: b.to.map((x) => x.address),
		id: b.messageId, text: body(b.text), html: body(b.html),
		files: b.attachments.map((x) => [x.mimeType, x.content.byteLength]) });
})();
