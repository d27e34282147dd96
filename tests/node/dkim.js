// SPDX-License-Identifier: MIT
// dkim.js RECORDS FILE.eml...: how many signatures of each file mailauth accepts, a line `FILE N`; RECORDS has lines
// `NAME RECORD` and takes the DNS's place.
'use strict';
const fs = require('fs');
const { dkimVerify } = require('mailauth/lib/dkim/verify');

const [records, ...files] = process.argv.slice(2);
const zone = new Map(fs.readFileSync(records, 'utf8').trim().split('\n').map((l) => [l.slice(0, l.indexOf(' ')), l.slice(l.indexOf(' ') + 1)]));

async function resolver(name, type) {
	if (type === 'TXT' && zone.has(name))
		return [[zone.get(name)]];
	throw Object.assign(new Error(name), { code: 'ENOTFOUND' });
}

(async () => {
	for (const file of files) {
		const { results } = await dkimVerify(fs.readFileSync(file), { resolver });
		console.log(`${file} ${results.filter((r) => r.status.result === 'pass').length}`);
	}
})();
