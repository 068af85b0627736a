-- Digest of the witness behind a cycle's proof.
ALTER TABLE cycles ADD COLUMN witness_sha256 TEXT;

-- Digest of a confirmed update's evidence bundle; 'pruned' once it is deleted.
ALTER TABLE cycles ADD COLUMN evidence TEXT;
