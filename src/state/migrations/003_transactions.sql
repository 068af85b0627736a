-- What a transaction is for: 'update', or 'cancel' for one that only uses up its nonce; and when it was signed.
ALTER TABLE attempts ADD COLUMN purpose TEXT NOT NULL DEFAULT 'update';
ALTER TABLE attempts ADD COLUMN signed_ms INTEGER NOT NULL DEFAULT 0;

-- Whether a confirmed update's block is final: then nobody looks it up again.
ALTER TABLE cycles ADD COLUMN is_final INTEGER NOT NULL DEFAULT 0;
