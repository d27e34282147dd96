// SPDX-License-Identifier: MIT
// deliver.js MESSAGE PORT CONNECTIONS MESSAGES [KEY]: nodemailer with a pool, used as its manual shows: each message
// is composed of its reader's text and HTML (those of MESSAGE with the reader's name put in, which costs nearly
// nothing) with the fields of a list, and signed with the RSA key in the file KEY.
'use strict';
const fs = require('fs');
const nodemailer = require('nodemailer');
const { simpleParser } = require('mailparser');

const [file, port, connections, messages, key] = process.argv.slice(2);

(async () => {
	const source = await simpleParser(fs.readFileSync(file), { skipImageLinks: true });
	const transport = nodemailer.createTransport({
		host: '127.0.0.1', port: Number(port), secure: false, ignoreTLS: true, pool: true,
		maxConnections: Number(connections), maxMessages: Infinity,
		...(key ? { dkim: { domainName: 'news.example.org', keySelector: 'mill1', privateKey: fs.readFileSync(key, 'utf8') } } : {}) });
	const text = source.text.split('Reader 1'), html = source.html.split('Reader 1');
	let next = 0;
	async function work() {
		for (let n = next++; n < Number(messages); n = next++)
			await transport.sendMail({
				from: 'The Daily <daily@news.example.org>', to: `reader${n}@example.org`,
				subject: `Good morning, Reader ${n}`, text: text.join(`Reader ${n}`), html: html.join(`Reader ${n}`),
				list: { id: { comment: 'The Daily', url: 'daily.news.example.org' },
					unsubscribe: `https://news.example.org/u/${n}` },
				headers: { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' } });
	}
	await Promise.all(Array.from({ length: Number(connections) * 2 }, work));
	transport.close();
})();
