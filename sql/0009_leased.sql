-- SPDX-License-Identifier: MIT
-- What a lease holds is looked for only when it ends, and then among the issues that have such rows at all; each copy
-- paid for the index twice.
DROP INDEX deliveries_leased;
