// SPDX-License-Identifier: MIT
// validate.js FILE.html...: what html-validate holds against a message, a line each. Left out: rules that mail
// programs force anybody to break (styles and old attributes in line, conditional comments, tables without tbody).
'use strict';
const fs = require('fs');
const { HtmlValidate } = require('html-validate');

const off = ['no-inline-style', 'no-deprecated-attr', 'no-conditional-comment', 'prefer-tbody', 'prefer-native-element',
	'long-title'];
const judge = new HtmlValidate({ root: true, extends: ['html-validate:recommended'],
	rules: Object.fromEntries(off.map((rule) => [rule, 'off'])) });

for (const file of process.argv.slice(2))
	for (const result of judge.validateStringSync(fs.readFileSync(file, 'utf8')).results)
		for (const m of result.messages)
			console.log(`${file}:${m.line}: ${m.ruleId}: ${m.message}`);
