// SPDX-License-Identifier: MIT
// look.js OUT FILE.html...: show messages in a browser, light and dark, on a wide and a narrow window, judged by
// axe-core, and without images, without <style>, with colours inverted; pictures go to the folder OUT. Exits 1, and
// tells, when something is not as it ought to be.
'use strict';
const fs = require('fs');
const path = require('path');
const { chromium } = require('playwright-core');
const axe = require.resolve('axe-core/axe.min.js');
const [out, ...files] = process.argv.slice(2);
// A message is shown inside another page, whose landmarks these would be.
const foreign = { 'landmark-one-main': { enabled: false }, region: { enabled: false } };
const failures = [];

async function judge(page, name) {
	await page.addScriptTag({ path: axe });
	const found = await page.evaluate((rules) => window.axe.run(document, { rules }), foreign);
	for (const v of found.violations)
		failures.push(`${name}: ${v.id}: ${v.help}: ${v.nodes.map((n) => n.html).join(' ').slice(0, 300)}`);
	if (await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth))
		failures.push(`${name}: wider than the window`);
}

async function shoot(page, name) {
	await page.screenshot({ path: `${out}/${name}.png`, fullPage: true });
}

async function look(browser, file) {
	const name = path.basename(file, '.html');
	const page = await (await browser.newContext()).newPage();
	await page.goto(`file://${path.resolve(file)}`);
	for (const width of [800, 375])
		for (const colorScheme of ['light', 'dark']) {
			await page.setViewportSize({ width, height: 700 });
			await page.emulateMedia({ colorScheme });
			await judge(page, `${name} ${colorScheme} ${width}`);
			await shoot(page, `${name}-${colorScheme}-${width}`);
		}
	await page.emulateMedia({ colorScheme: 'light' });
	await page.setViewportSize({ width: 800, height: 700 });
	await page.evaluate(() => { document.documentElement.style.filter = 'invert(1) hue-rotate(180deg)'; });
	await shoot(page, `${name}-inverted`);
	await page.evaluate(() => { document.documentElement.style.filter = ''; });
	await page.evaluate(() => document.querySelectorAll('img').forEach((i) => { i.removeAttribute('src'); }));
	await shoot(page, `${name}-no-images`);
	await page.evaluate(() => document.querySelectorAll('style').forEach((s) => s.remove()));
	await shoot(page, `${name}-no-style`);
	await page.setViewportSize({ width: 375, height: 700 });
	await shoot(page, `${name}-no-style-375`);
	await page.context().close();
}

(async () => {
	const browser = await chromium.launch({
		executablePath: process.env.CHROMIUM || '/usr/bin/chromium', headless: true,
		args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
			'--disable-background-networking', '--disable-component-update', '--disable-sync'] });
	try {
		for (const file of files)
			await look(browser, file);
	} catch (error) {
		failures.push(String(error));
	}
	await browser.close();
	if (failures.length)
		console.log(failures.join('\n'));
	process.exit(failures.length ? 1 : 0);
})();
