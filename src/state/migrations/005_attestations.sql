-- One payload for each period of a model, for ever: written before it is attested, so that no crash leads to a second one.
CREATE TABLE promises (
    chain_id    INTEGER NOT NULL,
    oracle      TEXT    NOT NULL,
    model_id    TEXT    NOT NULL,
    period      INTEGER NOT NULL,
    payload     TEXT    NOT NULL,
    PRIMARY KEY (chain_id, oracle, model_id, period)
) STRICT;

-- Attestations by digest, our own and those of other operators: nobody signs or is asked twice.
CREATE TABLE attestations (
    digest      TEXT    NOT NULL,
    signer      TEXT    NOT NULL,
    signature   BLOB    NOT NULL,
    PRIMARY KEY (digest, signer)
) STRICT;
