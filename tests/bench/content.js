// SPDX-License-Identifier: MIT
// content.js TURNS: the message of render.c made by liquidjs and nodemailer's MIME builder: CPU microseconds to parse
// the templates, and of one copy.
'use strict';
const { Liquid } = require('liquidjs');
const MailComposer = require('nodemailer/lib/mail-composer');

const turns = Number(process.argv[2]) || 2000;
const paragraph = '<p style="margin:0 0 16px;font-size:16px;line-height:26px;color:#262b33">The harbour opened before dawn, and by '
	+ 'the time the first ferry had left, cafés were full of people reading about it: three lines, each of them shorter than '
	+ 'the last.</p>\n';
const sentence = 'The harbour opened before dawn, and by the time the first ferry had left, cafés were full of people reading '
	+ 'about it.\n';

function template(unit, slots, size) {
	let text = '';
	for (let i = 0; Buffer.byteLength(text) < size; i++)
		text += (i < slots ? 'Dear {{ subscriber.first_name | default: "friend" }}, ' : '') + unit;
	return text;
}

const cpu = () => { const u = process.cpuUsage(); return u.user + u.system; };

function parse() {
	const engine = new Liquid({ outputEscape: 'escape' });
	return { engine, subject: engine.parse('Hello {{ subscriber.first_name | default: "friend" }}'),
		text: engine.parse(template(sentence, 7, 7000)), html: engine.parse(template(paragraph, 8, 23000)) };
}

async function copy(t, i) {
	const names = { subscriber: { first_name: `Zoë ${i}`, city: 'Oslo' } };
	const mail = new MailComposer({
		from: 'The Daily <daily@news.example.org>', to: `reader${i}@example.org`, replyTo: 'desk@news.example.org',
		subject: t.engine.renderSync(t.subject, names), text: t.engine.renderSync(t.text, names),
		html: t.engine.renderSync(t.html, names), textEncoding: 'quoted-printable',
		headers: { 'List-Unsubscribe': `<https://news.example.org/u/${i}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' } });
	return (await mail.compile().build()).length;
}

(async () => {
	let start = cpu(), size = 0;
	for (let i = 0; i < 200; i++)
		parse();
	const compile = (cpu() - start) / 200;
	const t = parse();
	for (let i = -turns / 10; i < turns; i++) {
		if (i === 0)
			start = cpu();
		size = await copy(t, i);
	}
	console.log(`a message of ${size} octets`);
	console.log(`parse the templates      ${compile.toFixed(2)} us`);
	console.log(`render                   ${((cpu() - start) / turns).toFixed(2)} us`);
})();
