/* SPDX-License-Identifier: MIT */
#include "formula.h"

bool formula_begins(struct str cell)
{
	static const char *const begins[] = {"=", "+", "-", "@", "\t", "\r", "\n", "\xef\xbc\x9d",
		"\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0"};

	while (cell.n && cell.p[0] == '\'')
		cell = str_slice(cell, 1, cell.n);
	for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
		if (str_has_prefix(cell, str_of(begins[i])))
			return true;
	return false;
}

struct str formula_unescape(struct str cell)
{
	return cell.n && cell.p[0] == '\'' && formula_begins(cell) ? str_slice(cell, 1, cell.n)
								   : cell;
}
