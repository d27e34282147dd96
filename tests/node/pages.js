// SPDX-License-Identifier: MIT
// Drives the public pages as a reader does: pages.js PAGES MAILDIR OUT STEP..., where a STEP that the shell takes
// between two of ours ends the program. What it needs stands in the environment: FILE links.json keeps what was
// found in mails. Exits 1, and tells, when something is not as it ought to be.
'use strict';
const fs = require('fs');
const { chromium } = require('playwright-core');
const axe = require.resolve('axe-core/axe.min.js');
const [pages, out, plan] = process.argv.slice(2);
const languages = ['en', 'de', 'fr', 'es', 'ja', 'ar'];
const failures = [];

function check(what, good) {
	if (!good)
		failures.push(what);
}

async function judge(page, name) {
	await page.addScriptTag({ path: axe }).catch(() => {});
	const found = await page.evaluate(() => window.axe ? window.axe.run(document) : null);
	check(`${name}: axe-core did not run`, found);
	for (const v of found ? found.violations : [])
		failures.push(`${name}: axe-core: ${v.id}: ${v.help}: ${v.nodes.map((n) => n.html).join(' ').slice(0, 300)}`);
	const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
	check(`${name}: wider than the window`, !wide);
}

// The page, or the one that a press of `press` leads to, in four looks, judged in each.
async function looks(browser, { path, press, fill }, name, locale) {
	const context = await browser.newContext({ bypassCSP: true, locale });
	const page = await context.newPage();
	const asked = [];
	page.on('request', (r) => asked.push(r.url()));
	await page.goto(pages + path);
	if (fill) {
		await page.fill('#email', fill);
		await page.waitForTimeout(2100); // a person needs longer
	}
	if (press && await page.$(press)) // what was done once shows its result at once
		await Promise.all([page.waitForNavigation(), page.click(press)]);
	for (const width of [375, 800])
		for (const colorScheme of ['light', 'dark']) {
			await page.setViewportSize({ width, height: 700 });
			await page.emulateMedia({ colorScheme });
			await page.screenshot({ path: `${out}/${name}-${colorScheme}-${width}.png`, fullPage: true });
			await judge(page, `${name} ${colorScheme} ${width}`);
		}
	check(`${name}: asks others: ${asked.join(' ')}`, asked.every((u) => u.startsWith(pages)));
	check(`${name}: cookies`, (await context.cookies()).length === 0);
	await context.close();
}

// By keyboard alone: TAB until something that fits has the focus, then press.
async function tabTo(page, selector) {
	for (let i = 0; i < 40; i++) {
		await page.keyboard.press('Tab');
		if (await page.evaluate((s) => document.activeElement.matches(s), selector))
			return;
	}
	throw new Error(`no way by keyboard to ${selector}`);
}

const steps = {
	async subscribe(page) {
		await page.goto(pages + '/subscribe/daily');
		await tabTo(page, '#email');
		await page.keyboard.type('ana@example.org');
		await tabTo(page, '#name');
		await page.keyboard.type('Ana');
		await page.waitForTimeout(2100); // a person needs longer
		await tabTo(page, 'main button');
		await page.keyboard.press('Enter');
		await page.waitForSelector('h1:has-text("Check your mail")');
	},
	async confirm(page, link) {
		await page.goto(pages + link);
		await tabTo(page, 'main button');
		await page.keyboard.press('Enter');
		await page.waitForSelector('h1:has-text("Welcome")');
	},
	async preferences(page, link) {
		await page.goto(pages + link);
		await tabTo(page, 'input[name="list-week"]');
		await page.keyboard.press('Space');
		await tabTo(page, 'button[name="save"]');
		await page.keyboard.press('Enter');
		await page.waitForSelector('[role="status"]');
		check('the choice was not kept', await page.isChecked('input[name="list-week"]'));
	},
	async archive(page) {
		await page.goto(pages + '/archive/daily');
		await page.fill('#q', 'heading');
		await page.keyboard.press('Enter');
		await page.click('.issues a');
		await page.waitForSelector('h2:has-text("A heading")');
	},
};

(async () => {
	const browser = await chromium.launch({
		executablePath: process.env.CHROMIUM || '/usr/bin/chromium', headless: true,
		args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
			'--disable-background-networking', '--disable-component-update', '--disable-sync'] });
	try {
		for (const [step, value] of JSON.parse(plan)) {
			if (step === 'look') {
				for (const locale of value.every ? languages : ['en'])
					await looks(browser, value, `${value.name}-${locale}`, locale);
				continue;
			}
			const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en' });
			const page = await context.newPage();
			page.setDefaultTimeout(15000);
			await steps[step](page, value);
			await context.close();
		}
	} catch (error) {
		failures.push(String(error));
	}
	await browser.close();
	if (failures.length)
		console.log(failures.join('\n'));
	process.exit(failures.length ? 1 : 0);
})();
