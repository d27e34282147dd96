// SPDX-License-Identifier: MIT
// features.js ALLOWED FILE.html...: the elements, attributes and CSS that messages use and that one of the large
// mail programs lacks, by the data of caniemail.com, but for those in the file ALLOWED (`FEATURE why`, a line each);
// and the lines of ALLOWED that nothing needs any more.
'use strict';
const fs = require('fs');
const path = require('path');


// The package hides its data from require().
const { data } = JSON.parse(fs.readFileSync(path.join(process.env.NODE_PATH, 'caniemail/data/caniemail.json')));
const large = ['apple-mail', 'gmail', 'outlook', 'yahoo', 'samsung-email', 'thunderbird'];
const [allowed, ...files] = process.argv.slice(2);

// The newest answer of each program and platform: y, n, a (in part), u (unknown).
function lacking(feature) {
	const found = [];
	for (const client of large)
		for (const [platform, versions] of Object.entries(feature.stats[client] || {}))
			if (Object.values(versions).pop()[0] === 'n')
				found.push(`${client} ${platform}`);
	return found;
}

function used(html) {
	const names = new Set();
	const css = [];
	const page = html.replace(/<!--[\s\S]*?-->/g, '').replace(/<style[^>]*>([\s\S]*?)<\/style>/g, (_, sheet) => {
		names.add('html-style');
		css.push(sheet);
		return '';
	});
	for (const [, tag, attributes] of page.matchAll(/<([a-z0-9]+)((?:[^>"]|"[^"]*")*)>/gi)) {
		names.add(`html-${tag}`);
		for (const [, name, value] of attributes.matchAll(/([a-z-]+)="([^"]*)"/gi)) {
			names.add(`html-${name}`);
			if (name === 'style')
				css.push(value);
		}
	}
	for (const text of css) {
		for (const [, property] of text.matchAll(/(?:^|[;{\s])([a-z-]+)\s*:/g))
			names.add(`css-${property}`);
		for (const [, rule] of text.matchAll(/(@[a-z-]+)/g))
			names.add(`css-at-${rule.slice(1)}`);
		for (const feature of ['prefers-color-scheme', 'prefers-reduced-motion'])
			if (text.includes(feature))
				names.add(`css-at-media-${feature}`);
	}
	return names;
}

const reasons = new Map(fs.readFileSync(allowed, 'utf8').split('\n').filter((l) => l && l[0] !== '#')
	.map((l) => [l.split(/\s+/)[0], l]));
const wanted = new Set(files.flatMap((f) => [...used(fs.readFileSync(f, 'utf8'))]));
const needed = new Set();
for (const feature of data) {
	const lost = wanted.has(feature.slug) ? lacking(feature) : [];
	if (lost.length)
		needed.add(feature.slug);
	if (lost.length && !reasons.has(feature.slug))
		console.log(`${feature.slug}: not in ${lost.join(', ')}`);
}
for (const slug of reasons.keys())
	if (!needed.has(slug))
		console.log(`${slug}: allowed, and not needed`);
