-- Addresses that differ in the case of their local parts are two by RFC 5321 and one reader in the world: those that
-- have capitals, few as they are, can be found by what they are without.
CREATE INDEX subscribers_cased ON subscribers (lower(email_key)) WHERE email_key <> lower(email_key);
